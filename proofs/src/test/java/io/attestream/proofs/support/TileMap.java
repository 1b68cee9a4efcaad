// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.support;

import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tile.TileSource;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.NodeReader;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** All tiles of a tree at one size, by path; written down from the definition of a tile. */
public final class TileMap implements TileSource {
    private final Map<String, byte[]> tiles = new HashMap<>();

    public TileMap(NodeReader nodes, TreeSize size) throws IOException {
        long hashes = size.value();
        for (int level = 0; hashes > 0; level++, hashes /= 256) {
            for (long first = 0; first < hashes; first += 256) {
                int width = (int) Math.min(256, hashes - first);
                byte[] tile = new byte[width * Hash.SIZE_BYTES];
                for (int i = 0; i < width; i++) {
                    nodes.node(8 * level, first + i).copyTo(tile, i * Hash.SIZE_BYTES);
                }
                tiles.put(new HashTile(level, first / 256, width).path(), tile);
            }
        }
    }

    public Map<String, byte[]> byPath() {
        return tiles;
    }

    @Override
    public Optional<byte[]> tile(TilePath.HashTile tile) {
        return Optional.ofNullable(tiles.get(tile.path()));
    }
}
