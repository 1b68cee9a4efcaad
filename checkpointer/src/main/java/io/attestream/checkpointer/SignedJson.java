// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Canonical JSON that the ledger's key signed for one purpose: a signed note under the name {@code <origin>/<purpose>}, whose text is
 * that name and a line of JSON. The name in the text keeps what is signed for one purpose from being taken for another.
 */
final class SignedJson {
    private SignedJson() {}

    private static String name(String origin, String purpose) {
        return origin + "/" + purpose;
    }

    static String text(String origin, String purpose, byte[] json) {
        return name(origin, purpose) + "\n" + new String(json, StandardCharsets.UTF_8) + "\n";
    }

    /** @param key of the ledger */
    static SignedNote sign(String purpose, byte[] json, NoteSigner key) {
        String origin = key.keyName();
        return SignedNote.sign(text(origin, purpose, json), key.withName(name(origin, purpose)));
    }

    /** @throws InvalidFormat if it is no note, or the key did not sign it for this purpose */
    static byte[] parse(String purpose, byte[] object, NoteVerifier key) throws InvalidFormat {
        String name = name(key.keyName(), purpose);
        NoteVerifier verifier = key.withName(name);
        SignedNote note = SignedNote.parse(object);
        if (note.verify(List.of(verifier)) instanceof NoteVerification.Rejected rejected) {
            throw new InvalidFormat(purpose, "is not signed by " + verifier.vkey() + ": " + rejected.reason());
        }
        String[] lines = note.text().split("\n", -1);
        if (lines.length != 3 || !lines[2].isEmpty() || !lines[0].equals(name)) {
            throw new InvalidFormat(purpose, "must be the line " + name + " and a line of JSON");
        }
        return lines[1].getBytes(StandardCharsets.UTF_8);
    }
}
