// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.ConfluentWire;
import java.time.Duration;
import java.util.OptionalLong;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Runs {@link ShardState} as a task of Kafka Streams: input offset, state and output commit in one transaction.
 *
 * <p>Leaves are forwarded when their tile is full, else by a punctuation every 50 ms. Nothing depends on when that happens:
 * what was forwarded is part of the edge record.
 */
final class SequencerProcessor implements Processor<Bytes, byte[], byte[], byte[]> {
    private static final Duration SEAL_INTERVAL = Duration.ofMillis(50);

    private final LedgerDefinition ledger;
    private final int generation;
    private final Fence fence;
    private final EdgeWrites edgeWrites;
    private final SequencerMetrics metrics;
    private final ConfluentWire<Sealed> sealedWire;
    private final ConfluentWire<Outcome> outcomeWire;

    private @Nullable ProcessorContext<byte[], byte[]> context;
    private @Nullable ShardState state;
    private SequencerMetrics.@Nullable Position position;
    private boolean firstRecord;

    SequencerProcessor(
            LedgerDefinition ledger, int generation, Fence fence, EdgeWrites edgeWrites, SequencerMetrics metrics) {
        this.ledger = ledger;
        this.generation = generation;
        this.fence = fence;
        this.edgeWrites = edgeWrites;
        this.metrics = metrics;
        this.sealedWire = new ConfluentWire<>(Sealed.class, SchemaTexts.SEALED, ledger.schemas());
        this.outcomeWire = new ConfluentWire<>(Outcome.class, SchemaTexts.OUTCOME, ledger.schemas());
    }

    /**
     * Called after the stores were restored, for the same object again when a task is taken up again: everything in heap is
     * built anew. Only reads the stores: a caching store cannot be put into yet.
     */
    @Override
    public void init(ProcessorContext<byte[], byte[]> newContext) {
        context = newContext;
        StateLife life =
                new StateLife(generation, ledger.incarnation(), Uuid.fromString(ledger.topicId()), fence.changelogs());
        ShardState opened = ShardState.open(
                shard(), ledger.shards(), life, ledger.key(), new ContextStores(newContext, edgeWrites));
        requireSamePosition(opened);
        state = opened;
        firstRecord = true;
        closePosition();
        SequencerMetrics.Position told = metrics.open(shard());
        told.at(opened);
        position = told;
        newContext.schedule(SEAL_INTERVAL, PunctuationType.WALL_CLOCK_TIME, now -> seal());
    }

    @Override
    public void close() {
        closePosition();
    }

    private void closePosition() {
        SequencerMetrics.Position told = position;
        if (told != null) {
            told.close();
            position = null;
        }
    }

    /**
     * State and committed offset are one fact, unless somebody lost or moved one of them. Found here before the first record
     * comes, which on a quiet shard may be days later.
     */
    private void requireSamePosition(ShardState opened) {
        long committed = ledgerOffset(fence.committed(shard())
                .orElseThrow(() -> new IntegrityException(
                        "shard " + shard() + ": the group has no committed offset, its state is at offset "
                                + LedgerOffset.kafka(opened.nextOffset())
                                + ": the group's offsets were deleted or expired. Positions are never guessed; restore into a"
                                + " new generation")));
        if (committed < opened.nextOffset()) {
            throw new IntegrityException("shard " + shard() + ": the group's offset is "
                    + LedgerOffset.kafka(committed) + ", its state has accounted for all below "
                    + LedgerOffset.kafka(opened.nextOffset())
                    + ": the group's offsets were moved back, or the state is of a later time."
                    + " Restore into a new generation; nothing was changed");
        }
        requireNothingBetween(opened, committed);
    }

    @Override
    public void process(Record<Bytes, byte[]> record) {
        ShardState shardState = required(state);
        RecordMetadata at = required(context)
                .recordMetadata()
                .orElseThrow(() -> new IllegalStateException("a record from a topic has metadata"));
        long offset = ledgerOffset(at.offset());
        if (firstRecord) {
            requireNothingBetween(shardState, offset);
            firstRecord = false;
        }
        ShardState.Step step = shardState.accept(offset, record.timestamp(), record.value());
        if (step.decision() instanceof Decision.Duplicate duplicate) {
            forward(outcome(offset, OutcomeKind.DUPLICATE, duplicate.reference(), ""));
        } else if (step.decision() instanceof Decision.Rejected rejected) {
            forward(outcome(offset, OutcomeKind.REJECTED, null, rejected.reason()));
        }
        step.delta().ifPresent(this::forward);
        metrics.decided(step.decision());
    }

