// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A public key of timestamped ML-DSA-44 cosignatures (type 0x06, C2SP tlog-cosignature), as logs sign their checkpoints with beside
 * Ed25519. It covers origin, size and root of a checkpoint, and no extension lines. Thread-safe.
 *
 * <p>Java has the algorithm from version 24 on; before, a provider that has it must be registered ({@link
 * java.security.Security#addProvider}).
 */
public final class MlDsaVerifier {
    private final String keyName;
    private final byte[] key;
    private final int keyId;

    MlDsaVerifier(String keyName, byte[] key) {
        this.keyName = keyName;
        this.key = key;
        this.keyId = NoteKeys.keyId(keyName, MlDsaKeys.TYPE, key);
    }

    /** Whether this platform, or a provider that is registered, has ML-DSA-44. */
    public static boolean isSupported() {
        return MlDsaKeys.isSupported();
    }

    /** Reads a vkey and checks its key id. */
    public static MlDsaVerifier parse(String vkey) throws InvalidFormat {
        String[] parts = vkey.split("\\+", 3);
        if (parts.length != 3 || !NoteKeys.isKeyName(parts[0])) {
            throw new InvalidFormat("vkey", "must be name+keyid+key");
        }
        byte[] typeAndKey = Base64Text.decode(parts[2], "vkey");
        if (typeAndKey.length != 1 + MlDsaKeys.KEY_SIZE_BYTES || typeAndKey[0] != MlDsaKeys.TYPE) {
            throw new InvalidFormat("vkey", "must be an ML-DSA-44 key of type 0x06");
        }
        MlDsaVerifier verifier = new MlDsaVerifier(parts[0], Arrays.copyOfRange(typeAndKey, 1, typeAndKey.length));
        if (!parts[1].toLowerCase(Locale.ROOT).equals(parts[1])
                || !NoteKeys.keyIdHex(verifier.keyId).equals(parts[1])) {
            throw new InvalidFormat(
                    "vkey", "has key id " + parts[1] + ", its key has " + NoteKeys.keyIdHex(verifier.keyId));
        }
        return verifier;
    }

    public String keyName() {
        return keyName;
    }

    public int keyId() {
        return keyId;
    }

    public String vkey() {
        return keyName + "+" + NoteKeys.keyIdHex(keyId) + "+"
                + Base64Text.encode(NoteKeys.concat(new byte[] {MlDsaKeys.TYPE}, key));
    }

    /**
     * Whether this key signed the checkpoint, by the first line of its name and id.
     *
     * @throws UnsupportedOperationException if there is no ML-DSA-44 here ({@link #isSupported})
     */
    public boolean verifies(SignedNote note) {
        List<NoteSignature> own = note.signatures().stream()
                .filter(signature ->
                        signature.keyId() == keyId && signature.keyName().equals(keyName))
                .toList();
        return !own.isEmpty() && verify(note.text(), own.get(0).blob());
    }

    private boolean verify(String text, byte[] blob) {
        if (!isSupported()) {
            throw new UnsupportedOperationException(
                    "this Java platform has no ML-DSA-44: use version 24 or newer, or register a provider");
        }
        if (blob.length != MlDsaKeys.TIMESTAMP_SIZE_BYTES + MlDsaKeys.SIGNATURE_SIZE_BYTES) {
            return false;
        }
        long timestampSeconds = ByteBuffer.wrap(blob).getLong();
        try {
            return timestampSeconds >= 0
                    && MlDsaKeys.verify(
                            MlDsaKeys.message(keyName, timestampSeconds, text),
                            Arrays.copyOfRange(blob, MlDsaKeys.TIMESTAMP_SIZE_BYTES, blob.length),
                            publicKey());
        } catch (InvalidFormat | GeneralSecurityException e) {
            return false;
        }
    }

    private PublicKey publicKey() throws GeneralSecurityException {
        return MlDsaKeys.publicKey(key);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MlDsaVerifier that && keyName.equals(that.keyName) && Arrays.equals(key, that.key);
    }

    @Override
    public int hashCode() {
        return keyId;
    }

    /** The name and key id; the key itself is long. */
    @Override
    public String toString() {
        return keyName + "+" + NoteKeys.keyIdHex(keyId);
    }
}
