// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.InvalidFormat;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * ML-DSA-44 (FIPS 204) as the platform has it, from Java 24 on, or else a provider somebody registered; and what C2SP
 * tlog-cosignature has it sign.
 */
final class MlDsaKeys {
    static final byte TYPE = 0x06;
    static final int KEY_SIZE_BYTES = 1_312;
    static final int SEED_SIZE_BYTES = 32;
    static final int TIMESTAMP_SIZE_BYTES = 8;
    static final int SIGNATURE_SIZE_BYTES = 2_420;

    private static final String ALGORITHM = "ML-DSA-44";
    private static final byte[] LABEL = "subtree/v1\n\0".getBytes(StandardCharsets.US_ASCII);
    /** Names and origins are preceded by their length in one byte. */
    private static final int MAX_NAME_SIZE_BYTES = 255;

    /** DER before a raw public key (RFC 9881). */
    private static final byte[] SPKI_PREFIX = HexFormat.of().parseHex("30820532300b06096086480165030403110382052100");

    private MlDsaKeys() {}

    static boolean isSupported() {
        try {
            Signature.getInstance(ALGORITHM);
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    static PublicKey publicKey(byte[] raw) throws GeneralSecurityException {
        return KeyFactory.getInstance(ALGORITHM)
                .generatePublic(new X509EncodedKeySpec(NoteKeys.concat(SPKI_PREFIX, raw)));
    }

    /** The pair that FIPS 204 derives from a seed. */
    static KeyPair keyPair(byte[] seed) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(ALGORITHM);
        generator.initialize(new NamedParameterSpec(ALGORITHM), new FixedRandom(seed));
        return generator.generateKeyPair();
    }

    static byte[] raw(PublicKey key) {
        byte[] spki = key.getEncoded();
        return Arrays.copyOfRange(spki, spki.length - KEY_SIZE_BYTES, spki.length);
    }

    /** The deterministic variant: whoever signs the same again gives the same bytes. */
    static byte[] sign(byte[] message, PrivateKey key) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(ALGORITHM);
        signature.initSign(key, new FixedRandom(new byte[SEED_SIZE_BYTES]));
        signature.update(message);
        return signature.sign();
    }

    static boolean verify(byte[] message, byte[] signed, PublicKey key) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initVerify(key);
            signature.update(message);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /**
     * What a cosigner signs of a checkpoint.
     *
     * @param timestampSeconds POSIX seconds, 0 for a log's own
     * @throws InvalidFormat if it is no checkpoint, has extension lines, which are not signed, or a name is too long
     */
    static byte[] message(String cosigner, long timestampSeconds, String text) throws InvalidFormat {
        Checkpoint checkpoint = Checkpoint.parse(text);
        if (!checkpoint.extensions().isEmpty()) {
            throw new InvalidFormat("checkpoint", "has extension lines, which ML-DSA-44 does not sign");
        }
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        message.writeBytes(LABEL);
        putName(message, cosigner, "key name");
        message.writeBytes(number(timestampSeconds));
        putName(message, checkpoint.origin(), "origin");
        message.writeBytes(number(0));
        message.writeBytes(number(checkpoint.size().value()));
        message.writeBytes(checkpoint.root().bytes());
        return message.toByteArray();
    }

    private static byte[] number(long value) {
        return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
    }

    private static void putName(ByteArrayOutputStream message, String name, String field) throws InvalidFormat {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MAX_NAME_SIZE_BYTES) {
            throw new InvalidFormat(field, "must be at most 255 bytes, is " + bytes.length);
        }
        message.write(bytes.length);
        message.writeBytes(bytes);
    }

    /** Exactly these bytes. */
    private static final class FixedRandom extends SecureRandom {
        private static final long serialVersionUID = 1L;
        private final byte[] bytes;

        FixedRandom(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        public void nextBytes(byte[] target) {
            if (target.length != bytes.length) {
                throw new IllegalStateException("asked for " + target.length + " bytes, have " + bytes.length);
            }
            System.arraycopy(bytes, 0, target, 0, bytes.length);
        }
    }
}
