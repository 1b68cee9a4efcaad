// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.util.Arrays;

/**
 * An Ed25519 signing key of a note (type 0x01). Thread-safe. Its secret is in {@link #skey()} only, never in
 * {@link #toString()}.
 */
public final class NoteSigner {
    private static final String SKEY_PREFIX = "PRIVATE+KEY+";

    private final byte[] seed;
    private final PrivateKey privateKey;
    private final NoteVerifier verifier;

    private NoteSigner(String keyName, byte[] seed) {
        this.seed = seed;
        try {
            this.privateKey = NoteKeys.privateKey(seed);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform from 15 on has Ed25519", e);
        }
        this.verifier = NoteVerifier.ed25519(keyName, publicKeyOf(seed));
        requireOwnSignatureVerifies();
    }

    /** A new key from 32 bytes of the source of randomness. */
    public static NoteSigner generate(String keyName, SecureRandom random) {
        NoteKeys.requireKeyName(keyName);
        byte[] seed = new byte[NoteKeys.KEY_SIZE_BYTES];
        random.nextBytes(seed);
        return new NoteSigner(keyName, seed);
    }

    /**
     * Reads Go's form {@code PRIVATE+KEY+name+hex8(keyId)+base64(0x01 || seed)}.
     *
     * @throws InvalidFormat never containing any part of the key
     */
    public static NoteSigner parse(String skey) throws InvalidFormat {
        if (!skey.startsWith(SKEY_PREFIX)) {
            throw new InvalidFormat("signing key", "must begin with PRIVATE+KEY+");
        }
        String[] parts = skey.substring(SKEY_PREFIX.length()).split("\\+", 3);
        if (parts.length != 3 || !NoteKeys.isKeyName(parts[0])) {
            throw new InvalidFormat("signing key", "must be PRIVATE+KEY+name+keyid+key");
        }
        byte[] typeAndSeed = Base64Text.decode(parts[2], 1 + NoteKeys.KEY_SIZE_BYTES, "signing key");
        if (typeAndSeed[0] != NoteKeys.TYPE_ED25519) {
            throw new InvalidFormat("signing key", "must be of type 0x01 (Ed25519)");
        }
        NoteSigner signer = new NoteSigner(parts[0], Arrays.copyOfRange(typeAndSeed, 1, typeAndSeed.length));
        if (!NoteKeys.keyIdHex(signer.verifier.keyId()).equals(parts[1])) {
            throw new InvalidFormat("signing key", "has a key id that is not its key's");
        }
        return signer;
    }

    /** The same key under another name. */
    public NoteSigner withName(String name) {
        NoteKeys.requireKeyName(name);
        return new NoteSigner(name, seed);
    }

    public String keyName() {
        return verifier.keyName();
    }

    public NoteVerifier verifier() {
        return verifier;
    }

    /** The secret, in Go's form. */
    public String skey() {
        byte[] typeAndSeed = NoteKeys.concat(new byte[] {NoteKeys.TYPE_ED25519}, seed);
        return SKEY_PREFIX + keyName() + "+" + NoteKeys.keyIdHex(verifier.keyId()) + "+"
                + Base64Text.encode(typeAndSeed);
    }

    /** Signs a note text, which must be one ({@link SignedNote#requireText}). */
    public NoteSignature sign(String text) {
        SignedNote.requireText(text);
        return new NoteSignature(keyName(), verifier.keyId(), signBytes(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** The 64-byte Ed25519 signature over these bytes. Callers separate domains by a prefix no note text begins with. */
    public byte[] signBytes(byte[] message) {
        try {
            Signature ed25519 = Signature.getInstance("Ed25519");
            ed25519.initSign(privateKey);
            ed25519.update(message);
            return ed25519.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Fails closed should a platform not derive the public key from the seed as RFC 8032 does. */
    private void requireOwnSignatureVerifies() {
        byte[] message = keyName().getBytes(StandardCharsets.UTF_8);
        if (!verifier.verifyBytes(message, signBytes(message))) {
            throw new IllegalStateException("this Java platform gives another public key for an Ed25519 seed");
        }
    }

    private static byte[] publicKeyOf(byte[] seed) {
        try {
            // The platform derives the public key when a key pair is generated from exactly this randomness.
            KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
            generator.initialize(255, new FixedRandom(seed));
            PublicKey key = generator.generateKeyPair().getPublic();
            byte[] spki = key.getEncoded();
            return Arrays.copyOfRange(spki, spki.length - NoteKeys.KEY_SIZE_BYTES, spki.length);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The key id and name; never the secret. */
    @Override
    public String toString() {
        return "signer of " + verifier.vkey();
    }

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
