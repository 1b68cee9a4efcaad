// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

/**
 * The envelope around a stored payload. Bytes are shared, not copied: payloads are large.
 *
 * <p>Beside it is the content tag of the event (design §4), by which a repeat is told from a conflict: of all that decides what
 * becomes of a record, it is the only thing that is not in entries. 16 bytes.
 */
public sealed interface Payload {
    /** There is none: a control record, or an erased payload. */
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
}
