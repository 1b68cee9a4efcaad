// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.proofs.tree.Hash;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/** The heads of trees that clients read, judged against each other as they come. */
final class Heads {
    /** The ledger log among the shards. */
    static final int LOG = -1;

    private final Findings findings;
    private final Map<Integer, NavigableMap<Long, Seen>> seen = new HashMap<>();
    private final Map<Integer, Largest> largest = new HashMap<>();
    /** What was the largest when a read began that has not ended. */
    private final Map<Long, Map<Integer, Largest>> largestBefore = new HashMap<>();

    /** A root, and who read it first. */
    record Seen(Hash root, long operation, long line) {}

    private record Largest(long size, long operation) {}

    private final NavigableMap<Long, Timed> times = new TreeMap<>();

    private record Timed(long millis, long operation) {}

    Heads(Findings findings) {
        this.findings = findings;
    }

    static String name(int tree) {
        return tree == LOG ? "the ledger log" : "shard " + tree;
    }

    void begun(HistoryEvent.Invoked read) {
        largestBefore.put(read.number(), Map.copyOf(largest));
    }

    /** It ended without an answer. */
    void gone(HistoryEvent.Invoked read) {
        largestBefore.remove(read.number());
    }

    void read(HistoryEvent.Ok ok, Result.Heads heads) {
        Map<Integer, Largest> before = largestBefore.getOrDefault(ok.invoked().number(), Map.of());
        gone(ok.invoked());
        if (!heads.flaw().isEmpty()) {
            findings.add(
                    AnomalyKind.UNVERIFIED,
                    () -> "operation " + ok.invoked().number() + ", a checkpoint: " + heads.flaw());
        }
        heads.log().ifPresent(log -> {
            head(ok, LOG, log.size(), log.root(), before);
            heads.timeMillis()
                    .ifPresent(time -> times.putIfAbsent(
                            log.size(), new Timed(time, ok.invoked().number())));
        });
        heads.shards().forEach(head -> head(ok, head.shard(), head.size(), head.root(), before));
    }

    /** A proof led through these. It is that of the first that did, so it may be smaller than what was read before. */
    void proven(HistoryEvent.Ok ok, Result.Proven proven) {
        seen(ok, LOG, proven.log().size(), proven.log().root());
        Result.ShardHead shard = proven.shard();
        seen(ok, shard.shard(), shard.size(), shard.root());
    }

    private void head(HistoryEvent.Ok ok, int tree, long size, Hash root, Map<Integer, Largest> before) {
        long operation = ok.invoked().number();
        seen(ok, tree, size, root);
        Largest earlier = before.get(tree);
        if (earlier != null && size < earlier.size()) {
            findings.add(
                    AnomalyKind.SHRUNK,
                    () -> name(tree) + " has size " + size + " in operation " + operation + ", and had "
                            + earlier.size() + " in operation " + earlier.operation() + " before");
        }
        largest.merge(tree, new Largest(size, operation), (old, now) -> now.size() > old.size() ? now : old);
    }

    private void seen(HistoryEvent.Ok ok, int tree, long size, Hash root) {
        long operation = ok.invoked().number();
        Seen first = seen.computeIfAbsent(tree, none -> new TreeMap<>())
                .computeIfAbsent(size, none -> new Seen(root, operation, ok.line()));
        if (!first.root().equals(root)) {
            findings.add(
                    AnomalyKind.FORKED,
                    () -> name(tree) + " of size " + size + " has root " + first.root() + " in operation "
                            + first.operation() + " and " + root + " in operation " + operation);
        }
    }

    /** To be called once, at the end. */
    void judgeTimes() {
        Map.Entry<Long, Timed> before = null;
        for (Map.Entry<Long, Timed> next : times.entrySet()) {
            if (before != null && next.getValue().millis() < before.getValue().millis()) {
                String example = "the checkpoint of size " + next.getKey() + " in operation "
                        + next.getValue().operation() + " is "
                        + (before.getValue().millis() - next.getValue().millis()) + " ms older than that of size "
                        + before.getKey() + " in operation " + before.getValue().operation();
                findings.add(AnomalyKind.TIME_WENT_BACK, () -> example);
            }
            before = next;
        }
    }

    /** Those that were read: shards, and {@link #LOG}. */
    Set<Integer> trees() {
        return seen.keySet();
    }

    /** What was read of a tree, by size. */
    NavigableMap<Long, Seen> of(int tree) {
        return seen.getOrDefault(tree, new TreeMap<>());
    }
}
