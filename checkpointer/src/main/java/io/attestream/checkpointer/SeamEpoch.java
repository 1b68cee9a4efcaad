// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.ledger.EpochLeaf;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The first epoch of a later incarnation: it adds nothing and logs the {@linkplain Seam snapshot} that life goes on from. Whoever
 * publishes an epoch of its number first goes on with the ledger; a checkpointer of the lost cluster that turns out to be alive stops
 * at the guard, or was first, and then the restore stops.
 */
final class SeamEpoch {
    private static final Logger LOG = LoggerFactory.getLogger(SeamEpoch.class);

    private final ObjectStore store;
    private final Ledger ledger;
    private final SigningKeys signingKeys;

    SeamEpoch(ObjectStore store, Ledger ledger, SigningKeys signingKeys) {
        this.store = store;
        this.ledger = ledger;
        this.signingKeys = signingKeys;
    }

    /** Whether an epoch is the first of that incarnation. */
    boolean isIt(EpochIntent intent, Incarnations.Claim claim) throws IOException {
        if (intent.epoch() != claim.epoch() + 1) {
            return false;
        }
        StoredSnapshots stored = new StoredSnapshots(store, ledger);
        for (EpochLeaf.Logged logged : EpochObjects.leaf(intent).logged()) {
            try {
                if (SnapshotName.isSnapshot(logged.name())
                        && stored.manifest(SnapshotName.parse(logged.name())).incarnation() == claim.incarnation()) {
                    return true;
                }
            } catch (InvalidFormat e) {
                LOG.warn("epoch {} logs {}, which is of no use: {}", intent.epoch(), logged.name(), e.getMessage());
            }
        }
        return false;
    }

    /** Whether the first epoch of the claimed incarnation is in the object store. */
    boolean isPublished(Incarnations.Claim claim) throws IOException {
        Optional<LogRecord.Published> next = new StoredEpochs(store).get(claim.epoch() + 1);
        return next.isPresent() && isIt(next.get().intent(), claim);
    }

    /**
     * Publishes it into the object store.
     *
     * @param states of all shards at the last epoch
     * @throws FatalDoubtException if somebody else published one of its number, or is about to
     */
    void publish(List<ShardSnapshot> states, SnapshotName snapshot, int generation, long nowMillis) {
        CheckpointHistory history = new CheckpointHistory(ledger);
        new StoredEpochs(store).readAll(history::accept);
        EpochArchive archive = new EpochArchive(store);
        EpochLeaf.Logged logged = new EpochLeaf.Logged(snapshot.name(), snapshot.digest());
        Signer signing = new Signer(signingKeys, ledger, archive, objects -> {
            if (!objects.equals(List.of(logged))) {
                throw new FatalDoubtException("objects are to be logged that were not verified: " + objects);
            }
        });
        signing.resume(
                history.lastPublished().orElseThrow(),
                history.ledgerRange(),
                states.stream().map(ShardSnapshot::range).toList(),
                history.keys());
        List<VerifiedHead> heads = new ArrayList<>();
        List<Added> added = new ArrayList<>();
        for (ShardSnapshot state : states) {
            heads.add(new VerifiedHead(state.head(), Counts.of(state.counts())));
            added.add(Added.of(List.of(), state.head().size()));
        }
        new PublishPath(archive, NO_TOPIC, history, new Guard(store), signing, generation, StepListener.NONE)
                .publish(new EpochAssembler(ledger)
                        .assemble(
                                history.ledgerRange(),
                                new Backlog.Content(heads, added, false),
                                List.of(logged),
                                nowMillis));
    }

    /** Topic {@code checkpoints} is written out of the epoch objects afterwards; the guard keeps others out until then. */
    private static final CheckpointLog NO_TOPIC = new CheckpointLog() {
        @Override
        public void readToEnd(Consumer<LogRecord> reader) {}

        @Override
        public void stage(LogRecord record) {}

        @Override
        public void commit() {}

        @Override
        public void close() {}
    };
}
