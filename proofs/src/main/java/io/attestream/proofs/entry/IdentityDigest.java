// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.json.JcsWriter;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What makes two events the same one: the first 16 bytes of SHA-256 over JCS {@code [tenant, source, partitionkey or null, id]}. */
public final class IdentityDigest {
    public static final int SIZE_BYTES = 16;

    private static final ThreadLocal<JcsWriter> WRITER = ThreadLocal.withInitial(JcsWriter::new);
    private static final ThreadLocal<MessageDigest> SHA256 = ThreadLocal.withInitial(IdentityDigest::newSha256);

    private IdentityDigest() {}

    /** @return 16 bytes */
    public static byte[] compute(String tenant, String source, @Nullable String partitionKey, String id) {
        JcsWriter out = WRITER.get().reset();
        out.raw("[").string(tenant).raw(",").string(source).raw(",");
        if (partitionKey == null) {
            out.raw("null");
        } else {
            out.string(partitionKey);
        }
        out.raw(",").string(id).raw("]");
        return Arrays.copyOf(SHA256.get().digest(out.toBytes()), SIZE_BYTES);
    }

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
