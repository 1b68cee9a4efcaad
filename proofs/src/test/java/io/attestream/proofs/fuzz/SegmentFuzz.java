// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Segment;

/** Leaves and outcomes have one segment only. */
public final class SegmentFuzz {
    private SegmentFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            Segment segment = Segment.parse(input);
            Segment.Builder rebuilt = Segment.builder(segment.epoch());
            for (int shard : segment.shards()) {
                rebuilt.startShard(shard, segment.firstIndex(shard));
                segment.leaves(shard).forEach(rebuilt::add);
                segment.outcomes(shard).forEach(rebuilt::add);
            }
            Holds.sameBytes(input, rebuilt.build());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
