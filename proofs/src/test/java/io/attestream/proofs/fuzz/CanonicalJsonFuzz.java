// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;

/** Of canonical JSON there is one text only. */
public final class CanonicalJsonFuzz {
    private CanonicalJsonFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            Holds.sameBytes(input, Jcs.encode(Jcs.parseCanonicalObject(input)));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
