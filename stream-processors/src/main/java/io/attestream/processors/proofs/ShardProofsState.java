// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * Makes a shard's proof store out of the shard's leaves, outcomes and packs, as it is when all that is in packs was let go of. Holds
 * it in memory: an eighth of a byte a leaf in packs, some 100 bytes each of the others. Not thread-safe.
 */
public final class ShardProofsState {
    private static final int TILE = TilePath.FULL_WIDTH;

    private final Map<Bytes, byte[]> records = new HashMap<>();
    private final TileStore tiles;
    /** Hashes behind the last full tile. */
    private final byte[] open = new byte[TILE * Hash.SIZE_BYTES];

    private long size;
    /** Leaves that are in no pack. */
    private final Deque<Position> tail = new ArrayDeque<>();

    private final TreeMap<Long, byte[]> outcomes = new TreeMap<>();
    private Compacted compacted = new Compacted(0, 0);

    private record Position(byte kind, long offset) {}

    public ShardProofsState(int shard) {
        this.tiles = new TileStore(
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
                "shard " + shard);
    }

    /** Takes the next leaf. */
    public void leaf(LeafRecord leaf) {
        int at = (int) (size % TILE);
        Rfc6962.leafHash(leaf.entry(), 0, leaf.entry().length, open, at * Hash.SIZE_BYTES);
        tail.add(new Position(leaf.kind().code(), leaf.offset()));
        size++;
        if (at + 1 == TILE) {
            tiles.putLeaves(size - TILE, open);
        }
    }

    /** Takes what became of another record. */
    public void outcome(OutcomeRecord outcome) {
        outcomes.put(outcome.offset(), ShardCompaction.stored(outcome).encode());
    }

    /** Lets go of what is in the shard's next pack, whose leaves were taken. */
    public void pack(PackName pack) {
        records.put(
                Keys.packed(compacted.nextOffset()),
                ByteBuffer.allocate(8).putLong(pack.first()).array());
        long nextOffset = compacted.nextOffset();
        for (long index = pack.first(); index < pack.end(); index++) {
            nextOffset = tail.remove().offset() + 1;
        }
        for (long tile = pack.first() / TILE; tile < pack.end() / TILE; tile++) {
            records.remove(Keys.tile(0, tile));
        }
        outcomes.headMap(nextOffset).clear();
        compacted = new Compacted(pack.end(), nextOffset);
    }

    /**
     * Hands over what the store holds.
     *
     * @param nextOffset of the record that comes next: of those before all is known
     */
    public void write(long nextOffset, BiConsumer<byte[], byte[]> to) {
        int width = (int) (size % TILE);
        tiles.putLeaves(size - width, Arrays.copyOf(open, width * Hash.SIZE_BYTES));
        putDeltas();
        outcomes.forEach((offset, outcome) -> records.put(Keys.outcome(offset), outcome));
        records.forEach((key, value) -> to.accept(key.get(), value));
        to.accept(Keys.format().get(), StoreFormat.encode());
        to.accept(Keys.compacted().get(), compacted.encode());
        to.accept(Keys.meta().get(), new ShardMeta(size, nextOffset, nextOffset - 1).encode());
    }

    private void putDeltas() {
        long index = size - tail.size();
        List<Position> delta = new ArrayList<>();
        for (Position position : tail) {
            delta.add(position);
            index++;
            if (index % TILE == 0 || index == size) {
                ByteBuffer kinds = ByteBuffer.allocate(delta.size());
                delta.forEach(leaf -> kinds.put(leaf.kind()));
                List<Long> offsets = delta.stream().map(Position::offset).toList();
                records.put(
                        Keys.delta(offsets.get(0)),
                        new DeltaIndex(index - delta.size(), kinds.array(), offsets).encode());
                delta.clear();
            }
        }
    }
}
