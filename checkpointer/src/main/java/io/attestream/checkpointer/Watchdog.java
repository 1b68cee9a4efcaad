// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a process that works no more: as long as it lives it keeps its turn, and nobody who stands by gets it. Counts looks and not
 * time, so that a process that was suspended as a whole goes on. Not thread-safe.
 */
final class Watchdog {
    private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);
    private static final long LOOK_MILLIS = 5_000;

    private final BooleanSupplier alive;
    private final long looksMax;
    private final Runnable end;
    private long looksInVain;

    /**
     * @param hangMillisMax how long who is watched may be seen not to be alive
     * @param end is run once it was longer
     */
    Watchdog(BooleanSupplier alive, long hangMillisMax, Runnable end) {
        this.alive = alive;
        this.looksMax = hangMillisMax / LOOK_MILLIS;
        this.end = end;
    }

    /** Looks now and then, until it ended the process or is told to stop. */
    void run(CountDownLatch stop) {
        try {
            while (!stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS) && !look()) {
                // goes on
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether that was the end. */
    boolean look() {
        looksInVain = alive.getAsBoolean() ? 0 : looksInVain + 1;
        if (looksInVain < looksMax) {
            return false;
        }
        LOG.error(
                "stopped: nothing moved for minutes, and nothing did in the last {} looks. The next start, or who stands"
                        + " by, goes on; a stack dump (jcmd <pid> Thread.print) tells where the next one hangs",
                looksInVain);
        end.run();
        return true;
    }
}
