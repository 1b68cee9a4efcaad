// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The guard copy of an epoch: the text to be signed and, behind an empty line, a signed note with all that is fixed of the epoch, by
 * the ledger's key of that epoch under the name {@code <origin>/intent}. With it the epoch can be finished when topic {@code checkpoints} is lost,
 * and by no one else's word: what an object store holds anybody may have put there who may write to it. Older guards have the text
 * alone.
 */
final class GuardObject {
    private static final String PURPOSE = "intent";

    private GuardObject() {}

    /** @param key of the ledger, which only signs what the owner of topic {@code checkpoints} committed */
    static byte[] encode(EpochIntent intent, NoteSigner key) {
        String note = SignedJson.sign(PURPOSE, fixed(intent), key).encode();
        return (intent.noteText() + "\n" + note).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] fixed(EpochIntent intent) {
        return EpochObjects.encode(intent, intent.noteText());
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
            return textOf(guard).equals(intent.noteText()) && Arrays.equals(signed(guard, key), fixed(intent));
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

    private static byte[] signed(String guard, NoteVerifier key) throws InvalidFormat {
        byte[] note = guard.substring(textOf(guard).length() + 1).getBytes(StandardCharsets.UTF_8);
        return SignedJson.parse(PURPOSE, note, key);
    }

    /**
     * The intent in a guard copy.
     *
     * @throws InvalidFormat also if it is an older one, which has only the text, or the key did not sign it
     */
    static EpochIntent parse(byte[] object, NoteVerifier key) throws InvalidFormat {
        String guard = new String(object, StandardCharsets.UTF_8);
        EpochObject fixed = EpochObject.parse(signed(guard, key));
        EpochIntent intent = EpochObjects.intent(fixed, fixed.note());
        if (!textOf(guard).equals(intent.noteText())) {
            throw new InvalidFormat("guard", "has another text than the epoch it is of");
        }
        return intent;
    }
}
