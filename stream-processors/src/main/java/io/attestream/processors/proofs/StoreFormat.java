// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.processors.IntegrityException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;

/** The version of what a shard's proof store holds, which is in the store. */
final class StoreFormat {
    static final int VERSION = 1;

    private StoreFormat() {}

    /** @throws IntegrityException if another version of this program wrote it, which this one cannot read */
    static void require(KeyValueStore<Bytes, byte[]> store, String name) {
        byte[] stored = store.get(Keys.format());
        // The first stores of version 1 did not say so.
        if (stored != null && ByteBuffer.wrap(stored).getInt() != VERSION) {
            throw new IntegrityException(name + ": the proof store is of format "
                    + ByteBuffer.wrap(stored).getInt() + ", this version of the program knows " + VERSION
                    + ": run the version that wrote it, or begin a new generation with attestream restore state");
        }
    }

    static byte[] encode() {
        return ByteBuffer.allocate(Integer.BYTES).putInt(VERSION).array();
    }
}
