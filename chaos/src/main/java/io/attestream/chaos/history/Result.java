// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.proofs.tree.Hash;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/** What a client was told. */
public sealed interface Result {
    /**
     * The event was acknowledged.
     *
     * @param leafIndex empty as long as the door does not know it
     */
    record Appended(Receipt receipt, OptionalLong leafIndex) implements Result {
        /** By a door that does not know the leaf yet. */
        public Appended(Receipt receipt) {
            this(receipt, OptionalLong.empty());
        }
    }

    /** What became of the record of a receipt. */
    enum Outcome {
        /** Not published yet. */
        PENDING,
        /** It is this event leaf. */
        LEAF,
        /** Equal content was there before: that leaf. */
        DUPLICATE,
        /** Other content was there before: it is this conflict leaf. */
        CONFLICT,
        /** It is no leaf and never will be. */
        REJECTED,
        /** It was lost with the topic it was in, and the ledger says so. */
        LOST;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        boolean hasLeaf() {
            return this == LEAF || this == DUPLICATE || this == CONFLICT;
        }
    }

    /**
     * What a receipt came to.
     *
     * @param leaf if and only if the outcome has one
     * @param proven where its proof leads; empty if it was not looked at, or does not verify
     * @param flaw what of its proof did not verify; empty if all of it did
     */
    record Resolved(Outcome outcome, Optional<Leaf> leaf, Optional<Proven> proven, String flaw) implements Result {
        /** @throws IllegalArgumentException if a leaf is missing, or one is there that cannot be */
        public Resolved {
            if (leaf.isPresent() != outcome.hasLeaf()) {
                throw new IllegalArgumentException(
                        outcome.word() + (leaf.isPresent() ? " has no leaf" : " has a leaf"));
            }
        }

        /** Whose proof verified. */
        public static Resolved verified(Outcome outcome, Leaf leaf, Proven proven) {
            return new Resolved(outcome, Optional.of(leaf), Optional.of(proven), "");
        }

        /** Whose proof did not. */
        public static Resolved flawed(Outcome outcome, Leaf leaf, String flaw) {
            return new Resolved(outcome, Optional.of(leaf), Optional.empty(), flaw);
        }

        /** One without a leaf. */
        public static Resolved without(Outcome outcome) {
            return new Resolved(outcome, Optional.empty(), Optional.empty(), "");
        }

        /** An answer that decides nothing, because it cannot be read. */
        public static Resolved unreadable(String flaw) {
            return new Resolved(Outcome.PENDING, Optional.empty(), Optional.empty(), flaw);
        }
    }

    /** The heads a proof leads through: that of the shard, and that of the ledger log, which is signed. */
    record Proven(ShardHead shard, TreeHead log) {}

    /**
     * A tree as a reader saw it.
     *
     * @param size in leaves
     */
    record TreeHead(long size, Hash root) {}

    /** The head of a shard. */
    record ShardHead(int shard, long size, Hash root) {}

    /**
     * A checkpoint, and the heads of shards it binds.
     *
     * @param incarnation of topic events
     * @param log head of the ledger log; empty if only shards were looked at
     * @param timeMillis of the newest epoch, since 1970; empty if the reader did not look
     * @param shards those that were looked at; in a {@link Operation.ReadAll} all there are
     * @param flaw what did not verify: the signature, that the ledger log ends with the epoch and has every root it was seen with,
     *     that the epoch binds these heads; empty if all did
     */
    record Heads(int incarnation, Optional<TreeHead> log, OptionalLong timeMillis, List<ShardHead> shards, String flaw)
            implements Result {
        public Heads {
            shards = List.copyOf(shards);
        }

        /** An answer of which nothing can be believed. */
        public static Heads unreadable(String flaw) {
            return new Heads(1, Optional.empty(), OptionalLong.empty(), List.of(), flaw);
        }
    }
}
