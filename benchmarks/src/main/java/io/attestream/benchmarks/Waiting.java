// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.ManagedProcess;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/** Bounded waiting, and rates of what is waited for. */
final class Waiting {
    private static final Duration TIMEOUT = Duration.ofMinutes(10);
    private static final long POLL_NANOS = 50_000_000;
    /** What comes before is a cold JVM's. */
    private static final double FROM = 0.5;
    /** What comes after is the last shard's alone. */
    private static final double TO = 0.95;

    private Waiting() {}

    static <T> T get(Future<T> future) {
        try {
            return future.get(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the broker did not answer", e);
        }
    }

    /**
     * Waits until a process has brought a count to the total, and tells how fast it went between the half and 95 % of it.
     *
     * @return a second
     */
    static double rate(ManagedProcess process, LongSupplier count, long total, Progress progress) {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        long fromNanos = 0;
        long fromCount = 0;
        long toNanos = 0;
        long toCount = 0;
        while (true) {
            long now = System.nanoTime();
            long done = count.getAsLong();
            progress.at(process.name(), done, total);
            if (fromNanos == 0 && done >= FROM * total) {
                fromNanos = now;
                fromCount = done;
            }
            if (toNanos == 0 && done >= TO * total) {
                toNanos = now;
                toCount = done;
            }
            if (done >= total) {
                return (toCount - fromCount) * 1e9 / Math.max(1, toNanos - fromNanos);
            }
            if (!process.isAlive() || now > deadline) {
                throw new IllegalStateException(
                        process.name() + " did not reach " + total + " but " + done + "; " + process.logTail());
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
