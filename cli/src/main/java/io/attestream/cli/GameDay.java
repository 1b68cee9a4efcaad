// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.cli.GameDayReport.Finding;
import io.attestream.cli.GameDayReport.Moment;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Plays one scenario from a steady state to the end of the last page: the fault is done, and from then on nothing is done but by who
 * is paged, with the commands of the page's runbook. Then everything that was acknowledged is judged as after a {@link Drill}. For
 * one use.
 */
final class GameDay {
    private static final long POLL_NANOS = 500_000_000;
    private static final int STEADY_SECONDS = 30;
    private static final int RECOVERED_SECONDS = 15;
    /** How long nobody is woken after the fault, where nobody is to be. */
    private static final Duration SILENCE = Duration.ofSeconds(60);

    private final GameDayScenario scenario;
    private final Limits limits;
    private final Consumer<String> progress;
    private final Map<Moment, Instant> moments = new EnumMap<>(Moment.class);
    private final List<DrillCheck.Result> checks = new ArrayList<>();

    /**
     * How long to wait for what.
     *
     * @param steady until everything is as it has to be
     * @param page from the fault to the page
     * @param recovered from the page until users have all of it again
     * @param resolved from then until the page is over
     */
    record Limits(Duration steady, Duration page, Duration recovered, Duration resolved) {
        static final Limits DEFAULT = new Limits(
                Duration.ofMinutes(5), Duration.ofMinutes(10), Duration.ofMinutes(5), Duration.ofMinutes(15));
    }

    GameDay(GameDayScenario scenario, Limits limits, Consumer<String> progress) {
        this.scenario = scenario;
        this.limits = limits;
        this.progress = progress;
    }

    /**
     * Plays it.
     *
     * @param data directory for the cluster and all that belongs to it
     * @throws IllegalStateException if there was no steady state to begin with
     */
    GameDayReport run(Path data) {
        Instant startedAt = Instant.now();
        try (GameDayScene scene = new GameDayScene(data, scenario, progress)) {
            Thread killing = new Thread(scene::killAll, "game-day-killing");
            Runtime.getRuntime().addShutdownHook(killing);
            try {
                scenario.prepare(scene);
                awaitSteady(scene);
                DrillScene kept = new DrillScene(scene.cluster(), scene.record(), scene.load());
                Optional<Instant> recoveredAt = play(scene);
                scene.end();
                int lost = judge(kept);
                List<Finding> findings = lookBack(scene, recoveredAt, lost);
                return new GameDayReport(
                        scenario,
                        startedAt,
                        Instant.now(),
                        moments,
                        scene.probe().samples(),
                        scene.pager().alerts(),
                        scene.responder().steps(),
                        scene.acknowledgedEvents(),
                        lost,
                        checks,
                        findings);
            } finally {
                Runtime.getRuntime().removeShutdownHook(killing);
            }
        }
    }

    private void awaitSteady(GameDayScene scene) {
        progress.accept("waiting for " + STEADY_SECONDS + " s in which all is well");
        long[] quietSinceNanos = {System.nanoTime()};
        if (!await(limits.steady(), () -> {
            if (!paging(scene).isEmpty()) {
                quietSinceNanos[0] = System.nanoTime();
            }
            return scene.probe().isGoodFor(STEADY_SECONDS)
                    && System.nanoTime() - quietSinceNanos[0] >= TimeUnit.SECONDS.toNanos(STEADY_SECONDS);
        })) {
            throw new IllegalStateException("there is no steady state to begin with: users see "
                    + scene.probe().last() + ", alerts that page "
                    + paging(scene).stream()
                            .map(alert -> alert.at("/labels/alertname").asText())
                            .toList());
        }
        if (!pages(scene).isEmpty()) {
            throw new IllegalStateException("somebody was woken before anything was done: "
                    + scene.pager().alerts());
        }
    }

    /** @return when users had had all of it again for some time; empty if not in time */
    private Optional<Instant> play(GameDayScene scene) {
        moment(Moment.INJECTED, Instant.now());
        scenario.inject(scene);
        if (scenario.pages().isEmpty()) {
            await(SILENCE, () -> !pages(scene).isEmpty());
        } else if (!await(limits.page(), () -> lookForPage(scene))) {
            progress.accept("nobody was woken within " + limits.page().toSeconds() + " s");
        }
        Optional<Instant> recoveredAt = await(limits.recovered(), () -> isMitigated(scene) && isRecovered(scene))
                ? Optional.of(Instant.now())
                : Optional.empty();
        if (await(limits.resolved(), () -> Pager.isQuiet(scene.pager().alerts()))
                && !scene.pager().alerts().isEmpty()) {
            moment(Moment.ALERT_RESOLVED, Instant.now());
        }
        noteImpact(scene);
        return recoveredAt;
    }

