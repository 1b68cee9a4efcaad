// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.envelope;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.DataDigest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Salt and payload under AES-256-GCM (docs/entry-format.md, "Encrypted payload"). What is authenticated beside them, digest,
 * content tag and key id, ties an envelope to its record: put beside another one, or altered, it does not open.
 *
 * <p>Nonces are random, so one key is good for 2^32 payloads (NIST SP 800-38D, 8.3). Thread-safe.
 */
public final class PayloadEnvelope {
    public static final int NONCE_SIZE_BYTES = 12;

    private static final byte[] CONTEXT = "attestream/payload/v1\n".getBytes(StandardCharsets.US_ASCII);
    private static final String ALGORITHM = "AES/GCM/NoPadding";
    private static final int TAG_SIZE_BITS = 128;
    /** Looking up the algorithm takes longer than encrypting a small payload. */
    private static final ThreadLocal<Cipher> CIPHER = ThreadLocal.withInitial(PayloadEnvelope::newCipher);

    private PayloadEnvelope() {}

    /**
     * @param dataDigest of the payload, as the entry has it
     * @param salt exactly 16 bytes
     */
    public static Payload.Encrypted seal(
            SubjectKey key, byte[] dataDigest, byte[] contentTag, byte[] salt, byte[] payload, SecureRandom random) {
        if (salt.length != DataDigest.SALT_SIZE_BYTES) {
            throw new IllegalArgumentException("a salt has 16 bytes, not " + salt.length);
        }
        byte[] nonce = new byte[NONCE_SIZE_BYTES];
        random.nextBytes(nonce);
        try {
            Cipher cipher = cipher(Cipher.ENCRYPT_MODE, key, nonce);
            cipher.updateAAD(associated(key.id(), dataDigest, contentTag));
            byte[] ciphertext = new byte[cipher.getOutputSize(salt.length + payload.length)];
            int at = cipher.update(salt, 0, salt.length, ciphertext);
            cipher.doFinal(payload, 0, payload.length, ciphertext, at);
            return new Payload.Encrypted(contentTag, key.id(), nonce, ciphertext);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-GCM", e);
        }
    }

    /** Of a payload of this size, with its salt. */
    public static long ciphertextSizeBytes(long payloadSizeBytes) {
        return DataDigest.SALT_SIZE_BYTES + payloadSizeBytes + TAG_SIZE_BITS / 8;
    }

    /**
     * @param dataDigest as the entry has it
     * @throws InvalidFormat unless it was sealed under this key for a record with this digest and tag
     */
    public static Payload.Plain open(SubjectKey key, Payload.Encrypted sealed, byte[] dataDigest) throws InvalidFormat {
        if (sealed.nonce().length != NONCE_SIZE_BYTES) {
            throw new InvalidFormat("nonce", "must be 12 bytes, is " + sealed.nonce().length);
        }
        if (sealed.ciphertext().length < DataDigest.SALT_SIZE_BYTES + TAG_SIZE_BITS / 8) {
            throw new InvalidFormat("ciphertext", "has no room for a salt");
        }
        try {
            Cipher cipher = cipher(Cipher.DECRYPT_MODE, key, sealed.nonce());
            cipher.updateAAD(associated(sealed.keyId(), dataDigest, sealed.contentTag()));
            byte[] opened = cipher.doFinal(sealed.ciphertext());
            return new Payload.Plain(
                    sealed.contentTag(),
                    Arrays.copyOf(opened, DataDigest.SALT_SIZE_BYTES),
                    Arrays.copyOfRange(opened, DataDigest.SALT_SIZE_BYTES, opened.length));
        } catch (AEADBadTagException e) {
            throw new InvalidFormat("ciphertext", "was not sealed under key " + sealed.keyId() + " for this record");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-GCM", e);
        }
    }

    private static byte[] associated(String keyId, byte[] dataDigest, byte[] contentTag) {
        if (dataDigest.length != DataDigest.SIZE_BYTES || contentTag.length != ContentTag.SIZE_BYTES) {
            throw new IllegalArgumentException("a digest has 32 bytes and a content tag 16, not " + dataDigest.length
                    + " and " + contentTag.length);
        }
        byte[] id = keyId.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(CONTEXT.length + dataDigest.length + contentTag.length + id.length)
                .put(CONTEXT)
                .put(dataDigest)
                .put(contentTag)
                .put(id)
                .array();
    }

    private static Cipher cipher(int mode, SubjectKey key, byte[] nonce) throws GeneralSecurityException {
        Cipher cipher = CIPHER.get();
        cipher.init(mode, new SecretKeySpec(key.secret(), "AES"), new GCMParameterSpec(TAG_SIZE_BITS, nonce));
        return cipher;
    }

    private static Cipher newCipher() {
        try {
            return Cipher.getInstance(ALGORITHM);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-GCM", e);
        }
    }
}
