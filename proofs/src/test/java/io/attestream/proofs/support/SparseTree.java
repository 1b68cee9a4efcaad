// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.support;

import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.NodeReader;
import io.attestream.proofs.tree.Rfc6962;

/** A tree of any size whose leaves are all alike but one, so that nodes of a tree of 2^64 leaves can be computed. */
public final class SparseTree implements NodeReader {
    private final long index;
    private final Hash special;
    private final Hash[] ordinary = new Hash[64];

    /** @param index unsigned, of the leaf with this entry */
    public SparseTree(long index, byte[] entry) {
        this.index = index;
        this.special = Rfc6962.leafHash(entry);
        ordinary[0] = Rfc6962.leafHash(new byte[0]);
        for (int level = 1; level < 64; level++) {
            ordinary[level] = Rfc6962.nodeHash(ordinary[level - 1], ordinary[level - 1]);
        }
    }

    /** Hash of the one leaf. */
    public Hash special() {
        return special;
    }

    /** Hash of every other leaf. */
    public Hash ordinary() {
        return ordinary[0];
    }

    @Override
    public Hash node(int level, long number) {
        Hash hash = special;
        if (index >>> level != number) {
            return ordinary[level];
        }
        for (int at = 0; at < level; at++) {
            boolean right = (index >>> at & 1) == 1;
            hash = right ? Rfc6962.nodeHash(ordinary[at], hash) : Rfc6962.nodeHash(hash, ordinary[at]);
        }
        return hash;
    }
}
