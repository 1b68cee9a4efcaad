// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.evidence;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/** The newest runs as gauges; a case, scenario or scope that was never run has no value. */
public final class EvidenceMetrics {
    private final Clock clock;
    private final MultiGauge drillAge;
    private final MultiGauge drillPassed;
    private final MultiGauge gameDayAge;
    private final MultiGauge gameDayPassed;
    private final MultiGauge fsckAge;
    private final MultiGauge fsckPassed;

    public EvidenceMetrics(MeterRegistry registry, Clock clock) {
        this.clock = clock;
        drillAge = age("attestream.drill.age", "Since the last restore drill of this case ended", registry);
        drillPassed = passed("attestream.drill.passed", "1 if the last restore drill of this case passed", registry);
        gameDayAge = age("attestream.game.day.age", "Since the last game day of this scenario ended", registry);
        gameDayPassed =
                passed("attestream.game.day.passed", "1 if the last game day of this scenario passed", registry);
        fsckAge = age(
                "attestream.fsck.age",
                "Since the last fsck that was recorded ended; of all of the ledger, or of the archive alone",
                registry);
        fsckPassed = passed(
                "attestream.fsck.passed",
                "1 if the last fsck that was recorded looked at everything and found nothing",
                registry);
    }

    private static MultiGauge age(String name, String description, MeterRegistry registry) {
        return MultiGauge.builder(name)
                .baseUnit("seconds")
                .description(description)
                .register(registry);
    }

    private static MultiGauge passed(String name, String description, MeterRegistry registry) {
        return MultiGauge.builder(name).description(description).register(registry);
    }

    /** Takes the place of what was before. */
    public void set(List<LastRun> runs) {
        show(runs, LastRun.Kind.DRILL, drillAge, drillPassed);
        show(runs, LastRun.Kind.GAME_DAY, gameDayAge, gameDayPassed);
        show(runs, LastRun.Kind.FSCK, fsckAge, fsckPassed);
    }

    private void show(List<LastRun> runs, LastRun.Kind kind, MultiGauge age, MultiGauge passed) {
        String tag = kind.nameLabel();
        List<LastRun> own = runs.stream().filter(run -> run.kind() == kind).toList();
        age.register(
                own.stream()
                        .<MultiGauge.Row<?>>map(
                                run -> MultiGauge.Row.of(Tags.of(tag, run.name()), run, this::ageSeconds))
                        .toList(),
                true);
        passed.register(
                own.stream()
                        .<MultiGauge.Row<?>>map(
                                run -> MultiGauge.Row.of(Tags.of(tag, run.name()), run.passed() ? 1 : 0))
                        .toList(),
                true);
    }

    private double ageSeconds(LastRun run) {
        return Math.max(0, Duration.between(run.endedAt(), clock.instant()).toMillis() / 1000.0);
    }
}
