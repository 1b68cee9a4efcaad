// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import java.util.concurrent.CompletableFuture;

/** Where events are appended: Kafka, or in tests something that can fail on command. */
public interface EventLog extends AutoCloseable {
    /**
     * Appends one record.
     *
     * @return completes within a bounded time, never exceptionally, and never on the thread that talks to the brokers: what
     *     a caller does with it (encoding, waiting for a slow client) must not hold up acknowledgements
     */
    CompletableFuture<AppendResult> append(LogRecord record);

    /**
     * One beyond the last offset of a shard's partition, or at least that of the last acknowledged record.
     *
     * @param atLeast an offset whose existence is asked: the brokers are asked only if it is not known to exist
     * @throws Unavailable if they do not answer in time
     */
    long endOffset(int shard, long atLeast) throws Unavailable;

    /** Whether the brokers answered lately and nothing is wrong for good. */
    boolean isReady();

    /** Waits for what is in flight, bounded, then lets go. */
    @Override
    void close();

    /** The brokers did not answer. */
    final class Unavailable extends Exception {
        public Unavailable(String message) {
            super(message, null, false, false);
        }
    }
}
