// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Which shard an event belongs to: Kafka's default partitioner over the record key
 * {@code tenant 0x00 source [0x00 partitionkey]}, so that every Kafka client routes alike.
 */
public final class Routing {
    private static final int SEED = 0x9747b28c;
    private static final int M = 0x5bd1e995;

    private Routing() {}

    /** The record key. */
    public static byte[] key(String tenant, String source, @Nullable String partitionKey) {
        String text = partitionKey == null ? tenant + "\0" + source : tenant + "\0" + source + "\0" + partitionKey;
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** @param shards number of shards, at least 1 */
    public static int shard(String tenant, String source, @Nullable String partitionKey, int shards) {
        return shard(key(tenant, source, partitionKey), shards);
    }

    /** The shard of a record key. */
    public static int shard(byte[] key, int shards) {
        return shard(key, key.length, shards);
    }

    /** The shard of the record key {@code buffer[0, length)}. */
    public static int shard(byte[] buffer, int length, int shards) {
        return (murmur2(buffer, length) & 0x7fffffff) % shards;
    }

    /** Murmur2 by Austin Appleby, 32 bits, with the seed Kafka uses. */
    static int murmur2(byte[] data, int length) {
        int hash = SEED ^ length;
        int at = 0;
        for (; length - at >= 4; at += 4) {
            int k = (data[at] & 0xff)
                    | (data[at + 1] & 0xff) << 8
                    | (data[at + 2] & 0xff) << 16
                    | (data[at + 3] & 0xff) << 24;
            k *= M;
            k ^= k >>> 24;
            hash = hash * M ^ k * M;
        }
        int rest = length - at;
        for (int i = rest - 1; i >= 0; i--) {
            hash ^= (data[at + i] & 0xff) << 8 * i;
        }
        if (rest > 0) {
            hash *= M;
        }
        hash ^= hash >>> 13;
        hash *= M;
        return hash ^ hash >>> 15;
    }
}
