// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.ShardHead;

/** A shard head has one text only. */
public final class ShardHeadFuzz {
    private ShardHeadFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            Holds.sameBytes(input, ShardHead.parse(input).encode());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
