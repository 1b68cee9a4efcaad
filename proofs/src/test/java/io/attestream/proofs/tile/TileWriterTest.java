// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client of tiles reads gives the tree and its entries. */
class TileWriterTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 255, 256, 257, 511, 512, 700, 65_536, 65_537, 66_049})
    void writesExactlyTheTilesOfTheTree(int size) throws Exception {
        // given
        Map<String, byte[]> files = new HashMap<>();
        TileWriter writer = new TileWriter((path, tile) -> {
            assertThat(files.put(path.path(), tile)).as(path.path()).isNull();
        });
        CompactRange range = CompactRange.empty();

        // when
        for (int i = 0; i < size; i++) {
            writer.append(entry(i));
            range.append(Rfc6962.leafHash(entry(i)));
        }
        writer.finish();

        // then
        assertThat(writer.range().root()).isEqualTo(range.root());
        TreeSize treeSize = new TreeSize(size);
        int read = 0;
        for (int level = 0; level < Tile.LEVELS; level++) {
            long index = 0;
            for (Optional<HashTile> tile = Tile.at(level, 0, treeSize);
                    tile.isPresent();
                    tile = Tile.at(level, ++index, treeSize)) {
                assertThat(files).containsKey(tile.get().path());
                assertThat(files.get(tile.get().path())).hasSize(32 * tile.get().width());
                read++;
            }
        }
        TileNodeReader nodes = new TileNodeReader(tile -> Optional.ofNullable(files.get(tile.path())), treeSize);
        assertThat(Proofs.root(treeSize, nodes)).isEqualTo(range.root());
        for (int leaf = 0; leaf < size; leaf += 1 + size / 40) {
            assertThat(Proofs.verifyInclusion(
                            new LeafIndex(leaf),
                            treeSize,
                            Rfc6962.leafHash(entry(leaf)),
                            Proofs.inclusion(new LeafIndex(leaf), treeSize, nodes),
                            range.root()))
                    .isTrue();
        }
        long bundles = 0;
        int entries = 0;
        for (Optional<TilePath.Entries> bundle = Tile.entriesAt(0, treeSize);
                bundle.isPresent();
                bundle = Tile.entriesAt(++bundles, treeSize)) {
            List<byte[]> decoded = EntryBundle.decode(files.get(bundle.get().path()));
            for (byte[] one : decoded) {
                assertThat(one).isEqualTo(entry(entries++));
            }
        }
        assertThat(entries).isEqualTo(size);
        assertThat(files).as("and nothing else").hasSize(read + (int) bundles);
    }

    private static byte[] entry(int number) {
        return ("entry " + number).getBytes(StandardCharsets.UTF_8);
    }
}
