// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import java.security.GeneralSecurityException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The entry's commitment to a payload: HMAC-SHA256 under a random salt, so that nobody can guess a small payload from the
 * digest, and erasing salt and payload leaves nothing.
 */
public final class DataDigest {
    public static final int SALT_SIZE_BYTES = 16;
    public static final int SIZE_BYTES = 32;

    private static final String ALGORITHM = "HmacSHA256";

    /** Looking up the algorithm takes longer than hashing a small payload. */
    private static final ThreadLocal<Mac> MAC = ThreadLocal.withInitial(DataDigest::newMac);

    private DataDigest() {}

    /**
     * @param salt exactly 16 bytes
     * @throws IllegalArgumentException if it is not
     */
    public static byte[] compute(byte[] salt, byte[] payload) {
        if (salt.length != SALT_SIZE_BYTES) {
            throw new IllegalArgumentException("a salt has 16 bytes, not " + salt.length);
        }
        return hmac(MAC.get(), salt).doFinal(payload);
    }

    static Mac hmac(Mac mac, byte[] key) {
        try {
            mac.init(new SecretKeySpec(key, ALGORITHM));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HMAC takes any key", e);
        }
    }

    static Mac newMac() {
        try {
            return Mac.getInstance(ALGORITHM);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }
}
