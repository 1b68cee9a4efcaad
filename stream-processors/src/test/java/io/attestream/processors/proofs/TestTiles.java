// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.proofs.tree.Rfc6962;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/** The tiles of a tree, as a proof store has them. */
public final class TestTiles {
    private TestTiles() {}

    /** A record of the store. */
    public record Tile(byte[] key, byte[] hashes) {}

    /** In the order of their keys. */
    public static List<Tile> of(int leaves) {
        Map<Bytes, byte[]> records = new HashMap<>();
        TileStore store = new TileStore(
                new TileStore.Tiles() {
                    @Override
                    public byte @Nullable [] get(Bytes key) {
                        return records.get(key);
                    }

                    @Override
                    public void put(Bytes key, byte[] tile) {
                        records.put(key, tile);
                    }
                },
                "test");
        for (int index = 0; index < leaves; index++) {
            store.putLeaves(
                    index,
                    Rfc6962.leafHash(ByteBuffer.allocate(4).putInt(index).array())
                            .bytes());
        }
        List<Tile> tiles = new ArrayList<>();
        records.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(record -> tiles.add(
                        new Tile(record.getKey().get(), record.getValue().clone())));
        return tiles;
    }
}
