// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.EpochObject;

/** What is read has one form. */
public final class EpochObjectFuzz {
    private EpochObjectFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            Holds.sameBytes(input, EpochObject.parse(input).encode());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
