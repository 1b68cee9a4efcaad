// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.utils.Bytes;

/**
 * Holds the tiles of a proof store against each other: the root of a full tile is a hash of the tile above it. Takes the records of a
 * store in the order of their keys, in which every level comes behind the one below it; needs 32 bytes a full tile. Not thread-safe.
 */
public final class StoredTiles {
    private static final int KEY_SIZE_BYTES = 13;
    private static final byte TILE = Keys.tile(0, 0).get()[0];

    /** Of the full tiles of the last two levels there were. */
    private final Map<Bytes, Hash> roots = new HashMap<>();

    private long held;

    /** A tile that is not what the one above it says. */
    public record Differs(String expected, String actual) {}

    /** Takes the next record; those that are no tiles are passed over. */
    public Optional<Differs> accept(byte[] key, byte[] value) {
        if (key.length != KEY_SIZE_BYTES || key[0] != TILE) {
            return Optional.empty();
        }
        int level = ByteBuffer.wrap(key).getInt(1);
        long index = ByteBuffer.wrap(key).getLong(5);
        int width = value.length / Hash.SIZE_BYTES;
        if (value.length == 0 || value.length % Hash.SIZE_BYTES != 0 || width > TilePath.FULL_WIDTH) {
            return Optional.of(new Differs(name(level, index) + " of 1 to 256 hashes", value.length + " bytes"));
        }
        CompactRange range = CompactRange.empty();
        Optional<Differs> differs = Optional.empty();
        for (int i = 0; i < width; i++) {
            Hash hash = Hash.of(value, i * Hash.SIZE_BYTES);
            range.append(hash);
            long below = index * TilePath.FULL_WIDTH + i;
            Hash root = level == 0 ? null : roots.remove(Keys.tile(level - 1, below));
            if (root != null) {
                held++;
                if (!root.equals(hash)) {
                    differs = Optional.of(new Differs(
                            name(level - 1, below) + " with root " + hash.base64() + ", as " + name(level, index)
                                    + " has it",
                            "root " + root.base64()));
                }
            }
        }
        if (width == TilePath.FULL_WIDTH) {
            roots.put(Keys.tile(level, index), range.root());
        }
        return differs;
    }

    private static String name(int level, long index) {
        return "tile " + level + "/" + index;
    }

    /** Tiles that were held against the one above. */
    public long held() {
        return held;
    }
}
