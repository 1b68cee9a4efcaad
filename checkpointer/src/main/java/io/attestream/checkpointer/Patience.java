// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.time.Duration;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Ends a reading that gets no further. A consumer polls for ever without a word when its brokers are gone, or when what it
 * waits for was lost. Not thread-safe.
 */
final class Patience {
    /** Longer than a broker needs to start again, or a partition to find another leader. */
    static final Duration DEFAULT = Duration.ofSeconds(60);

    private final Duration limit;
    private long place = -1;
    private long sinceNanos = System.nanoTime();

    Patience(Duration limit) {
        this.limit = limit;
    }

    /**
     * @param what is being read, and what was expected of it
     * @param newPlace how far it was read
     * @throws TimeoutException if that has not changed for the time given
     */
    void requireProgress(Supplier<String> what, long newPlace) {
        long now = System.nanoTime();
        if (newPlace != place) {
            place = newPlace;
            sinceNanos = now;
        } else if (now - sinceNanos >= limit.toNanos()) {
            throw new TimeoutException(what.get() + ", and nothing more came for " + limit.toMillis() + " ms");
        }
    }
}
