// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Holds the tiles of a proof store against each other: the root of a full tile is a hash of the tile above it. Keeps one tile in
 * memory. Not thread-safe.
 */
public final class StoredTiles {
    private static final int KEY_SIZE_BYTES = 13;
    private static final byte TILE = Keys.tile(0, 0).get()[0];

    /** The tile above the one before, which nearly always is above this one, too. */
    private byte @Nullable [] above;

    private int aboveLevel = -1;
    private long aboveIndex = -1;
    private long held;

    /** A tile that is not what the one above it says. */
    public record Differs(String expected, String actual) {}

    /** The store the records are of. */
    public interface Store<E extends Exception> {
        byte @Nullable [] get(byte[] key) throws E;
    }

    /** Takes a record; those that are no tiles are passed over. */
    public <E extends Exception> Optional<Differs> accept(byte[] key, byte[] value, Store<E> store) throws E {
        if (key.length != KEY_SIZE_BYTES || key[0] != TILE) {
            return Optional.empty();
        }
        int level = ByteBuffer.wrap(key).getInt(1);
        long index = ByteBuffer.wrap(key).getLong(5);
        int width = value.length / Hash.SIZE_BYTES;
        if (value.length == 0 || value.length % Hash.SIZE_BYTES != 0 || width > TilePath.FULL_WIDTH) {
            return Optional.of(new Differs(name(level, index) + " of 1 to 256 hashes", value.length + " bytes"));
        }
        return width == TilePath.FULL_WIDTH ? hold(level, index, value, store) : Optional.empty();
    }

    private <E extends Exception> Optional<Differs> hold(int level, long index, byte[] tile, Store<E> store) throws E {
        int at = (int) (index % TilePath.FULL_WIDTH) * Hash.SIZE_BYTES;
        byte[] parent = above(level + 1, index / TilePath.FULL_WIDTH, store);
        if (parent == null || parent.length < at + Hash.SIZE_BYTES) {
            return Optional.empty(); // not there yet
        }
        CompactRange range = CompactRange.empty();
        for (int i = 0; i < TilePath.FULL_WIDTH; i++) {
            range.append(Hash.of(tile, i * Hash.SIZE_BYTES));
        }
        Hash expected = Hash.of(parent, at);
        held++;
        return range.root().equals(expected)
                ? Optional.empty()
                : Optional.of(new Differs(
                        name(level, index) + " with root " + expected.base64() + ", as "
                                + name(level + 1, index / TilePath.FULL_WIDTH) + " has it",
                        "root " + range.root().base64()));
    }

    private <E extends Exception> byte @Nullable [] above(int level, long index, Store<E> store) throws E {
        if (level != aboveLevel || index != aboveIndex) {
            above = store.get(Keys.tile(level, index).get());
            aboveLevel = level;
            aboveIndex = index;
        }
        return above;
    }

    private static String name(int level, long index) {
        return "tile " + level + "/" + index;
    }

    /** Tiles that were held against the one above. */
    public long held() {
        return held;
    }
}
