// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import java.io.IOException;

/** Gives the hashes of complete subtrees of one tree. */
@FunctionalInterface
public interface NodeReader {
    /**
     * Root of the complete subtree over the leaves [index·2^level, (index+1)·2^level).
     *
     * @throws IOException if it cannot be read; never a wrong or made-up hash
     */
    Hash node(int level, long index) throws IOException;
}
