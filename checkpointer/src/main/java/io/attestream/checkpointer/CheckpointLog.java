// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.function.Consumer;

/**
 * Topic {@code checkpoints} with exactly one writer. Whoever opens it last owns it; every write of an earlier owner fails
 * from then on.
 *
 * <p>All methods throw {@link FatalDoubtException} when the result is not known or the log has another owner. After that
 * no method may be called again.
 */
interface CheckpointLog extends AutoCloseable {
    /**
     * Hands over every committed record from the first to the last one there was when this owner took the log, in order.
     * Must be called once, before the first {@link #stage}.
     */
    void readToEnd(Consumer<LogRecord> reader);

    /** Writes the record into an open transaction; nobody sees it before {@link #commit}. */
    void stage(LogRecord record);

    /** Commits what was staged. Only its normal return means that the record is durable and visible. */
    void commit();

    @Override
    void close();
}
