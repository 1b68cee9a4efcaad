// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;

/**
 * The last look as gauges of every group, topic and partition. What is not known has no value, and counts in {@code
 * attestream.lag.unknown}; when the cluster does not answer, none has, and the age of the last look grows.
 */
public final class LagMetrics {
    private final MultiGauge records;
    private final MultiGauge seconds;
    private final MultiGauge unknown;
    private final MultiGauge deleted;
    private final MultiGauge growth;
    private final MultiGauge drain;
    private final MultiGauge members;
    private volatile int groupsLeftOut;
    private volatile long lastLookNanos = System.nanoTime();

    public LagMetrics(MeterRegistry registry) {
        records = gauge("attestream.lag.records", "Records the group has not processed", registry);
        seconds = MultiGauge.builder("attestream.lag")
                .baseUnit("seconds")
                .description("Age of the first record the group has not processed; no value if it is not known")
                .register(registry);
        unknown = gauge(
                "attestream.lag.unknown",
                "1 if the age is not known; without topic and partition if nobody could say what the group has committed",
                registry);
        deleted = gauge(
                "attestream.lag.deleted.records",
                "Records that were deleted before the group processed them",
                registry);
        growth = gauge(
                "attestream.lag.growth.records.per.second",
                "Records a second by which the lag grows, over the last minute",
                registry);
        drain = MultiGauge.builder("attestream.lag.drain")
                .baseUnit("seconds")
                .description(
                        "Until nothing is left, if it goes on as in the last minute; infinite if the lag does not shrink")
                .register(registry);
        members = gauge("attestream.lag.group.members", "Members of the group; no value if nobody could say", registry);
        Gauge.builder("attestream.lag.groups.left.out", this, metrics -> metrics.groupsLeftOut)
                .description("Groups of the cluster of which nothing is said: beyond 1,000, or with neither members nor"
                        + " offsets")
                .register(registry);
        Gauge.builder("attestream.lag.look.age", this, LagMetrics::ageSeconds)
                .baseUnit("seconds")
                .description(
                        "Since the last look at consumer groups that the cluster answered; before it, since the start")
                .register(registry);
    }

    private static MultiGauge gauge(String name, String description, MeterRegistry registry) {
        return MultiGauge.builder(name).description(description).register(registry);
    }

    private double ageSeconds() {
        return (System.nanoTime() - lastLookNanos) / 1e9;
    }

    /** Takes the place of the look before. */
    public void set(LagLook look, LagHistory history) {
        show(look.groups(), history);
        groupsLeftOut = look.groupsLeftOut();
        lastLookNanos = System.nanoTime();
    }

    /** The cluster did not answer: nothing is known. */
    public void clear() {
        show(List.of(), new LagHistory());
    }

    private void show(List<GroupLag> groups, LagHistory history) {
        Rows rows = new Rows();
        for (GroupLag group : groups) {
            if (group.members() != GroupLag.NOT_KNOWN) {
                rows.members.add(MultiGauge.Row.of(Tags.of("group", group.group()), group.members()));
            }
            for (PartitionLag partition : group.partitions()) {
                rows.add(group, partition, history);
            }
            if (group.unread().isPresent()) {
                rows.unknown.add(MultiGauge.Row.of(tags(group, "", ""), 1));
            }
        }
        records.register(rows.records, true);
        seconds.register(rows.seconds, true);
        unknown.register(rows.unknown, true);
        deleted.register(rows.deleted, true);
        growth.register(rows.growth, true);
        drain.register(rows.drain, true);
        members.register(rows.members, true);
    }

    private static Tags tags(GroupLag group, String topic, String partition) {
        return Tags.of("group", group.group(), "topic", topic, "partition", partition);
    }

    private static final class Rows {
        private final List<MultiGauge.Row<?>> records = new ArrayList<>();
        private final List<MultiGauge.Row<?>> seconds = new ArrayList<>();
        private final List<MultiGauge.Row<?>> unknown = new ArrayList<>();
        private final List<MultiGauge.Row<?>> deleted = new ArrayList<>();
        private final List<MultiGauge.Row<?>> growth = new ArrayList<>();
        private final List<MultiGauge.Row<?>> drain = new ArrayList<>();
        private final List<MultiGauge.Row<?>> members = new ArrayList<>();

        void add(GroupLag group, PartitionLag partition, LagHistory history) {
            Tags tags = tags(group, partition.topic(), Integer.toString(partition.partition()));
            if (partition.isEndKnown()) {
                records.add(MultiGauge.Row.of(tags, partition.records()));
                deleted.add(MultiGauge.Row.of(tags, partition.deleted()));
            }
            boolean known = partition.age() instanceof LagAge.Known;
            unknown.add(MultiGauge.Row.of(tags, known ? 0 : 1));
            if (partition.age() instanceof LagAge.Known age) {
                seconds.add(MultiGauge.Row.of(tags, age.seconds()));
            }
            history.trend(group, partition).ifPresent(trend -> {
                growth.add(MultiGauge.Row.of(tags, trend.growthPerSecond()));
                drain.add(MultiGauge.Row.of(tags, trend.drainSeconds()));
            });
        }
    }
}
