// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.IntegrityException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Asks the cluster itself, with clients that live for one question: tasks seldom start. Thread-safe. */
public final class KafkaFence implements Fence {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(200);

    private final Map<String, Object> connection;
    private final String group;
    private final String eventsTopic;

    /**
     * @param connection {@code bootstrap.servers} and what else it takes to connect
     * @param group of the sequencer, which is its application id
     */
    public KafkaFence(Map<String, Object> connection, String group, String eventsTopic) {
        this.connection = Map.copyOf(connection);
        this.group = group;
        this.eventsTopic = eventsTopic;
    }

    /**
     * Fails if a changelog topic is missing although the group has gone on from its first offset. Before Kafka Streams starts:
     * it would make an empty one, or wait for it for ever if its member is known to the group.
     *
     * @throws IntegrityException naming what is missing
     */
    public void requireChangelogs() {
        try (Admin admin = Admin.create(connection)) {
            Set<String> present = get(admin.listTopics().names(), "listing the topics");
            List<String> missing = changelogTopics().stream()
                    .filter(topic -> !present.contains(topic))
                    .toList();
            boolean begun = get(
                            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(),
                            "reading the offsets of group " + group)
                    .values()
                    .stream()
                    .anyMatch(offset -> offset != null && offset.offset() > 0);
            if (begun && !missing.isEmpty()) {
                throw new IntegrityException(
                        "group " + group + " has gone on from its first offset, but its changelog is"
                                + " missing: " + String.join(", ", missing)
                                + ". The state was lost while the group's offsets survived; restore into a new generation");
            }
        }
    }

    private List<String> changelogTopics() {
        return SequencerTopology.STORES.stream()
                .map(store -> group + "-" + store + "-changelog")
                .toList();
    }

    @Override
    public byte[] changelogs() {
        try (Admin admin = Admin.create(connection)) {
            Map<String, TopicDescription> topics =
                    get(admin.describeTopics(changelogTopics()).allTopicNames(), "describing the changelog topics");
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            new TreeMap<>(topics)
                    .forEach((name, topic) ->
                            sha256.update((name + "=" + topic.topicId() + "\n").getBytes(StandardCharsets.UTF_8)));
            return sha256.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public OptionalLong committed(int shard) {
        TopicPartition partition = new TopicPartition(eventsTopic, shard);
        try (Admin admin = Admin.create(connection)) {
            OffsetAndMetadata committed = get(
                            admin.listConsumerGroupOffsets(
                                            Map.of(
                                                    group,
                                                    new ListConsumerGroupOffsetsSpec()
                                                            .topicPartitions(List.of(partition))),
                                            new ListConsumerGroupOffsetsOptions().requireStable(true))
                                    .partitionsToOffsetAndMetadata(group),
                            "reading the offsets of group " + group)
                    .get(partition);
            return committed == null ? OptionalLong.empty() : OptionalLong.of(committed.offset());
        }
    }

    @Override
    public OptionalLong firstRecord(int shard, long from, long to) {
        Map<String, Object> config = new HashMap<>(connection);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
        TopicPartition partition = new TopicPartition(eventsTopic, shard);
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, from);
            while (consumer.position(partition) < to) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    return record.offset() < to ? OptionalLong.of(record.offset()) : OptionalLong.empty();
                }
                if (System.nanoTime() > deadline) {
                    throw new KafkaException(
                            "offsets " + from + " to " + to + " of " + partition + " could not be read in time");
                }
            }
            return OptionalLong.empty();
        }
    }

    private static <T> T get(KafkaFuture<T> future, String what) {
        try {
            return future.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new KafkaException(what + " failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException(what + " was interrupted", e);
        }
    }
}
