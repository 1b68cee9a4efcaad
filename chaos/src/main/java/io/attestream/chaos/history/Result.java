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
     * @param flaw what of its proof did not verify; empty if all of it did
     */
    record Resolved(Outcome outcome, Optional<Leaf> leaf, String flaw) implements Result {
        /** @throws IllegalArgumentException if a leaf is missing, or one is there that cannot be */
        public Resolved {
            if (leaf.isPresent() != outcome.hasLeaf()) {
                throw new IllegalArgumentException(
                        outcome.word() + (leaf.isPresent() ? " has no leaf" : " has a leaf"));
            }
        }

        /** Whose proof verified. */
        public static Resolved verified(Outcome outcome, Leaf leaf) {
            return new Resolved(outcome, Optional.of(leaf), "");
        }

        /** One without a leaf. */
        public static Resolved without(Outcome outcome) {
            return new Resolved(outcome, Optional.empty(), "");
        }
    }

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
     * @param flaw what did not verify (signature, consistency, path); empty if all did
     */
    record Heads(int incarnation, Optional<TreeHead> log, OptionalLong timeMillis, List<ShardHead> shards, String flaw)
            implements Result {
        public Heads {
            shards = List.copyOf(shards);
        }
    }
}
