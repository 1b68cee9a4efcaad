// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The guard copy of an epoch: the text to be signed and, behind an empty line, a signed note with all that is fixed of the epoch, by
 * the ledger's key under the name {@code <origin>/intent}. With it the epoch can be finished when topic {@code checkpoints} is lost,
 * and by no one else's word: what an object store holds anybody may have put there who may write to it. Older guards have the text
 * alone.
 */
final class GuardObject {
    private GuardObject() {}

    private static String keyName(String origin) {
        return origin + "/intent";
    }

    /** @param key of the ledger, which only signs what the owner of topic {@code checkpoints} committed */
    static byte[] encode(EpochIntent intent, NoteSigner key) {
        NoteSigner signer = key.withName(keyName(key.keyName()));
        String note = SignedNote.sign(fixedText(intent, key.keyName()), signer).encode();
        return (intent.noteText() + "\n" + note).getBytes(StandardCharsets.UTF_8);
    }

    private static String fixedText(EpochIntent intent, String origin) {
        byte[] fixed = EpochObjects.encode(intent, intent.noteText());
        return keyName(origin) + "\n" + new String(fixed, StandardCharsets.UTF_8) + "\n";
    }

    /** Without its note, as who cannot sign restores it. */
    static byte[] textOnly(EpochIntent intent) {
        return intent.noteText().getBytes(StandardCharsets.UTF_8);
    }

    /** Whether a guard copy is that of this intent. */
    static boolean isOf(byte[] object, EpochIntent intent, NoteVerifier key) {
        if (Arrays.equals(object, textOnly(intent))) {
            return true;
        }
        try {
            String guard = new String(object, StandardCharsets.UTF_8);
            return textOf(guard).equals(intent.noteText())
                    && signed(guard, key).text().equals(fixedText(intent, key.keyName()));
        } catch (InvalidFormat e) {
            return false;
        }
    }

    private static String textOf(String guard) throws InvalidFormat {
        int end = guard.indexOf("\n\n");
        if (end < 0) {
            throw new InvalidFormat("guard", "has only the text that was to be signed, as older versions wrote it");
        }
        return guard.substring(0, end + 1);
    }

    private static SignedNote signed(String guard, NoteVerifier key) throws InvalidFormat {
        SignedNote note = SignedNote.parse(guard.substring(textOf(guard).length() + 1));
        NoteVerifier verifier = key.withName(keyName(key.keyName()));
        if (note.verify(List.of(verifier)) instanceof NoteVerification.Rejected rejected) {
            throw new InvalidFormat("guard", "is not signed by " + verifier.vkey() + ": " + rejected.reason());
        }
        return note;
    }

    /**
     * The intent in a guard copy.
     *
     * @throws InvalidFormat also if it is an older one, which has only the text, or the key did not sign it
     */
    static EpochIntent parse(byte[] object, NoteVerifier key) throws InvalidFormat {
        String guard = new String(object, StandardCharsets.UTF_8);
        String[] lines = signed(guard, key).text().split("\n", -1);
        if (lines.length != 3 || !lines[0].equals(keyName(key.keyName()))) {
            throw new InvalidFormat("guard", "must be the line " + keyName(key.keyName()) + " and a line of JSON");
        }
        EpochObject fixed = EpochObject.parse(lines[1].getBytes(StandardCharsets.UTF_8));
        EpochIntent intent = EpochObjects.intent(fixed, fixed.note());
        if (!textOf(guard).equals(intent.noteText())) {
            throw new InvalidFormat("guard", "has another text than the epoch it is of");
        }
        return intent;
    }
}
