// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import io.attestream.proofs.tree.TreeSize;

/** What one look at a ledger found. */
public sealed interface MonitorResult {
    /**
     * Everything that was looked at was verified: all that is published, or as many epochs as one look takes.
     *
     * @param size of the ledger log: the number of verified epochs
     * @param newEpochs how many of them this look added
     */
    record Ok(TreeSize size, long newEpochs) implements MonitorResult {}

    /**
     * Nothing wrong was seen, but not everything could be verified: the source did not answer, or knows less than was seen
     * before.
     *
     * @param size of the ledger log up to which all is verified
     */
    record Behind(TreeSize size, String reason) implements MonitorResult {}

    /** The ledger broke a promise, or showed something that cannot be a ledger's. Nothing of it was taken over. */
    record Violation(ViolationKind kind, String detail) implements MonitorResult {}

    /** Which promise was broken. */
    enum ViolationKind {
        /** Something is not in the format it must have. */
        MALFORMED,
        /** A note is not signed by the ledger's keys at its epoch, or is of another origin. */
        NOT_SIGNED,
        /** The history of the ledger's keys is not what the ledger logged, or does not go on from what was seen. */
        KEYS_FORKED,
        /** Two signed checkpoints of the ledger log do not belong to one log. */
        LEDGER_FORKED,
        /** An epoch's heads are not the ones its epoch leaf commits to, or the leaf names another epoch. */
        EPOCH_MISMATCH,
        /** A shard got smaller, or its input position went back. */
        SHARD_SHRANK,
        /** A shard's new head was not shown to extend its last one. */
        SHARD_FORKED
    }
}
