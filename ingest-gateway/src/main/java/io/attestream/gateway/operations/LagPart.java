// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagAge;
import io.attestream.operations.lag.PartitionLag;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Consumer groups, those furthest behind first. Groups of others, and of other generations, are shown and make nothing bad. */
final class LagPart {
    static final int MAX_GROUPS = 50;

    private LagPart() {}

    /**
     * @param maxSeconds what a group of the ledger may be behind
     * @param prefix first part of the names of the ledger's groups
     */
    static Part of(Optional<ConsumerLag.Look> look, double maxSeconds, String prefix) {
        if (look.isEmpty()) {
            return Part.unknown("lag", "the brokers do not answer").put("groups", List.of());
        }
        Part part = new Part("lag");
        List<GroupLag> groups = new ArrayList<>(look.get().groups());
        Generations generations = look.get().generations();
        groups.sort(Comparator.comparing((GroupLag group) -> generations.isOther(group) || !group.hasLag())
                .thenComparing(Comparator.comparingDouble((GroupLag group) -> order(group.age()))
                        .reversed())
                .thenComparing(GroupLag::group));
        part.put("time", look.get().time().toString());
        part.put("maxSeconds", maxSeconds);
        part.put(
                "groups",
                groups.stream()
                        .limit(MAX_GROUPS)
                        .map(group -> json(group, look.get(), maxSeconds, prefix))
                        .toList());
        part.put("omitted", Math.max(0, groups.size() - MAX_GROUPS));
        part.put("groupsLeftOut", look.get().all().groupsLeftOut());
        groups.stream()
                .filter(group -> isOurs(group, prefix) && !generations.isOther(group) && group.hasLag())
                .filter(group -> state(group, maxSeconds) != State.GOOD)
                .forEach(group -> part.found(state(group, maxSeconds), Part.text(finding(group))));
        return part;
    }

    private static boolean isOurs(GroupLag group, String prefix) {
        return group.group().startsWith(prefix + ".");
    }

    /** What is not known comes first. */
    private static double order(LagAge age) {
        return age instanceof LagAge.Known known ? known.seconds() : Double.MAX_VALUE;
    }

    static State state(GroupLag group, double maxSeconds) {
        if (group.age() instanceof LagAge.Known known) {
            return known.seconds() > maxSeconds ? State.ATTENTION : State.GOOD;
        }
        return State.UNKNOWN;
    }

    private static String finding(GroupLag group) {
        return group.age() instanceof LagAge.Known known
                ? "group " + group.group() + " is " + Math.round(known.seconds()) + " s behind"
                : "how far group " + group.group() + " is behind is not known: "
                        + ((LagAge.Unknown) group.age()).reason();
    }

    /** As in {@code GET /lag}, with the worst partition in place of all. */
    private static Map<String, Object> json(GroupLag group, ConsumerLag.Look look, double maxSeconds, String prefix) {
        Map<String, Object> json = look.json(group);
        json.remove("partitions");
        json.remove("reason"); // in the findings, if it is one
        json.put("group", Part.text(group.group()));
        json.put("groupState", group.state());
        json.put("ours", isOurs(group, prefix));
        json.put("state", state(group, maxSeconds).word());
        group.partitions().stream()
                .filter(partition -> partition.records() > 0 || partition.age() instanceof LagAge.Unknown)
                .max(Comparator.comparingDouble((PartitionLag partition) -> order(partition.age())))
                .ifPresent(worst -> json.put("worst", Part.text(worst.topic() + "-" + worst.partition())));
        return json;
    }
}
