// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A note has one text only, and nothing in it makes verification throw or succeed without the key. */
public final class SignedNoteFuzz {
    private SignedNoteFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            SignedNote note = SignedNote.parse(input);
            Holds.sameBytes(input, note.encode().getBytes(StandardCharsets.UTF_8));
            boolean verified = note.verify(List.of(Keys.LEDGER, Keys.WITNESS)) instanceof NoteVerification.Verified;
            Holds.holds(!verified || Keys.wasSigned(note.text()), "a text nobody signed verifies");
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
