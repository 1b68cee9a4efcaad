// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Counts anomalies and keeps the first few in words. */
final class Findings {
    private final Map<AnomalyKind, Long> counts = new EnumMap<>(AnomalyKind.class);
    private final Map<AnomalyKind, List<String>> examples = new EnumMap<>(AnomalyKind.class);

    /** @param example asked only if it will be told */
    void add(AnomalyKind kind, Supplier<String> example) {
        counts.merge(kind, 1L, Long::sum);
        List<String> kept = examples.computeIfAbsent(kind, none -> new ArrayList<>());
        if (kept.size() < Verdict.EXAMPLES_MAX) {
            kept.add(example.get());
        }
    }

    Map<AnomalyKind, Verdict.Anomalies> all() {
        Map<AnomalyKind, Verdict.Anomalies> all = new EnumMap<>(AnomalyKind.class);
        counts.forEach((kind, count) ->
                all.put(kind, new Verdict.Anomalies(count, examples.getOrDefault(kind, List.of()))));
        return all;
    }
}
