// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.tree.CompactRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Holds every snapshot in the store against what the archive gives at its epoch: heads, frontiers, counts, control records, and each
 * row of the window. Part of {@link ArchiveCheck}.
 */
final class SnapshotCheck {
    private final ArchiveReader reader;
    private final StoredSnapshots stored;
    private final Map<Long, List<SnapshotName>> names = new HashMap<>();
    private final Map<SnapshotName, Snapshot> manifests = new HashMap<>();

    SnapshotCheck(ArchiveReader reader, StoredSnapshots stored) {
        this.reader = reader;
        this.stored = stored;
    }

    /** Takes note of the snapshots there are now; those that cannot be used are found here. */
    void begin() throws IOException {
        for (SnapshotName name : stored.names()) {
            read(name, name.name(), () -> stored.manifest(name)).ifPresent(manifest -> {
                manifests.put(name, manifest);
                names.computeIfAbsent(name.epoch(), epoch -> new ArrayList<>()).add(name);
            });
        }
    }

    /**
     * Holds the snapshots of this epoch against it.
     *
     * @param ledgerRange up to and including the epoch
     * @param shards at its heads
     */
    void check(EpochIntent intent, CompactRange ledgerRange, List<ArchivedShard> shards) throws IOException {
        for (SnapshotName name : names.getOrDefault(intent.epoch(), List.of())) {
            Snapshot manifest = manifests.get(name);
            if (manifest == null) {
                continue;
            }
            if (!manifest.heads().equals(intent.heads())) {
                reader.find(name.name(), "heads " + intent.heads(), "heads " + manifest.heads());
            }
            if (manifest.generation() < intent.generation()) {
                // The snapshot's is signed, that of an epoch object is not. A later generation may have begun with it.
                reader.find(
                        ObjectNames.epoch(intent.epoch()),
                        "generation " + manifest.generation() + ", as " + name.name() + " has it, which is signed",
                        "generation " + intent.generation());
            }
            if (!manifest.ledgerFrontier().equals(ledgerRange.hashes())) {
                reader.find(name.name(), "the frontier of the ledger log of size " + ledgerRange.size(), "another");
            }
            for (Snapshot.Shard shard : manifest.shards()) {
                check(name, shard, shards.get(shard.head().shard()));
            }
        }
    }

    private interface Reading<T> {
        T read() throws IOException, InvalidFormat;
    }

    /** Beside a live checkpointer old snapshots go: what is gone with its manifest was not damaged. */
    private <T> Optional<T> read(SnapshotName name, String object, Reading<T> reading) throws IOException {
        return reader.part(object, from -> {
                    try {
                        return Optional.of(reading.read());
                    } catch (InvalidFormat e) {
                        if (stored.isThere(name)) {
                            throw e;
                        }
                        return Optional.<T>empty();
                    }
                })
                .flatMap(found -> found);
    }

    private void check(SnapshotName name, Snapshot.Shard shard, ArchivedShard archived) throws IOException {
        Optional<ShardSnapshot> read = read(name, shard.name(), () -> stored.state(shard));
        if (read.isEmpty()) {
            return;
        }
        ShardSnapshot state = read.get();
        for (WindowName block : state.window()) {
            read(name, block.name(), () -> stored.block(block));
            reader.read((long) block.count() * WindowBlock.ROW_SIZE_BYTES);
        }
        archived.range()
                .map(CompactRange::hashes)
                .ifPresent(frontier -> require(shard, "frontier", frontier, state.frontier()));
        archived.counts().ifPresent(counts -> require(shard, "counts", counts.asMap(), new TreeMap<>(state.counts())));
        archived.window().ifPresent(window -> check(shard, window, state));
    }

    private void check(Snapshot.Shard shard, ShardWindow window, ShardSnapshot state) {
        require(shard, "first remembered leaf", window.first(), state.windowFirst());
        boolean sameControls = window.controls().size() == state.controls().size();
        for (int i = 0; sameControls && i < state.controls().size(); i++) {
            sameControls =
                    Arrays.equals(window.controls().get(i), state.controls().get(i));
        }
        require(shard, "the shard's control records", true, sameControls);
        Map<Long, WindowName> own = new HashMap<>();
        window.fullBlocks().forEach(block -> own.put(block.first(), block));
        window.openBlock().ifPresent(block -> own.put(block.name().first(), block.name()));
        for (WindowName block : state.window()) {
            WindowName expected = own.get(block.first());
            boolean forgotten = expected == null && block.first() + WindowBlock.LEAVES_MAX <= window.first();
            if (!block.equals(expected) && !forgotten) {
                reader.find(
                        shard.name(),
                        "window block " + (expected == null ? "none" : expected.name()) + ", as the leaves give it",
                        block.name());
            }
        }
    }

    private void require(Snapshot.Shard shard, String what, Object expected, Object actual) {
        if (!expected.equals(actual)) {
            reader.find(shard.name(), what + " " + expected, String.valueOf(actual));
        }
    }
}
