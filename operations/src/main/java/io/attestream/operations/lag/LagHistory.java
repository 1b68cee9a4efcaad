// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/** Looks of the last minute, to tell where lags go. Not thread-safe. */
public final class LagHistory {
    private static final long KEPT_MILLIS = Duration.ofMinutes(1).toMillis();
    /** Of a partition; a look more often than every other second takes the place of the one before it. */
    private static final int SAMPLES_MAX = 32;

    private final Map<Key, Deque<Sample>> samples = new HashMap<>();

    private record Key(String group, String topic, int partition) {}

    private record Sample(long millis, long committed, long end) {}

    private static Key key(GroupLag group, PartitionLag partition) {
        return new Key(group.group(), partition.topic(), partition.partition());
    }

    /** Takes a look; groups and partitions that are not in it are forgotten. */
    public void add(long millis, List<GroupLag> groups) {
        Set<Key> seen = new HashSet<>();
        groups.forEach(group -> group.partitions().forEach(partition -> {
            Key key = key(group, partition);
            seen.add(key);
            if (!partition.isEndKnown()) {
                return;
            }
            Deque<Sample> own = samples.computeIfAbsent(key, any -> new ArrayDeque<>());
            if (!own.isEmpty() && own.getLast().committed() > partition.committedOffset()) {
                own.clear(); // it was set back: what was before says nothing
            }
            if (own.size() == SAMPLES_MAX) {
                own.removeLast();
            }
            own.addLast(new Sample(millis, partition.committedOffset(), partition.endOffset()));
            while (own.size() > 2 && own.getFirst().millis() < millis - KEPT_MILLIS) {
                own.removeFirst();
            }
        }));
        samples.keySet().retainAll(seen);
    }

    /** Empty before the second look. */
    public Optional<LagTrend> trend(GroupLag group, PartitionLag partition) {
        Deque<Sample> own = samples.get(key(group, partition));
        if (own == null || own.size() < 2 || !partition.isEndKnown()) {
            return Optional.empty();
        }
        Sample first = own.getFirst();
        Sample last = own.getLast();
        double seconds = Math.max(1, last.millis() - first.millis()) / 1000.0;
        return Optional.of(LagTrend.of(
                partition, (last.end() - first.end()) / seconds, (last.committed() - first.committed()) / seconds));
    }

    /** Of its slowest partition: the others wait for it. Empty before the second look. */
    public OptionalDouble drainSeconds(GroupLag group) {
        return group.partitions().stream()
                .flatMap(partition -> trend(group, partition).stream())
                .mapToDouble(LagTrend::drainSeconds)
                .max();
    }

    /** Of all partitions together, records a second. Empty before the second look. */
    public OptionalDouble growthPerSecond(GroupLag group) {
        List<LagTrend> trends = group.partitions().stream()
                .flatMap(partition -> trend(group, partition).stream())
                .toList();
        return trends.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(
                        trends.stream().mapToDouble(LagTrend::growthPerSecond).sum());
    }
}
