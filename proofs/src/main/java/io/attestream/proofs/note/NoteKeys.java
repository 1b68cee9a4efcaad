// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;

/** What signers and verifiers share: key names, key ids, and raw Ed25519 keys to and from the platform's. */
final class NoteKeys {
    static final byte TYPE_ED25519 = 0x01;
    static final byte TYPE_COSIGNATURE = 0x04;
    static final int KEY_SIZE_BYTES = 32;
    private static final int MAX_NAME_SIZE_BYTES = 255;

    /** DER before a raw Ed25519 public key (RFC 8410). */
    private static final byte[] SPKI_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");
    /** DER before a raw Ed25519 seed (RFC 8410). */
    private static final byte[] PKCS8_PREFIX = HexFormat.of().parseHex("302e020100300506032b657004220420");

    private NoteKeys() {}

    /** What signed-note v1.0.0 calls a key name: not empty, no Unicode space, no plus; a note has no control characters. */
    static boolean isKeyName(String name) {
        return !name.isEmpty()
                && name.indexOf('+') < 0
                && name.codePoints().noneMatch(c -> c < 0x20 || isSpace(c) || isSurrogate(c));
    }

    /** Unicode White_Space, as Go's unicode.IsSpace has it: not all of it is Java's whitespace. */
    private static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    private static boolean isSurrogate(int c) {
        return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    }

    static void requireKeyName(String name) {
        // Cosignatures write a name's length as one byte.
        if (!isKeyName(name) || name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_SIZE_BYTES) {
            throw new IllegalArgumentException(
                    "a key name has 1 to 255 bytes, no space, no control character and no '+': \"" + name + "\"");
        }
    }

    /** First four bytes of {@code SHA256(name || 0x0A || type || key)}, big-endian (signed-note v1.0.0). */
    static int keyId(String name, byte type, byte[] key) {
        MessageDigest sha256 = sha256();
        sha256.update(name.getBytes(StandardCharsets.UTF_8));
        sha256.update((byte) '\n');
        sha256.update(type);
        byte[] hash = sha256.digest(key);
        return getKeyId(hash);
    }

    static int getKeyId(byte[] bytes) {
        return (bytes[0] & 0xff) << 24 | (bytes[1] & 0xff) << 16 | (bytes[2] & 0xff) << 8 | (bytes[3] & 0xff);
    }

    static void putKeyId(int keyId, byte[] bytes) {
        bytes[0] = (byte) (keyId >>> 24);
        bytes[1] = (byte) (keyId >>> 16);
        bytes[2] = (byte) (keyId >>> 8);
        bytes[3] = (byte) keyId;
    }

    static String nameAndId(NoteVerifier key) {
        return key.keyName() + "+" + keyIdHex(key.keyId());
    }

    static String keyIdHex(int keyId) {
        return HexFormat.of().toHexDigits(keyId);
    }

    static PublicKey publicKey(byte[] raw) throws GeneralSecurityException {
        return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(concat(SPKI_PREFIX, raw)));
    }

    static PrivateKey privateKey(byte[] seed) throws GeneralSecurityException {
        return KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(concat(PKCS8_PREFIX, seed)));
    }

    static byte[] concat(byte[] first, byte[] second) {
        byte[] both = new byte[first.length + second.length];
        System.arraycopy(first, 0, both, 0, first.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
