// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.MlDsaSigner;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.util.List;
import java.util.Optional;

/** The signing keys this process was given. Which of them sign is not theirs to say but the ledger's ({@link KeyHistory}). */
final class SigningKeys {
    /** One, and a second one while they overlap, are the rule. */
    static final int KEYS_MAX = 8;

    private final List<NoteSigner> keys;
    private final Optional<MlDsaSigner> hybrid;

    /** @param keys at least one, none twice, all of one name */
    SigningKeys(List<NoteSigner> keys) {
        this(keys, Optional.empty());
    }

    /** @param hybrid what checkpoints are signed with beside, of the same name */
    SigningKeys(List<NoteSigner> keys, Optional<MlDsaSigner> hybrid) {
        this.keys = List.copyOf(keys);
        this.hybrid = hybrid;
        if (keys.isEmpty() || keys.size() > KEYS_MAX) {
            throw new IllegalArgumentException("must be 1 to " + KEYS_MAX + " signing keys, are " + keys.size());
        }
        if (keys.stream().map(NoteSigner::verifier).distinct().count() < keys.size()) {
            throw new IllegalArgumentException("the same signing key is named twice");
        }
        if (keys.stream().map(NoteSigner::keyName).distinct().count() > 1) {
            throw new IllegalArgumentException("the signing keys have different names: "
                    + keys.stream().map(NoteSigner::keyName).distinct().toList());
        }
        hybrid.map(key -> key.verifier().keyName()).ifPresent(name -> {
            if (!name.equals(keys.get(0).keyName())) {
                throw new IllegalArgumentException("the ML-DSA-44 key is named " + name + ", the ledger "
                        + keys.get(0).keyName());
            }
        });
    }

    /** What a checkpoint is signed with beside the ledger's keys; a reader without the algorithm ignores the line. */
    Optional<MlDsaSigner> hybrid() {
        return hybrid;
    }

    /** Of a ledger whose key never changed. */
    static SigningKeys of(NoteSigner key) {
        return new SigningKeys(List.of(key));
    }

    /** The public halves. */
    List<NoteVerifier> verifiers() {
        return keys.stream().map(NoteSigner::verifier).toList();
    }

    Optional<NoteSigner> find(NoteVerifier key) {
        return keys.stream().filter(signer -> signer.verifier().equals(key)).findFirst();
    }

    /**
     * The private half.
     *
     * @throws FatalDoubtException if this process does not have it
     */
    NoteSigner require(NoteVerifier key) {
        return find(key)
                .orElseThrow(() -> new FatalDoubtException("the ledger is to be signed by " + key.vkey()
                        + ", this process was given the keys of "
                        + verifiers().stream().map(NoteVerifier::vkey).toList()
                        + ": add its file to attestream.ledger.signing-key-file"));
    }

    /** Of all that sign the next epoch, oldest first. */
    List<NoteSigner> active(KeyHistory history) {
        return history.active().stream().map(this::require).toList();
    }

    /**
     * Says no before anything is signed.
     *
     * @param logged what the ledger logged
     * @param pending what is to be logged next
     * @throws FatalDoubtException if a key is missing now, then or in between, or is of no use now nor then
     */
    void requireFit(KeyHistory logged, List<KeyChange> pending) {
        KeyHistory after = logged;
        try {
            // Epochs may come between any two of them.
            for (int changes = 0; changes <= pending.size(); changes++) {
                after = KeyChanges.after(logged, pending.subList(0, changes));
                after.active().forEach(this::require);
            }
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("the key changes do not follow what the ledger logged: " + e.getMessage(), e);
        }
        List<NoteVerifier> known =
                after.spans().stream().map(KeyHistory.Span::key).toList();
        for (NoteVerifier key : verifiers()) {
            if (!known.contains(key)) {
                throw new FatalDoubtException("the signing key of " + key.vkey()
                        + " is none of this ledger's, which are "
                        + known.stream().map(NoteVerifier::vkey).toList()
                        + ": announce it first (attestream keys announce), or set the key of this ledger");
            }
        }
    }
}
