// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Checkpoints that were verified. */
final class Checkpoints {
    private Checkpoints() {}

    /** The checkpoint in a note signed by this key; anything else fails the verification. */
    static Checkpoint verified(String note, NoteVerifier key, String what) {
        try {
            SignedNote signed = SignedNote.parse(note);
            if (signed.verify(List.of(key)) instanceof NoteVerification.Rejected rejected) {
                throw failed(what + ": " + rejected.reason());
            }
            Checkpoint checkpoint = Checkpoint.parse(signed.text());
            if (!checkpoint.origin().equals(key.keyName())) {
                throw failed(what + " is of " + checkpoint.origin() + ", not of " + key.keyName());
            }
            return checkpoint;
        } catch (InvalidFormat e) {
            throw failed(what + " is no signed checkpoint: " + e.getMessage());
        }
    }

    /** The checkpoint in a file somebody kept, if one was named. */
    static Optional<Checkpoint> kept(@Nullable Path file, NoteVerifier key) {
        return Optional.ofNullable(file).map(kept -> verified(LocalFiles.readText(kept), key, kept.toString()));
    }

    static CliException failed(String message) {
        return new CliException(
                ExitCode.VERIFICATION_FAILED,
                message,
                "Keep what you have and ask the operator; do not delete anything.");
    }
}
