// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * A public key of a note: Ed25519 over the text (0x01), or timestamped Ed25519 cosignatures (0x04). Thread-safe.
 *
 * <p>Written as a <em>vkey</em>: {@code name+hex8(keyId)+base64(type || key)}, which is Go's
 * {@code golang.org/x/mod/sumdb/note} form.
 */
public final class NoteVerifier {
    private static final int SIGNATURE_SIZE_BYTES = 64;
    private static final int TIMESTAMP_SIZE_BYTES = 8;

    private final String keyName;
    private final byte type;
    private final byte[] key;
    private final int keyId;
    private final PublicKey publicKey;

    private NoteVerifier(String keyName, byte type, byte[] key) throws InvalidFormat {
        this.keyName = keyName;
        this.type = type;
        this.key = key;
        this.keyId = NoteKeys.keyId(keyName, type, key);
        try {
            this.publicKey = NoteKeys.publicKey(key);
        } catch (GeneralSecurityException e) {
            throw new InvalidFormat("vkey", "has no valid Ed25519 key");
        }
    }

    /** Reads a vkey and checks its key id. */
    public static NoteVerifier parse(String vkey) throws InvalidFormat {
        // Base64 may contain '+' itself.
        String[] parts = vkey.split("\\+", 3);
        if (parts.length != 3 || !NoteKeys.isKeyName(parts[0])) {
            throw new InvalidFormat("vkey", "must be name+keyid+key");
        }
        byte[] typeAndKey = Base64Text.decode(parts[2], "vkey");
        if (typeAndKey.length != 1 + NoteKeys.KEY_SIZE_BYTES
                || (typeAndKey[0] != NoteKeys.TYPE_ED25519 && typeAndKey[0] != NoteKeys.TYPE_COSIGNATURE)) {
            throw new InvalidFormat("vkey", "must be an Ed25519 key of type 0x01 or 0x04");
        }
        NoteVerifier verifier =
                new NoteVerifier(parts[0], typeAndKey[0], Arrays.copyOfRange(typeAndKey, 1, typeAndKey.length));
        if (!parts[1].toLowerCase(Locale.ROOT).equals(parts[1])
                || !NoteKeys.keyIdHex(verifier.keyId).equals(parts[1])) {
            throw new InvalidFormat(
                    "vkey", "has key id " + parts[1] + ", its key has " + NoteKeys.keyIdHex(verifier.keyId));
        }
        return verifier;
    }

    static NoteVerifier ed25519(String keyName, byte[] key) {
        try {
            return new NoteVerifier(keyName, NoteKeys.TYPE_ED25519, key);
        } catch (InvalidFormat e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** The same key under another name: a shard's checkpoints are signed by the ledger key under the shard's origin. */
    public NoteVerifier withName(String name) {
        NoteKeys.requireKeyName(name);
        try {
            return new NoteVerifier(name, type, key);
        } catch (InvalidFormat e) {
            throw new IllegalStateException(e);
        }
    }

    public String keyName() {
        return keyName;
    }

    public int keyId() {
        return keyId;
    }

    /** 0x01 or 0x04. */
    public byte type() {
        return type;
    }

    /** Whether this is a witness's key: of cosignatures (0x04). */
    public boolean isWitness() {
        return type == NoteKeys.TYPE_COSIGNATURE;
    }

    /** Whether both are the same Ed25519 key, under whatever names and of whatever types. */
    public boolean hasKeyOf(NoteVerifier other) {
        return Arrays.equals(key, other.key);
    }

    public String vkey() {
        byte[] typeAndKey = NoteKeys.concat(new byte[] {type}, key);
        return keyName + "+" + NoteKeys.keyIdHex(keyId) + "+" + Base64Text.encode(typeAndKey);
    }

    /**
     * Whether the signature is by this key over this note text.
     *
     * @param blob what follows the key id in the signature line
     */
    public boolean verify(String text, byte[] blob) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (type == NoteKeys.TYPE_ED25519) {
            return verifyBytes(bytes, blob);
        }
        OptionalLong time = timestampSeconds(blob);
        return time.isPresent()
                && verifyBytes(
                        cosigned(bytes, time.getAsLong()), Arrays.copyOfRange(blob, TIMESTAMP_SIZE_BYTES, blob.length));
    }

    /** Whether these 64 bytes are this key's Ed25519 signature over these bytes. */
    public boolean verifyBytes(byte[] message, byte[] signature) {
        if (signature.length != SIGNATURE_SIZE_BYTES) {
            return false;
        }
        try {
            Signature ed25519 = Signature.getInstance("Ed25519");
            ed25519.initVerify(publicKey);
            ed25519.update(message);
            return ed25519.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** When a cosignature (0x04) says it was made, in POSIX seconds; empty for other types and malformed blobs. */
    public OptionalLong timestampSeconds(byte[] blob) {
        if (type != NoteKeys.TYPE_COSIGNATURE || blob.length != TIMESTAMP_SIZE_BYTES + SIGNATURE_SIZE_BYTES) {
            return OptionalLong.empty();
        }
        long time = ByteBuffer.wrap(blob).getLong();
        return time < 0 ? OptionalLong.empty() : OptionalLong.of(time);
    }

    private static byte[] cosigned(byte[] text, long timestampSeconds) {
        byte[] head = ("cosignature/v1\ntime " + timestampSeconds + "\n").getBytes(StandardCharsets.UTF_8);
        return NoteKeys.concat(head, text);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NoteVerifier that
                && type == that.type
                && keyName.equals(that.keyName)
                && Arrays.equals(key, that.key);
    }

    @Override
    public int hashCode() {
        return keyId;
    }

    /** The vkey. */
    @Override
    public String toString() {
        return vkey();
    }
}
