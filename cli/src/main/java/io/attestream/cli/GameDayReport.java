// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What came of a game day. Every time in it was taken by a machine.
 *
 * @param moments when things happened, by their {@link Moment}; one that did not happen is missing
 * @param samples what users had of the ledger, second by second
 * @param alerts messages of Alertmanager
 * @param steps what who was paged did
 * @param acknowledgedEvents while the load ran
 * @param lostEvents that were acknowledged and are not proved
 * @param checks of the ledger when all was over
 * @param findings what was not as it has to be
 */
record GameDayReport(
        GameDayScenario scenario,
        Instant startedAt,
        Instant endedAt,
        Map<Moment, Instant> moments,
        List<SliProbe.Sample> samples,
        List<Pager.Alert> alerts,
        List<Responder.Step> steps,
        int acknowledgedEvents,
        int lostEvents,
        List<DrillCheck.Result> checks,
        List<Finding> findings) {
    /** Of the objectives in {@code runbooks/slo}: bad seconds of thirty days that are allowed. */
    private static final Map<String, Double> BUDGET_SECONDS = Map.of(
            "ingest", budgetSeconds(0.999),
            "publication", budgetSeconds(0.995),
            "checkpoint", budgetSeconds(0.999),
            "proof", budgetSeconds(0.999));

    private static double budgetSeconds(double target) {
        return Duration.ofDays(30).toSeconds() * (1 - target);
    }

    /** What happens in a game day, in the order in which it should. */
    enum Moment {
        INJECTED("the fault is there"),
        USER_IMPACT("users see it"),
        ALERT_PENDING("an alert that pages is pending"),
        ALERT_FIRING("it fires"),
        PAGE_RECEIVED("the page is received"),
        ACKNOWLEDGED("it is acknowledged"),
        MITIGATION_STARTED("the runbook's mitigation begins"),
        MITIGATION_ENDED("its commands have been run"),
        SLI_RECOVERED("users have all of it again"),
        ALERT_RESOLVED("every page is over");

        private final String what;

        Moment(String what) {
            this.what = what;
        }

        String what() {
            return what;
        }

        String word() {
            String[] parts = name().toLowerCase(Locale.ROOT).split("_");
            return parts.length == 1
                    ? parts[0]
                    : parts[0] + parts[1].substring(0, 1).toUpperCase(Locale.ROOT) + parts[1].substring(1);
        }
    }

    enum Severity {
        /** A promise is broken, or somebody on call is left alone. */
        HIGH,
        /** Works, and is not as it was said to be. */
        MEDIUM
    }

    record Finding(Severity severity, String what) {}

    GameDayReport {
        moments = Map.copyOf(moments);
        samples = List.copyOf(samples);
        alerts = List.copyOf(alerts);
        steps = List.copyOf(steps);
        checks = List.copyOf(checks);
        findings = List.copyOf(findings);
    }

    /**
     * When users saw the fault: from the first bad second after it to the first one from which on all were good.
     *
     * @return without the end if the last second was bad; empty if none was
     */
    static Map<Moment, Instant> impact(List<SliProbe.Sample> samples, Instant injected) {
        Map<Moment, Instant> impact = new EnumMap<>(Moment.class);
        for (SliProbe.Sample sample : samples) {
            if (sample.at().isBefore(injected)) {
                continue;
            }
            if (!sample.bad().isEmpty()) {
                impact.putIfAbsent(Moment.USER_IMPACT, sample.at());
                impact.remove(Moment.SLI_RECOVERED);
            } else if (impact.containsKey(Moment.USER_IMPACT)) {
                impact.putIfAbsent(Moment.SLI_RECOVERED, sample.at());
            }
        }
        return impact;
    }

    /** @param strict whether a finding of any severity is a failure */
    boolean isPassed(boolean strict) {
        return findings.stream().noneMatch(finding -> strict || finding.severity() == Severity.HIGH);
    }

    /** Between two moments; empty if one of them did not happen. */
    Optional<Duration> between(Moment from, Moment to) {
        return between(moments, from, to);
    }

    private static Optional<Duration> between(Map<Moment, Instant> moments, Moment from, Moment to) {
        Instant begin = moments.get(from);
        Instant end = moments.get(to);
        return begin == null || end == null ? Optional.empty() : Optional.of(Duration.between(begin, end));
    }

    /** From what users saw first until they had all of it again: zero if they saw nothing, empty if they have not. */
    Optional<Duration> timeToRecover() {
        return timeToRecover(moments);
    }

    /** As {@link #timeToRecover()}, of these. */
    static Optional<Duration> timeToRecover(Map<Moment, Instant> moments) {
        return moments.containsKey(Moment.USER_IMPACT)
                ? between(moments, Moment.USER_IMPACT, Moment.SLI_RECOVERED)
                : Optional.of(Duration.ZERO);
    }

    /** Seconds since the fault in which an indicator was not as its objective says, by its name. */
    Map<String, Integer> badSeconds() {
        Map<String, Integer> bad = new LinkedHashMap<>();
        for (String indicator : List.of("ingest", "publication", "checkpoint", "proof")) {
            bad.put(indicator, 0);
        }
        Instant injected = moments.getOrDefault(Moment.INJECTED, startedAt);
        samples.stream()
                .filter(sample -> !sample.at().isBefore(injected))
                .forEach(sample -> sample.bad().forEach(indicator -> bad.merge(indicator, 1, Integer::sum)));
        return bad;
    }

    /** Part of thirty days' budget that was spent, in percent, if every second counts the same. */
    Map<String, Double> budgetSpentPercent() {
        Map<String, Double> spent = new LinkedHashMap<>();
        badSeconds()
                .forEach((indicator, seconds) ->
                        spent.put(indicator, rounded(100 * seconds / BUDGET_SECONDS.getOrDefault(indicator, 1.0))));
        return spent;
    }

    /** Names of the alerts that woke somebody. */
    List<String> paged() {
        return alerts.stream()
                .filter(alert -> alert.page() && alert.firing())
                .map(Pager.Alert::name)
                .distinct()
                .toList();
    }

    private static double rounded(double value) {
        return Math.round(value * 1_000) / 1_000.0;
    }

    static double seconds(Duration duration) {
        return rounded(duration.toMillis() / 1_000.0);
    }

    // ---- as JSON, see docs/game-day-evidence

    Map<String, Object> json(boolean strict) {
        Map<String, Object> all = Output.object(
                "v", 1,
                "scenario", scenario.word(),
                "hypothesis", scenario.hypothesis(),
                "strict", strict,
                "passed", isPassed(strict),
                "startedAt", startedAt.toString(),
                "endedAt", endedAt.toString());
        all.put("timeline", timeline());
        putSeconds(all, "detectSeconds", Moment.INJECTED, Moment.PAGE_RECEIVED);
        putSeconds(all, "acknowledgeSeconds", Moment.PAGE_RECEIVED, Moment.ACKNOWLEDGED);
        putSeconds(all, "mitigateSeconds", Moment.MITIGATION_STARTED, Moment.MITIGATION_ENDED);
        all.put("mttrSeconds", timeToRecover().map(GameDayReport::seconds).orElse(null));
        putSeconds(all, "resolveSeconds", Moment.SLI_RECOVERED, Moment.ALERT_RESOLVED);
        all.put("badSeconds", badSeconds());
        all.put("budgetSpentPercent", budgetSpentPercent());
        all.put("expectedPages", scenario.pages().stream().sorted().toList());
        all.put("alerts", alerts.stream().map(GameDayReport::json).toList());
        all.put("mitigation", steps.stream().map(GameDayReport::json).toList());
        all.put("acknowledgedEvents", acknowledgedEvents);
        all.put("acknowledgedEventsLost", lostEvents);
        all.put(
                "checks",
                checks.stream()
                        .map(check -> Output.object(
                                "check", check.check().word(),
                                "outcome", check.outcome().word(),
                                "detail", check.detail()))
                        .toList());
        all.put(
                "followUps",
                findings.stream()
                        .map(finding -> Output.object(
                                "severity", finding.severity().name().toLowerCase(Locale.ROOT), "what", finding.what()))
                        .toList());
        return all;
    }

    List<Map<String, Object>> timeline() {
        List<Map<String, Object>> timeline = new ArrayList<>();
        moments.entrySet().stream()
                .sorted(Map.Entry.<Moment, Instant>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                .forEach(entry -> timeline.add(Output.object(
                        "moment",
                        entry.getKey().word(),
                        "at",
                        entry.getValue().toString(),
                        "what",
                        entry.getKey().what())));
        return timeline;
    }

    /** Absent if one of the moments did not come. */
    private void putSeconds(Map<String, Object> all, String name, Moment from, Moment to) {
        between(from, to).ifPresent(duration -> all.put(name, seconds(duration)));
    }

    private static Map<String, Object> json(Pager.Alert alert) {
        return Output.object(
                "alert",
                alert.name(),
                "severity",
                alert.page() ? "page" : "ticket",
                "status",
                alert.firing() ? "firing" : "resolved",
                "at",
                alert.at().toString());
    }

    private static Map<String, Object> json(Responder.Step step) {
        return Output.object(
                "alert", step.alert(),
                "byHand", step.byHand(),
                "command", step.command(),
                "at", step.at().toString(),
                "exitCode", step.exitCode(),
                "output", step.output());
    }
}
