// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Looks at every consumer group of a cluster. Seconds come from the record at the committed offset, not from the one processed
 * last: the age of that one stands still when a consumer dies. Joins no group and commits nothing. Not thread-safe.
 */
public final class LagReader implements AutoCloseable {
    /** Of one look. */
    static final int GROUPS_MAX = 1_000;

    private static final long TIMEOUT_SECONDS = 15;
    /** By no more do clocks differ; a timestamp further ahead says nothing of an age. */
    private static final long AHEAD_MILLIS_MAX = 60_000;

    private final Admin admin;
    private final RecordTimes times;
    private final Clock clock;

    /** @param connection settings every client of the cluster needs, {@code bootstrap.servers} among them */
    public LagReader(Map<String, Object> connection, Clock clock) {
        this.admin = Admin.create(connection);
        this.times = RecordTimes.open(connection);
        this.clock = clock;
    }

    /**
     * By group.
     *
     * @throws KafkaException if the cluster does not answer
     */
    public List<GroupLag> look() {
        List<String> groups = get(admin.listGroups().all()).stream()
                .filter(group -> group.type().map(LagReader::hasOffsets).orElse(true))
                .map(GroupListing::groupId)
                .sorted()
                .limit(GROUPS_MAX)
                .toList();
        Map<String, Map<TopicPartition, Long>> committed = committed(groups);
        Set<TopicPartition> partitions = committed.values().stream()
                .flatMap(offsets -> offsets.keySet().stream())
                .collect(Collectors.toSet());
        Map<TopicPartition, Long> first = offsets(partitions, OffsetSpec.earliest());
        Map<TopicPartition, Long> ends = offsets(partitions, OffsetSpec.latest());
        Map<RecordTimes.Place, RecordTimes.Found> found = times.read(places(committed, first, ends));
        Map<String, ConsumerGroupDescription> descriptions = descriptions(groups);
        long nowMillis = clock.millis();
        List<GroupLag> lags = new ArrayList<>();
        committed.forEach((group, offsets) -> {
            ConsumerGroupDescription description = descriptions.get(group);
            lags.add(new GroupLag(
                    group,
                    description == null ? "Unknown" : description.groupState().toString(),
                    description == null ? 0 : description.members().size(),
                    offsets.entrySet().stream()
                            .filter(entry -> ends.containsKey(entry.getKey()))
                            .map(entry -> lag(
                                    new Offsets(
                                            entry.getKey(),
                                            entry.getValue(),
                                            first.getOrDefault(entry.getKey(), 0L),
                                            ends.getOrDefault(entry.getKey(), 0L)),
                                    found,
                                    nowMillis))
                            .sorted(Comparator.comparing(PartitionLag::topic).thenComparing(PartitionLag::partition))
                            .toList()));
        });
        return lags;
    }

    private static boolean hasOffsets(GroupType type) {
        return type != GroupType.SHARE;
    }

    /** Where a group and its partition are. */
    record Offsets(TopicPartition partition, long committed, long first, long end) {
        /** Of the next record it can process. */
        RecordTimes.Place place() {
            return new RecordTimes.Place(partition, Math.max(committed, first), end);
        }
    }

    private static Set<RecordTimes.Place> places(
            Map<String, Map<TopicPartition, Long>> committed,
            Map<TopicPartition, Long> first,
            Map<TopicPartition, Long> ends) {
        Set<RecordTimes.Place> places = new HashSet<>();
        committed
                .values()
                .forEach(offsets -> offsets.forEach((partition, offset) -> {
                    Offsets all = new Offsets(
                            partition, offset, first.getOrDefault(partition, 0L), ends.getOrDefault(partition, 0L));
                    if (all.place().offset() < all.end()) {
                        places.add(all.place());
                    }
                }));
        return places;
    }

    static PartitionLag lag(Offsets offsets, Map<RecordTimes.Place, RecordTimes.Found> found, long nowMillis) {
        LagAge age = LagAge.NONE;
        long records = Math.max(0, offsets.end() - offsets.committed());
        if (offsets.committed() > offsets.end()) {
            age = new LagAge.Unknown("the committed offset " + offsets.committed() + " is behind the end "
                    + offsets.end() + " of the partition, which was cut or made again");
        } else if (records > 0) {
            RecordTimes.Found first =
                    found.getOrDefault(offsets.place(), new RecordTimes.Found.Unread("was not asked for"));
            if (first instanceof RecordTimes.Found.Time time) {
                age = age(time.millis(), nowMillis);
            } else if (first instanceof RecordTimes.Found.Unread unread) {
                age = new LagAge.Unknown(unread.reason());
            } else {
                records = 0; // nothing but markers
            }
        }
        return new PartitionLag(
                offsets.partition().topic(),
                offsets.partition().partition(),
                offsets.committed(),
                offsets.end(),
                records,
                Math.max(0, Math.min(offsets.first(), offsets.end()) - offsets.committed()),
                age);
    }

    /** Producers may stamp their records with anything. */
    private static LagAge age(long millis, long nowMillis) {
        if (millis < 0) {
            return new LagAge.Unknown("the record has no timestamp");
        }
        if (millis > nowMillis + AHEAD_MILLIS_MAX) {
            return new LagAge.Unknown(
                    "the record's timestamp is " + (millis - nowMillis) / 1_000 + " s ahead of this clock");
        }
        return new LagAge.Known(Math.max(0, nowMillis - millis) / 1000.0);
    }

    private Map<String, Map<TopicPartition, Long>> committed(List<String> groups) {
        if (groups.isEmpty()) {
            return Map.of();
        }
        Map<String, Map<TopicPartition, Long>> committed = new TreeMap<>();
        Map<String, Map<TopicPartition, OffsetAndMetadata>> all = get(admin.listConsumerGroupOffsets(groups.stream()
                        .collect(Collectors.toMap(group -> group, any -> new ListConsumerGroupOffsetsSpec())))
                .all());
        all.forEach((group, offsets) -> {
            Map<TopicPartition, Long> own = new HashMap<>();
            offsets.forEach((partition, offset) -> {
                if (offset != null) { // null: none was committed
                    own.put(partition, offset.offset());
                }
            });
            if (!own.isEmpty()) {
                committed.put(group, own);
            }
        });
        return committed;
    }

    /** Of the partitions that are there: a group may have committed offsets of a topic that was deleted. */
    private Map<TopicPartition, Long> offsets(Set<TopicPartition> partitions, OffsetSpec spec) {
        if (partitions.isEmpty()) {
            return Map.of();
        }
        Set<String> topics = get(admin.listTopics().names());
        Map<TopicPartition, OffsetSpec> asked = partitions.stream()
                .filter(partition -> topics.contains(partition.topic()))
                .collect(Collectors.toMap(partition -> partition, any -> spec));
        Map<TopicPartition, Long> offsets = new HashMap<>();
        ListOffsetsResult result = admin.listOffsets(asked);
        asked.keySet()
                .forEach(partition -> offsets.put(
                        partition, get(result.partitionResult(partition)).offset()));
        return offsets;
    }

    private Map<String, ConsumerGroupDescription> descriptions(List<String> groups) {
        Map<String, ConsumerGroupDescription> descriptions = new HashMap<>();
        admin.describeConsumerGroups(groups).describedGroups().forEach((group, description) -> {
            try {
                descriptions.put(group, get(description));
            } catch (KafkaException e) {
                // One of another protocol has no members that we could count.
            }
        });
        return descriptions;
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException kafka ? kafka : new KafkaException(e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException("the brokers did not answer within " + TIMEOUT_SECONDS + " s", e);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    @Override
    public void close() {
        times.close();
        admin.close();
    }
}
