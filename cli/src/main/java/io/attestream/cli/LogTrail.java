// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.history.Result.TreeHead;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The ledger log as one client has seen it grow: its leaves, and so its root at every size. Whatever head is signed has to be one of
 * these, so two of them are consistent, and an epoch is in the log, without a proof being asked for. Leaves that were not seen come from
 * the log's tiles. Thread-safe.
 */
final class LogTrail {
    /** More epochs are never published between two looks. */
    private static final long EPOCHS_AT_ONCE_MAX = 1 << 20;

    private final List<Hash> leaves = new ArrayList<>();
    /** By size. */
    private final List<Hash> roots = new ArrayList<>();

    private CompactRange range = CompactRange.empty();
    /** Signed heads of sizes that were not reached, because nobody answered. */
    private final NavigableMap<Long, Hash> open = new TreeMap<>();

    LogTrail() {
        roots.add(range.root());
    }

    /**
     * Holds a signed head against the leaves of the log. If they cannot be had just now, that is done when a later one is held.
     *
     * @param last hash of its last leaf
     * @return what is wrong with it, or with one that waited for its leaves; empty if nothing is known to be
     */
    synchronized String flaw(Api gateway, TreeHead head, Hash last) {
        long size = head.size();
        if (size < 1 || size - leaves.size() > EPOCHS_AT_ONCE_MAX) {
            return "no ledger log has size " + size + " after " + leaves.size();
        }
        if (size > leaves.size()) {
            try {
                return extend(head, leavesTo(gateway, size, last));
            } catch (CliException e) {
                if (e.exitCode() == ExitCode.VERIFICATION_FAILED) {
                    return String.valueOf(e.getMessage());
                }
                return later(head); // nobody answers
            }
        }
        if (!leaves.get((int) size - 1).equals(last)) {
            return "the ledger log of size " + size + " does not end with this epoch";
        }
        return wrongRoot(size, head.root());
    }

    /** A second root of a size that waits is wrong whatever comes. */
    private String later(TreeHead head) {
        Hash before = open.putIfAbsent(head.size(), head.root());
        return before == null || before.equals(head.root())
                ? ""
                : "the ledger log of size " + head.size() + " was signed with roots " + before + " and " + head.root();
    }

    private String wrongRoot(long size, Hash root) {
        Hash own = roots.get((int) size);
        return own.equals(root)
                ? ""
                : "the ledger log of size " + size + " is signed with root " + root + ", its leaves give " + own;
    }

    /** Nothing is believed that does not lead to a signed root. */
    private String extend(TreeHead head, List<Hash> added) {
        CompactRange extended = range.copy();
        List<Hash> rootsAdded = new ArrayList<>();
        for (Hash leaf : added) {
            extended.append(leaf);
            rootsAdded.add(extended.root());
        }
        if (!extended.root().equals(head.root())) {
            return "the ledger log of size " + head.size() + " is signed with root " + head.root()
                    + ", the leaves from size " + leaves.size() + " on give " + extended.root();
        }
        range = extended;
        leaves.addAll(added);
        roots.addAll(rootsAdded);
        NavigableMap<Long, Hash> reached = open.headMap(head.size(), true);
        String flaw = reached.entrySet().stream()
                .map(waited -> wrongRoot(waited.getKey(), waited.getValue()))
                .filter(wrong -> !wrong.isEmpty())
                .findFirst()
                .orElse("");
        reached.clear();
        return flaw;
    }

    private List<Hash> leavesTo(Api gateway, long size, Hash last) {
        List<Hash> added = new ArrayList<>();
        TreeSize before = new TreeSize(size - 1);
        for (long next = leaves.size(); next < size - 1; next = (long) leaves.size() + added.size()) {
            long first = next / TilePath.FULL_WIDTH * TilePath.FULL_WIDTH;
            TilePath.HashTile tile =
                    Tile.at(0, next / TilePath.FULL_WIDTH, before).orElseThrow();
            byte[] hashes = gateway.require("/log/" + tile.path(), "application/octet-stream")
                    .body();
            if (hashes.length != tile.width() * Hash.SIZE_BYTES) {
                throw Checkpoints.failed(tile.path() + " of the ledger log has " + hashes.length + " bytes");
            }
            for (int at = (int) (next - first); at < tile.width(); at++) {
                added.add(Hash.of(hashes, at * Hash.SIZE_BYTES));
            }
        }
        added.add(last);
        return added;
    }

    /** @throws CliException if a head that was signed could not be held against the leaves yet */
    synchronized void requireNothingOpen() {
        if (!open.isEmpty()) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "the leaves of the ledger log to size " + open.lastKey() + " cannot be had",
                    "Try again later.");
        }
    }
}
