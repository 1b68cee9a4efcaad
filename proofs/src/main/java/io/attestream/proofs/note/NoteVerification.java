// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import java.util.List;

/** What verifying a note came to. */
public sealed interface NoteVerification {
    /**
     * At least one known key signed, and no known key's signature failed.
     *
     * @param verified by known keys
     * @param unknown by keys not asked about: they prove nothing
     */
    record Verified(String text, List<NoteSignature> verified, List<NoteSignature> unknown)
            implements NoteVerification {}

    /** Nothing in the note may be believed. */
    record Rejected(String reason) implements NoteVerification {}
}
