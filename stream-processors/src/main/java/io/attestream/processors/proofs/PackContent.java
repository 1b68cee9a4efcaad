// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tile.TilePath;
import io.attestream.proofs.tree.Hash;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a proof store may let go of once it found the same in itself: a pack read to its end. Arrays are not copied.
 *
 * @param nextOffset input position behind its last leaf
 * @param tileRoots of its 256-leaf tiles
 * @param kinds of its leaves, their codes
 * @param offsets of its leaves
 * @param outcomes by offset
 */
record PackContent(
        PackName name,
        long nextOffset,
        List<Hash> tileRoots,
        byte[] kinds,
        long[] offsets,
        Map<Long, OutcomeRecord> outcomes) {

    /** Takes a while: reads all of the pack but the entries' hashes. */
    static PackContent read(PackedProofs packs, PackName name) throws IOException {
        List<Hash> tileRoots = new ArrayList<>();
        byte[] kinds = new byte[name.count()];
        long[] offsets = new long[name.count()];
        for (long first = name.first(); first < name.end(); first += TilePath.FULL_WIDTH) {
            byte[] tile = packs.tile(name, first / TilePath.FULL_WIDTH);
            tileRoots.add(Tile.node(tile, Tile.HEIGHT, 0));
            int at = (int) (first - name.first());
            for (LeafRecord leaf : packs.block(name, first)) {
                kinds[at] = leaf.kind().code();
                offsets[at++] = leaf.offset();
            }
        }
        Map<Long, OutcomeRecord> outcomes = new HashMap<>();
        packs.outcomes(name).forEach(outcome -> outcomes.put(outcome.offset(), outcome));
        return new PackContent(name, packs.nextOffset(name), tileRoots, kinds, offsets, outcomes);
    }
}
