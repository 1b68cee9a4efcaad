// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The hashes of RFC 6962 section 2.1: {@code SHA256(0x00 || entry)} for a leaf, {@code SHA256(0x01 || left || right)} for
 * a node. Thread-safe; the raw forms allocate nothing.
 */
public final class Rfc6962 {
    private static final byte LEAF_PREFIX = 0;
    private static final byte NODE_PREFIX = 1;
    private static final ThreadLocal<MessageDigest> SHA256 = ThreadLocal.withInitial(Rfc6962::newSha256);

    /** Root of the tree without leaves: {@code SHA256("")}. */
    public static final Hash EMPTY_ROOT = Hash.takeOver(newSha256().digest());

    private Rfc6962() {}

    public static Hash leafHash(byte[] entry) {
        byte[] out = new byte[Hash.SIZE_BYTES];
        leafHash(entry, 0, entry.length, out, 0);
        return Hash.takeOver(out);
    }

    public static Hash nodeHash(Hash left, Hash right) {
        byte[] out = new byte[Hash.SIZE_BYTES];
        nodeHash(left.raw(), 0, right.raw(), 0, out, 0);
        return Hash.takeOver(out);
    }

    /** Writes the leaf hash of {@code buffer[offset, offset+length)} to {@code out[outOffset, +32)}. */
    public static void leafHash(byte[] buffer, int offset, int length, byte[] out, int outOffset) {
        MessageDigest sha256 = SHA256.get();
        sha256.update(LEAF_PREFIX);
        sha256.update(buffer, offset, length);
        digestTo(sha256, out, outOffset);
    }

    /** Writes the node hash of two hashes to {@code out[outOffset, +32)}; out may be one of the inputs. */
    public static void nodeHash(byte[] left, int leftOffset, byte[] right, int rightOffset, byte[] out, int outOffset) {
        MessageDigest sha256 = SHA256.get();
        sha256.update(NODE_PREFIX);
        sha256.update(left, leftOffset, Hash.SIZE_BYTES);
        sha256.update(right, rightOffset, Hash.SIZE_BYTES);
        digestTo(sha256, out, outOffset);
    }

    private static void digestTo(MessageDigest sha256, byte[] out, int outOffset) {
        try {
            sha256.digest(out, outOffset, Hash.SIZE_BYTES);
        } catch (DigestException e) {
            throw new IllegalStateException(e);
        }
    }

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
