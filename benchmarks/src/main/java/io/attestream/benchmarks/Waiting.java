// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.ManagedProcess;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Bounded waiting, and rates of what is waited for. */
final class Waiting {
    private static final Duration TIMEOUT = Duration.ofMinutes(10);
    private static final long POLL_NANOS = 50_000_000;
    private static final long SHORT_NANOS = 2_000_000_000;
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
     * Waits until a process has brought the first count to the total, and tells how fast each count went while the first was
     * between the half and 95 % of it.
     *
     * @return a second, of each count
     */
    static double[] rates(ManagedProcess process, List<LongSupplier> counts, long total, Progress progress) {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        @Nullable Look from = null;
        @Nullable Look to = null;
        while (true) {
            Look look = Look.at(counts);
            long done = look.counts()[0];
            progress.at(process.name(), done, total);
            if (from == null && done >= FROM * total) {
                from = look;
            }
            if (to == null && done >= TO * total) {
                to = look;
            }
            if (done >= total && from != null && to != null) {
                return rates(from, to, process.name(), progress);
            }
            park(process, done, total, deadline);
        }
    }

    /** Waits until a process has brought the count to the total. */
    static void reach(ManagedProcess process, LongSupplier count, long total, Progress progress) {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        for (long done = count.getAsLong(); done < total; done = count.getAsLong()) {
            progress.at(process.name(), done, total);
            park(process, done, total, deadline);
        }
    }

    private static void park(ManagedProcess process, long done, long total, long deadline) {
        if (!process.isAlive() || System.nanoTime() > deadline) {
            throw new IllegalStateException(
                    process.name() + " did not reach " + total + " but " + done + "; " + process.logTail());
        }
        LockSupport.parkNanos(POLL_NANOS);
    }

    /** For what nothing tells of. */
    static void pause(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }

    private record Look(long nanos, long[] counts) {
        static Look at(List<LongSupplier> counts) {
            return new Look(
                    System.nanoTime(),
                    counts.stream().mapToLong(LongSupplier::getAsLong).toArray());
        }
    }

    private static double[] rates(Look from, Look to, String name, Progress progress) {
        if (to.counts()[0] == from.counts()[0]) {
            throw new IllegalStateException(name + " was through between two looks: raise --events");
        }
        long nanos = to.nanos() - from.nanos();
        if (nanos < SHORT_NANOS) {
            progress.say(String.format(
                    "  %s was measured over %,d ms only, which commits of 100 ms make coarse: raise --events",
                    name, nanos / 1_000_000));
        }
        return IntStream.range(0, from.counts().length)
                .mapToDouble(i -> (to.counts()[i] - from.counts()[i]) * 1e9 / nanos)
                .toArray();
    }
}
