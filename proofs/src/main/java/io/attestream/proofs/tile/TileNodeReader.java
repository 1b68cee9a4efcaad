// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.NodeReader;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Reads nodes of a tree of one size from its tiles, each tile once. Asks for the partial width that size has and, as the
 * specification allows partial tiles to be deleted, for the full tile when that is gone. Not thread-safe.
 */
public final class TileNodeReader implements NodeReader {
    private final TileSource source;
    private final TreeSize size;
    private final Map<HashTile, byte[]> read = new HashMap<>();

    public TileNodeReader(TileSource source, TreeSize size) {
        this.source = source;
        this.size = size;
    }

    @Override
    public Hash node(int level, long index) throws IOException {
        int tileLevel = Math.min(level / Tile.HEIGHT, Tile.LEVELS - 1);
        int levelInTile = level - tileLevel * Tile.HEIGHT;
        long firstHash = index << levelInTile;
        HashTile tile = Tile.at(tileLevel, firstHash >>> Tile.HEIGHT, size)
                .orElseThrow(() -> new IOException("node " + index + " at level " + level + " is not in size " + size));
        byte[] hashes = fetch(tile);
        int number = (int) (firstHash & (TilePath.FULL_WIDTH - 1)) >>> levelInTile;
        if (((number + 1) << levelInTile) > tile.width()) {
            throw new IOException("node " + index + " at level " + level + " is not complete at size " + size);
        }
        return Tile.node(hashes, levelInTile, number);
    }

    private byte[] fetch(HashTile tile) throws IOException {
        byte[] known = read.get(tile);
        if (known != null) {
            return known;
        }
        Optional<byte[]> found = source.tile(tile);
        if (found.isEmpty() && !tile.isFull()) {
            found = source.tile(tile.full())
                    .filter(full -> full.length == Tile.FULL_SIZE_BYTES)
                    .map(full -> Arrays.copyOf(full, tile.width() * Hash.SIZE_BYTES));
        }
        byte[] hashes = found.orElseThrow(() -> new IOException("tile " + tile.path() + " is not there"));
        if (hashes.length != tile.width() * Hash.SIZE_BYTES) {
            throw new IOException("tile " + tile.path() + " has " + hashes.length + " bytes, expected "
                    + tile.width() * Hash.SIZE_BYTES);
        }
        read.put(tile, hashes);
        return hashes;
    }
}
