// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.StoredKeys;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * An epoch that was guarded, and so may have been signed, by a checkpointer that died before it archived it, when Kafka is lost too.
 * Never is another one of its number signed: it is finished as it was begun, from the object store alone.
 */
final class OpenEpoch {
    private final ObjectStore store;
    private final NoteVerifier key;
    private final SigningKeys signingKeys;

    /** @param key the first of the ledger */
    OpenEpoch(ObjectStore store, NoteVerifier key, SigningKeys signingKeys) {
        this.store = store;
        this.key = key;
        this.signingKeys = signingKeys;
    }

    /** The intent of the epoch that is open behind the last archived one; empty if none is. */
    Optional<EpochIntent> behind(long lastEpoch) throws IOException {
        Optional<String> newest = store.list(ObjectNames.GUARDS).stream()
                .filter(ObjectNames::isGuard)
                .max(Comparator.naturalOrder());
        String open = ObjectNames.guard(lastEpoch + 1);
        if (newest.isEmpty() || newest.get().compareTo(open) < 0) {
            return Optional.empty();
        }
        if (!newest.get().equals(open)) {
            throw new FatalDoubtException("the object store has " + newest.get() + ", its last epoch object is "
                    + ObjectNames.epoch(lastEpoch) + ": it lost epochs that were published. A log that is shorter than"
                    + " what was published is never continued; restore the objects from a copy of the store");
        }
        byte[] guard = store.get(open).orElseThrow(() -> new IOException("object " + open + " is gone"));
        try {
            KeyHistory keys = StoredKeys.read(store, key).verify(key);
            return Optional.of(GuardObject.parse(guard, keys.newestAt(lastEpoch + 1)));
        } catch (InvalidFormat e) {
            throw new FatalDoubtException(
                    "object " + open + " is the guard of an epoch that may have been signed, and cannot be finished: "
                            + e.getMessage(),
                    e);
        }
    }

    /**
     * Signs and archives it.
     *
     * @param ledger whose last epoch is the one before
     * @param ranges of all shards at that epoch, which were verified
     * @throws FatalDoubtException if it does not extend the last epoch, or what it covers is not in the object store
     */
    void finish(EpochIntent intent, Ledger ledger, List<CompactRange> ranges) {
        CheckpointHistory history = new CheckpointHistory(ledger);
        new StoredEpochs(store).readAll(history::accept);
        LogRecord.Published last = history.lastPublished().orElseThrow();
        CompactRange before = history.ledgerRange();
        history.accept(new LogRecord.Intent(intent));
        EpochArchive archive = new EpochArchive(store);
        archive.requireReadable(intent.segment(), intent.payloads());
        signingKeys.requireFit(history.keys(), logged(history));
        Signer signing = new Signer(signingKeys, ledger, archive, this::requireVerified);
        signing.resume(last, before, ranges, history.keys());
        LogRecord.Published published =
                new LogRecord.Published(intent, signing.sign(intent).encode());
        archive.writeEpoch(published);
        archive.writeKeySteps(published, before, history.keysAfterOpen());
        history.accept(published);
    }

    /** The changes of keys it logs. */
    private static List<KeyChange> logged(CheckpointHistory history) {
        return history.keysAfterOpen().changes().stream()
                .skip(history.keys().changes().size())
                .map(KeyHistory.Logged::change)
                .toList();
    }

    /** Whoever wrote the intent held them against what was published. */
    private void requireVerified(List<EpochLeaf.Logged> logged) {
        for (EpochLeaf.Logged object : logged) {
            if (SnapshotName.isSnapshot(object.name())) {
                continue; // nothing rests on it
            }
            try {
                PackName name = PackName.parse(object.name());
                Pack.open(store, name).orElseThrow(() -> missing(name.name())).requireWhole();
                PayloadPack.open(store, name, new ZstdBlocks())
                        .orElseThrow(() -> missing(name.payloads()))
                        .requireWhole();
            } catch (InvalidFormat | IOException e) {
                throw new FatalDoubtException(
                        "object " + object.name() + ", which is to be logged, is of no use: " + e.getMessage(), e);
            }
        }
    }

    private static IOException missing(String name) {
        return new IOException("object " + name + " is missing");
    }
}
