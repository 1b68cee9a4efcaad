// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.entry.ContentTag;
import java.util.Arrays;

/**
 * The envelope around a stored payload. Bytes are shared, not copied: payloads are large.
 *
 * <p>Beside it is the content tag of the event (design §4), by which a repeat is told from a conflict: of all that decides what
 * becomes of a record, it is the only thing that is not in entries. 16 bytes.
 */
public sealed interface Payload {
    /** There is none: a control record, or a record that a door wrote without one. */
    record None() implements Payload {}

    /**
     * In the clear.
     *
     * @param salt 16 bytes, the key of the entry's digest
     */
    record Plain(byte[] contentTag, byte[] salt, byte[] data) implements Payload {}

    /**
     * AES-GCM under a subject's key; the plaintext is salt and data.
     *
     * @param keyId which key
     * @param nonce 12 bytes
     */
    record Encrypted(byte[] contentTag, String keyId, byte[] nonce, byte[] ciphertext) implements Payload {}

    /**
     * It was encrypted under a key that was destroyed since, which an event of the ledger says ({@link
     * io.attestream.proofs.envelope.Erasure}); what is needed to decide about repeats is left of it.
     *
     * @param keyId which key
     */
    record Erased(byte[] contentTag, String keyId) implements Payload {
        /** Whether this is what is left of the other. */
        public boolean isLeftOf(Payload other) {
            return other instanceof Encrypted encrypted
                    && encrypted.keyId().equals(keyId)
                    && Arrays.equals(encrypted.contentTag(), contentTag);
        }
    }

    /** Zero for control records. */
    static byte[] contentTag(Payload payload) {
        if (payload instanceof Plain plain) {
            return plain.contentTag();
        }
        if (payload instanceof Encrypted encrypted) {
            return encrypted.contentTag();
        }
        return payload instanceof Erased erased ? erased.contentTag() : new byte[ContentTag.SIZE_BYTES];
    }

    /** Of what is stored beside the tag, roughly. */
    static long sizeBytes(Payload payload) {
        if (payload instanceof Plain plain) {
            return plain.data().length;
        }
        return payload instanceof Encrypted encrypted ? encrypted.ciphertext().length : 0;
    }

    static boolean isSame(Payload one, Payload other) {
        if (one instanceof Plain a && other instanceof Plain b) {
            return Arrays.equals(a.contentTag(), b.contentTag())
                    && Arrays.equals(a.salt(), b.salt())
                    && Arrays.equals(a.data(), b.data());
        }
        if (one instanceof Encrypted a && other instanceof Encrypted b) {
            return Arrays.equals(a.contentTag(), b.contentTag())
                    && a.keyId().equals(b.keyId())
                    && Arrays.equals(a.nonce(), b.nonce())
                    && Arrays.equals(a.ciphertext(), b.ciphertext());
        }
        if (one instanceof Erased a && other instanceof Erased b) {
            return Arrays.equals(a.contentTag(), b.contentTag()) && a.keyId().equals(b.keyId());
        }
        return one instanceof None && other instanceof None;
    }
}
