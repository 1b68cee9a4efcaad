// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.clock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SteadyClockTest {
    private static final Instant BEGIN = Instant.parse("2026-01-05T09:00:00Z");

    @Test
    void itBeginsWithTheTimeOfAnotherAndCountsWhatHasPassed() {
        // given
        AtomicLong nanos = new AtomicLong(-5);
        Clock clock = SteadyClock.of(Clock.fixed(BEGIN, ZoneOffset.UTC), nanos::get);

        // when
        nanos.addAndGet(Duration.ofSeconds(90).toNanos());

        // then
        assertThat(clock.instant()).isEqualTo(BEGIN.plusSeconds(90));
        assertThat(clock.millis()).isEqualTo(BEGIN.plusSeconds(90).toEpochMilli());
        assertThat(clock.withZone(ZoneOffset.ofHours(1)).instant()).isEqualTo(clock.instant());
    }
}
