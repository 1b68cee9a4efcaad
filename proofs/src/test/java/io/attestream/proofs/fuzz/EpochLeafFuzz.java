// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.EpochLeaf;

/** An epoch leaf has one text only. */
public final class EpochLeafFuzz {
    private EpochLeafFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            Holds.sameBytes(input, EpochLeaf.parse(input).encode());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
