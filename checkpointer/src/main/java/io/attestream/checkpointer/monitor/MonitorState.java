// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Everything verified so far, enough to go on from.
 *
 * @param keys of the ledger, as the verified epochs logged their changes
 * @param ledgerHashes the compact range of the ledger log of this size
 * @param heads of all shards in the last verified epoch, in shard order; empty before the first
 * @param recentRoots of the ledger log by size, for the last sizes, {@link #RECENT_ROOTS_MAX} in all, and for every power of
 *     two: an older checkpoint shown again must be of the same log, however much older
 */
public record MonitorState(
        String origin,
        KeyHistory keys,
        TreeSize ledgerSize,
        List<Hash> ledgerHashes,
        List<ShardHead> heads,
        SortedMap<Long, Hash> recentRoots) {
    static final int RECENT_ROOTS_MAX = 1024;

    public MonitorState {
        ledgerHashes = List.copyOf(ledgerHashes);
        heads = List.copyOf(heads);
        recentRoots = new TreeMap<>(recentRoots);
        requireConsistent(ledgerSize, ledgerHashes, heads, recentRoots);
    }

    /** What is kept between two looks can be damaged or edited; nothing may be verified against a part of it alone. */
    private static void requireConsistent(
            TreeSize size, List<Hash> hashes, List<ShardHead> heads, SortedMap<Long, Hash> roots) {
        Hash root = CompactRange.of(size, hashes).root();
        if (!size.isEmpty() && !Objects.equals(root, roots.get(size.value()))) {
            throw new IllegalArgumentException("the root of size " + size + " is not that of ledgerHashes");
        }
        if (roots.size() > RECENT_ROOTS_MAX
                || roots.keySet().stream().anyMatch(known -> Long.compareUnsigned(known, size.value()) > 0)) {
            throw new IllegalArgumentException(
                    "recentRoots must be at most " + RECENT_ROOTS_MAX + ", none above size " + size);
        }
        if (size.isEmpty() != heads.isEmpty()) {
            throw new IllegalArgumentException("there are heads of " + heads.size() + " shards at size " + size);
        }
        for (int shard = 0; shard < heads.size(); shard++) {
            if (heads.get(shard).shard() != shard) {
                throw new IllegalArgumentException(
                        "the head of shard " + heads.get(shard).shard() + " is in place " + shard);
            }
        }
    }

    /** The ledger's first key. */
    public String vkey() {
        return keys.first().vkey();
    }

    /** Nothing verified yet. */
    public static MonitorState initial(String origin, NoteVerifier key) {
        return new MonitorState(origin, KeyHistory.of(key), new TreeSize(0), List.of(), List.of(), new TreeMap<>());
    }

    CompactRange ledgerRange() {
        return CompactRange.of(ledgerSize, ledgerHashes);
    }

    MonitorState with(CompactRange ledger, List<ShardHead> newHeads, KeyHistory newKeys) {
        TreeMap<Long, Hash> roots = new TreeMap<>(recentRoots);
        roots.put(ledger.size().value(), ledger.root());
        if (roots.size() > RECENT_ROOTS_MAX) {
            roots.keySet().stream()
                    .filter(size -> Long.bitCount(size) != 1)
                    .findFirst()
                    .ifPresent(roots::remove);
        }
        return new MonitorState(origin, newKeys, ledger.size(), ledger.hashes(), newHeads, roots);
    }
}
