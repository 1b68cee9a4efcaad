// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import java.util.ArrayList;
import java.util.List;

/**
 * Whether an instance can hold all shards, which it must when the others are gone. What is too small shows late: a dedup
 * window takes days to fill, and then no restart helps.
 */
public final class SequencerSizing {
    /** Digest, tag, kind, and two slots of the table, see {@link io.attestream.proofs.entry.IdentityWindow}. */
    private static final long WINDOW_BYTES_PER_LEAF = 16 + 16 + 1 + 8;
    /** An edge record with its key and what the cache notes about it. */
    private static final long CACHED_BYTES_PER_SHARD = Edge.SIZE_BYTES + 1_024;

    private static final long MIB = 1 << 20;

    private SequencerSizing() {}

    /**
     * What is too small, each with what to do; empty if nothing is.
     *
     * @param windowLeaves W of every shard
     * @param maxHeapBytes of this process
     * @param cacheBytes in front of the stores
     */
    public static List<String> warnings(List<Long> windowLeaves, long maxHeapBytes, long cacheBytes) {
        List<String> warnings = new ArrayList<>();
        long windows =
                windowLeaves.stream().mapToLong(w -> w * WINDOW_BYTES_PER_LEAF).sum();
        if (windows + cacheBytes > maxHeapBytes) {
            warnings.add("the dedup windows of all " + windowLeaves.size() + " shards take up to " + windows / MIB
                    + " MiB, the heap is " + maxHeapBytes / MIB
                    + " MiB: an instance that holds them all would run out of memory; raise -Xmx");
        }
        long cached = windowLeaves.size() * CACHED_BYTES_PER_SHARD;
        if (cached > cacheBytes) {
            warnings.add("attestream.state.cache-size-bytes is " + cacheBytes + ", the edge records of all "
                    + windowLeaves.size() + " shards take " + cached
                    + ": an instance that holds them all would write its state once an event; raise it");
        }
        return warnings;
    }
}
