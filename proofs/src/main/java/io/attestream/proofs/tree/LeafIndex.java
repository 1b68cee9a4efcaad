// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import io.attestream.proofs.Decimal;
import io.attestream.proofs.InvalidFormat;

/**
 * Rank of an entry in its tree, from 0. Never a Kafka offset.
 *
 * @param value unsigned 64-bit
 */
public record LeafIndex(long value) implements Comparable<LeafIndex> {
    /** Reads an unsigned decimal without leading zeros. */
    public static LeafIndex parse(String text) throws InvalidFormat {
        return new LeafIndex(Decimal.parseUnsigned(text, "index"));
    }

    @Override
    public int compareTo(LeafIndex other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(value);
    }
}
