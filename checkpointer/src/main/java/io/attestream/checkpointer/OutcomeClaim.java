// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.OptionalLong;

/** What the sequencer claims in one record of topic {@code outcomes}. */
record OutcomeClaim(
        int shard, int incarnation, int generation, long offset, Kind kind, OptionalLong reference, String reason) {
    enum Kind {
        DUPLICATE,
        REJECTED
    }
}
