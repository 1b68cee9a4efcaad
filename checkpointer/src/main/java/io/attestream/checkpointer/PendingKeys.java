// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The changes of keys the operator gave that the ledger has not logged yet. Used by the publishing thread only. */
final class PendingKeys {
    private final Optional<KeyChanges> given;
    private List<KeyChange> waiting = List.of();

    PendingKeys(Optional<KeyChanges> given) {
        this.given = given;
    }

    /**
     * Takes up what is to be logged, if this process may sign at all. Nothing is written.
     *
     * @param logged the ledger's keys behind the last published epoch
     * @param afterOpen those behind the epoch that is open
     * @throws FatalDoubtException if the changes do not begin with those the ledger logged, or the signing keys do not fit
     */
    void begin(KeyHistory logged, KeyHistory afterOpen, SigningKeys signingKeys) {
        try {
            waiting = given.isPresent() ? given.get().pending(afterOpen) : List.of();
        } catch (InvalidFormat e) {
            throw new FatalDoubtException(
                    "attestream.ledger.key-changes-file does not fit what the ledger logged: " + e.getMessage()
                            + ". Nothing was signed; put the operator's newest file there",
                    e);
        }
        List<KeyChange> coming = new ArrayList<>();
        afterOpen.changes().stream().skip(logged.changes().size()).forEach(open -> coming.add(open.change()));
        coming.addAll(waiting);
        signingKeys.requireFit(logged, coming);
    }

    /** Puts what is to be logged where its readers find it. */
    void write(EpochArchive archive) {
        waiting.forEach(archive::writeKeyChange);
    }

    /**
     * What the next epoch logs of them, and nothing else then.
     *
     * @param logged the ledger's keys behind the last published epoch
     */
    List<EpochLeaf.Logged> ready(KeyHistory logged) {
        return waiting.stream()
                .filter(change -> change.number() > logged.changes().size())
                .limit(KeyChange.LOGGED_MAX)
                .map(KeyChange::logged)
                .toList();
    }
}
