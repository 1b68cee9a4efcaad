// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Checkpoints that were verified. */
final class Checkpoints {
    private Checkpoints() {}

    /** The checkpoint in a note signed by this key, which never changed; anything else fails the verification. */
    static Checkpoint verified(String note, NoteVerifier key, String what) {
        return verified(note, KeyHistory.of(key), what);
    }

    /** The checkpoint in a note signed by the keys of its epoch; anything else fails the verification. */
    static Checkpoint verified(String note, KeyHistory keys, String what) {
        try {
            SignedNote signed = SignedNote.parse(note);
            if (keys.verify(signed) instanceof NoteVerification.Rejected rejected) {
                throw failed(what + ": " + rejected.reason());
            }
            return Checkpoint.parse(signed.text());
        } catch (InvalidFormat e) {
            throw failed(what + " is no signed checkpoint: " + e.getMessage());
        }
    }

    /** The checkpoint in a file somebody kept, if one was named. */
    static Optional<Checkpoint> kept(@Nullable Path file, Supplier<KeyHistory> keys) {
        return Optional.ofNullable(file).map(kept -> verified(LocalFiles.readText(kept), keys.get(), kept.toString()));
    }

    /** Whether a note is signed in the name of this key's ledger by another key, which may be one of its own. */
    static boolean isOfAnotherKey(String note, NoteVerifier key) {
        try {
            return SignedNote.parse(note).signatures().stream()
                    .anyMatch(line -> line.keyName().equals(key.keyName()) && line.keyId() != key.keyId());
        } catch (InvalidFormat e) {
            return false;
        }
    }

    static CliException failed(String message) {
        return new CliException(
                ExitCode.VERIFICATION_FAILED,
                message,
                "Keep what you have and ask the operator; do not delete anything.");
    }
}
