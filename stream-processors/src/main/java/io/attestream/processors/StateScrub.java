// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.objects.scrub.Scrubber;
import io.attestream.operations.clock.SteadyClock;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The stores of this instance, looked at pass after pass while they are used ({@link StateCheck}), on a thread of its own. */
final class StateScrub implements AutoCloseable {
    private static final Scrubber.Target STORES = new Scrubber.Target(
            "stores",
            "stores",
            "Stop this instance, delete the task's directory (that with rocksdb in it), start it again: all of it comes"
                    + " back from its changelog");
    private static final long STOP_WAIT_SECONDS = 10;

    private final Scrubber scrubber;
    private final Thread thread;

    /**
     * @param generation that runs
     * @param mayBegin the first pass waits for it
     */
    StateScrub(ProcessorsConfig.State config, int generation, BooleanSupplier mayBegin, MeterRegistry registry) {
        this.scrubber = new Scrubber(
                STORES,
                () -> pass(config.directory(), generation, config.scrubBytesPerSecondMax()),
                mayBegin,
                config.scrubIntervalMillis(),
                SteadyClock.of(Clock.systemUTC()));
        this.thread = new Thread(scrubber, "scrubbing");
        thread.setDaemon(true);
        Gauge.builder("attestream.processors.scrub.age", scrubber, Scrubber::ageSeconds)
                .baseUnit("seconds")
                .tag("part", scrubber.label())
                .description(
                        "Since the begin of the last scrub that saw all of this; before it, since the process began")
                .register(registry);
        Gauge.builder("attestream.processors.scrub.found", scrubber, Scrubber::found)
                .tag("part", scrubber.label())
                .description("What was not as it must be in the last scrub that saw all of this; NaN before the first")
                .register(registry);
    }

    private static Scrubber.Result pass(Path directory, int generation, long bytesPerSecondMax)
            throws InterruptedException {
        try {
            StateCheck.Report report = new StateCheck(directory, bytesPerSecondMax, (stores, total) -> {})
                    .ofGeneration(generation)
                    .run();
            return new Scrubber.Result.Looked(
                    report.findings().stream()
                            .map(finding -> finding.store() + ": expected " + finding.expected() + ", found "
                                    + finding.actual())
                            .toList(),
                    report.findings().size());
        } catch (IOException e) {
            return new Scrubber.Result.Undecided(String.valueOf(e.getMessage()));
        }
    }

    void start() {
        thread.start();
    }

    /** It may be in the middle of a pass, and does not write. */
    @Override
    public void close() throws InterruptedException {
        scrubber.stop();
        thread.interrupt();
        thread.join(TimeUnit.SECONDS.toMillis(STOP_WAIT_SECONDS));
    }
}
