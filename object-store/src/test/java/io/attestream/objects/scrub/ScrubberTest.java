// SPDX-License-Identifier: Apache-2.0
package io.attestream.objects.scrub;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ScrubberTest {
    private final AtomicLong nowMillis = new AtomicLong(1_000_000);
    private final Clock clock = new Clock() {
        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(nowMillis.get());
        }
    };

    private static final Scrubber.Target OBJECTS =
            new Scrubber.Target("objects", "objects", "attestream fsck tells all");

    private static Scrubber.Result checked(long found) {
        return new Scrubber.Result.Looked(List.of(), found);
    }

    /** Runs passes one behind the other without an interval; the last one stops it. */
    private Scrubber run(Scrubber.Pass... passes) {
        Deque<Scrubber.Pass> left = new ArrayDeque<>(List.of(passes));
        Scrubber[] made = new Scrubber[1];
        made[0] = new Scrubber(
                OBJECTS,
                () -> {
                    Scrubber.Pass pass = left.remove();
                    if (left.isEmpty()) {
                        made[0].stop();
                    }
                    return pass.run();
                },
                () -> true,
                0,
                clock);
        made[0].run();
        return made[0];
    }

    @Test
    void knowsNothingBeforeTheFirstPass() {
        Scrubber scrubber = new Scrubber(OBJECTS, () -> checked(0), () -> true, 0, clock);
        nowMillis.addAndGet(5_000);
        assertThat(scrubber.ageSeconds()).as("since the process began").isEqualTo(5.0);
        assertThat(scrubber.found()).isNaN();
    }

    @Test
    void ageIsThatOfTheOldestLookOfTheLastPass() {
        // given a pass that takes 7 s
        Scrubber scrubber = run(() -> {
            nowMillis.addAndGet(7_000);
            return checked(2);
        });

        // when
        nowMillis.addAndGet(3_000);

        // then
        assertThat(scrubber.ageSeconds()).isEqualTo(10.0);
        assertThat(scrubber.found()).isEqualTo(2);
    }

    @Test
    void aPassThatCouldNotLookAtAllIsNone() {
        // when the second is undecided and the third ends by a bug
        Scrubber scrubber = run(
                () -> checked(0),
                () -> {
                    nowMillis.addAndGet(60_000);
                    return new Scrubber.Result.Undecided("the store does not answer");
                },
                () -> {
                    throw new IllegalStateException("a bug");
                });

        // then
        assertThat(scrubber.ageSeconds()).isEqualTo(60.0);
        assertThat(scrubber.found()).isZero();
    }

    @Test
    void whatWasRepairedIsNotFoundAnyMore() {
        assertThat(run(() -> checked(3), () -> checked(0)).found()).isZero();
    }

    @Test
    void waitsForTheReplay() {
        // given
        AtomicBoolean replayed = new AtomicBoolean();
        AtomicInteger passes = new AtomicInteger();
        AtomicInteger asked = new AtomicInteger();
        Scrubber[] made = new Scrubber[1];
        made[0] = new Scrubber(
                OBJECTS,
                () -> {
                    assertThat(replayed).isTrue();
                    passes.incrementAndGet();
                    made[0].stop();
                    return checked(0);
                },
                () -> {
                    replayed.set(asked.incrementAndGet() > 1);
                    return replayed.get();
                },
                0,
                clock);

        // when
        made[0].run();

        // then
        assertThat(passes).hasValue(1);
    }

    @Test
    void endsAtOnceInTheMiddleOfAPass() throws Exception {
        // given
        Thread thread = new Thread(new Scrubber(
                OBJECTS,
                () -> {
                    new CountDownLatch(1).await();
                    return checked(0);
                },
                () -> true,
                0,
                clock));
        thread.start();

        // when
        thread.interrupt();

        // then
        thread.join(30_000);
        assertThat(thread.isAlive()).isFalse();
    }
}
