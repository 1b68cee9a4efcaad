// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** How far topic {@code events} was published, and therefore must go: read from the end of topic {@code checkpoints} backwards. */
public final class PublishedEnds {
    private static final Duration POLL = Duration.ofMillis(200);
    /** An epoch has an intent, a publication, at times shard notes, and a marker behind each. */
    private static final long FIRST_STEP_OFFSETS = 16;

    private final Consumer<byte[], byte[]> consumer;
    private final TopicPartition partition;
    private final LedgerDefinition ledger;
    private final WireDecoder<CheckpointRecord> decoder;
    private final Duration timeout;

    PublishedEnds(Consumer<byte[], byte[]> consumer, Topics topics, LedgerDefinition ledger, Duration timeout) {
        this.consumer = consumer;
        this.partition = new TopicPartition(topics.checkpoints(), 0);
        this.ledger = ledger;
        this.decoder = new WireDecoder<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, ledger.schemas());
        this.timeout = timeout;
    }

    /**
     * Of each shard the Kafka offset below which the epoch published last accounts for all records; 0 if nothing of this
     * incarnation is published yet.
     *
     * @param connection {@code bootstrap.servers} and what else it takes to connect
     * @param timeout of reading
     * @throws InvalidFormat if there is a record that is none of the ledger's
     * @throws KafkaException if the topic cannot be read in time
     */
    public static long[] read(Map<String, Object> connection, Topics topics, LedgerDefinition ledger, Duration timeout)
            throws InvalidFormat {
        try (Consumer<byte[], byte[]> consumer = GenesisReader.consumer(connection)) {
            return new PublishedEnds(consumer, topics, ledger, timeout).read();
        }
    }

    long[] read() throws InvalidFormat {
        long[] ends = new long[ledger.shards()];
        Optional<Published> newest = newest();
        if (newest.isPresent()) {
            for (ByteBuffer encoded : newest.get().getHeads()) {
                byte[] bytes = new byte[encoded.remaining()];
                encoded.duplicate().get(bytes);
                ShardHead head = ShardHead.parse(bytes);
                // Of a shard that has nothing new yet it is an offset of the topic that was lost.
                if (LedgerOffset.incarnation(head.nextOffset()) == ledger.incarnation()) {
                    ends[head.shard()] = LedgerOffset.kafka(head.nextOffset());
                }
            }
        }
        return ends;
    }

    private Optional<Published> newest() throws InvalidFormat {
        List<TopicPartition> partitions = List.of(partition);
        long deadlineNanos = System.nanoTime() + timeout.toNanos();
        consumer.assign(partitions);
        long first = consumer.beginningOffsets(partitions, timeout).getOrDefault(partition, 0L);
        long end = consumer.endOffsets(partitions, timeout).getOrDefault(partition, 0L);
        Optional<Published> newest = Optional.empty();
        for (long step = FIRST_STEP_OFFSETS; newest.isEmpty() && end > first; step *= 2) {
            long from = Math.max(first, end - step);
            newest = newest(from, end, deadlineNanos);
            end = from;
        }
        return newest;
    }

    private Optional<Published> newest(long from, long end, long deadlineNanos) throws InvalidFormat {
        Optional<Published> newest = Optional.empty();
        consumer.seek(partition, from);
        while (consumer.position(partition) < end) {
            if (System.nanoTime() > deadlineNanos) {
                throw new KafkaException(
                        partition + " could not be read up to offset " + end + " within " + timeout.toMillis() + " ms");
            }
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                if (record.offset() < end && body(record) instanceof Published published) {
                    newest = Optional.of(published);
                }
            }
        }
        return newest;
    }

    private Object body(ConsumerRecord<byte[], byte[]> record) throws InvalidFormat {
        if (decoder.decode(record.value()) instanceof WireResult.Decoded<CheckpointRecord> decoded) {
            return decoded.value().getBody();
        }
        throw new InvalidFormat(partition + " offset " + record.offset(), "is no record of the ledger");
    }
}
