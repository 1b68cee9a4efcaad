// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The snapshots in an object store, each held against the ledger's key and the epoch objects. Needs no Kafka. That the rows of a
 * window are those of the leaves is for {@link ArchiveCheck} to say.
 */
public final class SnapshotList {
    /** A snapshot is logged in the epoch behind it, or some later if its taker died. */
    private static final long EPOCHS_LOOKED_AT_MAX = 10_000;

    private final StoredSnapshots stored;
    private final StoredEpochs epochs;
    private final Ledger ledger;

    private SnapshotList(StoredSnapshots stored, StoredEpochs epochs, Ledger ledger) {
        this.stored = stored;
        this.epochs = epochs;
        this.ledger = ledger;
    }

    /**
     * One snapshot.
     *
     * @param name of the manifest
     * @param epoch it is of
     * @param time RFC 3339, when it was taken; empty if the manifest cannot be used
     * @param generation of the processors; 0 if the manifest cannot be used
     * @param leaves of all shards
     * @param remembered leaves whose identities and tags it holds
     * @param loggedEpoch the epoch that logs it; empty if none does yet
     * @param problem why it is not to be used; empty if it is good
     */
    public record Item(
            String name,
            long epoch,
            String time,
            int generation,
            long leaves,
            long remembered,
            OptionalLong loggedEpoch,
            String problem) {
        public boolean isGood() {
            return problem.isEmpty();
        }
    }

    /** @throws IOException if the store does not answer, or its first epoch cannot be read */
    public static SnapshotList open(NoteVerifier key, ObjectStore store) throws IOException {
        StoredEpochs epochs = new StoredEpochs(store);
        try {
            int shards =
                    epochs.first().map(epoch -> epoch.intent().heads().size()).orElse(0);
            Ledger ledger = new Ledger(key.keyName(), key, shards, store);
            return new SnapshotList(new StoredSnapshots(store, ledger), epochs, ledger);
        } catch (FatalDoubtException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /**
     * All of them, newest first.
     *
     * @param whole whether every object they name is read too
     */
    public List<Item> items(boolean whole) throws IOException {
        List<Item> items = new ArrayList<>();
        for (SnapshotName name : stored.names()) {
            Item item = item(name, whole);
            if (item.isGood() || stored.isThere(name)) {
                items.add(item); // else it went, as old ones do, while it was read
            }
        }
        return items;
    }

    private Item item(SnapshotName name, boolean whole) throws IOException {
        Snapshot manifest;
        try {
            manifest = stored.manifest(name);
        } catch (InvalidFormat e) {
            return new Item(
                    name.name(), name.epoch(), "", 0, 0, 0, OptionalLong.empty(), String.valueOf(e.getMessage()));
        }
        long leaves =
                manifest.heads().stream().mapToLong(head -> head.size().value()).sum();
        long remembered = 0;
        String problem = "";
        OptionalLong logged = OptionalLong.empty();
        try {
            requirePublished(manifest);
            logged = loggedEpoch(name);
            for (Snapshot.Shard shard : manifest.shards()) {
                ShardSnapshot state = stored.state(shard);
                remembered += state.head().size().value() - state.windowFirst();
                for (WindowName block : whole ? state.window() : List.<WindowName>of()) {
                    stored.block(block);
                }
            }
        } catch (InvalidFormat e) {
            problem = String.valueOf(e.getMessage());
        }
        return new Item(
                name.name(), name.epoch(), manifest.time(), manifest.generation(), leaves, remembered, logged, problem);
    }

    /** The epoch's checkpoint has to be that of the snapshot's frontier, and the epoch's heads those of the snapshot. */
    private void requirePublished(Snapshot manifest) throws IOException, InvalidFormat {
        LogRecord.Published published = epoch(manifest.epoch())
                .orElseThrow(() -> new InvalidFormat(
                        "epoch " + manifest.epoch(), "is not in the object store: it cannot be held against it"));
        try {
            ledger.requireSigned(published.note(), published.intent().noteText(), manifest.epoch(), stored.keys());
        } catch (FatalDoubtException e) {
            throw new InvalidFormat("epoch " + manifest.epoch(), String.valueOf(e.getMessage()));
        }
        Checkpoint own = new Checkpoint(
                ledger.origin(),
                manifest.ledgerRange().size(),
                manifest.ledgerRange().root());
        if (!own.text().equals(published.intent().noteText())
                || !manifest.heads().equals(published.intent().heads())) {
            throw new InvalidFormat(
                    "snapshot of epoch " + manifest.epoch(),
                    "has root " + own.root().base64() + " and heads " + manifest.heads() + ", published were "
                            + published.intent().heads());
        }
    }

    private Optional<LogRecord.Published> epoch(long number) throws IOException, InvalidFormat {
        try {
            return epochs.get(number);
        } catch (FatalDoubtException e) {
            throw new InvalidFormat("epoch " + number, String.valueOf(e.getMessage()));
        }
    }

    private OptionalLong loggedEpoch(SnapshotName name) throws IOException, InvalidFormat {
        EpochLeaf.Logged logged = new EpochLeaf.Logged(name.name(), name.digest());
        for (long number = name.epoch() + 1; number - name.epoch() <= EPOCHS_LOOKED_AT_MAX; number++) {
            Optional<LogRecord.Published> epoch = epoch(number);
            if (epoch.isEmpty()) {
                return OptionalLong.empty();
            }
            if (EpochObjects.leaf(epoch.get().intent()).logged().contains(logged)) {
                return OptionalLong.of(number);
            }
        }
        return OptionalLong.empty();
    }
}
