// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Lets a process run for a part of the time only, by stopping it and letting it go on ten times a second. */
final class DutyCycle implements AutoCloseable {
    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final ProcessHandle process;
    private final long stoppedNanos;
    private final Thread thread = new Thread(this::run, "chaos-duty-cycle");
    private volatile boolean closed;

    private DutyCycle(ProcessHandle process, long stoppedNanos) {
        this.process = process;
        this.stoppedNanos = stoppedNanos;
    }

    /** @param percent of the time in which it stands still */
    static DutyCycle start(ProcessHandle process, int percent) {
        DutyCycle cycle = new DutyCycle(process, PERIOD_NANOS * percent / 100);
        cycle.thread.setDaemon(true);
        cycle.thread.start();
        return cycle;
    }

    private void run() {
        try {
            while (!closed && process.isAlive()) {
                Processes.signal(process, "STOP");
                hold(stoppedNanos);
                Processes.signal(process, "CONT");
                hold(PERIOD_NANOS - stoppedNanos);
            }
        } catch (IOException e) {
            // It ended meanwhile.
        }
    }

    private static void hold(long nanos) {
        long end = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** Returns when it goes on for good. */
    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.join(TimeUnit.SECONDS.toMillis(5));
    }
}
