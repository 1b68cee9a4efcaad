// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.json.JcsWriter;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/** What makes two events the same one: the first 16 bytes of SHA-256 over JCS {@code [tenant, source, partitionkey or null, id]}. */
public final class IdentityDigest {
    public static final int SIZE_BYTES = 16;

    private static final ThreadLocal<JcsWriter> WRITER = ThreadLocal.withInitial(JcsWriter::new);
    private static final ThreadLocal<Sha256> SHA256 = ThreadLocal.withInitial(Sha256::new);

    private IdentityDigest() {}

    /** @return 16 bytes */
    public static byte[] compute(String tenant, String source, @Nullable String partitionKey, String id) {
        byte[] out = new byte[SIZE_BYTES];
        compute(tenant, source, partitionKey, id, out, 0);
        return out;
    }

    /** Writes the 16 bytes to {@code target[targetOffset, +16)}; allocates nothing. */
    public static void compute(
            String tenant, String source, @Nullable String partitionKey, String id, byte[] target, int targetOffset) {
        JcsWriter out = WRITER.get().reset();
        out.raw("[").string(tenant).raw(",").string(source).raw(",");
        if (partitionKey == null) {
            out.raw("null");
        } else {
            out.string(partitionKey);
        }
        out.raw(",").string(id).raw("]");
        digest(out, target, targetOffset);
    }

    /** The same of a valid event. */
    public static byte[] compute(EventTexts texts) {
        JcsWriter out = WRITER.get().reset().raw("[");
        texts.writeTenant(out);
        out.raw(",");
        texts.writeSource(out);
        out.raw(",");
        texts.writePartitionKey(out);
        out.raw(",");
        texts.writeId(out);
        byte[] target = new byte[SIZE_BYTES];
        digest(out.raw("]"), target, 0);
        return target;
    }

    private static void digest(JcsWriter out, byte[] target, int targetOffset) {
        Sha256 sha256 = SHA256.get();
        out.updateDigest(sha256.digest);
        try {
            sha256.digest.digest(sha256.hash, 0, sha256.hash.length);
        } catch (DigestException e) {
            throw new IllegalStateException(e);
        }
        System.arraycopy(sha256.hash, 0, target, targetOffset, SIZE_BYTES);
    }

    private static final class Sha256 {
        private final byte[] hash = new byte[32];
        private final MessageDigest digest;

        Sha256() {
            try {
                digest = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java platform has SHA-256", e);
            }
        }
    }
}
