// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.Checkpoint;
import java.nio.charset.StandardCharsets;

/** A checkpoint has one text only. */
public final class CheckpointFuzz {
    private CheckpointFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            Holds.equal(text, Checkpoint.parse(text).text());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
