// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import java.io.PrintStream;
import java.util.Locale;

/** Tells people on standard error what is being measured and how far it is. */
final class Progress {
    private static final long INTERVAL_NANOS = 200_000_000;

    private final PrintStream err;
    private final boolean terminal;
    private long lastNanos;

    Progress(PrintStream err, boolean terminal) {
        this.err = err;
        this.terminal = terminal;
    }

    void say(String line) {
        err.println(line);
    }

    /** Overwrites itself on a terminal; silent elsewhere. */
    void at(String what, long done, long total) {
        long now = System.nanoTime();
        if (terminal && (now - lastNanos > INTERVAL_NANOS || done == total)) {
            lastNanos = now;
            err.printf(Locale.ROOT, "\r  %-28s %,d/%,d ", what, done, total);
            if (done == total) {
                err.println();
            }
        }
    }
}
