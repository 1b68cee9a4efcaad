// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.lag.GroupLag;
import io.attestream.schemas.Topics;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * Which life of the processors the ledger's groups are of. A restore begins a new one; groups of those before keep their offsets
 * until Kafka forgets them, which takes days, and fall further and further behind. The one that counts is the newest that has
 * members, or the newest if none has: so nothing has to be configured, and a generation that was prepared and not started does not
 * take the place of one that runs.
 */
final class Generations {
    private final Optional<GroupLag> sequencer;
    private final Optional<GroupLag> proofs;
    private final Set<String> others = new HashSet<>();

    private record Life(int generation, GroupLag group) {
        boolean hasMembers() {
            return group.members() > 0;
        }
    }

    private Generations(Topics topics, List<GroupLag> groups) {
        sequencer = live(groups, topics::sequencerGroup);
        proofs = live(groups, topics::proofsGroup);
        groups.stream().map(GroupLag::group).filter(topics::isRestoringGroup).forEach(others::add);
    }

    static Generations of(Topics topics, List<GroupLag> groups) {
        return new Generations(topics, groups);
    }

    /** Group of the sequencer; empty if none has an offset. */
    Optional<GroupLag> sequencer() {
        return sequencer;
    }

    /** Group of the proofs topology; empty if none has an offset. */
    Optional<GroupLag> proofs() {
        return proofs;
    }

    /** Whether a group is of the ledger, and of a generation that does not count: given up, or not begun. */
    boolean isOther(GroupLag group) {
        return others.contains(group.group());
    }

    private Optional<GroupLag> live(List<GroupLag> groups, IntFunction<String> name) {
        List<Life> lives = new ArrayList<>();
        String prefix = name.apply(0).replaceFirst("0$", "");
        for (GroupLag group : groups) {
            String generation = group.group().startsWith(prefix) ? group.group().substring(prefix.length()) : "";
            if (generation.matches("[1-9]\\d{0,8}")) {
                lives.add(new Life(Integer.parseInt(generation), group));
            }
        }
        Optional<Life> live =
                lives.stream().max(Comparator.comparing(Life::hasMembers).thenComparing(Life::generation));
        lives.stream()
                .filter(life -> !life.equals(live.orElse(null)))
                .forEach(life -> others.add(life.group().group()));
        return live.map(Life::group);
    }
}
