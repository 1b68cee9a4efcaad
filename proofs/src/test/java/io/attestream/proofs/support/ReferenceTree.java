// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.support;

import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.NodeReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/**
 * The definitions of RFC 6962 section 2.1 written down as they stand there: recursive, slow, and sharing no code with what
 * they judge.
 */
public final class ReferenceTree {
    private final List<byte[]> entries;

    public ReferenceTree(List<byte[]> entries) {
        this.entries = List.copyOf(entries);
    }

    /** The tree over "leaf 0", "leaf 1" and so on. */
    public static ReferenceTree ofTexts(int size) {
        List<byte[]> entries = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            entries.add(("leaf " + i).getBytes(StandardCharsets.UTF_8));
        }
        return new ReferenceTree(entries);
    }

    public int size() {
        return entries.size();
    }

    public byte[] entry(int index) {
        return entries.get(index);
    }

    public Hash leafHash(int index) {
        return leaf(entries.get(index));
    }

    /** MTH(D[0:size]). */
    public Hash root(int size) {
        return mth(0, size);
    }

    /** PATH(index, D[0:size]). */
    public List<Hash> path(int index, int size) {
        List<Hash> path = new ArrayList<>();
        path(index, 0, size, path);
        return path;
    }

    /** PROOF(first, D[0:second]). */
    public List<Hash> proof(int first, int second) {
        List<Hash> proof = new ArrayList<>();
        subproof(first, 0, second, true, proof);
        return proof;
    }

    /** Complete subtrees of the whole tree. */
    public NodeReader nodes() {
        return (level, index) -> {
            long from = index << level;
            long to = from + (1L << level);
            if (level > 30 || to > entries.size()) {
                throw new AssertionError("asked for node " + index + " at level " + level + " of " + entries.size());
            }
            return mth((int) from, (int) to);
        };
    }

    private Hash mth(int from, int to) {
        int n = to - from;
        if (n == 0) {
            return Hash.of(sha256());
        }
        if (n == 1) {
            return leaf(entries.get(from));
        }
        int k = split(n);
        return node(mth(from, from + k), mth(from + k, to));
    }

    private void path(int m, int from, int to, List<Hash> path) {
        int n = to - from;
        if (n == 1) {
            return;
        }
        int k = split(n);
        if (m < k) {
            path(m, from, from + k, path);
            path.add(mth(from + k, to));
        } else {
            path(m - k, from + k, to, path);
            path.add(mth(from, from + k));
        }
    }

    private void subproof(int m, int from, int to, boolean whole, List<Hash> proof) {
        int n = to - from;
        if (m == n) {
            if (!whole) {
                proof.add(mth(from, to));
            }
            return;
        }
        int k = split(n);
        if (m <= k) {
            subproof(m, from, from + k, whole, proof);
            proof.add(mth(from + k, to));
        } else {
            subproof(m - k, from + k, to, false, proof);
            proof.add(mth(from, from + k));
        }
    }

    /** The largest power of two below n. */
    private static int split(int n) {
        int k = 1;
        while (2 * k < n) {
            k *= 2;
        }
        return k;
    }

    private static Hash leaf(byte[] entry) {
        return Hash.of(sha256(new byte[] {0}, entry));
    }

    private static Hash node(Hash left, Hash right) {
        return Hash.of(sha256(new byte[] {1}, left.bytes(), right.bytes()));
    }

    private static byte[] sha256(byte[]... parts) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                sha256.update(part);
            }
            return sha256.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
