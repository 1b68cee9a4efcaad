// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.processors.IntegrityException;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Puts a shard's committed deltas and outcomes where queries find them, and lets go of what packs have. Every put is idempotent; what
 * was let go of is not put again when its records come again.
 */
final class ShardProofsProcessor implements Processor<Bytes, byte[], Void, Void> {
    /** Small against the time in which a pack is made. */
    private static final Duration COMPACTION_INTERVAL = Duration.ofSeconds(1);

    private final Topics topics;
    private final int generation;
    private final Optional<PackLoader> packs;
    private final WireDecoder<Sealed> sealedDecoder;
    private final WireDecoder<Outcome> outcomeDecoder;

    private @Nullable ProcessorContext<Void, Void> context;
    private @Nullable KeyValueStore<Bytes, byte[]> store;
    private @Nullable TileStore tiles;
    /** Cannot be done before the first record. */
    private boolean formatIsWritten;

    /** @param packs to read packs with; without it all stays in the store */
    ShardProofsProcessor(Topics topics, LedgerDefinition ledger, int generation, Optional<PackLoader> packs) {
        this.packs = packs;
        this.topics = topics;
        this.generation = generation;
        this.sealedDecoder = new WireDecoder<>(Sealed.class, SchemaTexts.SEALED, ledger.schemas());
        this.outcomeDecoder = new WireDecoder<>(Outcome.class, SchemaTexts.OUTCOME, ledger.schemas());
    }

    @Override
    public void init(ProcessorContext<Void, Void> newContext) {
        context = newContext;
        KeyValueStore<Bytes, byte[]> own = newContext.getStateStore(ProofsTopology.SHARD_STORE);
        store = own;
        int shard = newContext.taskId().partition();
        StoreFormat.require(own, "shard " + shard);
        formatIsWritten = own.get(Keys.format()) != null;
        tiles = new TileStore(own, "shard " + shard);
        packs.ifPresent(loader -> {
            ShardCompaction compaction =
                    new ShardCompaction(shard, own, newContext.getStateStore(ProofsTopology.LEDGER_STORE), loader);
            newContext.schedule(COMPACTION_INTERVAL, PunctuationType.WALL_CLOCK_TIME, timestamp -> compaction.step());
        });
    }

    @Override
    public void process(Record<Bytes, byte[]> record) {
        String topic = required(context)
                .recordMetadata()
                .orElseThrow(() -> new IllegalStateException("a record from a topic has metadata"))
                .topic();
        if (!formatIsWritten) {
            required(store).put(Keys.format(), StoreFormat.encode());
            formatIsWritten = true;
        }
        if (topic.equals(topics.sealed())) {
            put(decode(sealedDecoder, record.value()));
        } else {
            put(decode(outcomeDecoder, record.value()));
        }
    }

    private void put(Sealed delta) {
        if (delta.getGeneration() != generation) {
            return; // another life of the processors' state
        }
        KeyValueStore<Bytes, byte[]> own = required(store);
        ShardMeta meta = ShardMeta.of(own.get(Keys.meta()));
        int count = delta.getOffsets().size();
        if (delta.getFirstIndex() > meta.size()) {
            throw new IntegrityException(
                    "shard " + delta.getShard() + ": a delta begins at leaf " + delta.getFirstIndex() + ", known are "
                            + meta.size() + ": records of topic " + topics.sealed() + " were lost");
        }
        // A pack ends at a multiple of 256, across which no delta goes.
        boolean isPacked = delta.getFirstIndex() + count
                <= Compacted.of(own.get(Keys.compacted())).size();
        if (!isPacked) {
            required(tiles).putLeaves(delta.getFirstIndex(), bytes(delta.getHashes()));
        }
        if (count > 0 && !isPacked) {
            own.put(
                    Keys.delta(delta.getOffsets().get(0)),
                    new DeltaIndex(delta.getFirstIndex(), bytes(delta.getKinds()), delta.getOffsets()).encode());
        }
        own.put(
                Keys.meta(),
                meta.advancedTo(delta.getFirstIndex() + count, delta.getHead().getNextOffset())
                        .encode());
    }

    private void put(Outcome outcome) {
        if (outcome.getGeneration() != generation) {
            return;
        }
        KeyValueStore<Bytes, byte[]> own = required(store);
        if (outcome.getOffset() >= Compacted.of(own.get(Keys.compacted())).nextOffset()) {
            own.put(
                    Keys.outcome(outcome.getOffset()),
                    new StoredOutcome(
                                    outcome.getKind() == OutcomeKind.DUPLICATE,
                                    outcome.getReference() == null ? -1 : outcome.getReference(),
                                    outcome.getReason())
                            .encode());
        }
        own.put(
                Keys.meta(),
                ShardMeta.of(own.get(Keys.meta()))
                        .withOutcome(outcome.getOffset())
                        .encode());
    }

    static <T extends SpecificRecord> T decode(WireDecoder<T> decoder, byte @Nullable [] value) {
        WireResult<T> result = decoder.decode(value);
        if (result instanceof WireResult.Decoded<T> decoded) {
            return decoded.value();
        }
        throw new IntegrityException("a record that only this program writes cannot be read: " + result);
    }

    static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    private static <T> T required(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("init was not called");
        }
        return value;
    }
}
