// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.wire.SchemaBook;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads the genesis record of every shard and holds them against the cluster they are read from. */
public final class GenesisReader {
    private GenesisReader() {}

    /** What reading came to. */
    public sealed interface Result {
        /** The ledger is complete and is the one expected. */
        record Ready(LedgerDefinition ledger) implements Result {}

        /** Not there yet: {@code attestream init} has not finished. */
        record NotReady(String reason) implements Result {}

        /** Something else than the ledger expected: never use it. */
        record Refused(String reason) implements Result {}
    }

    /**
     * Reads all genesis records once.
     *
     * @param connection {@code bootstrap.servers} and what else it takes to connect
     * @param key the public key the ledger must have
     * @param timeout of each request, and of reading all first records
     * @throws KafkaException if the cluster cannot be reached
     */
    public static Result read(Map<String, Object> connection, Topics topics, NoteVerifier key, Duration timeout) {
        try (Admin admin = Admin.create(connection);
                Consumer<byte[], byte[]> consumer = consumer(connection)) {
            Optional<TopicDescription> described = describe(admin, topics.events(), timeout);
            if (described.isEmpty()) {
                return new Result.NotReady("topic " + topics.events() + " does not exist: run attestream init");
            }
            String clusterId = get(admin.describeCluster().clusterId(), timeout);
            Map<Integer, byte[]> first = firstValues(admin, consumer, described.get(), timeout);
            return decide(described.get(), clusterId, first, key);
        }
    }

    /**
     * The incarnation that the genesis records there are were made for; empty if there is none yet, or no topic.
     *
     * @throws KafkaException if the cluster cannot be reached
     */
    public static OptionalInt begunIncarnation(
            Map<String, Object> connection, Topics topics, NoteVerifier key, Duration timeout) {
        try (Admin admin = Admin.create(connection);
                Consumer<byte[], byte[]> consumer = consumer(connection)) {
            Optional<TopicDescription> described = describe(admin, topics.events(), timeout);
            return described.isEmpty()
                    ? OptionalInt.empty()
                    : firstValues(admin, consumer, described.get(), timeout).values().stream()
                            .mapToInt(value -> incarnation(value, key))
                            .filter(incarnation -> incarnation > 0)
                            .max();
        }
    }

    private static int incarnation(byte[] value, NoteVerifier key) {
        try {
            return ControlRecord.isControlValue(value)
                            && ControlRecord.read(ControlRecord.ofValue(value), key) instanceof Genesis genesis
                    ? genesis.incarnation()
                    : 0;
        } catch (InvalidFormat e) {
            return 0;
        }
    }

    private static Result decide(
            TopicDescription topic, String clusterId, Map<Integer, byte[]> first, NoteVerifier key) {
        int shards = topic.partitions().size();
        List<Genesis> all = new ArrayList<>();
        for (int shard = 0; shard < shards; shard++) {
            byte[] value = first.get(shard);
            if (value == null) {
                return new Result.NotReady("shard " + shard + " has no genesis record: run attestream init");
            }
            String where = "first record of " + topic.name() + " partition " + shard;
            if (!ControlRecord.isControlValue(value)) {
                return new Result.Refused(where + " is not a genesis record");
            }
            try {
                if (!(ControlRecord.read(ControlRecord.ofValue(value), key) instanceof Genesis genesis)) {
                    return new Result.Refused(where + " is not a genesis record");
                }
                Optional<String> problem = problemOf(genesis, topic, clusterId, shard, key);
                if (problem.isPresent()) {
                    return new Result.Refused(where + ": " + problem.get());
                }
                all.add(genesis);
            } catch (InvalidFormat e) {
                return new Result.Refused(where + ": " + e.getMessage());
            }
        }
        return agree(all, key);
    }

    /** Why this is not the genesis of that shard; empty if it is. */
    static Optional<String> problemOf(
            Genesis genesis, TopicDescription topic, String clusterId, int shard, NoteVerifier key) {
        String topicId = topic.topicId().toString();
        if (genesis.shard() != shard) {
            return Optional.of("is the genesis of shard " + genesis.shard());
        }
        if (!genesis.vkey().equals(key.vkey()) || !genesis.origin().equals(key.keyName())) {
            return Optional.of("names key " + genesis.vkey() + " and origin " + genesis.origin() + ", expected "
                    + key.vkey() + ": set attestream.ledger.verifier-key to this ledger's key");
        }
        if (!genesis.clusterId().equals(clusterId)) {
            return Optional.of("was made on cluster " + genesis.clusterId() + ", this is cluster " + clusterId);
        }
        if (!genesis.topic().equals(topic.name())) {
            return Optional.of("was made for topic " + genesis.topic());
        }
        if (!genesis.topicId().equals(topicId)) {
            return Optional.of("was made for topic id " + genesis.topicId() + ", this topic has id " + topicId
                    + ": the topic was recreated");
        }
        if (genesis.partitions() != topic.partitions().size()) {
            return Optional.of("was made for " + genesis.partitions() + " partitions, the topic has "
                    + topic.partitions().size() + ": the partition count is fixed at genesis");
        }
        return Optional.empty();
    }

