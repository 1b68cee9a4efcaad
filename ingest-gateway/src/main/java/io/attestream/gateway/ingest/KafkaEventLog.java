// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.config.GatewayConfig;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jpountz.lz4.LZ4Factory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Topic {@code events} behind a raw producer: idempotent, {@code acks=all}, explicit partitions.
 *
 * <p>Threads: {@link #append} may wait up to {@code max.block.ms} for metadata or buffer, so it is called on worker
 * threads only. Acknowledgements arrive on the producer's one I/O thread; everything that follows is handed to the answer
 * executor, because a callback that encodes or waits there delays every other acknowledgement.
 */
public final class KafkaEventLog implements EventLog {
    /** What a record has beside its payload: attributes, digests, framing (design section 4). */
    public static final int RECORD_OVERHEAD_BYTES = 128 * 1024;

    private static final Duration READY_TIMEOUT = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(KafkaEventLog.class);

    private final String topic;
    private final Producer<byte[], byte[]> producer;
    private final Admin admin;
    private final ExecutorService answers;
    private final AtomicLongArray knownEnds;
    private final Duration metadataTimeout;
    private final Duration drainTimeout;
    private final Acknowledgements acknowledgements;
    private volatile boolean closed;
    /** For good: what was acknowledged below an end that was known is in another log than what was acknowledged before. */
    private volatile boolean wentBack;

    /** Is told of every record that was acknowledged; on a thread that others wait for. */
    public interface Acknowledgements {
        /** @param nanos from the call of {@link #append} on */
        void took(long nanos);
    }

    KafkaEventLog(
            String topic,
            int shards,
            Producer<byte[], byte[]> producer,
            Admin admin,
            Duration timeout,
            Duration drain,
            Acknowledgements acknowledgements) {
        this.acknowledgements = acknowledgements;
        this.topic = topic;
        this.producer = producer;
        this.admin = admin;
        this.metadataTimeout = timeout;
        this.drainTimeout = drain;
        this.knownEnds = new AtomicLongArray(shards);
        for (int shard = 0; shard < shards; shard++) {
            knownEnds.set(shard, 1); // the genesis record was read
        }
        this.answers = Executors.newFixedThreadPool(2, task -> new Thread(task, "append-answers"));
    }

    /**
     * Under a class loader that is not the system's, as Quarkus has one, LZ4 takes its slow implementation in Java unless the
     * native one was asked for before: half of the gateway's time, with payloads of 4 KB.
     */
    private static void loadNativeCompression() {
        try {
            LZ4Factory.nativeInstance();
        } catch (LinkageError | RuntimeException e) {
            LOG.info("LZ4 compresses in Java, which is slower: {}", e.toString());
        }
    }

    /**
     * Opens the producer; does not wait for the brokers.
     *
     * @param connection {@code bootstrap.servers} and what else it takes to connect
     */
    public static KafkaEventLog open(
            GatewayConfig config,
            Map<String, Object> connection,
            String topic,
            int shards,
            long maxPayloadBytes,
            Acknowledgements acknowledgements) {
        loadNativeCompression();
        Duration timeout = config.producer().requestTimeout();
        Producer<byte[], byte[]> producer = new KafkaProducer<>(
                properties(config, connection, maxPayloadBytes), new ByteArraySerializer(), new ByteArraySerializer());
        Map<String, Object> asking = new HashMap<>(connection);
        asking.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis(timeout));
        asking.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis(timeout));
        Admin admin = Admin.create(asking);
        return new KafkaEventLog(
                topic, shards, producer, admin, timeout, config.ingest().drainTimeout(), acknowledgements);
    }

    /** Every setting safety or latency depends on, also where it equals the default. */
    static Map<String, Object> properties(GatewayConfig config, Map<String, Object> connection, long maxPayloadBytes) {
        Map<String, Object> properties = new HashMap<>(connection);
        properties.putAll(writing(config.producer(), maxPayloadBytes));
        return properties;
    }

    private static Map<String, Object> writing(GatewayConfig.Producer settings, long maxPayloadBytes) {
        return Map.ofEntries(
                Map.entry(ProducerConfig.CLIENT_ID_CONFIG, "attestream-gateway"),
                Map.entry(ProducerConfig.ACKS_CONFIG, "all"),
                Map.entry(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true),
                // The most that idempotence allows without reordering within a partition.
                Map.entry(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 5),
                Map.entry(ProducerConfig.RETRIES_CONFIG, Integer.MAX_VALUE),
                Map.entry(ProducerConfig.LINGER_MS_CONFIG, millis(settings.linger())),
                Map.entry(ProducerConfig.BATCH_SIZE_CONFIG, settings.batchBytes()),
                Map.entry(ProducerConfig.BUFFER_MEMORY_CONFIG, settings.bufferBytes()),
                Map.entry(ProducerConfig.COMPRESSION_TYPE_CONFIG, settings.compression()),
                Map.entry(
                        ProducerConfig.MAX_BLOCK_MS_CONFIG, settings.maxBlock().toMillis()),
                Map.entry(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, millis(settings.requestTimeout())),
                Map.entry(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, millis(settings.deliveryTimeout())),
                // Soon back on a broker that restarts; the default backs off to a second.
                Map.entry(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 500L),
                Map.entry(
                        ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                        Math.toIntExact(maxPayloadBytes + RECORD_OVERHEAD_BYTES)));
    }

    private static int millis(Duration duration) {
        return Math.toIntExact(duration.toMillis());
    }

    @Override
    public CompletableFuture<AppendResult> append(LogRecord record) {
        CompletableFuture<AppendResult> result = new CompletableFuture<>();
        if (closed || wentBack) {
            result.complete(new AppendResult.NotWritten("this instance takes no more events"));
            return result;
        }
        // In one log, whatever is sent from now on lands there or behind.
        long end = knownEnds.get(record.shard());
        Thread caller = Thread.currentThread();
        long begunNanos = System.nanoTime();
        try {
            var unused = producer.send(
                    new ProducerRecord<>(topic, record.shard(), record.key(), record.value()), (metadata, error) -> {
                        // What send() itself reports, on the caller's thread, never came into a batch. Of everything
                        // later an earlier attempt may have been written, whatever the last one met.
                        if (error != null && Thread.currentThread() == caller) {
                            result.complete(notSent(error));
                        } else {
                            // Here, in the order of the acknowledgements: the first that went back stops those behind
                            // it.
                            if (metadata != null && metadata.hasOffset() && metadata.offset() < end) {
                                wentBack = true;
                            }
                            if (error == null) {
                                acknowledgements.took(System.nanoTime() - begunNanos);
                            }
                            answer(result, () -> acknowledged(metadata, error));
                        }
                    });
        } catch (InterruptException e) {
            Thread.currentThread().interrupt();
            result.complete(new AppendResult.NotWritten("interrupted"));
        } catch (RuntimeException e) {
            // send() throws only before the record enters a batch, or when the producer will never send again.
            result.complete(notSent(e));
        }
        return result;
    }

    private void answer(CompletableFuture<AppendResult> result, Supplier<AppendResult> outcome) {
        ((Executor) answers).execute(() -> result.complete(outcome.get()));
    }

    private AppendResult acknowledged(@Nullable RecordMetadata metadata, @Nullable Exception error) {
        if (error != null) {
            return failed(error);
        }
        if (metadata == null || !metadata.hasOffset()) {
            return new AppendResult.Unknown("acknowledged without an offset");
        }
        if (wentBack) {
            return new AppendResult.Unknown("acknowledged, but by a log that is not the one it was meant for");
        }
        knownEnds.accumulateAndGet(metadata.partition(), metadata.offset() + 1, Math::max);
        return new AppendResult.Appended(metadata.partition(), metadata.offset());
    }

    /**
     * A failure behind send(). It tells about the last attempt only: an earlier one may have been written and its answer
     * lost, so only what no attempt can have written is certain.
     */
    private static AppendResult failed(Exception error) {
        if (error instanceof RecordTooLargeException) {
            return tooLarge();
        }
        LOG.warn("append not acknowledged: {}", error.toString());
        return new AppendResult.Unknown(
                isRefusal(error)
                        ? "the brokers refuse to write now; an earlier attempt may have been written"
                        : "the brokers did not acknowledge in time");
    }

    private static AppendResult notSent(Exception error) {
        if (error instanceof RecordTooLargeException) {
            return tooLarge();
        }
        LOG.warn("append not sent: {}", error.toString());
        return new AppendResult.NotWritten(
                isRefusal(error) ? "the brokers refuse to write" : "the brokers cannot be reached");
    }

    private static AppendResult tooLarge() {
        return new AppendResult.TooLarge("the record exceeds the message limit of the topic");
    }

    private static boolean isRefusal(Exception error) {
        return error instanceof AuthorizationException || error instanceof InvalidTopicException;
    }

    @Override
    public long endOffset(int shard, long atLeast) throws Unavailable {
        long known = knownEnds.get(shard);
        if (known > atLeast) {
            return known;
        }
        long end = Objects.requireNonNull(ends(IntStream.of(shard)).get(shard), "asked for");
        return knownEnds.accumulateAndGet(shard, end, Math::max);
    }

    /**
     * Takes what somebody else knows of the log's ends: what was published is below them.
     *
     * @param ends of each shard, an offset; 0 if nothing is known
     */
    public void expectEnds(long[] ends) {
        for (int shard = 0; shard < ends.length; shard++) {
            knownEnds.accumulateAndGet(shard, ends[shard], Math::max);
        }
    }

    /**
     * Asks how far the log goes by now, whoever wrote to it: an end below one that was known is that of another log, and so
     * is an acknowledgement below an end learned here.
     */
    public void learnEnds() {
        long[] before =
                IntStream.range(0, knownEnds.length()).mapToLong(knownEnds::get).toArray();
        try {
            ends(IntStream.range(0, before.length)).forEach((shard, end) -> {
                if (end < before[shard]) {
                    wentBack = true;
                }
                knownEnds.accumulateAndGet(shard, end, Math::max);
            });
        } catch (Unavailable e) {
            LOG.debug("ends not learned: {}", e.getMessage());
        }
    }

    /** Offset below which all records of a shard are known to be in the log, whoever wrote them. */
    public long knownEnd(int shard) {
        return knownEnds.get(shard);
    }

    /** What its producer tells. */
    public KafkaClientMetrics metrics() {
        return new KafkaClientMetrics(producer);
    }

    private Map<Integer, Long> ends(IntStream shards) throws Unavailable {
        Map<TopicPartition, OffsetSpec> asked = shards.boxed()
                .collect(Collectors.toMap(shard -> new TopicPartition(topic, shard), shard -> OffsetSpec.latest()));
        try {
            return admin
                    .listOffsets(asked, new ListOffsetsOptions().timeoutMs(millis(metadataTimeout)))
                    .all()
                    .get(metadataTimeout.toMillis(), TimeUnit.MILLISECONDS)
                    .entrySet()
                    .stream()
                    .collect(Collectors.toMap(
                            end -> end.getKey().partition(),
                            end -> end.getValue().offset()));
        } catch (ExecutionException | TimeoutException e) {
            throw new Unavailable("the ends of " + asked.keySet() + " are not known: the brokers do not answer");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Unavailable("interrupted");
        }
    }

    /**
     * Whether an append was acknowledged below what the log was known to hold: the topic was deleted and made again, or lost
     * its end. From the first such acknowledgement on nothing is acknowledged and nothing more is sent.
     */
    public boolean hasGoneBack() {
        return wentBack;
    }

    @Override
    public boolean isReady() {
        return !wentBack
                && describe()
                        .filter(topic -> topic.partitions().size() == knownEnds.length())
                        .filter(topic -> topic.partitions().stream().allMatch(KafkaEventLog::hasLeader))
                        .isPresent();
    }

    /** The topic as it is now; empty if the brokers do not tell. */
    public Optional<TopicDescription> describe() {
        if (closed) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(
                    admin.describeTopics(List.of(topic), new DescribeTopicsOptions().timeoutMs(millis(READY_TIMEOUT)))
                            .allTopicNames()
                            .get(READY_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                            .get(topic));
        } catch (ExecutionException | TimeoutException | IllegalStateException e) {
            return Optional.empty(); // they do not answer, or the client was closed meanwhile
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private static boolean hasLeader(TopicPartitionInfo partition) {
        return partition.leader() != null && !partition.leader().isEmpty();
    }

    @Override
    public void close() {
        // Sends what is queued and waits for its acknowledgements.
        close(drainTimeout);
    }

    /** Lets go at once, of a log that must not be written to: what is queued is not sent, its outcome is unknown. */
    public void abandon() {
        close(Duration.ZERO);
    }

    private void close(Duration drain) {
        if (!closed) {
            closed = true;
            producer.close(drain);
            answers.shutdown();
            try {
                if (!answers.awaitTermination(drainTimeout.toMillis(), TimeUnit.MILLISECONDS)) {
                    LOG.warn("answers still waiting when the drain timeout ended");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            admin.close(metadataTimeout);
        }
    }
}
