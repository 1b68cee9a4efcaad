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

    private record Reason(String part, Part.Finding finding) {
        State state() {
            return finding.state();
        }

        Map<String, Object> json() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("part", part);
            json.put("state", state().word());
            json.put("text", finding.text());
            return json;
        }
    }

    /** The worst of all parts, and why, the worst first. */
    private Map<String, Object> verdict(double ageSeconds) {
        List<Reason> reasons = new ArrayList<>();
        if (ageSeconds > staleAfter.toSeconds()) {
            // Whatever was good then.
            String text = "the gateway's last look is " + Math.round(ageSeconds) + " s old";
            reasons.add(new Reason("gateway", new Part.Finding(State.UNKNOWN, text)));
        }
        for (Part part : parts) {
            part.findings().forEach(finding -> reasons.add(new Reason(part.name(), finding)));
        }
        reasons.sort(Comparator.comparing(Reason::state).reversed());
        Map<String, Object> verdict = new LinkedHashMap<>();
        verdict.put("state", (reasons.isEmpty() ? State.GOOD : reasons.get(0).state()).word());
        verdict.put(
                "reasons", reasons.stream().limit(MAX_REASONS).map(Reason::json).toList());
        return verdict;
    }
}
