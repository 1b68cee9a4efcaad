// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * How far a shard's proof store has let go of what is in packs.
 *
 * @param size of the shard behind the last pack
 * @param nextOffset input position behind it
 */
record Compacted(long size, long nextOffset) {
    static Compacted of(byte @Nullable [] stored) {
        if (stored == null) {
            return new Compacted(0, 0);
        }
        ByteBuffer bytes = ByteBuffer.wrap(stored);
        return new Compacted(bytes.getLong(), bytes.getLong());
    }

    byte[] encode() {
        return ByteBuffer.allocate(16).putLong(size).putLong(nextOffset).array();
    }
}
