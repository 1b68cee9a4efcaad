// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.cli.DrillCheck.Outcome;
import io.attestream.cli.GameDayReport.Finding;
import io.attestream.cli.GameDayReport.Moment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A game day that was kept, judged again: by {@link GameDayJudge}, from every look in {@code slis.csv}, whatever its report says
 * that it came to.
 */
final class GameDayKept {
    /** What {@link DrillVerifier} looks at: a game day restores nothing. */
    private static final Set<DrillCheck> AFTERWARDS =
            EnumSet.complementOf(EnumSet.of(DrillCheck.DETECTED, DrillCheck.RESTORED, DrillCheck.PUBLISHED));

    private final JsonNode report;
    private final List<SliProbe.Sample> samples;

    private GameDayKept(JsonNode report, List<SliProbe.Sample> samples) {
        this.report = report;
        this.samples = List.copyOf(samples);
    }

    /** @throws IOException if it is no game day that was kept */
    static GameDayKept read(Path directory) throws IOException {
        JsonNode report = DossierJson.tree(Files.readAllBytes(directory.resolve(GameDayEvidence.REPORT)));
        List<SliProbe.Sample> samples = new ArrayList<>();
        List<String> lines = Files.readAllLines(directory.resolve(GameDayEvidence.SAMPLES));
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.split(",", -1);
            if (cells.length != 6) {
                throw new IOException(GameDayEvidence.SAMPLES + " has a line that is no look: " + line);
            }
            samples.add(new SliProbe.Sample(
                    Instant.parse(cells[0]),
                    Long.parseLong(cells[1]),
                    Double.parseDouble(cells[2]),
                    Double.parseDouble(cells[3]),
                    Double.parseDouble(cells[4]),
                    Double.parseDouble(cells[5])));
        }
        return new GameDayKept(report, samples);
    }

    String scenario() {
        return report.path("scenario").asText();
    }

    /** What was not as it has to be; empty if all was, and the report says the same of it. */
    List<String> findings() {
        GameDayScenario scenario = GameDayScenario.of(scenario());
        Map<Moment, Instant> moments = new EnumMap<>(Moment.class);
        for (JsonNode moment : report.path("timeline")) {
            Arrays.stream(Moment.values())
                    .filter(known -> known.word().equals(moment.path("moment").asText()))
                    .forEach(known ->
                            moments.put(known, Instant.parse(moment.path("at").asText())));
        }
        Instant injected = moments.get(Moment.INJECTED);
        if (injected == null) {
            return List.of("nothing was injected");
        }
        Map<Moment, Instant> impact = GameDayReport.impact(samples, injected);
        Optional<Duration> usersOut = GameDayReport.timeToRecover(impact);
        List<String> findings = new ArrayList<>();
        GameDayJudge.judge(scenario, seen(usersOut, recoveredAt(moments, impact))).stream()
                .map(Finding::what)
                .forEach(findings::add);
        compare(
                findings,
                "mttrSeconds",
                usersOut.map(GameDayReport::seconds).orElse(-1.0),
                report.path("mttrSeconds").asDouble(-1));
        Map<String, Integer> bad = badSeconds(injected);
        bad.forEach((indicator, seconds) -> compare(
                findings,
                "badSeconds of " + indicator,
                seconds,
                report.path("badSeconds").path(indicator).asInt(-1)));
        List<DrillCheck.Result> made = checks();
        AFTERWARDS.stream()
                .filter(check -> made.stream().noneMatch(result -> result.check() == check))
                .forEach(check -> findings.add("check " + check.word() + " was not made"));
        if (!report.path("strict").asBoolean() || !report.path("passed").asBoolean()) {
            findings.add("the report says that it did not pass with --strict");
        }
        return findings;
    }

    private static void compare(List<String> findings, String what, Object seen, Object said) {
        if (!seen.equals(said)) {
            findings.add(what + " is " + seen + " by every look, the report says " + said);
        }
    }

    private Map<String, Integer> badSeconds(Instant injected) {
        Map<String, Integer> bad = new LinkedHashMap<>();
        report.path("badSeconds").fieldNames().forEachRemaining(indicator -> bad.put(indicator, 0));
        samples.stream()
                .filter(sample -> !sample.at().isBefore(injected))
                .forEach(sample -> sample.bad().forEach(indicator -> bad.merge(indicator, 1, Integer::sum)));
        return bad;
    }

    /** The later of: users have all of it again, who was paged is done. */
    private static Optional<Instant> recoveredAt(Map<Moment, Instant> moments, Map<Moment, Instant> impact) {
        if (impact.containsKey(Moment.USER_IMPACT) && !impact.containsKey(Moment.SLI_RECOVERED)) {
            return Optional.empty();
        }
        Instant done = moments.getOrDefault(Moment.MITIGATION_ENDED, moments.get(Moment.INJECTED));
        return Optional.ofNullable(done)
                .map(time -> impact.getOrDefault(Moment.SLI_RECOVERED, time))
                .map(time -> done != null && time.isBefore(done) ? done : time);
    }

    private GameDayJudge.Seen seen(Optional<Duration> usersOut, Optional<Instant> recoveredAt) {
        List<Pager.Alert> alerts = new ArrayList<>();
        for (JsonNode alert : report.path("alerts")) {
            String name = alert.path("alert").asText();
            alerts.add(new Pager.Alert(
                    name,
                    alert.path("severity").asText().equals("page"),
                    name,
                    alert.path("status").asText().equals("firing"),
                    null,
                    Instant.parse(alert.path("at").asText())));
        }
        List<Responder.Step> steps = new ArrayList<>();
        for (JsonNode step : report.path("mitigation")) {
            steps.add(new Responder.Step(
                    step.path("alert").asText(),
                    step.path("byHand").asBoolean(),
                    step.path("command").asText(),
                    Instant.parse(step.path("at").asText()),
                    step.path("exitCode").asInt(-1),
                    step.path("output").asText()));
        }
        return new GameDayJudge.Seen(
                usersOut,
                recoveredAt,
                samples,
                alerts,
                steps,
                checks(),
                report.path("acknowledgedEventsLost").asInt(Integer.MAX_VALUE),
                List.of());
    }

    private List<DrillCheck.Result> checks() {
        List<DrillCheck.Result> checks = new ArrayList<>();
        for (JsonNode check : report.path("checks")) {
            String word = check.path("check").asText();
            boolean passed = check.path("outcome").asText().equals(Outcome.PASSED.word());
            Arrays.stream(DrillCheck.values())
                    .filter(known -> known.word().equals(word))
                    .forEach(known -> checks.add(new DrillCheck.Result(
                            known,
                            passed ? Outcome.PASSED : Outcome.FAILED,
                            check.path("detail").asText(),
                            0)));
        }
        return checks;
    }
}
