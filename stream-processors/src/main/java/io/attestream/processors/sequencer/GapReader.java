// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import java.util.OptionalLong;

/** Looks into a range of offsets that the sequencer would pass over. */
@FunctionalInterface
public interface GapReader {
    /**
     * The first committed record with an offset in [from, to) of a partition of the events topic; empty if there is none,
     * which is so when the range holds transaction markers and aborted batches only.
     */
    OptionalLong firstCommitted(int partition, long from, long to);
}
