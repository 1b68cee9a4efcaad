// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.json.JcsWriter;
import java.util.Arrays;
import java.util.Map;
import javax.crypto.Mac;

/**
 * Decides whether two events with one identity have the same content, although their salts and times differ: the first 16
 * bytes of HMAC-SHA256 under a key held by the doors over the producer-sent attributes, the payload's SHA-256 and the
 * tenant (docs/entry-format.md). Keyed, so that it does not give payloads away. Thread-safe.
 */
public final class ContentTag {
    public static final int SIZE_BYTES = 16;
    public static final int KEY_SIZE_BYTES = 32;

    /** Keyed once a thread, with room for the text. */
    private final ThreadLocal<Door> doors;

    private record Door(Mac mac, JcsWriter out) {}

    /** @param doorKey 32 bytes, the same at every door */
    public ContentTag(byte[] doorKey) {
        if (doorKey.length != KEY_SIZE_BYTES) {
            throw new IllegalArgumentException("a door key has 32 bytes, not " + doorKey.length);
        }
        byte[] key = doorKey.clone();
        this.doors =
                ThreadLocal.withInitial(() -> new Door(DataDigest.hmac(DataDigest.newMac(), key), new JcsWriter()));
    }

    /**
     * @param attributes all CloudEvents attributes the producer sent, as canonical strings
     * @param payloadSha256 32 bytes
     * @return 16 bytes
     */
    public byte[] compute(String tenant, Map<String, String> attributes, byte[] payloadSha256) {
        Door door = doors.get();
        JcsWriter out = door.out().reset();
        out.raw("{\"event\":");
        CanonicalEntry.writeAttributes(attributes, out);
        out.raw(",\"payloadSha256\":")
                .base64(payloadSha256)
                .raw(",\"tenant\":")
                .string(tenant)
                .raw("}");
        return Arrays.copyOf(door.mac().doFinal(out.toBytes()), SIZE_BYTES);
    }
}
