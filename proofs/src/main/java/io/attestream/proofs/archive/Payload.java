// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

/** The envelope around a stored payload. Bytes are shared, not copied: payloads are large. */
public sealed interface Payload {
    /** There is none: a control record, or an erased payload. */
    record None() implements Payload {}

    /**
     * In the clear.
     *
     * @param salt 16 bytes, the key of the entry's digest
     */
    record Plain(byte[] salt, byte[] data) implements Payload {}

    /**
     * AES-GCM under a subject's key; the plaintext is salt and data.
     *
     * @param keyId which key
     * @param nonce 12 bytes
     */
    record Encrypted(String keyId, byte[] nonce, byte[] ciphertext) implements Payload {}
}
