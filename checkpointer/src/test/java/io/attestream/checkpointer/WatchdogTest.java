// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WatchdogTest {
    private static final int LOOKS_MAX = 18;

    private final AtomicBoolean alive = new AtomicBoolean();
    private final AtomicInteger ended = new AtomicInteger();
    private final Watchdog watchdog = new Watchdog(alive::get, 90_000, ended::incrementAndGet);

    private void lookTimes(int looks) {
        for (int look = 0; look < looks; look++) {
            watchdog.look();
        }
    }

    @Test
    void whoHangsIsEndedSoThatAnotherGetsTheTurn() {
        // when
        lookTimes(LOOKS_MAX - 1);

        // then
        assertThat(ended).hasValue(0);
        assertThat(watchdog.look()).isTrue();
        assertThat(ended).hasValue(1);
    }

    @Test
    void whoMovesNowAndThenIsLeftAlone() {
        for (int round = 0; round < 5; round++) {
            // when
            lookTimes(LOOKS_MAX - 1);
            alive.set(true);
            lookTimes(1);
            alive.set(false);
        }

        // then
        assertThat(ended).hasValue(0);
    }
}
