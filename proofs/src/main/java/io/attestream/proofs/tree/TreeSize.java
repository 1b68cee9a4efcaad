// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import io.attestream.proofs.Decimal;
import io.attestream.proofs.InvalidFormat;

/**
 * Number of leaves of a tree.
 *
 * @param value unsigned 64-bit
 */
public record TreeSize(long value) implements Comparable<TreeSize> {
    public static final TreeSize ZERO = new TreeSize(0);

    /** Reads an unsigned decimal without leading zeros. */
    public static TreeSize parse(String text) throws InvalidFormat {
        return new TreeSize(Decimal.parseUnsigned(text, "size"));
    }

    public boolean isEmpty() {
        return value == 0;
    }

    /** Whether a leaf with this index is in a tree of this size. */
    public boolean contains(LeafIndex index) {
        return Long.compareUnsigned(index.value(), value) < 0;
    }

    @Override
    public int compareTo(TreeSize other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(value);
    }
}
