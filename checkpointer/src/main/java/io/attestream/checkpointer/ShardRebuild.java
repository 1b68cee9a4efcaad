// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** One shard's tree, built again and compared with its published heads as it grows. Not thread-safe. */
final class ShardRebuild {
    private final int shard;
    private final ShardDecider decider;
    /** Published heads that were not met yet. */
    private final Queue<ShardHead> expected = new ArrayDeque<>();

    private final Rebuild.Listener listener;
    private final CompactRange range;
    /** Of the first record of this life of topic {@code events}. */
    private final long firstOffset;

    private final long firstLeaf;

    private long met;
    /** Of the last published head. */
    private long end;

    private long position;
    private long withoutLeaf;

    /** The shard needs rules or schemas this version does not know. */
    static final class UndecidableException extends RuntimeException {
        UndecidableException(String message) {
            super(message);
        }
    }

    ShardRebuild(int shard, ShardDecider decider, Rebuild.Listener listener) {
        this(shard, 1, CompactRange.empty(), decider, listener);
    }

    /**
     * @param incarnation of topic {@code events}
     * @param range of the tree it goes on from
     */
    ShardRebuild(int shard, int incarnation, CompactRange range, ShardDecider decider, Rebuild.Listener listener) {
        this.firstOffset = LedgerOffset.first(incarnation);
        this.position = firstOffset;
        this.range = range;
        this.firstLeaf = range.size().value();
        this.shard = shard;
        this.decider = decider;
        this.listener = listener;
    }

    /** The next distinct published head, in the order of epochs; of a later incarnation from the head it goes on from on. */
    void expect(ShardHead head) {
        expected.add(head);
        end = head.nextOffset();
        meetHeads();
    }

    int shard() {
        return shard;
    }

    /** The input position of the last published head, where there is nothing more to compare; Kafka's. */
    long endOffset() {
        return Math.max(0, end - firstOffset);
    }

    /** All committed records below it were decided; Kafka's. */
    long position() {
        return position - firstOffset;
    }

    boolean isDone() {
        return expected.isEmpty();
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
        for (ShardHead head = expected.peek(); head != null && head.nextOffset() <= position; head = expected.peek()) {
            if (!head.size().equals(range.size()) || !head.root().equals(range.root())) {
                throw new FatalDoubtException("shard " + shard + ": the head published at input offset "
                        + head.nextOffset() + " has size " + head.size() + " and root "
                        + head.root().base64() + ", the records below that offset give size " + range.size()
                        + " and root " + range.root().base64());
            }
            expected.remove();
            met++;
        }
    }
}
