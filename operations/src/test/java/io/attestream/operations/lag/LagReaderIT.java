// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.LocalBroker;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is said of groups on a real broker. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LagReaderIT {
    private static final long NOW = System.currentTimeMillis();

    @TempDir
    private static Path directory;

    private static LocalBroker broker;
    private static Map<String, Object> connection;
    private static Admin admin;
    private static LagReader reader;

    @BeforeAll
    static void start() {
        broker = LocalBroker.start(directory);
        connection = Map.of("bootstrap.servers", broker.bootstrapServers());
        admin = Admin.create(connection);
        reader = new LagReader(connection, Clock.fixed(Instant.ofEpochMilli(NOW), ZoneOffset.UTC));
    }

    @AfterAll
    static void stop() {
        reader.close();
        admin.close();
        broker.close();
    }

    private static void topic(String name, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1)))
                .all()
                .get(30, TimeUnit.SECONDS);
    }

    private static KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.putAll(more);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, String topic, int partition, long ageSeconds)
            throws Exception {
        producer.send(new ProducerRecord<>(topic, partition, NOW - ageSeconds * 1_000, null, new byte[] {1}))
                .get(30, TimeUnit.SECONDS);
    }

    /** Who coordinates groups learns of a new topic a moment later than who made it. */
    private static void commit(String group, String topic, int partition, long offset) {
        await().atMost(30, TimeUnit.SECONDS)
                .ignoreExceptionsMatching(e -> e.getCause() instanceof UnknownTopicOrPartitionException)
                .until(() -> {
                    admin.alterConsumerGroupOffsets(
                                    group, Map.of(new TopicPartition(topic, partition), new OffsetAndMetadata(offset)))
                            .all()
                            .get(30, TimeUnit.SECONDS);
                    return true;
                });
    }

    private static GroupLag lag(String group) {
        return reader.look().groups().stream()
                .filter(lag -> lag.group().equals(group))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void secondsAreThoseOfTheRecordAtTheCommittedOffset() throws Exception {
        // given three records, 300, 200 and 100 s old; groups at different places of one partition
        topic("aged", 2);
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of())) {
            send(producer, "aged", 0, 300);
            send(producer, "aged", 0, 200);
            send(producer, "aged", 0, 100);
        }
        commit("at-first", "aged", 0, 0);
        commit("at-last", "aged", 0, 2);
        commit("at-end", "aged", 0, 3);
        commit("at-end", "aged", 1, 0);

        // then
        assertThat(lag("at-first").partitions())
                .containsExactly(new PartitionLag("aged", 0, 0, 3, 3, 0, new LagAge.Known(300)));
        assertThat(lag("at-last").partitions())
                .containsExactly(new PartitionLag("aged", 0, 2, 3, 1, 0, new LagAge.Known(100)));
        assertThat(lag("at-end").partitions())
                .containsExactly(
                        new PartitionLag("aged", 0, 3, 3, 0, 0, LagAge.NONE),
                        new PartitionLag("aged", 1, 0, 0, 0, 0, LagAge.NONE));
        assertThat(lag("at-end").age()).isEqualTo(LagAge.NONE);
        assertThat(lag("at-first").state()).isEqualTo("Empty");
    }

    @Test
    void markersOfTransactionsAreNothingToProcess() throws Exception {
        // given a transaction of one record, which takes two offsets
        topic("transactional", 1);
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("transactional.id", "lag-it"))) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, "transactional", 0, 50);
            producer.commitTransaction();
        }
        commit("behind-the-record", "transactional", 0, 1);

        // then
        assertThat(lag("behind-the-record").partitions())
                .containsExactly(new PartitionLag("transactional", 0, 1, 2, 0, 0, LagAge.NONE));
    }

    @Test
    void aGroupThatWaitsForATransactionThatHangsIsBehind() throws Exception {
        // given
        topic("hanging", 1);
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("transactional.id", "lag-it-hanging"))) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, "hanging", 0, 77);
            commit("waits", "hanging", 0, 0);

            // then
            assertThat(lag("waits").age()).isEqualTo(new LagAge.Known(77));
            producer.abortTransaction();
        }
    }

    @Test
    void recordsThatWereDeletedUnprocessedAreCounted() throws Exception {
        // given
        topic("deleted", 1);
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of())) {
            for (int age = 50; age > 0; age -= 10) {
                send(producer, "deleted", 0, age);
            }
        }
        commit("too-late", "deleted", 0, 1);
        admin.deleteRecords(Map.of(new TopicPartition("deleted", 0), RecordsToDelete.beforeOffset(3)))
                .all()
                .get(30, TimeUnit.SECONDS);

        // then: the oldest that is still there
        assertThat(lag("too-late").partitions())
                .containsExactly(new PartitionLag("deleted", 0, 1, 5, 4, 2, new LagAge.Known(20)));
    }

    @Test
    void membersAreCountedAndATopicThatIsGoneIsLeftOut() throws Exception {
        // given
        topic("consumed", 1);
        topic("gone", 1);
        commit("consuming", "gone", 0, 0);
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("group.id", "consuming");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("consumed"));
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (consumer.assignment().isEmpty() && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(100));
            }
            consumer.commitSync(Map.of(new TopicPartition("consumed", 0), new OffsetAndMetadata(0)));
            admin.deleteTopics(List.of("gone")).all().get(30, TimeUnit.SECONDS);

            // then
            GroupLag lag = lag("consuming");
            assertThat(lag.members()).isEqualTo(1);
            assertThat(lag.state()).isEqualTo("Stable");
            assertThat(lag.partitions()).extracting(PartitionLag::topic).containsExactly("consumed");
        }
    }

    /** A partition that was added, of which the group could not process the first record. */
    @Test
    void aPartitionThatAMemberHasAndNobodyCommittedIsUnknownUnlessItIsEmpty() throws Exception {
        // given
        topic("grown", 3);
        topic("grown-new", 1); // as the inbox of a new tenant, next to others
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of())) {
            send(producer, "grown", 0, 10);
            send(producer, "grown", 1, 20);
            send(producer, "grown-new", 0, 30);
        }
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("group.id", "stuck");
        settings.put("enable.auto.commit", false);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("grown", "grown-new"));
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (consumer.assignment().size() < 4 && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(100));
            }
            consumer.commitSync(Map.of(new TopicPartition("grown", 0), new OffsetAndMetadata(1)));

            // then
            GroupLag lag = lag("stuck");
            assertThat(lag.partitions()).hasSize(4);
            assertThat(lag.partitions().get(0).age()).isEqualTo(LagAge.NONE);
            assertThat(lag.partitions().get(1).age())
                    .isEqualTo(new LagAge.Unknown("the group has committed no offset of it"));
            assertThat(lag.partitions().get(1).records()).isEqualTo(PartitionLag.NOT_KNOWN);
            assertThat(lag.partitions().get(2)).isEqualTo(new PartitionLag("grown", 2, 0, 0, 0, 0, LagAge.NONE));
            assertThat(lag.partitions().get(3).topic()).isEqualTo("grown-new");
            assertThat(lag.partitions().get(3).age()).isInstanceOf(LagAge.Unknown.class);
            assertThat(lag.records()).isEmpty();
            assertThat(lag.age()).isInstanceOf(LagAge.Unknown.class);
        }
    }

    @Test
    void aGroupWithMembersAndNoOffsetIsUnknownAndOneThatIsGoneIsNotRemembered() throws Exception {
        // given
        topic("joined", 1);
        commit("going", "joined", 0, 0);
        assertThat(lag("going").hasLag()).isTrue();
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("group.id", "uncommitted");
        settings.put("enable.auto.commit", false);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("joined"));
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (consumer.assignment().isEmpty() && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(100));
            }

            // then
            GroupLag lag = lag("uncommitted");
            assertThat(lag.members()).isEqualTo(1);
            assertThat(lag.age()).isInstanceOf(LagAge.Unknown.class);
            assertThat(lag.hasLag()).isFalse();
        }

        // and when one is deleted
        admin.deleteConsumerGroups(List.of("going")).all().get(30, TimeUnit.SECONDS);
        assertThat(reader.look().groups()).extracting(GroupLag::group).doesNotContain("going");
    }
}