    /**
     * The other side of the fence. Later records come from one consumer without a break; the first one after a start comes from
     * committed offsets that somebody may have moved.
     */
    private void requireNothingBetween(ShardState shardState, long offset) {
        long next = shardState.nextOffset();
        OptionalLong skipped = offset > next
                ? fence.firstRecord(shard(), LedgerOffset.kafka(next), LedgerOffset.kafka(offset))
                : OptionalLong.empty();
        if (skipped.isPresent()) {
            throw new IntegrityException("shard " + shard() + " would go on at offset "
                    + LedgerOffset.kafka(offset) + ", but offset "
                    + skipped.getAsLong() + " is a committed record that its state has not accounted for (next is "
                    + LedgerOffset.kafka(next) + ")"
                    + (shardState.size() == 0
                            ? ": the state was lost while the group's offsets survived."
                            : ": the group's offsets were moved, or the state is of an earlier time.")
                    + " Restore into a new generation; nothing was changed");
        }
    }

    private long ledgerOffset(long kafkaOffset) {
        return LedgerOffset.of(ledger.incarnation(), kafkaOffset);
    }

    private void seal() {
        ShardState shardState = required(state);
        shardState.seal().ifPresent(this::forward);
        required(position).at(shardState);
    }

    private Outcome outcome(long offset, OutcomeKind kind, @Nullable Long reference, String reason) {
        return new Outcome(shard(), ledger.incarnation(), generation, offset, kind, reference, reason);
    }

    private void forward(Outcome outcome) {
        forward(outcomeWire.encode(outcome), SequencerTopology.OUTCOMES_SINK);
    }

    private void forward(Sealed delta) {
        forward(sealedWire.encode(delta), SequencerTopology.SEALED_SINK);
    }

    private void forward(byte[] value, String sink) {
        ProcessorContext<byte[], byte[]> to = required(context);
        to.forward(new Record<>(SequencerTopology.shardKey(shard()), value, to.currentSystemTimeMs()), sink);
    }

    private int shard() {
        return required(context).taskId().partition();
    }

    private static <T> T required(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("init was not called");
        }
        return value;
    }

    /** The three stores of the task. */
    private static final class ContextStores implements ShardState.Stores {
        private final EdgeWrites.Store edgeBehindTheCache;
        private final KeyValueStore<byte[], byte[]> edge;
        private final KeyValueStore<byte[], byte[]> window;
        private final KeyValueStore<byte[], byte[]> rules;

        ContextStores(ProcessorContext<byte[], byte[]> context, EdgeWrites edgeWrites) {
            edgeBehindTheCache = edgeWrites.takeUp(context.taskId());
            edge = context.getStateStore(SequencerTopology.EDGE_STORE);
            window = context.getStateStore(SequencerTopology.WINDOW_STORE);
            rules = context.getStateStore(SequencerTopology.RULES_STORE);
        }

        @Override
        public byte @Nullable [] edge() {
            return edge.get(SequencerTopology.EDGE_KEY);
        }

        /** The array is always the same one: while the cache holds it, it holds what changes in it. */
        @Override
        public void putEdge(byte[] bytes) {
            if (edgeBehindTheCache.takeWritten()) {
                edge.put(SequencerTopology.EDGE_KEY, bytes);
            }
        }

        @Override
        public byte @Nullable [] tile(byte[] key) {
            return window.get(key);
        }

        @Override
        public void putTile(byte[] key, byte[] tile) {
            window.put(key, tile);
        }

        @Override
        public void deleteTile(byte[] key) {
            window.delete(key);
        }

        @Override
        public byte @Nullable [] control() {
            return rules.get(SequencerTopology.CONTROL_KEY);
        }

        @Override
        public void putControl(byte[] control) {
            rules.put(SequencerTopology.CONTROL_KEY, control);
        }
    }
}
