// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.schemas.connection.KafkaConnection;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.BrokerNotAvailableException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the producer's answer says about the record: nothing is called not written that may be, or acknowledged in another log. */
class KafkaEventLogTest {
    private static final LogRecord RECORD = new LogRecord(0, new byte[] {1}, new byte[] {2});
    private static final Duration SHORT = Duration.ofSeconds(1);

    /** Reports one error for every record, from within send() or later on a thread of its own. */
    private static final class Failing extends MockProducer<byte[], byte[]> {
        private final Exception error;
        private final boolean later;

        Failing(Exception error, boolean later) {
            super(true, null, new ByteArraySerializer(), new ByteArraySerializer());
            this.error = error;
            this.later = later;
        }

        @Override
        public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
            if (later) {
                return CompletableFuture.supplyAsync(() -> {
                    callback.onCompletion(null, error);
                    return null;
                });
            }
            callback.onCompletion(null, error);
            return CompletableFuture.failedFuture(error);
        }
    }

    /** Acknowledges the records in the order and at the offsets the test says. */
    private static final class Acknowledging extends MockProducer<byte[], byte[]> {
        private final List<Callback> sent = new ArrayList<>();
        private final List<Duration> closedWithin = new ArrayList<>();

        @Override
        public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
            sent.add(callback);
            return new CompletableFuture<>();
        }

        void acknowledge(int record, long offset) {
            RecordMetadata metadata = new RecordMetadata(new TopicPartition("events", 0), offset, 0, 0, 1, 1);
            sent.get(record).onCompletion(metadata, null);
        }

        @Override
        public void close(Duration timeout) {
            closedWithin.add(timeout);
        }
    }

    private static KafkaEventLog open(Producer<byte[], byte[]> producer) {
        Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:1"));
        return new KafkaEventLog("events", 1, producer, admin, SHORT, SHORT, nanos -> {});
    }

    private static AppendResult append(Producer<byte[], byte[]> producer) throws Exception {
        try (KafkaEventLog log = open(producer)) {
            return get(log.append(RECORD));
        }
    }

    private static AppendResult get(CompletableFuture<AppendResult> result) throws Exception {
        return result.get(20, TimeUnit.SECONDS);
    }

    static Stream<Exception> whateverTheLastAttemptMet() {
        return Stream.of(
                new TimeoutException("Expiring 1 record(s) for events-0: 12000 ms has passed since batch creation"),
                new TimeoutException("Topic events not present in metadata after 1000 ms."),
                new NotEnoughReplicasAfterAppendException("appended, but to too few"),
                new OutOfOrderSequenceException("sequence"),
                new DisconnectException("gone"),
                new BrokerNotAvailableException("gone"),
                // Retried until the delivery timeout; the attempt before may have been written by the leader before.
                new UnknownTopicOrPartitionException("not here"),
                // Permission that was taken away between two attempts.
                new TopicAuthorizationException("no"),
                new InvalidTopicException("no"),
                new KafkaException("something else"));
    }

    @ParameterizedTest
    @MethodSource("whateverTheLastAttemptMet")
    void whatWasSentAndNotAcknowledgedIsUnknown(Exception error) throws Exception {
        assertThat(append(new Failing(error, true))).isInstanceOf(AppendResult.Unknown.class);
    }

    static Stream<Exception> whatSendItselfReports() {
        return Stream.of(
                new TimeoutException("Topic events not present in metadata after 1000 ms."),
                new BufferExhaustedException("full"),
                new TopicAuthorizationException("no"),
                new KafkaException("something else"));
    }

    @ParameterizedTest
    @MethodSource("whatSendItselfReports")
    void whatNeverCameIntoABatchIsNotWritten(Exception error) throws Exception {
        assertThat(append(new Failing(error, false))).isInstanceOf(AppendResult.NotWritten.class);
    }

    @Test
    void aRecordOverTheLimitIsTooLargeWhoeverSaysSo() throws Exception {
        for (boolean later : new boolean[] {true, false}) {
            assertThat(append(new Failing(new RecordTooLargeException("too large"), later)))
                    .isInstanceOf(AppendResult.TooLarge.class);
        }
    }

    @Test
    void nothingIsAcknowledgedFromTheFirstAppendOnThatLandedBelowAKnownEnd() throws Exception {
        // given: what was in flight when the topic was made again, and what came behind it
        Acknowledging producer = new Acknowledging();
        try (KafkaEventLog log = open(producer)) {
            CompletableFuture<AppendResult> first = log.append(RECORD);
            producer.acknowledge(0, 7);
            assertThat(get(first)).isEqualTo(new AppendResult.Appended(0, 7));
            CompletableFuture<AppendResult> inFlight = log.append(RECORD);
            CompletableFuture<AppendResult> behind = log.append(RECORD);

            // when
            producer.acknowledge(1, 7);
            producer.acknowledge(2, 8);

            // then
            assertThat(get(inFlight)).isInstanceOf(AppendResult.Unknown.class);
            assertThat(get(behind)).isInstanceOf(AppendResult.Unknown.class);
            assertThat(get(log.append(RECORD))).isInstanceOf(AppendResult.NotWritten.class);
            assertThat(producer.sent).hasSize(3);
            assertThat(log.hasGoneBack()).isTrue();
        }
    }

    @Test
    void nothingIsAcknowledgedBelowWhatOthersHaveWritten() throws Exception {
        // given: this instance has written nothing
        Acknowledging producer = new Acknowledging();
        AtomicLong end = new AtomicLong(1_000);
        try (KafkaEventLog log = new KafkaEventLog("events", 1, producer, ends(end), SHORT, SHORT, nanos -> {})) {
            log.learnEnds();
            CompletableFuture<AppendResult> first = log.append(RECORD);

            // when: another instance was there before in the topic that was made again
            producer.acknowledge(0, 2);

            // then
            assertThat(get(first)).isInstanceOf(AppendResult.Unknown.class);
            assertThat(log.hasGoneBack()).isTrue();
        }
    }

    @Test
    void nothingIsAppendedAfterAnEndThatWentBack() throws Exception {
        // given
        Acknowledging producer = new Acknowledging();
        AtomicLong end = new AtomicLong(1_000);
        try (KafkaEventLog log = new KafkaEventLog("events", 1, producer, ends(end), SHORT, SHORT, nanos -> {})) {
            log.learnEnds();

            // when
            end.set(999);
            log.learnEnds();

            // then
            assertThat(log.hasGoneBack()).isTrue();
            assertThat(get(log.append(RECORD))).isInstanceOf(AppendResult.NotWritten.class);
        }
    }

    /** A gateway that was started again knows nothing of what it acknowledged before. */
    @Test
    void aLogThatEndsBelowWhatWasPublishedHasGoneBack() throws Exception {
        // given
        Acknowledging producer = new Acknowledging();
        AtomicLong end = new AtomicLong(999);
        try (KafkaEventLog log = new KafkaEventLog("events", 1, producer, ends(end), SHORT, SHORT, nanos -> {})) {
            // when
            log.expectEnds(new long[] {1_000});
            log.learnEnds();

            // then
            assertThat(log.hasGoneBack()).isTrue();
        }
        try (KafkaEventLog log = new KafkaEventLog("events", 1, producer, ends(end), SHORT, SHORT, nanos -> {})) {
            // when
            log.expectEnds(new long[] {999});
            log.learnEnds();

            // then
            assertThat(log.hasGoneBack()).isFalse();
        }
    }

    /** Brokers that know this end of every partition. */
    private static Admin ends(AtomicLong end) {
        return (Admin) Proxy.newProxyInstance(
                KafkaEventLogTest.class.getClassLoader(), new Class<?>[] {Admin.class}, (proxy, method, arguments) -> {
                    if (!method.getName().equals("listOffsets")) {
                        return null;
                    }
                    Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> ends = new HashMap<>();
                    ((Map<?, ?>) arguments[0])
                            .keySet()
                            .forEach(partition -> ends.put(
                                    (TopicPartition) partition,
                                    KafkaFuture.completedFuture(
                                            new ListOffsetsResultInfo(end.get(), -1, Optional.empty()))));
                    return new ListOffsetsResult(ends);
                });
    }

    @Test
    void theFirstAppendOfAllIsNotAcknowledgedWhereTheGenesisRecordWas() throws Exception {
        // given
        Acknowledging producer = new Acknowledging();
        try (KafkaEventLog log = open(producer)) {
            CompletableFuture<AppendResult> first = log.append(RECORD);

            // when
            producer.acknowledge(0, 0);

            // then
            assertThat(get(first)).isInstanceOf(AppendResult.Unknown.class);
        }
    }

    @Test
    void aBatchWhoseFirstAnswerWasLostMayBeAcknowledgedBelowTheOneSentAfterIt() throws Exception {
        // given
        Acknowledging producer = new Acknowledging();
        try (KafkaEventLog log = open(producer)) {
            CompletableFuture<AppendResult> first = log.append(RECORD);
            CompletableFuture<AppendResult> second = log.append(RECORD);

            // when
            producer.acknowledge(1, 6);
            producer.acknowledge(0, 5);

            // then
            assertThat(get(second)).isEqualTo(new AppendResult.Appended(0, 6));
            assertThat(get(first)).isEqualTo(new AppendResult.Appended(0, 5));
            assertThat(log.hasGoneBack()).isFalse();
        }
    }

    @Test
    void aLogThatIsAbandonedSendsNothingOfWhatIsQueuedAndAClosedOneDoes() {
        // given
        Acknowledging abandoned = new Acknowledging();
        Acknowledging closed = new Acknowledging();

        // when
        open(abandoned).abandon();
        open(closed).close();

        // then
        assertThat(abandoned.closedWithin).containsExactly(Duration.ZERO);
        assertThat(closed.closedWithin).containsExactly(SHORT);
    }

    @Test
    void everyInSyncReplicaAcknowledgesAndNothingIsWrittenTwiceOrOutOfOrder() {
        // given
        GatewayConfig config = new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withMapping(GatewayConfig.class)
                .withValidateUnknown(false)
                .withDefaultValues(Map.of(
                        "attestream.kafka.bootstrap-servers", "127.0.0.1:1",
                        "attestream.ledger.verifier-key", "unused",
                        "attestream.internal.secret-file", "unused",
                        "attestream.proofs.urls", "http://127.0.0.1:1",
                        "attestream.objects.location", "unused",
                        "attestream.door.content-tag-key-file", "unused"))
                .build()
                .getConfigMapping(GatewayConfig.class);

        // when
        Map<String, Object> properties =
                new HashMap<>(KafkaEventLog.properties(config, KafkaConnection.of("127.0.0.1:1"), 1_000));
        properties.put("key.serializer", ByteArraySerializer.class);
        properties.put("value.serializer", ByteArraySerializer.class);
        ProducerConfig producer = new ProducerConfig(properties);

        // then
        assertThat(producer.getString("acks")).isIn("all", "-1");
        assertThat(producer.getBoolean("enable.idempotence")).isTrue();
        assertThat(producer.getInt("max.in.flight.requests.per.connection")).isLessThanOrEqualTo(5);
        assertThat(producer.getInt("retries")).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void theRealProducerReportsMissingMetadataFromWithinSend() throws Exception {
        // given
        Producer<byte[], byte[]> unreachable = new KafkaProducer<>(
                Map.of("bootstrap.servers", "127.0.0.1:1", "max.block.ms", 200),
                new ByteArraySerializer(),
                new ByteArraySerializer());

        // when, then
        assertThat(append(unreachable)).isEqualTo(new AppendResult.NotWritten("the brokers cannot be reached"));
    }
}
