// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import io.attestream.gateway.keys.PayloadKeys;
import io.attestream.gateway.ledger.OpenLedger;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.LeafIndex;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts a leaf's proof bundle together out of the proofs service and the object store, and verifies it the way an auditor
 * would before anybody gets to see it: neither source is trusted. Blocking.
 */
@ApplicationScoped
public class BundleAssembler {
    /** What must have passed; the event's own checks depend on what the caller holds. */
    private static final Set<String> CHAIN = Set.of(
            BundleVerifier.ENTRY_PARSES,
            BundleVerifier.LEAF_INCLUSION,
            BundleVerifier.HEAD_PARSES,
            BundleVerifier.VECTOR_INCLUSION,
            BundleVerifier.EPOCH_LEAF_PARSES,
            BundleVerifier.LEDGER_INCLUSION,
            BundleVerifier.NOTE_SIGNATURE);

    private final ProofsClient proofs;
    private final StoredLeaves leaves;
    private final Archive archive;
    private final PayloadKeys keys;

    BundleAssembler(ProofsClient proofs, StoredLeaves leaves, Archive archive, PayloadKeys keys) {
        this.keys = keys;
        this.proofs = proofs;
        this.leaves = leaves;
        this.archive = archive;
    }

    /**
     * A published leaf with everything about it.
     *
     * @param entry the same as in the bundle, read
     * @param payload in the clear, if it was stored so or there is a key that opens it; otherwise as it is stored, which proves
     *     nothing: the bundle is without it
     */
    public record Published(
            int shard, Epoch epoch, LeafRecord leaf, EntryView entry, Payload payload, ProofBundle bundle) {
        /** Whose leaf it is; empty for control records. */
        public Optional<String> tenant() {
            return entry instanceof EntryView.Event event ? Optional.of(event.tenant()) : Optional.empty();
        }
    }

    /** The parts do not make a bundle that verifies. An alarm: never served. */
    public static final class DoesNotVerify extends Exception {
        DoesNotVerify(String message) {
            super(message, null, false, false);
        }
    }

    /** Empty while no published epoch covers the leaf. */
    public Optional<Published> assemble(OpenLedger ledger, int shard, long leafIndex)
            throws Unavailable, DoesNotVerify {
        Optional<Epoch> epoch = proofs.covering(shard, leafIndex);
        return epoch.isPresent() ? Optional.of(assemble(ledger, shard, leafIndex, epoch.get())) : Optional.empty();
    }

    // NullAway does not see the nullness of array components in class files of Java 17.
    @SuppressWarnings("NullAway")
    private Published assemble(OpenLedger ledger, int shard, long leafIndex, Epoch epoch)
            throws Unavailable, DoesNotVerify {
        String where = "leaf " + leafIndex + " of shard " + shard + " in epoch " + epoch.number();
        try {
            if (epoch.heads().size() != ledger.shards()) {
                throw new DoesNotVerify(
                        where + ": the epoch has " + epoch.heads().size() + " heads");
            }
            ShardHead head = epoch.head(shard);
            LeafRecord leaf = leaves.leaf(epoch, shard, leafIndex);
            EntryView entry = CanonicalEntry.parse(leaf.entry());
            Payload payload = payload(epoch, shard, leafIndex, entry);
            byte @Nullable [] data = payload instanceof Payload.Plain plain ? plain.data() : null;
            byte @Nullable [] salt = payload instanceof Payload.Plain plain ? plain.salt() : null;
            Epoch shown = shownBy(ledger, epoch);
            ProofBundle bundle = new ProofBundle(
                    leaf.entry(),
                    new LeafIndex(leafIndex),
                    inclusion(
                                    proofs.shardInclusion(
                                            shard, leafIndex, head.size().value()),
                                    where)
                            .path(),
                    epoch.heads().get(shard),
                    epoch.heads().size(),
                    epoch.vectorPath(shard),
                    epoch.leaf(),
                    inclusion(proofs.ledgerInclusion(epoch.number(), shown.number() + 1), where)
                            .path(),
                    shown.note(),
                    data,
                    salt);
            requireVerified(ledger, bundle, where);
            if (head.shard() != shard) {
                throw new DoesNotVerify(where + ": the head is of shard " + head.shard());
            }
            return new Published(shard, epoch, leaf, entry, payload, bundle);
        } catch (ProofsClient.SizeNotPublished e) {
            // Whoever told of the epoch is ahead of those that answer now.
            throw new Unavailable(where + ": the proofs instances are behind");
        } catch (InvalidFormat | Archive.Broken e) {
            throw new DoesNotVerify(where + ": " + e.getMessage());
        }
    }

    /**
     * The epoch whose checkpoint a bundle has: that of the leaf itself, which never changes, until the key that signed it is replaced.
     * From then on it proves nothing without a newer one.
     */
    private Epoch shownBy(OpenLedger ledger, Epoch epoch) throws Unavailable, InvalidFormat, Archive.Broken {
        KeyHistory keys = archive.keys(ledger.key()).history();
        if (keys.changes().isEmpty()
                || keys.isCurrent(
                        Checkpoint.parse(SignedNote.parse(epoch.note()).text()))) {
            return epoch;
        }
        return proofs.latestEpoch()
                .filter(newest -> newest.number() > epoch.number())
                .orElse(epoch);
    }

    private Payload payload(Epoch epoch, int shard, long leafIndex, EntryView entry)
            throws Unavailable, Archive.Broken, InvalidFormat {
        Payload stored = leaves.payload(epoch, shard, leafIndex);
        try {
            return entry instanceof EntryView.Event event ? keys.opened(stored, event) : stored;
        } catch (IOException e) {
            throw new Unavailable("leaf " + leafIndex + " of shard " + shard + ": " + e.getMessage());
        }
    }

    private static ProofsClient.Inclusion inclusion(Optional<ProofsClient.Inclusion> answer, String where)
            throws Unavailable {
        return answer.orElseThrow(() -> new Unavailable(where + ": no audit path for it yet"));
    }

    /** What proves a change of keys is in the store before the first checkpoint that needs it. */
    private void requireVerified(OpenLedger ledger, ProofBundle bundle, String where)
            throws DoesNotVerify, Unavailable, Archive.Broken {
        Optional<BundleReport.Check> failure =
                failure(archive.keys(ledger.key()).history(), bundle);
        if (failure.isPresent()) {
            failure = failure(archive.newestKeys(ledger.key()).history(), bundle);
        }
        if (failure.isPresent()) {
            throw new DoesNotVerify(
                    where + ": " + failure.get().name() + ": " + failure.get().detail());
        }
    }

    private static Optional<BundleReport.Check> failure(KeyHistory keys, ProofBundle bundle) {
        BundleReport report = new BundleVerifier(keys).verify(bundle, null);
        return report.firstFailure()
                .or(() -> report.checks().stream()
                        .filter(check -> CHAIN.contains(check.name()))
                        .filter(check -> check.outcome() != BundleReport.Outcome.PASSED)
                        .findFirst());
    }
}
