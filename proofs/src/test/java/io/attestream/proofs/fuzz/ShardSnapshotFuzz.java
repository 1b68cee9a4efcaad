// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ShardSnapshot;

/** What is read has one form. */
public final class ShardSnapshotFuzz {
    private ShardSnapshotFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            Holds.sameBytes(input, ShardSnapshot.parse(input).encode());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
