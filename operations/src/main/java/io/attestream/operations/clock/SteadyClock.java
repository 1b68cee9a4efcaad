// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.clock;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.function.LongSupplier;

/**
 * A clock that no one can set: it begins with the time of another, and from then on counts what has passed. For what is due after
 * a while, and for how long something took; what it says is no time to be recorded. Whoever waits for a moment of a clock that
 * is set back waits for as long as it was set back.
 */
public final class SteadyClock extends Clock {
    private final Instant begun;
    private final long begunNanos;
    private final LongSupplier nanos;
    private final ZoneId zone;

    private SteadyClock(Instant begun, long begunNanos, LongSupplier nanos, ZoneId zone) {
        this.begun = begun;
        this.begunNanos = begunNanos;
        this.nanos = nanos;
        this.zone = zone;
    }

    /** Begins with the time that a clock has now. */
    public static SteadyClock of(Clock clock) {
        return of(clock, System::nanoTime);
    }

    static SteadyClock of(Clock clock, LongSupplier nanos) {
        return new SteadyClock(clock.instant(), nanos.getAsLong(), nanos, clock.getZone());
    }

    @Override
    public Instant instant() {
        return begun.plusNanos(nanos.getAsLong() - begunNanos);
    }

    @Override
    public ZoneId getZone() {
        return zone;
    }

    @Override
    public Clock withZone(ZoneId other) {
        return new SteadyClock(begun, begunNanos, nanos, other);
    }
}
