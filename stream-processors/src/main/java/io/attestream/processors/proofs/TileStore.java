// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.processors.IntegrityException;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.Hash;
import java.util.Arrays;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Writes a tree's hashes into tiles. A hash once written never changes; writing the same again changes nothing, which makes
 * repeats of its input harmless.
 */
final class TileStore {
    private final Tiles store;
    private final String tree;

    /** Where tiles are kept. */
    interface Tiles {
        byte @Nullable [] get(Bytes key);

        void put(Bytes key, byte[] tile);
    }

    /** @param tree named in errors */
    TileStore(KeyValueStore<Bytes, byte[]> store, String tree) {
        this(
                new Tiles() {
                    @Override
                    public byte @Nullable [] get(Bytes key) {
                        return store.get(key);
                    }

                    @Override
                    public void put(Bytes key, byte[] tile) {
                        store.put(key, tile);
                    }
                },
                tree);
    }

    TileStore(Tiles store, String tree) {
        this.store = store;
        this.tree = tree;
    }

    /**
     * Puts leaf hashes at consecutive indexes that do not cross a tile.
     *
     * @throws IntegrityException if another hash is there already, or the leaf before the first is missing
     */
    void putLeaves(long firstIndex, byte[] hashes) {
        if (hashes.length > 0) {
            put(0, firstIndex, hashes);
        }
    }

    private void put(int level, long firstIndex, byte[] hashes) {
        long tileIndex = firstIndex >>> Tile.HEIGHT;
        int from = (int) (firstIndex & (TilePath.FULL_WIDTH - 1)) * Hash.SIZE_BYTES;
        int to = from + hashes.length;
        if (to > Tile.FULL_SIZE_BYTES) {
            throw new IntegrityException(tree + ": hashes from " + firstIndex + " on cross a tile");
        }
        Bytes key = Keys.tile(level, tileIndex);
        byte[] stored = store.get(key);
        byte[] tile = stored == null ? new byte[0] : stored;
        if (tile.length < from) {
            throw new IntegrityException(tree + ": hash " + firstIndex + " at level " + level
                    + " comes before those in front of it: records of the topic were lost");
        }
        int known = Math.min(tile.length, to);
        if (!Arrays.equals(tile, from, known, hashes, 0, known - from)) {
            throw new IntegrityException(tree + ": another hash is known at level " + level + " from index "
                    + firstIndex + " on: history was rewritten");
        }
        if (to > tile.length) {
            tile = Arrays.copyOf(tile, to);
            System.arraycopy(hashes, 0, tile, from, hashes.length);
            store.put(key, tile);
        }
        if (tile.length == Tile.FULL_SIZE_BYTES) {
            put(level + 1, tileIndex, Tile.node(tile, Tile.HEIGHT, 0).bytes());
        }
    }
}
