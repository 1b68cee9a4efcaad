// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.ledger.ShardHead;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Everything about one epoch that is fixed before it is signed. Once it is committed, this epoch never has another
 * content, whoever signs it.
 *
 * @param epochLeaf the exact bytes of the ledger log's leaf
 * @param heads of all shards, in shard order
 * @param noteText the exact checkpoint text to be signed
 * @param segment name of the object with the epoch's entries
 * @param payloads name of the object with the epoch's payloads
 */
record EpochIntent(
        long epoch,
        byte[] epochLeaf,
        List<ShardHead> heads,
        String noteText,
        String segment,
        String payloads,
        int generation) {
    EpochIntent {
        heads = List.copyOf(heads);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EpochIntent that
                && epoch == that.epoch
                && Arrays.equals(epochLeaf, that.epochLeaf)
                && heads.equals(that.heads)
                && noteText.equals(that.noteText)
                && segment.equals(that.segment)
                && payloads.equals(that.payloads)
                && generation == that.generation;
    }

    @Override
    public int hashCode() {
        return Objects.hash(epoch, noteText);
    }

    @Override
    public String toString() {
        return "EpochIntent[epoch=" + epoch + ", heads=" + heads + ", segment=" + segment + ", generation=" + generation
                + "]";
    }
}
