// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import java.util.Optional;

/** One line of a history. Lines are in the order in which things happened: what is on an earlier line was over before. */
public sealed interface HistoryEvent {
    /**
     * The first line.
     *
     * @param windowLeaves the dedup window of the ledger: the last so many leaves of a shard
     * @param others whose appends are not recorded
     * @param wallMillis since 1970
     */
    record Begun(long windowLeaves, Optional<Others> others, long wallMillis) implements HistoryEvent {}

    /**
     * A client asks.
     *
     * @param line from 1
     * @param number of the operation, from 0
     * @param process the client
     * @param nanos since the begin of the history, by a clock that never goes back
     * @param wallMillis since 1970, by the clock of the machine
     */
    record Invoked(long line, long number, String process, long nanos, long wallMillis, Operation<?> operation)
            implements HistoryEvent {}

    /** It was told. */
    record Ok(long line, Invoked invoked, long nanos, long wallMillis, Result result) implements HistoryEvent {}

    /** It was refused: nothing of it has happened, nor will. */
    record Failed(long line, Invoked invoked, long nanos, long wallMillis, String reason) implements HistoryEvent {}

    /** Nobody knows: it happened, or will, or never. So is an operation that has no end in the history. */
    record Unknown(long line, Invoked invoked, long nanos, long wallMillis, String reason) implements HistoryEvent {}

    /** A leaf of a {@link Operation.ReadAll} that is under way. */
    record LeafRead(long line, Invoked invoked, Leaf leaf) implements HistoryEvent {}
}
