// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import java.util.ArrayList;
import java.util.List;

/**
 * The smallest state to which leaves can be appended: one hash for each set bit of the size, that is for each of the
 * largest complete subtrees the tree is made of, at most 64. Mutable and not thread-safe.
 */
public final class CompactRange {
    private static final int MAX_LEVELS = 64;

    /** Hash of the complete subtree with 2^level leaves, present iff that bit of the size is set. */
    private final byte[] hashes = new byte[MAX_LEVELS * Hash.SIZE_BYTES];

    /** What is being carried upwards; apart from the hashes, because the slot above may be taken. */
    private final byte[] carry = new byte[Hash.SIZE_BYTES];

    private long size;

    private CompactRange() {}

    public static CompactRange empty() {
        return new CompactRange();
    }

    /**
     * The range [0, size) from its hashes.
     *
     * @param hashes largest subtree first, as {@link #hashes()} gives them
     * @throws IllegalArgumentException if there are not exactly {@link #hashCount} of them
     */
    public static CompactRange of(TreeSize size, List<Hash> hashes) {
        if (hashes.size() != hashCount(size)) {
            throw new IllegalArgumentException(
                    "a compact range of size " + size + " has " + hashCount(size) + " hashes, not " + hashes.size());
        }
        CompactRange range = new CompactRange();
        range.size = size.value();
        int next = 0;
        for (int level = MAX_LEVELS - 1; level >= 0; level--) {
            if (range.has(level)) {
                hashes.get(next++).copyTo(range.hashes, level * Hash.SIZE_BYTES);
            }
        }
        return range;
    }

    /** How many hashes the range [0, size) has. */
    public static int hashCount(TreeSize size) {
        return Long.bitCount(size.value());
    }

    public void append(Hash leafHash) {
        append(leafHash.raw(), 0);
    }

    /** Appends the leaf hash at {@code raw[offset, +32)}. */
    public void append(byte[] raw, int offset) {
        appendSubtree(0, raw, offset);
    }

    /**
     * Appends the complete subtree of 2^level leaves with this root.
     *
     * @throws IllegalArgumentException if the level is not in 0..63, or the size not a multiple of 2^level
     */
    public void appendSubtree(int level, byte[] raw, int offset) {
        if (level < 0 || level >= MAX_LEVELS || (size & ((1L << level) - 1)) != 0) {
            throw new IllegalArgumentException("a subtree of level " + level + " cannot follow " + size() + " leaves");
        }
        if (size + (1L << level) == 0) {
            throw new IllegalStateException("the tree is full: 2^64 - 1 leaves");
        }
        int at = level;
        System.arraycopy(raw, offset, carry, 0, Hash.SIZE_BYTES);
        while (has(at)) {
            Rfc6962.nodeHash(hashes, at * Hash.SIZE_BYTES, carry, 0, carry, 0);
            at++;
        }
        System.arraycopy(carry, 0, hashes, at * Hash.SIZE_BYTES, Hash.SIZE_BYTES);
        size += 1L << level;
    }

    public TreeSize size() {
        return new TreeSize(size);
    }

    /** The RFC 6962 root; {@link Rfc6962#EMPTY_ROOT} without leaves. */
    public Hash root() {
        if (size == 0) {
            return Rfc6962.EMPTY_ROOT;
        }
        int level = Long.numberOfTrailingZeros(size);
        byte[] root = new byte[Hash.SIZE_BYTES];
        System.arraycopy(hashes, level * Hash.SIZE_BYTES, root, 0, Hash.SIZE_BYTES);
        for (level++; level < MAX_LEVELS; level++) {
            if (has(level)) {
                Rfc6962.nodeHash(hashes, level * Hash.SIZE_BYTES, root, 0, root, 0);
            }
        }
        return Hash.takeOver(root);
    }

    /** One hash for each set bit of the size, largest subtree first. */
    public List<Hash> hashes() {
        List<Hash> list = new ArrayList<>(Long.bitCount(size));
        for (int level = MAX_LEVELS - 1; level >= 0; level--) {
            if (has(level)) {
                list.add(Hash.of(hashes, level * Hash.SIZE_BYTES));
            }
        }
        return List.copyOf(list);
    }

    public CompactRange copy() {
        CompactRange copy = new CompactRange();
        System.arraycopy(hashes, 0, copy.hashes, 0, hashes.length);
        copy.size = size;
        return copy;
    }

    private boolean has(int level) {
        return (size >>> level & 1) == 1;
    }
}
