// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeConsumerGroupsOptions;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsResult;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
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
    /** For what only a part of the cluster can answer: the others are not kept waiting for long. */
    private static final int PART_MILLIS = 5_000;
    /** By no more do clocks differ; a timestamp further ahead says nothing of an age. */
    private static final long AHEAD_MILLIS_MAX = 60_000;

    private final Admin admin;
    private final RecordTimes times;
    private final Clock clock;
    /** In the look before. */
    private Set<String> shown = Set.of();

    /** @param connection settings every client of the cluster needs, {@code bootstrap.servers} among them */
    public LagReader(Map<String, Object> connection, Clock clock) {
        this.admin = Admin.create(connection);
        this.times = RecordTimes.open(connection);
        this.clock = clock;
    }

    /**
     * By group. A partition or a group's coordinator that does not answer makes unknown what depends on it, and no more.
     *
     * @throws KafkaException if the cluster does not answer
     */
    public LagLook look() {
        List<String> listed = get(admin.listGroups().all()).stream()
                .filter(group -> group.type().map(LagReader::hasOffsets).orElse(true))
                .map(GroupListing::groupId)
                .toList();
        Set<String> all = new TreeSet<>(listed);
        all.addAll(shown); // one whose coordinator is gone is listed by nobody
        List<String> groups = all.stream().limit(GROUPS_MAX).toList();
        Map<String, KafkaFuture<ConsumerGroupDescription>> asked = admin.describeConsumerGroups(
                        groups, new DescribeConsumerGroupsOptions().timeoutMs(PART_MILLIS))
                .describedGroups();
        Answers<String, Map<TopicPartition, OffsetAndMetadata>> committed = committed(groups);
        Answers<String, ConsumerGroupDescription> described = Answers.of(asked);
        Map<String, Set<TopicPartition>> uncommitted = uncommitted(described.known(), committed.known());
        Partitions partitions = partitions(committed.known().values(), uncommitted.values());
        Map<RecordTimes.Place, RecordTimes.Found> found =
                times.read(partitions.places(committed.known().values()));
        long nowMillis = clock.millis();
        List<GroupLag> lags = new ArrayList<>();
        for (String group : groups) {
            Optional<ConsumerGroupDescription> description =
                    Optional.ofNullable(described.known().get(group));
            GroupLag lag = new GroupLag(
                    group,
                    description.map(known -> known.groupState().toString()).orElse("Unknown"),
                    description.map(known -> known.members().size()).orElse(GroupLag.NOT_KNOWN),
                    partitions.lags(
                            committed.known().getOrDefault(group, Map.of()),
                            uncommitted.getOrDefault(group, Set.of()),
                            found,
                            nowMillis),
                    Optional.ofNullable(committed.unread().get(group)));
            if (lag.hasLag() || lag.members() > 0) {
                lags.add(lag);
            }
        }
        shown = lags.stream().map(GroupLag::group).collect(Collectors.toSet());
        return new LagLook(lags, (int)
                listed.stream().filter(group -> !shown.contains(group)).count());
    }

    /** Of many that were asked, those that answered, and why the others did not. */
    record Answers<K, V>(Map<K, V> known, Map<K, String> unread) {
        static <K, V> Answers<K, V> of(Map<K, KafkaFuture<V>> asked) {
            Answers<K, V> answers = new Answers<>(new HashMap<>(), new HashMap<>());
            asked.forEach((key, future) -> {
                try {
                    answers.known().put(key, get(future));
                } catch (InterruptException e) {
                    throw e;
                } catch (KafkaException e) {
                    answers.unread().put(key, "not answered: " + e.getMessage());
                }
            });
            return answers;
        }
    }

    private static boolean hasOffsets(GroupType type) {
        return type != GroupType.SHARE;
    }

    /** Where a group and its partition are. */
    record Offsets(Uuid topic, TopicPartition partition, long committed, long first, long end) {
        /** Of the next record it can process. */
        RecordTimes.Place place() {
            return new RecordTimes.Place(topic, partition, Math.max(committed, first), end);
        }
    }

    /** The partitions of topics that are there: where they begin and end. */
    private record Partitions(
            Map<String, TopicListing> topics,
            Answers<TopicPartition, ListOffsetsResultInfo> first,
            Answers<TopicPartition, ListOffsetsResultInfo> end) {
        private boolean isKnown(TopicPartition partition) {
            return first.known().containsKey(partition) && end.known().containsKey(partition);
        }

        private Optional<String> unread(TopicPartition partition) {
            return Optional.ofNullable(
                    first.unread().getOrDefault(partition, end.unread().get(partition)));
        }

        /** Where it would begin is its own affair; where nothing is, nothing is left. */
        private PartitionLag uncommittedLag(TopicPartition partition) {
            String topic = partition.topic();
            int number = partition.partition();
            if (!isKnown(partition)) {
                return PartitionLag.unread(
                        topic, number, PartitionLag.NOT_KNOWN, unread(partition).orElse("not answered"));
            }
            long at = Objects.requireNonNull(end.known().get(partition)).offset();
            return Objects.requireNonNull(first.known().get(partition)).offset() == at
                    ? new PartitionLag(topic, number, at, at, 0, 0, LagAge.NONE)
                    : PartitionLag.unread(
                            topic, number, PartitionLag.NOT_KNOWN, "the group has committed no offset of it");
        }

        private Offsets offsets(TopicPartition partition, OffsetAndMetadata committed) {
            return new Offsets(
                    Objects.requireNonNull(topics.get(partition.topic())).topicId(),
                    partition,
                    committed.offset(),
                    Objects.requireNonNull(first.known().get(partition)).offset(),
                    Objects.requireNonNull(end.known().get(partition)).offset());
        }

        Set<RecordTimes.Place> places(Collection<Map<TopicPartition, OffsetAndMetadata>> groups) {
            Set<RecordTimes.Place> places = new HashSet<>();
            groups.forEach(committed -> committed.forEach((partition, offset) -> {
                if (isKnown(partition)) {
                    Offsets offsets = offsets(partition, offset);
                    if (offsets.place().offset() < offsets.end()) {
                        places.add(offsets.place());
                    }
                }
            }));
            return places;
        }

        List<PartitionLag> lags(
                Map<TopicPartition, OffsetAndMetadata> committed,
                Set<TopicPartition> uncommitted,
                Map<RecordTimes.Place, RecordTimes.Found> found,
                long nowMillis) {
            List<PartitionLag> lags = new ArrayList<>();
            committed.forEach((partition, offset) -> {
                if (isKnown(partition)) {
                    lags.add(lag(offsets(partition, offset), found, nowMillis));
                } else {
                    unread(partition)
                            .ifPresent(reason -> lags.add(PartitionLag.unread(
                                    partition.topic(), partition.partition(), offset.offset(), reason)));
                }
            });
            uncommitted.forEach(partition -> {
                if (topics.containsKey(partition.topic())) {
                    lags.add(uncommittedLag(partition));
                }
            });
            lags.sort(Comparator.comparing(PartitionLag::topic).thenComparing(PartitionLag::partition));
            return lags;
        }
    }

    /**
     * Partitions that members have, and of which their group has committed none: one that was added, say, whose first record cannot
     * be processed. Of groups only that commit at all: some never do.
     */
    private static Map<String, Set<TopicPartition>> uncommitted(
            Map<String, ConsumerGroupDescription> described,
            Map<String, Map<TopicPartition, OffsetAndMetadata>> committed) {
        Map<String, Set<TopicPartition>> uncommitted = new HashMap<>();
        committed.forEach((group, offsets) -> {
            Set<TopicPartition> without = Stream.ofNullable(offsets.isEmpty() ? null : described.get(group))
                    .flatMap(description -> description.members().stream())
                    .flatMap(member -> member.assignment().topicPartitions().stream())
                    .filter(partition -> !offsets.containsKey(partition))
                    .collect(Collectors.toSet());
            uncommitted.put(group, without);
        });
        return uncommitted;
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

    private Answers<String, Map<TopicPartition, OffsetAndMetadata>> committed(List<String> groups) {
        Map<String, KafkaFuture<Map<TopicPartition, OffsetAndMetadata>>> asked = new HashMap<>();
        if (!groups.isEmpty()) {
            ListConsumerGroupOffsetsResult result = admin.listConsumerGroupOffsets(
                    groups.stream()
                            .collect(Collectors.toMap(group -> group, any -> new ListConsumerGroupOffsetsSpec())),
                    new ListConsumerGroupOffsetsOptions().timeoutMs(PART_MILLIS));
            groups.forEach(group ->
                    asked.put(group, result.partitionsToOffsetAndMetadata(group).thenApply(LagReader::committedOnly)));
        }
        return Answers.of(asked);
    }

    private static Map<TopicPartition, OffsetAndMetadata> committedOnly(
            Map<TopicPartition, OffsetAndMetadata> offsets) {
        Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>(offsets);
        committed.values().removeIf(Objects::isNull); // none was committed
        return committed;
    }

    /** Of topics that are there: a group may have committed offsets of one that was deleted. */
    private Partitions partitions(
            Collection<Map<TopicPartition, OffsetAndMetadata>> groups, Collection<Set<TopicPartition>> uncommitted) {
        Set<TopicPartition> partitions = groups.stream()
                .flatMap(committed -> committed.keySet().stream())
                .collect(Collectors.toSet());
        uncommitted.forEach(partitions::addAll);
        Map<String, TopicListing> topics =
                partitions.isEmpty() ? Map.of() : get(admin.listTopics().namesToListings());
        partitions.removeIf(partition -> !topics.containsKey(partition.topic()));
        var first = ask(partitions, OffsetSpec.earliest());
        var end = ask(partitions, OffsetSpec.latest());
        return new Partitions(topics, Answers.of(first), Answers.of(end));
    }

    private Map<TopicPartition, KafkaFuture<ListOffsetsResultInfo>> ask(
            Set<TopicPartition> partitions, OffsetSpec spec) {
        ListOffsetsResult result = admin.listOffsets(
                partitions.stream().collect(Collectors.toMap(partition -> partition, any -> spec)),
                new ListOffsetsOptions().timeoutMs(PART_MILLIS));
        return partitions.stream().collect(Collectors.toMap(partition -> partition, result::partitionResult));
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
