// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

/**
 * What the sequencer claims in one record of topic {@code sealed}: up to 256 leaves and the head after them. Arrays are
 * not copied; nobody writes to them after construction.
 *
 * @param kinds one byte for each leaf
 * @param hashes 32 bytes for each leaf
 * @param identityDigests 16 bytes for each leaf
 */
record SealedDelta(
        int shard,
        int incarnation,
        int generation,
        long firstIndex,
        byte[] kinds,
        byte[] hashes,
        long[] offsets,
        long[] timestampsMillis,
        byte[] identityDigests,
        long size,
        byte[] root,
        long nextOffset) {
    static final int LEAVES_MAX = 256;

    int leaves() {
        return kinds.length;
    }
}
