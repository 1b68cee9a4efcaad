// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.slo.Runbooks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All parts as they were at one time.
 *
 * @param origin of the ledger
 * @param madeNanos of the monotonic clock
 * @param staleAfter age from which on it tells nothing about now
 */
record OpsReport(Instant time, String origin, List<Part> parts, long madeNanos, Duration staleAfter) {
    static final int VERSION = 1;

    private static final int MAX_REASONS = 30;

    OpsReport {
        parts = List.copyOf(parts);
    }

    /** As {@code docs/ops.schema.json} has it. */
    Map<String, Object> json(long nowNanos) {
        double ageSeconds = Math.round((nowNanos - madeNanos) / 1e6) / 1_000.0;
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("v", VERSION);
        json.put("ledger", origin);
        json.put("time", time.toString());
        json.put("ageSeconds", ageSeconds);
        json.put("staleAfterSeconds", staleAfter.toSeconds());
        json.put("verdict", verdict(ageSeconds));
        parts.forEach(part -> json.put(part.name(), part.json()));
        json.put(
                "runbooks",
                Runbooks.names().stream()
                        .map(name -> Map.of("name", name, "link", "/ops/runbooks/" + name + ".md"))
                        .toList());
        return json;
    }

    /** The worst of all parts, and why. */
    private Map<String, Object> verdict(double ageSeconds) {
        List<Map<String, Object>> reasons = new ArrayList<>();
        State state = State.GOOD;
        if (ageSeconds > staleAfter.toSeconds()) {
            reasons.add(reason(
                    "gateway", State.UNKNOWN, "the gateway's last look is " + Math.round(ageSeconds) + " s old"));
            // Whatever was good then.
            state = State.UNKNOWN;
        }
        List<Part> worstFirst = new ArrayList<>(parts);
        worstFirst.sort(Comparator.comparing(Part::state).reversed());
        for (Part part : worstFirst) {
            state = state.worse(part.state());
            part.findings().stream()
                    .sorted(Comparator.comparing(Part.Finding::state).reversed())
                    .forEach(finding -> reasons.add(reason(part.name(), finding.state(), finding.text())));
        }
        Map<String, Object> verdict = new LinkedHashMap<>();
        verdict.put("state", state.word());
        verdict.put("reasons", reasons.stream().limit(MAX_REASONS).toList());
        return verdict;
    }

    private static Map<String, Object> reason(String part, State state, String text) {
        Map<String, Object> reason = new LinkedHashMap<>();
        reason.put("part", part);
        reason.put("state", state.word());
        reason.put("text", text);
        return reason;
    }
}
