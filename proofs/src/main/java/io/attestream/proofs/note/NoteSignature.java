// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.note;

import io.attestream.proofs.Base64Text;
import java.util.Arrays;

/**
 * One signature line of a note.
 *
 * @param keyName who claims to have signed
 * @param keyId first four bytes of the key's hash, big-endian
 * @param blob what follows the key id: a signature, for cosignatures preceded by a timestamp
 */
public record NoteSignature(String keyName, int keyId, byte[] blob) {
    /** Most bytes a signature may have: SLH-DSA-256f, the longest standardised, has 49,856. */
    static final int MAX_BLOB_SIZE_BYTES = 65_536;

    public NoteSignature {
        if (!NoteKeys.isKeyName(keyName) || blob.length == 0 || blob.length > MAX_BLOB_SIZE_BYTES) {
            throw new IllegalArgumentException("a signature has a key name and 1 to 65,536 bytes");
        }
        blob = blob.clone();
    }

    @Override
    public byte[] blob() {
        return blob.clone();
    }

    /** The line with its final newline. */
    public String line() {
        byte[] idAndBlob = new byte[4 + blob.length];
        NoteKeys.putKeyId(keyId, idAndBlob);
        System.arraycopy(blob, 0, idAndBlob, 4, blob.length);
        return "\u2014 " + keyName + " " + Base64Text.encode(idAndBlob) + "\n";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NoteSignature that
                && keyId == that.keyId
                && keyName.equals(that.keyName)
                && Arrays.equals(blob, that.blob);
    }

    @Override
    public int hashCode() {
        return 31 * keyName.hashCode() + keyId;
    }

    @Override
    public String toString() {
        return line().strip();
    }
}
