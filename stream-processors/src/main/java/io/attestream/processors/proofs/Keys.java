// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import java.nio.ByteBuffer;
import org.apache.kafka.common.utils.Bytes;

/** Keys of the proof stores: a letter for what it is, then big-endian numbers, so that ranges are in their order. */
final class Keys {
    private Keys() {}

    /** Tile of a tree: bytes of its hashes. */
    static Bytes tile(int level, long index) {
        return key('t', level, index);
    }

    /** Delta by the offset of its first leaf. */
    static Bytes delta(long firstOffset) {
        return key('d', 0, firstOffset);
    }

    /** Outcome by offset. */
    static Bytes outcome(long offset) {
        return key('o', 0, offset);
    }

    /** Size and next offset of a shard, last outcome seen. */
    static Bytes meta() {
        return key('m', 0, 0);
    }

    /** Version of what the store holds. */
    static Bytes format() {
        return key('v', 0, 0);
    }

    /** How far the store has let go of what is in packs. */
    static Bytes compacted() {
        return key('c', 0, 0);
    }

    /** First leaf of a pack whose records begin at this offset and are no longer here. */
    static Bytes packed(long firstOffset) {
        return key('q', 0, firstOffset);
    }

    /** Published epoch. */
    static Bytes epoch(long epoch) {
        return key('e', 0, epoch);
    }

    /** First epoch that published this size of a shard. */
    static Bytes published(int shard, long size) {
        return key('p', shard, size);
    }

    /** Newest checkpoint of a shard. */
    static Bytes shardNote(int shard) {
        return key('n', shard, 0);
    }

    /** Pack of a shard by its first leaf. */
    static Bytes pack(int shard, long first) {
        return key('k', shard, first);
    }

    /** The second number of a key. */
    static long number(Bytes key) {
        return ByteBuffer.wrap(key.get()).getLong(5);
    }

    private static Bytes key(char kind, int first, long second) {
        return Bytes.wrap(ByteBuffer.allocate(13)
                .put((byte) kind)
                .putInt(first)
                .putLong(second)
                .array());
    }
}