    private static Result agree(List<Genesis> all, NoteVerifier key) {
        Genesis first = all.get(0);
        for (Genesis genesis : all) {
            if (genesis.incarnation() != first.incarnation()
                    || !genesis.schemas().equals(first.schemas())
                    || !genesis.prior().map(Prior::epoch).equals(first.prior().map(Prior::epoch))) {
                return new Result.Refused("genesis of shard " + genesis.shard()
                        + " has another incarnation, another prior epoch or other schemas than that of shard 0");
            }
        }
        try {
            SchemaBook book = new SchemaBook(first.schemas());
            return new Result.Ready(new LedgerDefinition(first.origin(), key, all, book));
        } catch (IllegalArgumentException e) {
            return new Result.Refused("genesis of shard 0: " + e.getMessage());
        }
    }

    /** The value at offset 0 of each partition that is not empty; empty if there is none, which no genesis is. */
    static Map<Integer, byte[]> firstValues(
            Admin admin, Consumer<byte[], byte[]> consumer, TopicDescription topic, Duration timeout) {
        Map<TopicPartition, Long> ends = ends(admin, topic, IsolationLevel.READ_COMMITTED, timeout);
        Map<Integer, byte[]> first = new HashMap<>();
        long deadline = System.nanoTime() + timeout.toNanos();
        ends.forEach((partition, end) -> {
            if (end > 0) {
                first.put(partition.partition(), firstValue(consumer, partition, end, deadline));
            }
        });
        return first;
    }

    /** Where each partition ends; under {@code READ_COMMITTED} before the first transaction that is still open. */
    static Map<TopicPartition, Long> ends(
            Admin admin, TopicDescription topic, IsolationLevel isolation, Duration timeout) {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        for (int i = 0; i < topic.partitions().size(); i++) {
            latest.put(new TopicPartition(topic.name(), i), OffsetSpec.latest());
        }
        Map<TopicPartition, Long> ends = new HashMap<>();
        get(admin.listOffsets(latest, new ListOffsetsOptions(isolation)).all(), timeout)
                .forEach((partition, info) -> ends.put(partition, info.offset()));
        return ends;
    }

    /** Empty if no record is at offset 0 any more, or none of a committed transaction: something else was there. */
    private static byte[] firstValue(
            Consumer<byte[], byte[]> consumer, TopicPartition partition, long end, long deadline) {
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        while (System.nanoTime() < deadline) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                boolean genesis = record.offset() == 0 && record.value() != null;
                return genesis ? record.value() : new byte[0];
            }
            if (consumer.position(partition) >= end) {
                return new byte[0];
            }
        }
        throw new KafkaException("the first record of " + partition + " could not be read in time");
    }

    /** Whether anything was ever written into a topic that exists. */
    public static boolean holdsRecords(Admin admin, String name, Duration timeout) {
        return ends(admin, existing(admin, name, timeout), IsolationLevel.READ_UNCOMMITTED, timeout).values().stream()
                .anyMatch(end -> end > 0);
    }

    /** The id the cluster gave a topic that exists. */
    public static Uuid topicId(Admin admin, String name, Duration timeout) {
        return existing(admin, name, timeout).topicId();
    }

    /** The id the cluster gave a topic; empty if there is none. */
    public static Optional<Uuid> topicIdIfThere(Admin admin, String name, Duration timeout) {
        return describe(admin, name, timeout).map(TopicDescription::topicId);
    }

    public static String clusterId(Admin admin, Duration timeout) {
        return get(admin.describeCluster().clusterId(), timeout);
    }

    private static TopicDescription existing(Admin admin, String name, Duration timeout) {
        return describe(admin, name, timeout).orElseThrow(() -> new KafkaException("topic " + name + " vanished"));
    }

    static Consumer<byte[], byte[]> consumer(Map<String, Object> connection) {
        Map<String, Object> config = new HashMap<>(connection);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static Optional<TopicDescription> describe(Admin admin, String topic, Duration timeout) {
        try {
            return Optional.ofNullable(get(admin.describeTopics(List.of(topic)).allTopicNames(), timeout)
                    .get(topic));
        } catch (KafkaException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return Optional.empty();
            }
            throw e;
        }
    }

    static <T> T get(KafkaFuture<T> future, Duration timeout) {
        try {
            return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new KafkaException(String.valueOf(e.getMessage()), e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaException("the cluster did not answer within " + timeout.toMillis() + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        }
    }
}
