// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.TestLedger;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a shard must do, by brute force: it is told what each record is instead of decoding it, looks for duplicates by going
 * through the last W leaves, and hashes the whole tree for every root.
 */
final class ShardModel {
    /** What the maker of a record knows about it. */
    sealed interface Told {
        record EventTold(String id, String content) implements Told {}

        record RulesTold(long windowLeaves) implements Told {}

        record GenesisTold(long windowLeaves) implements Told {}

        record BadTold(String reason) implements Told {}
    }

    record ModelLeaf(EntryKind kind, String id, String content, long offset) {}

    final List<ModelLeaf> leaves = new ArrayList<>();
    private long windowLeaves;
    private long floor;

    /** What must become of the record: "leaf event 3", "duplicate 2", "rejected misrouted". */
    String decide(long offset, Told told) {
        if (told instanceof Told.BadTold bad) {
            return "rejected " + bad.reason();
        }
        if (told instanceof Told.EventTold event) {
            return decideEvent(offset, event);
        }
        boolean genesis = told instanceof Told.GenesisTold;
        String decision = add(new ModelLeaf(genesis ? EntryKind.GENESIS : EntryKind.RULES, "", "", offset));
        long newWindow =
                told instanceof Told.GenesisTold first ? first.windowLeaves() : ((Told.RulesTold) told).windowLeaves();
        if (!genesis && newWindow != windowLeaves) {
            // What left a window stays out of it; what is in it stays as long as the new one reaches.
            floor = Math.max(Math.max(floor, leaves.size() - windowLeaves), leaves.size() - newWindow);
        }
        windowLeaves = newWindow;
        return decision;
    }

    private String decideEvent(long offset, Told.EventTold event) {
        long oldest = Math.max(floor, leaves.size() - windowLeaves);
        for (int i = leaves.size() - 1; i >= Math.max(0, oldest); i--) {
            ModelLeaf leaf = leaves.get(i);
            if (leaf.kind() == EntryKind.EVENT && leaf.id().equals(event.id())) {
                return leaf.content().equals(event.content())
                        ? "duplicate " + i
                        : add(new ModelLeaf(EntryKind.CONFLICT, event.id(), event.content(), offset)) + " ref " + i;
            }
        }
        return add(new ModelLeaf(EntryKind.EVENT, event.id(), event.content(), offset));
    }

    private String add(ModelLeaf leaf) {
        leaves.add(leaf);
        return "leaf " + leaf.kind().word() + " " + (leaves.size() - 1);
    }

    static Hash root(List<Hash> hashes) {
        return new Roots(hashes).at(hashes.size());
    }

    /** RFC 6962 section 2.1, word for word; complete subtrees are remembered, for who asks at many sizes. */
    static final class Roots {
        private final List<Hash> hashes;
        private final Map<List<Integer>, Hash> complete = new HashMap<>();

        Roots(List<Hash> hashes) {
            this.hashes = hashes;
        }

        Hash at(int size) {
            return size == 0 ? Rfc6962.EMPTY_ROOT : root(0, size);
        }

        private Hash root(int from, int to) {
            int n = to - from;
            if (n == 1) {
                return hashes.get(from);
            }
            int k = Integer.highestOneBit(n - 1);
            Hash known = complete.get(List.of(from, to));
            if (known != null) {
                return known;
            }
            Hash root = Rfc6962.nodeHash(root(from, from + k), root(from + k, to));
            if (n == 2 * k) {
                complete.put(List.of(from, to), root);
            }
            return root;
        }
    }

    /** The record's value. */
    static byte[] value(TestLedger ledger, int shard, Told told, int rulesVersion) {
        if (told instanceof Told.EventTold event) {
            return ledger.eventValue(shard, event.id(), event.content());
        }
        if (told instanceof Told.RulesTold rules) {
            return ledger.rulesValue(shard, rulesVersion, rules.windowLeaves());
        }
        if (told instanceof Told.GenesisTold) {
            return ledger.genesisValue(shard);
        }
        return switch (((Told.BadTold) told).reason()) {
            case Decision.Rejected.UNDECODABLE -> new byte[] {0, 0, 0, 0, 1, 9, 9};
            case Decision.Rejected.MISROUTED -> ledger.eventValue((shard + 1) % ledger.shards, "elsewhere", "x");
            default -> ledger.rulesValue(shard, rulesVersion + 7, 512);
        };
    }
}
