// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.envelope;

/**
 * A key under which the payloads about one subject of one tenant are stored. Never printed.
 *
 * @param id a pseudonym: stands beside every payload, and in the entry that logs an erasure
 * @param secret {@value #SIZE_BYTES} bytes
 */
public record SubjectKey(String id, byte[] secret) {
    public static final int SIZE_BYTES = 32;

    public SubjectKey {
        if (secret.length != SIZE_BYTES) {
            throw new IllegalArgumentException("the key of a subject has 32 bytes, not " + secret.length);
        }
        secret = secret.clone();
    }

    @Override
    public byte[] secret() {
        return secret.clone();
    }

    @Override
    public String toString() {
        return "SubjectKey[" + id + "]";
    }
}
