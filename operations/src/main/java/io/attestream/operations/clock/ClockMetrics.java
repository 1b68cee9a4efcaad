// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.clock;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;

/**
 * The wall clock of a process as a metric, {@code attestream_clock_seconds}, so that whoever scrapes it can hold it against its
 * own: tokens, timestamps of events and every age depend on it, and a process cannot know by itself that it is wrong. As {@code
 * node_time_seconds} of Prometheus' node exporter, and also where a process has another clock than its machine.
 */
public final class ClockMetrics {
    private ClockMetrics() {}

    /** Registers the gauge; read at each scrape. */
    public static void register(Clock clock, MeterRegistry registry) {
        Gauge.builder("attestream.clock", clock, c -> c.millis() / 1_000.0)
                .baseUnit("seconds")
                .description("Unix time of the clock of this process")
                .register(registry);
    }
}
