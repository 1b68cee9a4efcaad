// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.ledger.KeyHistory;
import java.io.IOException;
import java.util.Optional;

/**
 * A second copy of what was about to be signed, kept apart from Kafka: one create-only object for each epoch with the
 * exact note text and what else is fixed of it. It is what remains when the topic {@code checkpoints} lost records, and what stops a checkpointer
 * that would sign another text for the same epoch (design §9).
 */
final class Guard {
    private final ObjectStore store;

    Guard(ObjectStore store) {
        this.store = store;
    }

    /**
     * Returns when the guard of this epoch holds exactly this intent.
     *
     * @param object the {@link GuardObject} of it
     * @param keys of the ledger
     * @throws FatalDoubtException if another one is there already, or the store did not answer
     */
    void put(EpochIntent intent, byte[] object, KeyHistory keys) {
        String name = ObjectNames.guard(intent.epoch());
        try {
            if (store.putIfAbsent(name, object) instanceof ObjectStore.PutResult.DifferentBytes
                    && !isOf(intent, keys)) {
                throw new FatalDoubtException("object " + name + " holds another text than the intent of epoch "
                        + intent.epoch()
                        + ": two checkpoints of one size were about to be signed; nothing was signed by this process. "
                        + "Compare the object with the intent in topic checkpoints");
            }
        } catch (IOException e) {
            throw new FatalDoubtException("guard copy " + name + " could not be written: " + e.getMessage(), e);
        }
    }

    /**
     * Refuses a topic that forgot what was already guarded.
     *
     * @param nextEpoch the first epoch without an intent in topic {@code checkpoints}
     * @throws FatalDoubtException if the guard of that epoch exists
     */
    void requireNoneFrom(long nextEpoch) {
        // Guards are contiguous: an epoch is only guarded after its predecessor was, so one probe is enough.
        if (get(nextEpoch).isPresent()) {
            throw new FatalDoubtException("topic checkpoints lost records: object " + ObjectNames.guard(nextEpoch)
                    + " exists, the topic's last intent is " + (nextEpoch - 1)
                    + ". Restore the topic; a shorter log is never continued");
        }
    }

    /**
     * Checks the guard of an epoch that was published.
     *
     * @param keys of the ledger
     * @throws FatalDoubtException if it is missing or holds another text
     */
    void requireEquals(EpochIntent intent, KeyHistory keys) {
        long epoch = intent.epoch();
        if (get(epoch).isEmpty()) {
            throw new FatalDoubtException("object " + ObjectNames.guard(epoch) + " is missing although epoch " + epoch
                    + " was published: this is not the object store of this ledger, or it lost objects");
        }
        if (!isOf(intent, keys)) {
            throw new FatalDoubtException(
                    "object " + ObjectNames.guard(epoch) + " differs from the published checkpoint of epoch " + epoch
                            + ": topic checkpoints or the object store was replaced");
        }
    }

    private boolean isOf(EpochIntent intent, KeyHistory keys) {
        return get(intent.epoch())
                .filter(object -> GuardObject.isOf(object, intent, keys.newestAt(intent.epoch())))
                .isPresent();
    }

    private Optional<byte[]> get(long epoch) {
        try {
            return store.get(ObjectNames.guard(epoch));
        } catch (IOException e) {
            throw new FatalDoubtException(
                    "guard copy " + ObjectNames.guard(epoch) + " could not be read: " + e.getMessage(), e);
        }
    }
}
