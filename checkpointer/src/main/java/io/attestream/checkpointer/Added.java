// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.checkpointer.Decision.WithoutLeaf;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayList;
import java.util.List;

/**
 * What one epoch adds to one shard: every record between two heads.
 *
 * @param first size of the shard before it
 * @param leaves in the order of their indexes, from {@code first} on
 * @param withoutLeaf all other records, in the order of their offsets
 */
record Added(long first, List<Leaf> leaves, List<WithoutLeaf> withoutLeaf) {
    /** Objects of a decision without a leaf, or of a head, roughly. */
    static final int SMALL_OBJECT_BYTES = 160;

    /**
     * Out of all records between two heads.
     *
     * @param size of the shard behind them
     */
    static Added of(List<Decision> decisions, TreeSize size) {
        List<Leaf> leaves = new ArrayList<>();
        List<WithoutLeaf> others = new ArrayList<>();
        for (Decision decision : decisions) {
            if (decision instanceof Leaf leaf) {
                leaves.add(leaf);
            } else {
                others.add((WithoutLeaf) decision);
            }
        }
        return new Added(size.value() - leaves.size(), leaves, others);
    }

    boolean isEmpty() {
        return leaves.isEmpty() && withoutLeaf.isEmpty();
    }

    /** The shard's size behind it. */
    long size() {
        return first + leaves.size();
    }

    /** In memory, roughly. */
    long sizeBytes() {
        return leaves.stream().mapToLong(Leaf::sizeBytes).sum() + (long) SMALL_OBJECT_BYTES * withoutLeaf.size();
    }
}
