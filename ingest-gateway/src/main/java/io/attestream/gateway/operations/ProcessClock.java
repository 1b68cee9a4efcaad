// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.clock.ClockMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;

/** Tells the time that tokens and events are held against here: {@code attestream_clock_seconds}. */
@ApplicationScoped
public class ProcessClock {
    private final MeterRegistry registry;

    ProcessClock(MeterRegistry registry) {
        this.registry = registry;
    }

    void onStart(@Observes StartupEvent event) {
        ClockMetrics.register(Clock.systemUTC(), registry);
    }
}
