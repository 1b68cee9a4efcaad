// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.util.Optional;

/**
 * Arithmetic of hash tiles: tile (L, n) holds the roots of the complete subtrees of 256^L leaves with the numbers
 * n·256 to n·256+255 (C2SP tlog-tiles).
 */
public final class Tile {
    /** Tree levels in a tile. */
    public static final int HEIGHT = 8;

    /** Tile levels a tree below 2^64 leaves can have. */
    public static final int LEVELS = 8;

    public static final int FULL_SIZE_BYTES = TilePath.FULL_WIDTH * Hash.SIZE_BYTES;

    private Tile() {}

    /** Number of subtrees of 256^level leaves that are complete at this size. */
    public static long completeSubtrees(int level, TreeSize size) {
        return level >= LEVELS ? 0 : size.value() >>> (HEIGHT * level);
    }

    /** The tile with this index as it is at this size; empty if it holds nothing yet. */
    public static Optional<HashTile> at(int level, long index, TreeSize size) {
        long complete = completeSubtrees(level, size);
        // Unsigned: a tree may have 2^63 leaves and more.
        long full = complete >>> HEIGHT;
        if (Long.compareUnsigned(index, full) < 0) {
            return Optional.of(new HashTile(level, index, TilePath.FULL_WIDTH));
        }
        int rest = (int) (complete & (TilePath.FULL_WIDTH - 1));
        return index == full && rest > 0 ? Optional.of(new HashTile(level, index, rest)) : Optional.empty();
    }

    /** The bundle with this index as it is at this size; empty if it holds nothing yet. */
    public static Optional<TilePath.Entries> entriesAt(long index, TreeSize size) {
        return at(0, index, size).map(tile -> new TilePath.Entries(tile.index(), tile.width()));
    }

    /** Whether a tree of this size has everything the path asks for. */
    public static boolean isWithin(TilePath path, TreeSize size) {
        int level = path instanceof HashTile tile ? tile.level() : 0;
        return at(level, path.index(), size)
                .filter(tile -> path.width() <= tile.width())
                .isPresent();
    }

    /**
     * The node {@code levelInTile} above the tile's own level, with this number within the tile.
     *
     * @throws IllegalArgumentException if the tile is too short for it
     */
    public static Hash node(byte[] tile, int levelInTile, int number) {
        int first = number << levelInTile;
        int count = 1 << levelInTile;
        if (levelInTile < 0 || levelInTile > HEIGHT || number < 0 || (first + count) * Hash.SIZE_BYTES > tile.length) {
            throw new IllegalArgumentException(
                    "node " + number + " at level " + levelInTile + " is not in a tile of " + tile.length + " bytes");
        }
        byte[] work = new byte[count * Hash.SIZE_BYTES];
        System.arraycopy(tile, first * Hash.SIZE_BYTES, work, 0, work.length);
        for (int n = count; n > 1; n /= 2) {
            for (int i = 0; i < n / 2; i++) {
                int left = 2 * i * Hash.SIZE_BYTES;
                Rfc6962.nodeHash(work, left, work, left + Hash.SIZE_BYTES, work, i * Hash.SIZE_BYTES);
            }
        }
        return Hash.of(work, 0);
    }
}
