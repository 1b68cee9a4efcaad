// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * A published epoch. Immutable for ever; arrays are not copied and not to be written to.
 *
 * @param leaf exact bytes of the ledger leaf
 * @param heads exact bytes of the shard heads, in shard order
 * @param note the signed checkpoint
 * @param segment name of the object with the entries this epoch added
 * @param payloads name of the object with their payloads
 */
public record Epoch(long number, byte[] leaf, List<byte[]> heads, String note, String segment, String payloads) {
    public Epoch {
        heads = List.copyOf(heads);
    }

    ShardHead head(int shard) throws InvalidFormat {
        return ShardHead.parse(heads.get(shard));
    }

    /** From the shard's head to the vector root. */
    List<Hash> vectorPath(int shard) {
        try {
            return Proofs.inclusion(new LeafIndex(shard), new TreeSize(heads.size()), this::vectorNode);
        } catch (IOException e) {
            throw new UncheckedIOException("heads are in memory", e);
        }
    }

    private Hash vectorNode(int level, long index) {
        return level == 0
                ? Rfc6962.leafHash(heads.get((int) index))
                : Rfc6962.nodeHash(vectorNode(level - 1, 2 * index), vectorNode(level - 1, 2 * index + 1));
    }

    /** Heap this takes, roughly. */
    int sizeBytes() {
        return leaf.length
                + note.length()
                + heads.stream().mapToInt(head -> head.length).sum()
                + 256;
    }
}
