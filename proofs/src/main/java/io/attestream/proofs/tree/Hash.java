// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tree;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import java.util.Arrays;
import java.util.HexFormat;

/** A SHA-256 hash: 32 bytes, immutable. */
public final class Hash {
    public static final int SIZE_BYTES = 32;

    private final byte[] bytes;

    private Hash(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Copies 32 bytes. */
    public static Hash of(byte[] bytes) {
        return of(bytes, 0, bytes.length);
    }

    /** Copies 32 bytes out of a larger array. */
    public static Hash of(byte[] bytes, int from) {
        return of(bytes, from, SIZE_BYTES);
    }

    private static Hash of(byte[] bytes, int from, int length) {
        if (length != SIZE_BYTES) {
            throw new IllegalArgumentException("a hash has 32 bytes, not " + length);
        }
        return new Hash(Arrays.copyOfRange(bytes, from, from + SIZE_BYTES));
    }

    /** Takes over the array: the caller must not keep it. */
    static Hash takeOver(byte[] bytes) {
        return new Hash(bytes);
    }

    public static Hash ofBase64(String text) throws InvalidFormat {
        return ofBase64(text, "hash");
    }

    /** @param field named in the error */
    public static Hash ofBase64(String text, String field) throws InvalidFormat {
        return new Hash(Base64Text.decode(text, SIZE_BYTES, field));
    }

    public static Hash ofHex(String text) throws InvalidFormat {
        try {
            return of(HexFormat.of().parseHex(text));
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat("hash", "must be 64 hexadecimal digits");
        }
    }

    /** A copy. */
    public byte[] bytes() {
        return bytes.clone();
    }

    public void copyTo(byte[] target, int offset) {
        System.arraycopy(bytes, 0, target, offset, SIZE_BYTES);
    }

    /** The array itself, for hashing only. */
    byte[] raw() {
        return bytes;
    }

    public String base64() {
        return Base64Text.encode(bytes);
    }

    public String hex() {
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Hash hash && Arrays.equals(bytes, hash.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** Base64, as notes and bundles write it. */
    @Override
    public String toString() {
        return base64();
    }
}
