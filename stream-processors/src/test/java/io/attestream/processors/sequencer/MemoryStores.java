// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Stores as the shard sees them. What it reads back after a restart are copies, as from a changelog. */
final class MemoryStores implements ShardState.Stores {
    private byte @Nullable [] edge;
    private byte @Nullable [] control;
    private final Map<ByteBuffer, byte[]> tiles = new TreeMap<>();

    @Override
    public byte @Nullable [] edge() {
        return edge == null ? null : edge.clone();
    }

    @Override
    public void putEdge(byte[] bytes) {
        edge = bytes;
    }

    @Override
    public byte @Nullable [] tile(byte[] key) {
        return tiles.get(ByteBuffer.wrap(key));
    }

    @Override
    public void putTile(byte[] key, byte[] tile) {
        tiles.put(ByteBuffer.wrap(key.clone()), tile.clone());
    }

    @Override
    public void deleteTile(byte[] key) {
        tiles.remove(ByteBuffer.wrap(key));
    }

    @Override
    public byte @Nullable [] control() {
        return control;
    }

    @Override
    public void putControl(byte[] bytes) {
        control = bytes.clone();
    }

    void loseEdge() {
        edge = null;
    }

    void loseControl() {
        control = null;
    }

    void loseTiles() {
        tiles.clear();
    }

    int tileCount() {
        return tiles.size();
    }

    Map<ByteBuffer, ByteBuffer> tiles() {
        Map<ByteBuffer, ByteBuffer> comparable = new TreeMap<>();
        tiles.forEach((key, tile) -> comparable.put(key, ByteBuffer.wrap(tile)));
        return comparable;
    }
}
