// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tile.EntryBundle;

/** Entries have one bundle only. */
public final class EntryBundleFuzz {
    private EntryBundleFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            Holds.sameBytes(input, EntryBundle.encode(EntryBundle.decode(input)));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
