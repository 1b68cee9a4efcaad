// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.util.Arrays;

/**
 * An ML-DSA-44 signing key of checkpoints (type 0x06). Thread-safe. Its secret is in {@link #skey()} only, never in
 * {@link #toString()}.
 */
public final class MlDsaSigner {
    private static final String SKEY_PREFIX = "PRIVATE+KEY+";

    private final byte[] seed;
    private final PrivateKey privateKey;
    private final MlDsaVerifier verifier;

    private MlDsaSigner(String keyName, byte[] seed) {
        if (!MlDsaKeys.isSupported()) {
            throw new UnsupportedOperationException(
                    "this Java platform has no ML-DSA-44: use version 24 or newer, or register a provider");
        }
        this.seed = seed;
        try {
            KeyPair pair = MlDsaKeys.keyPair(seed);
            this.privateKey = pair.getPrivate();
            this.verifier = new MlDsaVerifier(keyName, MlDsaKeys.raw(pair.getPublic()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("ML-DSA-44 is there and makes no key", e);
        }
    }

    /**
     * A new key from 32 bytes of the source of randomness.
     *
     * @throws UnsupportedOperationException if there is no ML-DSA-44 here ({@link MlDsaVerifier#isSupported})
     */
    public static MlDsaSigner generate(String keyName, SecureRandom random) {
        NoteKeys.requireKeyName(keyName);
        byte[] seed = new byte[MlDsaKeys.SEED_SIZE_BYTES];
        random.nextBytes(seed);
        return new MlDsaSigner(keyName, seed);
    }

    /**
     * Reads {@code PRIVATE+KEY+name+hex8(keyId)+base64(0x06 || seed)}.
     *
     * @throws InvalidFormat never containing any part of the key
     * @throws UnsupportedOperationException if there is no ML-DSA-44 here ({@link MlDsaVerifier#isSupported})
     */
    public static MlDsaSigner parse(String skey) throws InvalidFormat {
        if (!skey.startsWith(SKEY_PREFIX)) {
            throw new InvalidFormat("signing key", "must begin with PRIVATE+KEY+");
        }
        String[] parts = skey.substring(SKEY_PREFIX.length()).split("\\+", 3);
        if (parts.length != 3 || !NoteKeys.isKeyName(parts[0])) {
            throw new InvalidFormat("signing key", "must be PRIVATE+KEY+name+keyid+key");
        }
        byte[] typeAndSeed = Base64Text.decode(parts[2], 1 + MlDsaKeys.SEED_SIZE_BYTES, "signing key");
        if (typeAndSeed[0] != MlDsaKeys.TYPE) {
            throw new InvalidFormat("signing key", "must be of type 0x06 (ML-DSA-44)");
        }
        MlDsaSigner signer = new MlDsaSigner(parts[0], Arrays.copyOfRange(typeAndSeed, 1, typeAndSeed.length));
        if (!NoteKeys.keyIdHex(signer.verifier.keyId()).equals(parts[1])) {
            throw new InvalidFormat("signing key", "has a key id that is not its key's");
        }
        return signer;
    }

    public MlDsaVerifier verifier() {
        return verifier;
    }

    /** The secret. */
    public String skey() {
        return SKEY_PREFIX + verifier.keyName() + "+" + NoteKeys.keyIdHex(verifier.keyId()) + "+"
                + Base64Text.encode(NoteKeys.concat(new byte[] {MlDsaKeys.TYPE}, seed));
    }

    /**
     * Signs a checkpoint as its log: timestamp 0, and the same bytes whenever it is signed.
     *
     * @throws InvalidFormat if the text is no checkpoint, has extension lines, or a name longer than 255 bytes
     */
    public NoteSignature sign(String text) throws InvalidFormat {
        byte[] message = MlDsaKeys.message(verifier.keyName(), 0, text);
        try {
            byte[] signature = MlDsaKeys.sign(message, privateKey);
            byte[] blob = NoteKeys.concat(new byte[MlDsaKeys.TIMESTAMP_SIZE_BYTES], signature);
            return new NoteSignature(verifier.keyName(), verifier.keyId(), blob);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The key id and name; never the secret. */
    @Override
    public String toString() {
        return "signer of " + verifier;
    }
}
