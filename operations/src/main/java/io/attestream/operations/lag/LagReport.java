// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.lag;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Predicate;

/**
 * A look for programs: what {@code attestream lag -o json} prints and the gateway serves. Numbers that are not known are the text
 * {@code "unknown"}, a lag that does not shrink drains {@code "never"}.
 */
public final class LagReport {
    private static final String UNKNOWN = "unknown";

    private LagReport() {}

    /** As a JSON object; its members come in this order. */
    public static Map<String, Object> of(Instant time, LagLook look, LagHistory history) {
        return of(time, look, history, group -> false);
    }

    /** @param isOtherGeneration whether a group is of a life of a ledger's processors that is over, or not begun */
    public static Map<String, Object> of(
            Instant time, LagLook look, LagHistory history, Predicate<GroupLag> isOtherGeneration) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("time", time.toString());
        report.put(
                "groups",
                look.groups().stream()
                        .map(group -> of(group, history, isOtherGeneration.test(group)))
                        .toList());
        report.put("groupsLeftOut", look.groupsLeftOut());
        return report;
    }

    private static Map<String, Object> of(GroupLag group, LagHistory history, boolean isOtherGeneration) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("group", group.group());
        if (isOtherGeneration) {
            members.put("otherGeneration", true);
        }
        members.put("state", group.state());
        members.put("members", group.members() == GroupLag.NOT_KNOWN ? UNKNOWN : group.members());
        members.put("records", group.records().isPresent() ? group.records().getAsLong() : UNKNOWN);
        if (group.age() instanceof LagAge.Known known) {
            members.put("seconds", known.seconds());
        } else {
            members.put("seconds", UNKNOWN);
            members.put("reason", ((LagAge.Unknown) group.age()).reason());
        }
        members.put("growthPerSecond", json(history.growthPerSecond(group)));
        members.put("drainSeconds", json(history.drainSeconds(group)));
        members.put(
                "partitions",
                group.partitions().stream()
                        .map(partition -> of(group, partition, history))
                        .toList());
        return members;
    }

    private static Map<String, Object> of(GroupLag group, PartitionLag partition, LagHistory history) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("topic", partition.topic());
        members.put("partition", partition.partition());
        members.put(
                "committedOffset",
                partition.committedOffset() == PartitionLag.NOT_KNOWN ? UNKNOWN : partition.committedOffset());
        members.put("endOffset", partition.isEndKnown() ? partition.endOffset() : UNKNOWN);
        members.put("records", partition.isEndKnown() ? partition.records() : UNKNOWN);
        members.put("deleted", partition.isEndKnown() ? partition.deleted() : UNKNOWN);
        if (partition.age() instanceof LagAge.Known known) {
            members.put("seconds", known.seconds());
        } else {
            members.put("seconds", UNKNOWN);
            members.put("reason", ((LagAge.Unknown) partition.age()).reason());
        }
        history.trend(group, partition).ifPresent(trend -> {
            members.put("producedPerSecond", trend.producedPerSecond());
            members.put("processedPerSecond", trend.processedPerSecond());
            members.put("drainSeconds", json(OptionalDouble.of(trend.drainSeconds())));
        });
        return members;
    }

    private static Object json(OptionalDouble value) {
        if (value.isEmpty()) {
            return UNKNOWN;
        }
        return Double.isInfinite(value.getAsDouble()) ? "never" : (Object) value.getAsDouble();
    }
}
