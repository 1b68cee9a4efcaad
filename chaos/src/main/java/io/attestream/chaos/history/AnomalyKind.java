// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import java.util.Locale;

/**
 * What a history must not show. "Before" is real time: the one had ended when the other began; of what ran at the same time nothing is
 * said.
 *
 * <p>The names follow Jepsen's workload for Kafka ({@code jepsen.tests.kafka}) where it has them: {@code lost-write}, {@code duplicate},
 * {@code G1a} (aborted read), {@code inconsistent-offsets}, {@code nonmonotonic-send}, {@code nonmonotonic-poll}, {@code poll-skip},
 * {@code precommitted-read}. A ledger has more to hold: its order is signed, its roots are kept by others, and nothing may be in it
 * that nobody sent.
 *
 * <p><em>The tree</em> below is what the last {@link Operation.ReadAll} found that ended well.
 */
public enum AnomalyKind {
    /** There is no complete read of all leaves: nothing can be said of the rest. */
    UNREAD("no read of all leaves ended well, so nothing could be looked for"),
    /**
     * Jepsen's {@code lost-write}. An append was acknowledged before the read of the tree began, and the tree has neither an event leaf
     * of this identity and content nor, for each such acknowledgement, a conflict leaf; or its receipt says that it was rejected, or
     * lost. What a receipt says to be lost with a topic whose incarnation has since been replaced counts as unknown instead, if
     * such a {@linkplain Tolerated#LOSS loss} is tolerated.
     */
    LOST("an acknowledged event has no leaf"),
    /**
     * An event was acknowledged when the read of the tree had begun, so nobody looked for it; unless that is {@linkplain Tolerated#LATE
     * tolerated}. A read that fails at the end leaves an earlier one to count, and all that came after it unjudged.
     */
    UNJUDGED("an event was acknowledged too late to be looked for"),
    /**
     * Of an event that was acknowledged before the read of the tree began, its receipt is pending for ever: so it was the last time
     * somebody asked, and was never anything else, or it is again though the tree was being read.
     */
    UNRESOLVED("a receipt is pending for ever"),
    /**
     * Jepsen's {@code duplicate}. One identity has two event leaves in different shards, or in one and less than the dedup window
     * apart; or more conflict leaves of one content than times it was sent. Holds for unknown appends too: those are in the tree once
     * or not at all.
     */
    DUPLICATED("an event is in the tree more than once"),
    /** A conflict leaf in whose window before it there is no event leaf with the same identity and other content. */
    FALSE_CONFLICT("a conflict leaf contradicts no event before it"),
    /** Jepsen's {@code G1a}. The tree has content all of whose appends were definitely refused. */
    ABORTED_READ("an event that was refused is in the tree"),
    /** A leaf with an identity or a content that nobody sent before the read of the tree ended. Control leaves are nobody's. */
    PHANTOM("a leaf nobody sent"),
    /**
     * Jepsen's {@code precommitted-read}. A leaf that was read by a receipt, or a size that was read by a checkpoint, before the read of
     * the tree began, is not in the tree: what was shown had not been committed, or is gone.
     */
    DIRTY_READ("what was read before is not in the tree"),
    /** A root that was read is not the root of the first leaves of the tree, as many as its size says (RFC 6962). */
    WRONG_ROOT("a root that was read is not that of the leaves"),
    /** The indexes of a shard are not 0, 1, 2 … to the size of its head. */
    INDEX_GAP("an index of a shard has no leaf"),
    /** Jepsen's {@code inconsistent-offsets}. The tree has two leaves at one index of a shard. */
    TWO_LEAVES("two leaves at one index"),
    /**
     * Jepsen's {@code nonmonotonic-send}, over all clients: of two events of a shard, one was acknowledged before the other was first
     * sent by anybody, and has the larger leaf index. An acknowledged record has its offset, so this holds between clients too. Content
     * with more than one leaf is left out.
     */
    REORDERED("an event is before one that was acknowledged before it was sent"),
    /**
     * A leaf is in another shard than the record it says it is of, or than that with which an event of its identity was acknowledged;
     * or one identity was acknowledged in two. An identity belongs to one shard, for ever.
     */
    MISPLACED("a leaf is in another shard than its record"),
    /**
     * Of the leaves of a shard one is of a record that is not behind that of the leaf before it, by incarnation and offset. Only
     * records that are a duplicate or rejected have no leaf.
     */
    DISORDERED("leaves are in another order than their records"),
    /** Two roots were read of one size, of a shard or of the ledger log. */
    FORKED("two roots of one size"),
    /**
     * Jepsen's {@code nonmonotonic-poll}. A checkpoint was read after another read of it, by any client, had ended, and is smaller; of a
     * shard or of the ledger log.
     */
    SHRUNK("a checkpoint is smaller than one read before"),
    /** Of two checkpoints of the ledger log the larger has the earlier time. */
    TIME_WENT_BACK("a larger checkpoint has an earlier time"),
    /** The client could not verify what it was given: a receipt's proof or a checkpoint. */
    UNVERIFIED("a proof does not verify"),
    /**
     * A receipt resolved to a leaf of another shard, of another identity or content than the event that was acknowledged with it, of
     * another kind than it says, or elsewhere than at the index of the acknowledgement or of an earlier read; or to another outcome than
     * before, but for pending; or a leaf says that it was made of the record of another receipt than that of its event, or of one that
     * is said to be lost.
     */
    MISRESOLVED("a receipt leads to another leaf than it should"),
    /** One content was said to be at two event leaves that cannot both be its own: less than the dedup window apart. */
    ANSWERED_TWICE("one event was said to be at two places"),
    /** Jepsen's {@code inconsistent-offsets}. One receipt was given for two different events. */
    ONE_RECEIPT_TWICE("one receipt was given for two events");

    private final String what;

    AnomalyKind(String what) {
        this.what = what;
    }

    /** As verdicts name it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** One line for people. */
    public String what() {
        return what;
    }
}
