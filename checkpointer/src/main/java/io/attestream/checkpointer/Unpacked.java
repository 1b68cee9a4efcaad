// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * The published epochs whose records are not all in logged packs: what the next packs are made of, and whose segments are still
 * needed. Fed by the publishing thread, asked by the packing thread. Thread-safe.
 *
 * <p>Holds a few numbers of each such epoch; what was published of it is in its epoch object. An epoch leaves when each shard it
 * grew was packed beyond it, so what stays is what came within the packs' age, and for each shard the epochs of the up to 255
 * leaves behind its last pack. Of each pack its name is held.
 */
final class Unpacked {
    private final List<ShardGrowth> shards = new ArrayList<>();
    private final PackChain packs = new PackChain();
    /** How many shards have unpacked records in an epoch. */
    private final Map<Long, Integer> pending = new HashMap<>();
    /** When it was logged that the last record of an epoch is in a pack, unless that is longer ago than the grace. */
    private final Map<Long, Long> packedMillis = new HashMap<>();

    private final long graceMillis;
    private List<ShardHead> heads;
    /** Of each incarnation, the offsets of topic events up to which each shard was published. */
    private final Map<Integer, Map<Integer, Long>> publishedTo = new HashMap<>();

    private long epochs;

    /** Who asked for packs holds something that no published epoch has: an object of a process that died before its intent. */
    static final class NotPackedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NotPackedException(String message) {
            super(message);
        }
    }

    /** When a pack is closed, whichever comes first. */
    record Limits(int leavesMax, long sizeBytesMax, long ageMillisMax) {}

    /**
     * An epoch that added leaves, or other records only, to a shard.
     *
     * @param from the shard's size before it
     * @param to the shard's size in it
     * @param sizeBytes of what it added, roughly
     */
    record Growth(Epoch epoch, long from, long to, long sizeBytes) {}

    /**
     * A published epoch.
     *
     * @param leafHash of its leaf in the ledger log, which binds its heads
     * @param takenMillis when it was published, on the steady clock
     */
    record Epoch(long number, Hash leafHash, long takenMillis) {}

    private static final class ShardGrowth {
        final Deque<Growth> growths = new ArrayDeque<>();
        final TreeMap<Long, PackName> packs = new TreeMap<>();
        long sizeBytes;

        /** When the leaf with this index was published. */
        long oldestMillis(long leafIndex) {
            return growths.stream()
                    .filter(growth -> growth.to() > leafIndex)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("leaf " + leafIndex + " is published and not packed"))
                    .epoch()
                    .takenMillis();
        }
    }

    /** @param graceMillis for how long the segment of a packed epoch is kept for readers that do not know of the pack yet */
    Unpacked(Ledger ledger, long graceMillis) {
        this.graceMillis = graceMillis;
        heads = ledger.emptyHeads();
        heads.forEach(head -> shards.add(new ShardGrowth()));
    }

    /**
     * Takes the next published epoch.
     *
     * @param sizeBytes of what the epoch adds, for each shard
     * @param nowMillis of the steady clock, by which age and grace are told
     * @param wallMillis of the clock whose time epochs record: tells how old one is that was published before this process began
     */
    synchronized void published(EpochIntent intent, List<Long> sizeBytes, long nowMillis, long wallMillis) {
        EpochLeaf leaf;
        List<PackName> logged;
        try {
            leaf = EpochLeaf.parse(intent.epochLeaf());
            logged = packs.accept(leaf.logged(), heads);
        } catch (InvalidFormat e) {
            throw new FatalDoubtException(
                    "epoch " + intent.epoch() + ": its epoch leaf cannot be read: " + e.getMessage());
        }
        long takenMillis = nowMillis - Math.max(0, wallMillis - time(leaf));
        logged.forEach(pack -> {
            retire(pack, takenMillis);
            shards.get(pack.shard()).packs.put(pack.first(), pack);
        });
        packedMillis.values().removeIf(since -> since <= nowMillis - graceMillis);
        Epoch epoch = new Epoch(intent.epoch(), Rfc6962.leafHash(intent.epochLeaf()), takenMillis);
        for (ShardHead head : intent.heads()) {
            ShardHead before = heads.get(head.shard());
            if (head.nextOffset() > before.nextOffset()) {
                long from = before.size().value();
                long to = head.size().value();
                add(head.shard(), new Growth(epoch, from, to, sizeBytes.get(head.shard())));
            }
        }
        heads = intent.heads();
        for (ShardHead head : heads) {
            publishedTo
                    .computeIfAbsent(LedgerOffset.incarnation(head.nextOffset()), incarnation -> new HashMap<>())
                    .put(head.shard(), head.nextOffset());
        }
        epochs = intent.epoch() + 1;
    }

    private static long time(EpochLeaf leaf) throws FatalDoubtException {
        try {
            return LogTime.parse(leaf.time(), "time");
        } catch (InvalidFormat e) {
            throw new IllegalStateException("an epoch leaf has a time", e);
        }
    }

    private void add(int shard, Growth growth) {
        shards.get(shard).growths.add(growth);
        shards.get(shard).sizeBytes += growth.sizeBytes();
        pending.merge(growth.epoch().number(), 1, Integer::sum);
    }

    /** The records behind an epoch's last leaf are in the pack of the next leaf. */
    private void retire(PackName pack, long loggedMillis) {
        ShardGrowth shard = shards.get(pack.shard());
        while (!shard.growths.isEmpty() && shard.growths.element().to() < pack.end()) {
            Growth done = shard.growths.remove();
            shard.sizeBytes -= done.sizeBytes();
            long epoch = done.epoch().number();
            if (pending.merge(epoch, -1, Integer::sum) == 0) {
                pending.remove(epoch);
                packedMillis.put(epoch, loggedMillis);
            }
        }
    }

    /** Where the shard's next pack ends at most if it is to be closed now; empty if not. */
    synchronized OptionalLong closesAt(int shard, Limits limits, long nowMillis) {
        ShardGrowth growth = shards.get(shard);
        long first = packs.end(shard);
        long whole = heads.get(shard).size().value() / TilePath.FULL_WIDTH * TilePath.FULL_WIDTH;
        if (whole <= first) {
            return OptionalLong.empty();
        }
        boolean full = whole - first >= limits.leavesMax() || growth.sizeBytes >= limits.sizeBytesMax();
        return full || nowMillis - growth.oldestMillis(first) >= limits.ageMillisMax()
                ? OptionalLong.of(Math.min(whole, first + limits.leavesMax()))
                : OptionalLong.empty();
    }

    /** The epochs that added records to the shard behind its last logged pack, oldest first; the first may begin before it. */
    synchronized List<Growth> growths(int shard) {
        return List.copyOf(shards.get(shard).growths);
    }

    /** The index behind the last leaf of the shard in a logged pack. */
    synchronized long packedTo(int shard) {
        return packs.end(shard);
    }

    /** The newest logged pack of the shard. */
    synchronized Optional<PackName> newestPack(int shard) {
        return packs.newest(shard);
    }

    /** Leaves of the shard that are published. */
    synchronized long size(int shard) {
        return heads.get(shard).size().value();
    }

    /** Whether what became of the record at this offset is published; not if a topic events that was lost had it alone. */
    synchronized boolean isPublished(int shard, long ledgerOffset) {
        return publishedTo
                        .getOrDefault(LedgerOffset.incarnation(ledgerOffset), Map.of())
                        .getOrDefault(shard, 0L)
                > ledgerOffset;
    }

    /** All logged packs of the shard, in the order of their leaves. */
    synchronized List<PackName> packs(int shard) {
        return List.copyOf(shards.get(shard).packs.values());
    }

    /** Leaves that are published and in no logged pack. */
    synchronized long leaves() {
        long leaves = 0;
        for (ShardHead head : heads) {
            leaves += head.size().value() - packs.end(head.shard());
        }
        return leaves;
    }

    /**
     * The logged packs that hold a shard's leaves from one index up to another.
     *
     * @throws NotPackedException unless all of them are in logged packs
     */
    synchronized Collection<PackName> packsOf(int shard, long from, long to) {
        TreeMap<Long, PackName> all = shards.get(shard).packs;
        Long first = all.floorKey(from);
        if (first == null || to > packs.end(shard)) {
            throw new NotPackedException("leaves " + from + " to " + to + " of shard " + shard + " are in no packs");
        }
        return List.copyOf(all.subMap(first, true, to, false).values());
    }

    long graceMillis() {
        return graceMillis;
    }

    /** Whether all records of this epoch have been in logged packs for longer than the grace. */
    synchronized boolean isPacked(long epoch, long nowMillis) {
        if (epoch >= epochs || pending.containsKey(epoch)) {
            return false;
        }
        Long since = packedMillis.get(epoch);
        return since == null || since <= nowMillis - graceMillis;
    }
}
