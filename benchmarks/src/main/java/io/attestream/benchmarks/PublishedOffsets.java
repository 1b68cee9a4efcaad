// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Up to which input offset each shard is published, as topic {@code checkpoints} says it. Not thread-safe. */
final class PublishedOffsets implements LongSupplier, AutoCloseable {
    private final Committed checkpoints;
    private final WireDecoder<CheckpointRecord> decoder;
    private final long[] nextOffsets;

    PublishedOffsets(String bootstrapServers, Topics topics, LedgerDefinition ledger) {
        checkpoints = new Committed(bootstrapServers, Committed.only(topics.checkpoints()));
        decoder = new WireDecoder<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, ledger.schemas());
        nextOffsets = new long[ledger.shards()];
    }

    /** All shards together, now. */
    @Override
    public long getAsLong() {
        checkpoints.readToEnd(this::read);
        return Arrays.stream(nextOffsets).sum();
    }

    /** Of one shard, as it was at the last look. */
    long nextOffset(int shard) {
        return nextOffsets[shard];
    }

    private void read(ConsumerRecord<byte[], byte[]> record) {
        if (decoder.decode(record.value()) instanceof WireResult.Decoded<CheckpointRecord> decoded
                && decoded.value().getBody() instanceof Published published) {
            for (ByteBuffer encoded : published.getHeads()) {
                ShardHead head = head(encoded);
                nextOffsets[head.shard()] = head.nextOffset();
            }
        }
    }

    static ShardHead head(ByteBuffer encoded) {
        byte[] bytes = new byte[encoded.remaining()];
        encoded.duplicate().get(bytes);
        try {
            return ShardHead.parse(bytes);
        } catch (InvalidFormat e) {
            throw new IllegalStateException("a published head cannot be read", e);
        }
    }

    @Override
    public void close() {
        checkpoints.close();
    }
}
