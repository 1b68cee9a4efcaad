// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.avro.ShardNote;
import io.attestream.schemas.avro.ShardNotes;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.WireDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** Puts published epochs where queries find them. Runs again from the last known position after a restart: idempotent. */
final class LedgerProofsProcessor implements Processor<Bytes, byte[], Void, Void> {
    private final WireDecoder<CheckpointRecord> decoder;

    private @Nullable KeyValueStore<Bytes, byte[]> store;
    private @Nullable TileStore tiles;
    private final int generation;

    LedgerProofsProcessor(LedgerDefinition ledger, int generation) {
        this.generation = generation;
        this.decoder = new WireDecoder<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, ledger.schemas());
    }

    @Override
    public void init(ProcessorContext<Void, Void> context) {
        KeyValueStore<Bytes, byte[]> own = context.getStateStore(ProofsTopology.LEDGER_STORE);
        store = own;
        tiles = new TileStore(own, "ledger log");
    }

    @Override
    public void process(Record<@Nullable Bytes, byte[]> record) {
        if (record.key() == null) {
            // Kafka Streams (seen in 4.1.2) leaves such a record out, without a word, when it restores a global store.
            throw new IntegrityException("topic checkpoints has a record without a key: no checkpointer wrote it");
        }
        CheckpointRecord checkpoint = ShardProofsProcessor.decode(decoder, record.value());
        if (checkpoint.getBody() instanceof Published published) {
            requireNotGivenUp(published);
            put(published, record.value());
        } else if (checkpoint.getBody() instanceof ShardNotes notes) {
            for (ShardNote note : notes.getNotes()) {
                required(store)
                        .put(Keys.shardNote(note.getShard()), note.getNote().getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    /** What an older generation seals and answers is verified by nobody any more. */
    private void requireNotGivenUp(Published published) {
        if (published.getGeneration() > generation) {
            throw new IntegrityException("epoch " + published.getEpoch() + " was published from generation "
                    + published.getGeneration() + ", this process is of generation " + generation
                    + ", which was given up: start it with the new attestream.generation");
        }
    }

    private void put(Published published, byte[] value) {
        KeyValueStore<Bytes, byte[]> own = required(store);
        byte[] leafHash = Rfc6962.leafHash(ShardProofsProcessor.bytes(published.getEpochLeaf()))
                .bytes();
        required(tiles).putLeaves(published.getEpoch(), leafHash);
        for (ByteBuffer encoded : published.getHeads()) {
            ShardHead head = head(published.getEpoch(), encoded);
            byte[] epoch = ByteBuffer.allocate(8).putLong(published.getEpoch()).array();
            own.putIfAbsent(Keys.published(head.shard(), head.size().value()), epoch);
        }
        putPacks(own, published);
        own.put(Keys.epoch(published.getEpoch()), value);
        // Last: a query that sees the new size finds everything below it.
        byte[] known = own.get(Keys.meta());
        long size = published.getEpoch() + 1;
        if (known == null || ByteBuffer.wrap(known).getLong() < size) {
            own.put(Keys.meta(), ByteBuffer.allocate(8).putLong(size).array());
        }
    }

    private static void putPacks(KeyValueStore<Bytes, byte[]> own, Published published) {
        try {
            for (EpochLeaf.Logged logged : EpochLeaf.parse(ShardProofsProcessor.bytes(published.getEpochLeaf()))
                    .logged()) {
                if (PackName.isPack(logged.name())) {
                    PackName pack = PackName.parse(logged.name());
                    own.put(Keys.pack(pack.shard(), pack.first()), pack.name().getBytes(StandardCharsets.US_ASCII));
                }
            }
        } catch (InvalidFormat e) {
            throw new IntegrityException(
                    "epoch " + published.getEpoch() + " has a leaf that cannot be read: " + e.getMessage(), e);
        }
    }

    private static ShardHead head(long epoch, ByteBuffer encoded) {
        try {
            return ShardHead.parse(ShardProofsProcessor.bytes(encoded));
        } catch (InvalidFormat e) {
            throw new IntegrityException("epoch " + epoch + " has a head that cannot be read: " + e.getMessage(), e);
        }
    }

    private static <T> T required(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("init was not called");
        }
        return value;
    }
}