    /** Whether somebody was woken; notes how far it is. */
    private boolean lookForPage(GameDayScene scene) {
        for (JsonNode alert : paging(scene)) {
            moment(Moment.ALERT_PENDING, Instant.parse(alert.path("activeAt").asText()));
            if (alert.path("state").asText().equals("firing")) {
                moment(Moment.ALERT_FIRING, Instant.now());
            }
        }
        for (Pager.Alert alert : pages(scene)) {
            progress.accept("woken by " + alert.name());
            moment(Moment.PAGE_RECEIVED, alert.at());
            return true;
        }
        return false;
    }

    /** Alerts that page, pending or firing; a ticket of one slow second burns a young Prometheus' budgets for long. */
    private static List<JsonNode> paging(GameDayScene scene) {
        return StreamSupport.stream(scene.alerts().spliterator(), false)
                .filter(alert -> alert.at("/labels/severity").asText().equals("page"))
                .toList();
    }

    private static List<Pager.Alert> pages(GameDayScene scene) {
        return scene.pager().alerts().stream()
                .filter(alert -> alert.page() && alert.firing())
                .toList();
    }

    private boolean isMitigated(GameDayScene scene) {
        note(Moment.ACKNOWLEDGED, scene.responder().acknowledgedAt());
        note(Moment.MITIGATION_STARTED, scene.responder().mitigationStartedAt());
        note(Moment.MITIGATION_ENDED, scene.responder().mitigatedAt());
        return scenario.pages().isEmpty() || moments.containsKey(Moment.MITIGATION_ENDED);
    }

    private boolean isRecovered(GameDayScene scene) {
        List<SliProbe.Sample> samples = scene.probe().samples();
        Instant since = moments.getOrDefault(Moment.MITIGATION_ENDED, moments.get(Moment.INJECTED));
        return scene.probe().isGoodFor(RECOVERED_SECONDS)
                && !samples.get(samples.size() - RECOVERED_SECONDS).at().isBefore(since);
    }

    private void noteImpact(GameDayScene scene) {
        GameDayReport.impact(scene.probe().samples(), Objects.requireNonNull(moments.get(Moment.INJECTED)))
                .forEach(this::moment);
    }

    private void moment(Moment moment, Instant at) {
        if (moments.putIfAbsent(moment, at) == null) {
            progress.accept(
                    String.format("%s  %s", at.truncatedTo(java.time.temporal.ChronoUnit.MILLIS), moment.what()));
        }
    }

    private void note(Moment moment, @Nullable Instant at) {
        if (at != null) {
            moment(moment, at);
        }
    }

    /** @return events that were acknowledged and are lost, the load's or others' */
    private int judge(DrillScene kept) {
        progress.accept("verifying all that was acknowledged");
        int notProved = new DrillVerifier(kept, result -> {
                    checks.add(result);
                    progress.accept(String.format(
                            "%-8s %-13s %s",
                            result.outcome().word(), result.check().word(), result.detail()));
                })
                .run()
                .size();
        return Math.max(notProved, Math.toIntExact(kept.record().lostEvents()));
    }

    /** What was not as it has to be. */
    private List<Finding> lookBack(GameDayScene scene, Optional<Instant> recoveredAt, int lost) {
        List<Finding> findings = GameDayJudge.judge(
                scenario,
                new GameDayJudge.Seen(
                        GameDayReport.timeToRecover(moments),
                        recoveredAt,
                        scene.probe().samples(),
                        scene.pager().alerts(),
                        scene.responder().steps(),
                        checks,
                        lost,
                        scene.load().refused()));
        findings.forEach(finding -> progress.accept(
                "FINDING (" + finding.severity().name().toLowerCase(Locale.ROOT) + "): " + finding.what()));
        return findings;
    }

    /** Whether it became so in time. */
    static boolean await(Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
            if (Thread.interrupted()) {
                throw new IllegalStateException("interrupted");
            }
        }
        return true;
    }

    /** How long one is at most, for who has to wait. */
    static long maxMinutes() {
        Limits limits = Limits.DEFAULT;
        return TimeUnit.SECONDS.toMinutes(limits.steady()
                .plus(limits.page())
                .plus(limits.recovered())
                .plus(limits.resolved())
                .toSeconds());
    }
}
