// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.MlDsaSigner;
import io.attestream.proofs.note.MlDsaVerifier;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.charset.StandardCharsets;

/** A key has one text only, and no key makes verification throw. */
public final class NoteKeyFuzz {
    private NoteKeyFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            NoteVerifier key = NoteVerifier.parse(text);
            Holds.equal(text, key.vkey());
            byte[] blob = new byte[key.type() == 4 ? 72 : 64];
            key.verify("text\n", blob);
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, NoteSigner.parse(text).skey());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, MlDsaVerifier.parse(text).vkey());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, MlDsaSigner.parse(text).skey());
        } catch (InvalidFormat | UnsupportedOperationException e) {
            // refused, or not to be had here
        }
    }
}
