// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import java.util.List;

/** Makes the bytes of the next epoch from verified heads: epoch leaf, and the checkpoint of the ledger log with it appended. */
final class EpochAssembler {
    private final Ledger ledger;

    EpochAssembler(Ledger ledger) {
        this.ledger = ledger;
    }

    /** One epoch before it has a place in the archive. */
    record Epoch(long number, byte[] leaf, List<ShardHead> heads, String noteText, Backlog.Content content) {}

    /**
     * The epoch after those in {@code ledgerRange}.
     *
     * @param logged objects whose digests it logs
     * @param timeMillis wall clock; recorded only; nothing depends on it
     */
    Epoch assemble(CompactRange ledgerRange, Backlog.Content content, List<EpochLeaf.Logged> logged, long timeMillis) {
        long number = ledgerRange.size().value();
        List<ShardHead> heads = content.shardHeads();
        EpochLeaf leaf = new EpochLeaf(
                number, LogTime.format(timeMillis), content.counts().asMap(), logged, ShardHead.vectorRoot(heads));
        byte[] bytes = leaf.encode();
        CompactRange extended = ledgerRange.copy();
        extended.append(Rfc6962.leafHash(bytes));
        String noteText = new Checkpoint(ledger.origin(), extended.size(), extended.root()).text();
        return new Epoch(number, bytes, heads, noteText, content);
    }
}
