// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.SignedNote;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a later life of topic {@code events} goes on: a snapshot of all shards at the last epoch of the lives before. The records up
 * to there are gone, so whoever replays this topic from its first record begins with it; it is kept for as long as the topic.
 */
final class Seam {
    private static final Logger LOG = LoggerFactory.getLogger(Seam.class);

    private Seam() {}

    /**
     * Of a ledger's newest incarnation, whole and as its genesis records name it; empty in the first incarnation.
     *
     * @throws FatalDoubtException if there is none
     */
    static Optional<StoredSnapshots.Stored> find(ObjectStore store, Ledger ledger, LedgerDefinition definition)
            throws IOException {
        if (definition.incarnation() == 1) {
            return Optional.empty();
        }
        long epoch = prior(definition.genesis().get(0)).epoch();
        StoredSnapshots stored = new StoredSnapshots(store, ledger);
        for (SnapshotName name : stored.names()) {
            try {
                if (name.epoch() == epoch && isOf(stored.manifest(name), definition)) {
                    return Optional.of(stored.load(name, stored.manifest(name)));
                }
            } catch (InvalidFormat e) {
                LOG.warn("snapshot {} is of no use: {}", name.name(), e.getMessage());
            }
        }
        throw new FatalDoubtException(
                "incarnation " + definition.incarnation() + " of topic events goes on from epoch "
                        + epoch + ", and the object store has no whole snapshot of it that its genesis names. Is"
                        + " attestream.objects.location the store of this ledger? Restore its snapshot from a copy of the store");
    }

    /**
     * Makes a lost or damaged one again, from the archive alone.
     *
     * @throws FatalDoubtException if the archive does not give it
     */
    static void makeAgain(
            ObjectStore store, Ledger ledger, LedgerDefinition definition, SigningKeys signingKeys, long nowMillis)
            throws IOException, InterruptedException {
        long epoch = prior(definition.genesis().get(0)).epoch();
        int generation = new StoredEpochs(store)
                .get(epoch + 1)
                .map(first -> first.intent().generation())
                .orElseThrow(() -> new FatalDoubtException("object " + ObjectNames.epoch(epoch + 1) + " is missing"));
        ArchiveRestoreStates.Result result = new ArchiveRestoreStates(
                        ledger.key(), store, ArchiveRestoreStates.NOTHING, ArchiveCheck.Listener.NONE)
                .run(epoch, Optional.empty());
        if (!(result instanceof ArchiveRestoreStates.Result.Read archive)) {
            throw new FatalDoubtException("the archive does not give what incarnation " + definition.incarnation()
                    + " goes on from: " + result);
        }
        new Maker(store, ledger, signingKeys, archive).make(definition.incarnation(), generation, nowMillis);
    }

    private static boolean isOf(Snapshot manifest, LedgerDefinition definition) {
        if (manifest.incarnation() != definition.incarnation()
                || manifest.heads().size() != definition.shards()) {
            return false;
        }
        List<ShardHead> heads = manifest.heads();
        return definition.genesis().stream().allMatch(genesis -> {
            ShardHead head = heads.get(genesis.shard());
            Prior prior = prior(genesis);
            return prior.size().equals(head.size()) && prior.range().root().equals(head.root());
        });
    }

    private static Prior prior(Genesis genesis) {
        return genesis.prior().orElseThrow(() -> new IllegalStateException("a later incarnation has one"));
    }

    /** Makes the one at which a next incarnation goes on. */
    static final class Maker {
        private final ObjectStore store;
        private final Ledger ledger;
        private final SigningKeys signingKeys;
        private final ArchiveRestoreStates.Result.Read archive;
        private final StoredSnapshots stored;

        /** @param archive read to its last epoch */
        Maker(ObjectStore store, Ledger ledger, SigningKeys signingKeys, ArchiveRestoreStates.Result.Read archive) {
            this.store = store;
            this.ledger = ledger;
            this.signingKeys = signingKeys;
            this.archive = archive;
            this.stored = new StoredSnapshots(store, ledger);
        }

        /** Writes it and reads it back, unless an earlier run did. */
        SnapshotName make(int incarnation, int generation, long nowMillis) throws IOException {
            Optional<SnapshotName> there = made(incarnation, generation);
            if (there.isPresent()) {
                return there.get();
            }
            List<Snapshot.Shard> shards = new ArrayList<>();
            for (ShardSnapshot state : archive.shards()) {
                byte[] object = state.encode();
                String name = SnapshotName.ofShard(archive.epoch(), state.head().shard(), object);
                put(name, object);
                shards.add(new Snapshot.Shard(state.head(), name));
            }
            byte[] manifest = StoredSnapshots.encode(sign(incarnation, generation, nowMillis, shards));
            put(SnapshotName.of(archive.epoch(), manifest).name(), manifest);
            return made(incarnation, generation)
                    .orElseThrow(() -> new IOException(
                            "the snapshot of epoch " + archive.epoch() + " was written and does not read back"));
        }

        private Optional<SnapshotName> made(int incarnation, int generation) throws IOException {
            for (SnapshotName name : stored.names()) {
                if (name.epoch() == archive.epoch() && isWhole(name, incarnation, generation)) {
                    return Optional.of(name);
                }
            }
            return Optional.empty();
        }

        private boolean isWhole(SnapshotName name, int incarnation, int generation) throws IOException {
            try {
                Snapshot manifest = stored.manifest(name);
                return manifest.incarnation() == incarnation
                        && manifest.generation() == generation
                        && stored.load(name, manifest).manifest().equals(manifest);
            } catch (InvalidFormat e) {
                LOG.warn("snapshot {} is of no use: {}", name.name(), e.getMessage());
                return false;
            }
        }

        /** As a checkpointer would that had published the last epoch. */
        private SignedNote sign(int incarnation, int generation, long nowMillis, List<Snapshot.Shard> shards) {
            CheckpointHistory history = new CheckpointHistory(ledger);
            new StoredEpochs(store).readAll(record -> {
                if (record.epoch() <= archive.epoch()) {
                    history.accept(record);
                }
            });
            Signer signing = new Signer(signingKeys, ledger, new EpochArchive(store), LoggedObjects.NONE);
            signing.resume(
                    history.lastPublished().orElseThrow(),
                    history.ledgerRange(),
                    archive.shards().stream().map(ShardSnapshot::range).toList(),
                    history.keys());
            return signing.signSnapshot(
                    new Snapshot(
                            ledger.origin(),
                            archive.epoch(),
                            history.ledgerRange().hashes(),
                            incarnation,
                            generation,
                            LogTime.format(nowMillis),
                            shards),
                    archive.shards());
        }

        private void put(String name, byte[] object) throws IOException {
            if (store.putIfAbsent(name, object) instanceof ObjectStore.PutResult.DifferentBytes) {
                LOG.warn("object {} was damaged, and is replaced by what it has to be", name);
                store.replace(name, object);
            }
        }
    }
}
