// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.entry.EntryKind;
import java.util.Map;
import java.util.TreeMap;

/**
 * What became of the records of one shard, or of all shards, since the incarnation began. A pure function of the
 * committed records below a head's next offset.
 */
record Counts(long events, long conflicts, long controls, long duplicates, long rejected) {
    static final Counts NONE = new Counts(0, 0, 0, 0, 0);

    /** One leaf. */
    static Counts of(EntryKind kind) {
        return switch (kind) {
            case EVENT -> new Counts(1, 0, 0, 0, 0);
            case CONFLICT -> new Counts(0, 1, 0, 0, 0);
            case GENESIS, RULES -> new Counts(0, 0, 1, 0, 0);
        };
    }

    /** One record that is no leaf. */
    static Counts of(OutcomeRecord outcome) {
        return outcome instanceof OutcomeRecord.Duplicate ? new Counts(0, 0, 0, 1, 0) : new Counts(0, 0, 0, 0, 1);
    }

    /** As an epoch leaf has them. */
    static Counts of(Map<String, Long> members) {
        return new Counts(
                members.getOrDefault("events", 0L),
                members.getOrDefault("conflicts", 0L),
                members.getOrDefault("controls", 0L),
                members.getOrDefault("duplicates", 0L),
                members.getOrDefault("rejected", 0L));
    }

    Counts plus(Counts other) {
        return new Counts(
                events + other.events,
                conflicts + other.conflicts,
                controls + other.controls,
                duplicates + other.duplicates,
                rejected + other.rejected);
    }

    long leaves() {
        return events + conflicts + controls;
    }

    /** The member names of the epoch leaf's {@code counts}. */
    Map<String, Long> asMap() {
        Map<String, Long> map = new TreeMap<>();
        map.put("conflicts", conflicts);
        map.put("controls", controls);
        map.put("duplicates", duplicates);
        map.put("events", events);
        map.put("leaves", leaves());
        map.put("rejected", rejected);
        return map;
    }
}
