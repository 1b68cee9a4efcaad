// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.chaos.history.Subject.Found;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The leaves that were read at the end, by shard. */
final class FinalTree {
    private final Findings findings;
    private final NavigableMap<Integer, List<Found>> shards = new TreeMap<>();

    FinalTree(Findings findings) {
        this.findings = findings;
    }

    void add(Found leaf) {
        shards.computeIfAbsent(leaf.shard(), none -> new ArrayList<>()).add(leaf);
    }

    long leaves() {
        return shards.values().stream().mapToLong(List::size).sum();
    }

    /** In the order of shards and indexes; to be called after {@link #judgeIndexes}. */
    void forEach(Consumer<Found> action) {
        shards.values().forEach(leaves -> leaves.forEach(action));
    }

    Optional<Found> at(int shard, long index) {
        List<Found> leaves = shards.getOrDefault(shard, List.of());
        Found sought = new Found(shard, index, Leaf.Kind.CONTROL, null, NO_HASH, null);
        int at = Collections.binarySearch(leaves, sought, Comparator.comparingLong(Found::index));
        return at < 0 ? Optional.empty() : Optional.of(leaves.get(at));
    }

    private static final Hash NO_HASH = Hash.of(new byte[Hash.SIZE_BYTES]);

    /** Sorts the leaves and holds their indexes against the heads that were read with them. */
    void judgeIndexes(Result.Heads heads) {
        heads.shards().forEach(head -> shards.computeIfAbsent(head.shard(), none -> new ArrayList<>()));
        shards.forEach((shard, leaves) -> {
            leaves.sort(Comparator.comparingLong(Found::index));
            long size = heads.shards().stream()
                    .filter(head -> head.shard() == shard)
                    .mapToLong(Result.ShardHead::size)
                    .findFirst()
                    .orElse(0);
            judgeIndexes(shard, leaves, size);
        });
    }

    private void judgeIndexes(int shard, List<Found> leaves, long size) {
        long next = 0;
        for (Found leaf : leaves) {
            if (leaf.index() < next) {
                findings.add(AnomalyKind.TWO_LEAVES, () -> leaf.place() + " is there more than once");
            } else if (leaf.index() > next) {
                gap(shard, next, leaf.index());
            }
            next = leaf.index() + 1;
        }
        if (next < size) {
            gap(shard, next, size);
        } else if (next > size) {
            long end = next;
            findings.add(
                    AnomalyKind.INDEX_GAP,
                    () -> "shard " + shard + " has leaves to " + (end - 1) + ", and its head has size " + size);
        }
    }

    private void gap(int shard, long from, long to) {
        findings.add(
                AnomalyKind.INDEX_GAP,
                () -> "shard " + shard + " has no leaf "
                        + (to == from + 1 ? Long.toString(from) : from + " to " + (to - 1)));
    }

    /** Holds every root that was read against the leaves, as far as there is one leaf for each index. */
    void judgeRoots(Heads heads) {
        shards.forEach((shard, leaves) -> {
            CompactRange range = CompactRange.empty();
            int next = 0;
            for (Map.Entry<Long, Heads.Seen> seen : heads.of(shard).entrySet()) {
                for (; next < leaves.size() && next < seen.getKey(); next++) {
                    if (leaves.get(next).index() != next) {
                        return;
                    }
                    range.append(leaves.get(next).hash());
                }
                if (next < seen.getKey()) {
                    return;
                }
                Hash root = range.root();
                if (!root.equals(seen.getValue().root())) {
                    findings.add(
                            AnomalyKind.WRONG_ROOT,
                            () -> "shard " + shard + " of size " + seen.getKey() + " has root "
                                    + seen.getValue().root() + " in operation "
                                    + seen.getValue().operation() + ", its leaves give " + root);
                }
            }
        });
    }
}
