// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Inclusion and consistency proofs of RFC 6962 section 2.1, over unsigned 64-bit indexes and sizes. Verification is the
 * iterative form of RFC 9162 section 2.1.3 and 2.1.4 and never recurses on input.
 */
public final class Proofs {
    private Proofs() {}

    /**
     * The audit path of a leaf: sibling first, child of the root last.
     *
     * @throws IllegalArgumentException if the index is not below the size
     */
    public static List<Hash> inclusion(LeafIndex index, TreeSize size, NodeReader nodes) throws IOException {
        if (!size.contains(index)) {
            throw new IllegalArgumentException("index " + index + " is not below size " + size);
        }
        List<Hash> path = new ArrayList<>();
        long i = index.value();
        int inner = innerLength(i, size.value());
        for (int level = 0; level < inner; level++) {
            long sibling = (i >>> level) ^ 1;
            path.add(subtree(level, sibling, size.value(), nodes));
        }
        addLeftBorder(inner, i, path, nodes);
        return path;
    }

    /**
     * The consistency proof between two sizes of one tree; empty when they are equal or the first is 0.
     *
     * @throws IllegalArgumentException if first is above second
     */
    public static List<Hash> consistency(TreeSize first, TreeSize second, NodeReader nodes) throws IOException {
        if (first.compareTo(second) > 0) {
            throw new IllegalArgumentException("first size " + first + " is above second size " + second);
        }
        List<Hash> proof = new ArrayList<>();
        if (first.isEmpty() || first.equals(second)) {
            return proof;
        }
        long last = first.value() - 1;
        int inner = innerLength(last, second.value());
        int shift = Long.numberOfTrailingZeros(first.value());
        if (first.value() != 1L << shift) {
            // The seed: the smallest of the complete subtrees the first tree is made of.
            proof.add(nodes.node(shift, last >>> shift));
        }
        for (int level = shift; level < inner; level++) {
            proof.add(subtree(level, (last >>> level) ^ 1, second.value(), nodes));
        }
        addLeftBorder(inner, last, proof, nodes);
        return proof;
    }

    /** The root at a size. */
    public static Hash root(TreeSize size, NodeReader nodes) throws IOException {
        return size.isEmpty() ? Rfc6962.EMPTY_ROOT : range(0, size.value(), nodes);
    }

    /** Whether the path leads from the leaf hash at this index to this root. */
    public static boolean verifyInclusion(LeafIndex index, TreeSize size, Hash leafHash, List<Hash> path, Hash root) {
        return rootFromInclusion(index, size, leafHash, path)
                .filter(root::equals)
                .isPresent();
    }

    /** The root an audit path leads to; empty if the index is not below the size or the path has the wrong length. */
    public static Optional<Hash> rootFromInclusion(LeafIndex index, TreeSize size, Hash leafHash, List<Hash> path) {
        if (!size.contains(index)) {
            return Optional.empty();
        }
        long i = index.value();
        int inner = innerLength(i, size.value());
        int border = Long.bitCount(shiftRight(i, inner));
        if (path.size() != inner + border) {
            return Optional.empty();
        }
        Hash hash = chainInner(leafHash, path.subList(0, inner), i);
        return Optional.of(chainLeft(hash, path.subList(inner, path.size())));
    }

    /**
     * Whether the tree of size s2 and root r2 extends the one of size s1 and root r1. Size 0 as first is never proved:
     * nothing was claimed.
     */
    public static boolean verifyConsistency(TreeSize s1, TreeSize s2, List<Hash> proof, Hash r1, Hash r2) {
        if (s1.isEmpty() || s1.compareTo(s2) > 0) {
            return false;
        }
        if (s1.equals(s2)) {
            return proof.isEmpty() && r1.equals(r2);
        }
        if (proof.isEmpty()) {
            return false;
        }
        long last = s1.value() - 1;
        int shift = Long.numberOfTrailingZeros(s1.value());
        int inner = innerLength(last, s2.value());
        int border = Long.bitCount(shiftRight(last, inner));
        inner -= shift;
        boolean powerOfTwo = s1.value() == 1L << shift;
        int start = powerOfTwo ? 0 : 1;
        Hash seed = powerOfTwo ? r1 : proof.get(0);
        if (proof.size() != start + inner + border) {
            return false;
        }
        List<Hash> innerPath = proof.subList(start, start + inner);
        List<Hash> borderPath = proof.subList(start + inner, proof.size());
        long mask = last >>> shift;
        Hash old = chainLeft(chainInnerRight(seed, innerPath, mask), borderPath);
        Hash now = chainLeft(chainInner(seed, innerPath, mask), borderPath);
        return old.equals(r1) && now.equals(r2);
    }

    /** Levels below which the path of this index differs from the path of the last leaf. */
    private static int innerLength(long index, long size) {
        return 64 - Long.numberOfLeadingZeros(index ^ (size - 1));
    }

    private static long shiftRight(long value, int bits) {
        return bits == 64 ? 0 : value >>> bits;
    }

    private static void addLeftBorder(int fromLevel, long index, List<Hash> path, NodeReader nodes) throws IOException {
        for (int level = fromLevel; level < 64; level++) {
            long at = index >>> level;
            if ((at & 1) == 1) {
                path.add(nodes.node(level, at ^ 1));
            }
        }
    }

    /** The node at (level, index) of the tree of this size: a complete subtree, or the ragged one at the right edge. */
    private static Hash subtree(int level, long index, long size, NodeReader nodes) throws IOException {
        long begin = index << level;
        long end = begin + (1L << level);
        boolean complete = Long.compareUnsigned(end - 1, size - 1) <= 0 && Long.compareUnsigned(end - 1, begin) >= 0;
        return complete ? nodes.node(level, index) : range(begin, size, nodes);
    }

    /** Root over the leaves [begin, end), where begin is a multiple of a power of two not below end - begin. */
    private static Hash range(long begin, long end, NodeReader nodes) throws IOException {
        List<Hash> parts = new ArrayList<>();
        long at = begin;
        while (at != end) {
            int level = 63 - Long.numberOfLeadingZeros(end - at);
            parts.add(nodes.node(level, at >>> level));
            at += 1L << level;
        }
        Hash root = parts.get(parts.size() - 1);
        for (int i = parts.size() - 2; i >= 0; i--) {
            root = Rfc6962.nodeHash(parts.get(i), root);
        }
        return root;
    }

    private static Hash chainInner(Hash seed, List<Hash> path, long bits) {
        Hash hash = seed;
        for (int i = 0; i < path.size(); i++) {
            boolean right = (bits >>> i & 1) == 1;
            hash = right ? Rfc6962.nodeHash(path.get(i), hash) : Rfc6962.nodeHash(hash, path.get(i));
        }
        return hash;
    }

    private static Hash chainInnerRight(Hash seed, List<Hash> path, long bits) {
        Hash hash = seed;
        for (int i = 0; i < path.size(); i++) {
            if ((bits >>> i & 1) == 1) {
                hash = Rfc6962.nodeHash(path.get(i), hash);
            }
        }
        return hash;
    }

    private static Hash chainLeft(Hash seed, List<Hash> path) {
        Hash hash = seed;
        for (Hash sibling : path) {
            hash = Rfc6962.nodeHash(sibling, hash);
        }
        return hash;
    }
}
