// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.TestLedger;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.util.ArrayList;
import java.util.List;

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

    /** RFC 6962 section 2.1, word for word. */
    static Hash root(List<Hash> hashes) {
        if (hashes.isEmpty()) {
            return Rfc6962.EMPTY_ROOT;
        }
        if (hashes.size() == 1) {
            return hashes.get(0);
        }
        int k = Integer.highestOneBit(hashes.size() - 1);
        return Rfc6962.nodeHash(root(hashes.subList(0, k)), root(hashes.subList(k, hashes.size())));
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
