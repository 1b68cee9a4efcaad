// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import java.util.OptionalLong;

/**
 * What a task asks the cluster when it starts, to hold its state and its input position against each other. Losing one of
 * group offsets, changelogs and state directory while the others survive forks the tree without any error of Kafka Streams.
 */
public interface Fence {
    /** Identity of the changelog topics: 32 bytes, different as soon as one of the topics was made anew. */
    byte[] changelogs();

    /** The group's committed offset of a shard, after transactions under way have ended; empty if it has none. */
    OptionalLong committed(int shard);

    /**
     * The first committed record of a shard with an offset in [from, to); empty if there is none, that is if the range holds
     * nothing but transaction markers and aborted batches.
     */
    OptionalLong firstRecord(int shard, long from, long to);
}
