// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.evidence.Evidence;
import io.attestream.operations.evidence.LastRun;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** What was shown to work, and when: drills, game days, and the fscks and scrubs of what is stored. */
final class EvidencePart {
    static final int MAX_RUNS = 40;

    private static final List<String> SCRUBBED = List.of("attestream_checkpointer", "attestream_processors");

    private EvidencePart() {}

    /** @param evidence empty if no directory is configured */
    static Part of(Optional<Evidence> evidence, PrometheusLook prometheus, Clock clock) {
        Part part = new Part("evidence");
        List<LastRun> runs = evidence.map(Evidence::runs).orElse(List.of());
        part.put(
                "runs",
                runs.stream().limit(MAX_RUNS).map(run -> json(run, clock)).toList());
        part.put("omitted", Math.max(0, runs.size() - MAX_RUNS));
        part.put("scrubs", scrubs(prometheus, part));
        if (evidence.isEmpty()) {
            part.found(
                    State.UNKNOWN,
                    "attestream.ops.evidence-dir is not set: nothing is known of drills, game days and fsck");
        } else {
            findings(evidence.get(), part);
        }
        return part;
    }

    private static void findings(Evidence evidence, Part part) {
        evidence.problems().forEach(problem -> part.found(State.UNKNOWN, Part.text(problem)));
        for (LastRun.Kind kind : LastRun.Kind.values()) {
            List<LastRun> own =
                    evidence.runs().stream().filter(run -> run.kind() == kind).toList();
            if (own.isEmpty()) {
                part.found(State.UNKNOWN, "no " + kind.words() + " was recorded");
            }
            own.stream()
                    .filter(run -> !run.passed())
                    .forEach(run ->
                            part.found(State.ATTENTION, "the last " + kind.words() + " " + run.name() + " failed"));
        }
    }

    private static Map<String, Object> json(LastRun run, Clock clock) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("kind", run.kind().words().replace(' ', '-'));
        json.put("name", run.name());
        json.put("passed", run.passed());
        json.put("endedAt", run.endedAt().toString());
        long ageMillis = Duration.between(run.endedAt(), clock.instant()).toMillis();
        json.put("ageSeconds", Part.number(OptionalDouble.of(Math.max(0, ageMillis) / 1000.0)));
        json.put("recoverySeconds", Part.number(run.recoverySeconds()));
        json.put(
                "lostEvents",
                run.lostEvents().isPresent() ? (Object) run.lostEvents().getAsLong() : Part.UNKNOWN);
        json.put(
                "evidence",
                "/ops/evidence/" + run.kind().directory() + "/" + run.directory() + "/"
                        + run.kind().file());
        return json;
    }

    private static List<Map<String, Object>> scrubs(PrometheusLook prometheus, Part part) {
        List<Map<String, Object>> scrubs = new ArrayList<>();
        for (String service : SCRUBBED) {
            prometheus.samples(service + "_scrub_age_seconds").forEach(age -> {
                Map<String, Object> json = new LinkedHashMap<>();
                json.put("part", Part.text(age.label("part")));
                json.put("instance", Part.text(age.label("instance")));
                json.put("ageSeconds", Part.number(OptionalDouble.of(age.value())));
                OptionalDouble found = found(prometheus, service, age);
                json.put("found", Part.number(found));
                scrubs.add(json);
                if (found.orElse(0) > 0) {
                    part.found(State.CRITICAL, Part.text("a scrub found " + age.label("part") + " damaged"));
                }
            });
        }
        return scrubs;
    }

    /** Of the same part and process; no value before the first scrub that saw all. */
    private static OptionalDouble found(PrometheusLook prometheus, String service, PrometheusLook.Sample age) {
        return prometheus
                .samples(service + "_scrub_found")
                .filter(sample -> sample.label("part").equals(age.label("part"))
                        && sample.label("instance").equals(age.label("instance")))
                .mapToDouble(PrometheusLook.Sample::value)
                .max();
    }
}
