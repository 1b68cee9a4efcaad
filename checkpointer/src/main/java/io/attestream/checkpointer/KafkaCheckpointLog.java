// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.jspecify.annotations.Nullable;

/**
 * Topic {@code checkpoints}, owned through a fixed transactional id: opening it fences every earlier owner and completes or
 * aborts what that one had open, so that what is read afterwards up to the end is all there will ever be from it.
 */
final class KafkaCheckpointLog implements CheckpointLog {
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration CLOSE_WAIT = Duration.ofSeconds(2);
    private static final int FETCH_BYTES_MAX = 4 << 20;

    private final KafkaClients clients;
    private final TopicPartition partition;
    private final CheckpointRecords codec;
    private final KafkaProducer<byte[], byte[]> producer;

    private KafkaCheckpointLog(
            KafkaClients clients,
            TopicPartition partition,
            CheckpointRecords codec,
            KafkaProducer<byte[], byte[]> producer) {
        this.clients = clients;
        this.partition = partition;
        this.codec = codec;
        this.producer = producer;
    }

    /** Takes the log over from whoever owns it. */
    static KafkaCheckpointLog open(
            KafkaClients clients, String topic, String transactionalId, CheckpointRecords codec) {
        KafkaProducer<byte[], byte[]> producer = clients.transactionalWriter(transactionalId);
        try {
            producer.initTransactions();
        } catch (KafkaException e) {
            producer.close(Duration.ZERO);
            throw doubt("transactional id " + transactionalId + " could not be taken over", e);
        }
        return new KafkaCheckpointLog(clients, new TopicPartition(topic, 0), codec, producer);
    }

    /** What its producer tells. */
    KafkaClientMetrics metrics() {
        return new KafkaClientMetrics(producer);
    }

    @Override
    public void readToEnd(Consumer<LogRecord> reader) {
        try {
            readToEnd(clients.reader(FETCH_BYTES_MAX), partition.topic(), codec, reader, Patience.DEFAULT);
        } catch (KafkaException e) {
            throw doubt("could not be read to its end", e);
        }
    }

    /**
     * Reads all committed records without owning the topic: its owner may write more meanwhile.
     *
     * @param consumer is closed
     * @param limit how long it may get no further before that is a timeout
     * @throws KafkaException if the topic cannot be read to its end
     */
    static void readToEnd(
            org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> consumer,
            String topic,
            CheckpointRecords codec,
            Consumer<LogRecord> reader,
            Duration limit) {
        readToEnd(consumer, topic, codec, reader, limit, new ArchiveCheck.Pace(Long.MAX_VALUE));
    }

    /** As above, no faster than the pace. */
    static void readToEnd(
            org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> consumer,
            String topic,
            CheckpointRecords codec,
            Consumer<LogRecord> reader,
            Duration limit,
            ArchiveCheck.Pace pace) {
        long sizeBytes = 0;
        TopicPartition partition = new TopicPartition(topic, 0);
        List<TopicPartition> partitions = List.of(partition);
        Patience patience = new Patience(limit);
        try (consumer) {
            consumer.assign(partitions);
            requireFromTheFirst(partition, consumer.beginningOffsets(partitions));
            consumer.seek(partition, 0);
            long end = consumer.endOffsets(partitions).getOrDefault(partition, 0L);
            while (consumer.position(partition) < end) {
                long position = consumer.position(partition);
                patience.requireProgress(() -> "was read to offset " + position + " of " + end, position);
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    reader.accept(codec.decode(record.offset(), record.value()));
                    sizeBytes += Math.max(0, record.serializedValueSize());
                }
                pace.after(sizeBytes);
            }
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private static void requireFromTheFirst(TopicPartition partition, Map<TopicPartition, Long> beginning) {
        long first = beginning.getOrDefault(partition, 0L);
        if (first != 0) {
            throw new FatalDoubtException("topic " + partition.topic() + " begins at offset " + first
                    + ": its first records were deleted. Restore it");
        }
    }

    @Override
    public void stage(LogRecord record) {
        try {
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(
                            partition.topic(), partition.partition(), key(record), codec.encode(record)))
                    .get(KafkaClients.COMMIT_WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (KafkaException | TimeoutException e) {
            throw doubt("epoch " + record.epoch() + " could not be written", e);
        } catch (ExecutionException e) {
            throw doubt("epoch " + record.epoch() + " could not be written", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw doubt("epoch " + record.epoch() + " was being written when the process was told to stop", e);
        }
    }

    /** Writes records and commits them, all or none. */
    void write(List<LogRecord> records) {
        try {
            producer.beginTransaction();
            for (LogRecord record : records) {
                var unused = producer.send(new ProducerRecord<>(
                        partition.topic(), partition.partition(), key(record), codec.encode(record)));
            }
            producer.commitTransaction(); // fails if any of them could not be written
        } catch (KafkaException e) {
            throw doubt("epochs from " + records.get(0).epoch() + " on could not be written", e);
        }
    }

    /** For readers on Kafka Streams: a global store leaves records without a key out when it restores (seen in 4.1.2). */
    private static byte[] key(LogRecord record) {
        return Long.toString(record.epoch()).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void commit() {
        try {
            producer.commitTransaction();
        } catch (KafkaException e) {
            throw doubt("the result of a commit is unknown or it failed", e);
        }
    }

    private static FatalDoubtException doubt(String what, @Nullable Throwable cause) {
        // The last of them: the transaction was aborted before it was to be committed, by a new owner or by the
        // brokers.
        boolean fenced = cause instanceof ProducerFencedException
                || cause instanceof InvalidProducerEpochException
                || cause instanceof InvalidTxnStateException;
        String why = fenced
                ? "another checkpointer took over, or this process stood still for longer than a transaction may be open"
                : String.valueOf(cause);
        return new FatalDoubtException(
                "topic checkpoints: " + what + ": " + why
                        + ". The process ends; the next start finds out what was committed",
                cause);
    }

    @Override
    public void close() {
        producer.close(CLOSE_WAIT);
    }
}
