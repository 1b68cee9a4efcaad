// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * How far a shard's proof store is.
 *
 * @param size leaves
 * @param nextOffset every committed record below it is a leaf here or has an outcome, which may come a little later
 * @param lastOutcome offset of the newest outcome seen; -1 before the first
 */
record ShardMeta(long size, long nextOffset, long lastOutcome) {
    static ShardMeta of(byte @Nullable [] stored) {
        if (stored == null) {
            return new ShardMeta(0, 0, -1);
        }
        ByteBuffer bytes = ByteBuffer.wrap(stored);
        return new ShardMeta(bytes.getLong(), bytes.getLong(), bytes.getLong());
    }

    ShardMeta advancedTo(long newSize, long newNextOffset) {
        return new ShardMeta(Math.max(size, newSize), Math.max(nextOffset, newNextOffset), lastOutcome);
    }

    ShardMeta withOutcome(long offset) {
        return new ShardMeta(size, nextOffset, Math.max(lastOutcome, offset));
    }

    byte[] encode() {
        return ByteBuffer.allocate(24)
                .putLong(size)
                .putLong(nextOffset)
                .putLong(lastOutcome)
                .array();
    }
}
