// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import io.attestream.proofs.tile.TilePath.Entries;
import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes the tiles and entry bundles of a log (C2SP tlog-tiles) from its entries in their order: full ones as they become full, the
 * partial ones at the end. In memory are one tile a level and one bundle. Not thread-safe.
 */
public final class TileWriter {
    private final Sink sink;
    private final CompactRange range = CompactRange.empty();
    private final List<ByteArrayOutputStream> levels = new ArrayList<>();
    private final List<byte[]> bundle = new ArrayList<>();

    /** Where tiles go. */
    public interface Sink {
        void write(TilePath path, byte[] tile) throws IOException;
    }

    public TileWriter(Sink sink) {
        this.sink = sink;
    }

    /** @param entry at most {@link EntryBundle#MAX_ENTRY_SIZE_BYTES} bytes; not copied */
    public void append(byte[] entry) throws IOException {
        Hash leaf = Rfc6962.leafHash(entry);
        bundle.add(entry);
        if (bundle.size() == TilePath.FULL_WIDTH) {
            writeBundle();
        }
        put(0, leaf);
        range.append(leaf);
    }

    private void put(int level, Hash hash) throws IOException {
        if (level == levels.size()) {
            levels.add(new ByteArrayOutputStream());
        }
        ByteArrayOutputStream tile = levels.get(level);
        tile.writeBytes(hash.bytes());
        if (tile.size() == Tile.FULL_SIZE_BYTES) {
            byte[] full = tile.toByteArray();
            tile.reset();
            long index = (range.size().value() >>> (Tile.HEIGHT * (level + 1)));
            sink.write(new HashTile(level, index, TilePath.FULL_WIDTH), full);
            put(level + 1, Tile.node(full, Tile.HEIGHT, 0));
        }
    }

    private void writeBundle() throws IOException {
        long index = range.size().value() / TilePath.FULL_WIDTH;
        sink.write(new Entries(index, bundle.size()), EntryBundle.encode(bundle));
        bundle.clear();
    }

    /** Writes what is partial; nothing may be appended afterwards. */
    public void finish() throws IOException {
        if (!bundle.isEmpty()) {
            writeBundle();
        }
        for (int level = 0; level < levels.size(); level++) {
            byte[] partial = levels.get(level).toByteArray();
            if (partial.length > 0) {
                long index = range.size().value() >>> (Tile.HEIGHT * (level + 1));
                sink.write(new HashTile(level, index, partial.length / Hash.SIZE_BYTES), partial);
            }
        }
    }

    /** The log so far; a copy. */
    public CompactRange range() {
        return range.copy();
    }
}
