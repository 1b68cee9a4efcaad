// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
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

/** What an error of the producer says about the record: nothing is called not written that may be. */
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

    private static AppendResult append(Producer<byte[], byte[]> producer) throws Exception {
        Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:1"));
        try (KafkaEventLog log = new KafkaEventLog("events", 1, producer, admin, SHORT, SHORT)) {
            return log.append(RECORD).get(20, TimeUnit.SECONDS);
        }
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
