// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.TlogProof;
import java.nio.charset.StandardCharsets;

/** A tlog-proof has one text only. */
public final class TlogProofFuzz {
    private TlogProofFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            Holds.equal(text, TlogProof.parse(text).encode());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
