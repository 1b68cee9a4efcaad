// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.doubt;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * That a process has stopped its work since what it reads is not what it must be. A process that ends at once is seen to be down
 * at most, and one that is started again and again not even that: so it stays for a while, does nothing any more, and says in its
 * metrics ({@code attestream_doubt}) and its health that and why it stopped. Thread-safe.
 */
public final class Doubt {
    /** More would only keep a process from being mended. */
    public static final long SHOWN_MILLIS_MAX = 300_000;

    private volatile @Nullable String reason;

    /** Exports it; 0 as long as there is none. */
    public void bindTo(MeterRegistry registry) {
        Gauge.builder("attestream.doubt", this, doubt -> doubt.reason == null ? 0 : 1)
                .description(
                        "1 if this process has stopped its work since what it reads is not what it must be; its log says why")
                .register(registry);
    }

    /** Why the process stopped; empty as long as it works. */
    public Optional<String> reason() {
        return Optional.ofNullable(reason);
    }

    /**
     * Shows a doubt, and returns after a time, or when the process is told to stop; if it was already, nothing is shown. All that
     * could write has to be closed before.
     *
     * @param shownMillis from 0 to {@link #SHOWN_MILLIS_MAX}
     * @param stop counted down when the process is told to stop
     */
    public void show(String why, long shownMillis, CountDownLatch stop) throws InterruptedException {
        if (stop.getCount() == 0) {
            return;
        }
        reason = why;
        stop.await(shownMillis, TimeUnit.MILLISECONDS);
    }
}
