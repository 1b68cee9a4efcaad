// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.StoredKeys;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowBlocks;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads snapshots, each whole: signature of the manifest, digest of every object it names, and that they fit together. */
final class StoredSnapshots {
    private static final Logger LOG = LoggerFactory.getLogger(StoredSnapshots.class);

    private final ObjectStore store;
    private final Ledger ledger;

    StoredSnapshots(ObjectStore store, Ledger ledger) {
        this.store = store;
        this.ledger = ledger;
    }

    /**
     * One shard of a snapshot. Its window, which can be large, is read block by block where it is needed.
     *
     * @param blocks to read the blocks of the state's window with
     */
    record Shard(ShardSnapshot state, WindowBlocks blocks) {}

    /** A snapshot, verified. */
    record Stored(SnapshotName name, Snapshot manifest, List<Shard> shards) {}

    /** Of all snapshots there are, newest first. */
    List<SnapshotName> names() throws IOException {
        List<SnapshotName> names = new ArrayList<>();
        for (String name : store.list(SnapshotName.SNAPSHOTS)) {
            try {
                names.add(SnapshotName.parse(name));
            } catch (InvalidFormat e) {
                LOG.warn("object {} lies among the snapshots and is none", name);
            }
        }
        names.sort(Comparator.comparingLong(SnapshotName::epoch).reversed().thenComparing(SnapshotName::name));
        return names;
    }

    /**
     * The newest snapshot of these lives of topic {@code events} and of the processors that is whole. One that is not is named and
     * passed over: an older one, or none, gives the same state, only later.
     */
    Optional<Stored> newest(int incarnation, int generation) throws IOException {
        for (SnapshotName name : names()) {
            try {
                Snapshot manifest = manifest(name);
                if (manifest.incarnation() == incarnation && manifest.generation() == generation) {
                    return Optional.of(load(name, manifest));
                }
            } catch (InvalidFormat e) {
                LOG.warn("snapshot {} is not used: {}. An older one is, or all is read", name.name(), e.getMessage());
            }
        }
        return Optional.empty();
    }

    /** Whether it was not removed, as old ones are. */
    boolean isThere(SnapshotName name) throws IOException {
        return store.get(name.name()).isPresent();
    }

    /** The manifest, its digest and signature verified. */
    Snapshot manifest(SnapshotName name) throws IOException, InvalidFormat {
        return manifest(name, keys());
    }

    /** As {@link #manifest(SnapshotName)}, by keys that were learnt elsewhere. */
    Snapshot manifest(SnapshotName name, KeyHistory keys) throws IOException, InvalidFormat {
        byte[] object = read(name.name());
        name.requireDigest(object);
        SignedNote note = SignedNote.parse(object);
        // It is signed behind its epoch.
        NoteVerifier verifier = keys.newestAt(name.epoch() + 1).withName(Snapshot.keyName(ledger.origin()));
        if (note.verify(List.of(verifier)) instanceof NoteVerification.Rejected rejected) {
            throw new InvalidFormat(name.name(), "is not signed by " + verifier.vkey() + ": " + rejected.reason());
        }
        Snapshot manifest = Snapshot.parse(ledger.origin(), note.text());
        if (manifest.epoch() != name.epoch() || manifest.shards().size() != ledger.shards()) {
            throw new InvalidFormat(
                    name.name(),
                    "is of epoch " + manifest.epoch() + " with "
                            + manifest.shards().size() + " shards, expected " + ledger.shards());
        }
        return manifest;
    }

    /** The ledger's keys, as the object store proves them. */
    KeyHistory keys() throws IOException, InvalidFormat {
        return StoredKeys.read(store, ledger.key()).verify(ledger.key());
    }

    /** A snapshot all of whose objects were read and are whole. */
    Stored load(SnapshotName name, Snapshot manifest) throws IOException, InvalidFormat {
        List<Shard> shards = new ArrayList<>();
        for (Snapshot.Shard shard : manifest.shards()) {
            ShardSnapshot state = state(shard);
            for (WindowName block : state.window()) {
                block(block);
            }
            shards.add(new Shard(state, this::block));
        }
        return new Stored(name, manifest, shards);
    }

    WindowBlock block(WindowName name) throws IOException, InvalidFormat {
        return WindowBlock.parse(name, read(name.name()));
    }

    ShardSnapshot state(Snapshot.Shard shard) throws IOException, InvalidFormat {
        byte[] object = read(shard.name());
        SnapshotName.requireShardDigest(shard.name(), object);
        ShardSnapshot state = ShardSnapshot.parse(object);
        if (!state.head().equals(shard.head())) {
            throw new InvalidFormat(
                    shard.name(), "is of head " + state.head() + ", the manifest names " + shard.head());
        }
        return state;
    }

    private byte[] read(String name) throws IOException, InvalidFormat {
        return store.get(name).orElseThrow(() -> new InvalidFormat(name, "is missing"));
    }

    static byte[] encode(SignedNote note) {
        return note.encode().getBytes(StandardCharsets.UTF_8);
    }
}
