// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.IdentityWindow;
import java.nio.ByteBuffer;

/**
 * What dedup must remember of 256 leaves: for each whether it is an event, its identity digest and its content tag; behind the
 * number of the tile, because the key is only {@code tile mod (W/256)} and a slot is overwritten by a later tile; and the time
 * of its first leaf, which tells how far back in time dedup reaches.
 */
final class WindowTile {
    static final int LEAVES = 256;

    private static final int HEAD_SIZE_BYTES = 16;
    private static final int LEAF_SIZE_BYTES = 33;
    static final int SIZE_BYTES = HEAD_SIZE_BYTES + LEAVES * LEAF_SIZE_BYTES;

    private WindowTile() {}

    /** Key of a tile in a window of so many leaves: u32. */
    static byte[] key(long tile, long windowLeaves) {
        return slotKey(tile % (windowLeaves / LEAVES));
    }

    static byte[] slotKey(long slot) {
        return ByteBuffer.allocate(4).putInt((int) slot).array();
    }

    /** The tile out of the window; leaves that left the window are kept as leaves that cannot be found. */
    static byte[] encode(long tile, long firstMillis, IdentityWindow window) {
        byte[] bytes = new byte[SIZE_BYTES];
        ByteBuffer.wrap(bytes).putLong(tile).putLong(firstMillis);
        long first = tile * LEAVES;
        for (int i = 0; i < LEAVES; i++) {
            int at = HEAD_SIZE_BYTES + i * LEAF_SIZE_BYTES;
            if (first + i >= window.firstLeaf() && window.copyTo(first + i, bytes, at + 1, bytes, at + 17)) {
                bytes[at] = 1;
            }
        }
        return bytes;
    }

    /** Time of the tile's first leaf. */
    static long firstMillis(byte[] stored) {
        return ByteBuffer.wrap(stored).getLong(8);
    }

    /** Appends those leaves of a stored tile that the window expects next. */
    static void appendTo(IdentityWindow window, byte[] stored, long tile) {
        if (stored.length != SIZE_BYTES || ByteBuffer.wrap(stored).getLong() != tile) {
            throw new IntegrityException("the dedup window holds another tile in the place of tile " + tile
                    + ": window store and edge record are not of one state");
        }
        for (int i = (int) (window.size() - tile * LEAVES); i < LEAVES; i++) {
            int at = HEAD_SIZE_BYTES + i * LEAF_SIZE_BYTES;
            window.append(stored[at] == 1 ? EntryKind.EVENT : EntryKind.CONFLICT, stored, at + 1, stored, at + 17);
        }
    }
}
