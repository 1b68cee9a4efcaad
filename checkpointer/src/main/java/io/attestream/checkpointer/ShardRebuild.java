// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One shard's tree, built again and compared with its published heads as it grows. Not thread-safe. */
final class ShardRebuild {
    private final int shard;
    private final ShardDecider decider;
    private final List<ShardHead> published;
    private final Rebuild.Listener listener;
    private final CompactRange range;
    /** Of the first record of this life of topic {@code events}. */
    private final long firstOffset;

    private final long firstLeaf;

    /** Published heads below this place were met. */
    private int met;

    private long position;
    private long withoutLeaf;

    /** The shard needs rules or schemas this version does not know. */
    static final class UndecidableException extends RuntimeException {
        UndecidableException(String message) {
            super(message);
        }
    }

    /** @param published distinct heads in the order of their epochs */
    ShardRebuild(int shard, ShardDecider decider, List<ShardHead> published, Rebuild.Listener listener) {
        this(shard, 1, CompactRange.empty(), decider, published, listener);
    }

    /**
     * @param incarnation of topic {@code events}
     * @param range of the tree it goes on from
     * @param published from the head of that tree on
     */
    ShardRebuild(
            int shard,
            int incarnation,
            CompactRange range,
            ShardDecider decider,
            List<ShardHead> published,
            Rebuild.Listener listener) {
        this.firstOffset = LedgerOffset.first(incarnation);
        this.position = firstOffset;
        this.range = range;
        this.firstLeaf = range.size().value();
        this.shard = shard;
        this.decider = decider;
        this.published = List.copyOf(published);
        this.listener = listener;
        meetHeads();
    }

    int shard() {
        return shard;
    }

    /** The input position of the last published head, where there is nothing more to compare; Kafka's. */
    long endOffset() {
        return Math.max(0, end() - firstOffset);
    }

    private long end() {
        return published.isEmpty() ? 0 : published.get(published.size() - 1).nextOffset();
    }

    /** All committed records below it were decided; Kafka's. */
    long position() {
        return position - firstOffset;
    }

    boolean isDone() {
        return met == published.size();
    }

    Rebuild.ShardTotal total() {
        return new Rebuild.ShardTotal(shard, range.size().value() - firstLeaf, withoutLeaf, met);
    }

    /** Takes the next committed record; those past the last published head are left out. */
    void accept(long offset, long timestampMillis, byte @Nullable [] value) {
        readTo(offset);
        if (isDone()) {
            return;
        }
        ShardDecider.Verdict verdict = decider.decide(firstOffset + offset, timestampMillis, value);
        if (verdict instanceof ShardDecider.Undecidable undecidable) {
            throw new UndecidableException("shard " + shard + " " + undecidable.reason());
        }
        if (((ShardDecider.Decided) verdict).decision() instanceof Leaf leaf) {
            range.append(leaf.leafHash(), 0);
            listener.leaf(shard, leaf.index(), leaf.entry());
        } else {
            withoutLeaf++;
        }
        readTo(offset + 1);
    }

    /** No committed record below this offset is left unread. */
    void readTo(long offset) {
        position = Math.max(position, firstOffset + Math.min(offset, endOffset()));
        meetHeads();
    }

    /** A head says: these leaves, and no other, come of all records below its position. */
    private void meetHeads() {
        while (!isDone() && published.get(met).nextOffset() <= position) {
            ShardHead head = published.get(met);
            if (!head.size().equals(range.size()) || !head.root().equals(range.root())) {
                throw new FatalDoubtException("shard " + shard + ": the head published at input offset "
                        + head.nextOffset() + " has size " + head.size() + " and root "
                        + head.root().base64() + ", the records below that offset give size " + range.size()
                        + " and root " + range.root().base64());
            }
            met++;
        }
    }
}
