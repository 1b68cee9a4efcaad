// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.support.SparseTree;
import io.attestream.proofs.support.TileMap;
import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TileNodeReaderTest {
    @Test
    void givesTheProofsOfTheDefinition() {
        Seeded.check(60, random -> {
            // given the tiles of a tree
            int size = random.between(1, 600);
            ReferenceTree tree = ReferenceTree.ofTexts(size);
            TreeSize treeSize = new TreeSize(size);
            TileNodeReader nodes = new TileNodeReader(new TileMap(tree.nodes(), treeSize), treeSize);

            // when proofs are made of them
            int index = random.below(size);
            int first = random.between(1, size);
            List<Hash> path = Proofs.inclusion(new LeafIndex(index), treeSize, nodes);
            List<Hash> proof = Proofs.consistency(new TreeSize(first), treeSize, nodes);

            // then they are those of the definition
            assertThat(path).isEqualTo(tree.path(index, size));
            assertThat(proof).isEqualTo(tree.proof(first, size));
            assertThat(Proofs.root(treeSize, nodes)).isEqualTo(tree.root(size));
        });
    }

    @Test
    void readsTreesOfThreeLevelsOfTiles() throws Exception {
        // given 70,000 leaves
        SparseTree tree = new SparseTree(69_999, new byte[] {7});
        TreeSize size = new TreeSize(70_000);
        TileNodeReader nodes = new TileNodeReader(new TileMap(tree, size), size);

        // then their tiles give the same proofs as their nodes
        for (long index : new long[] {0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999}) {
            assertThat(Proofs.inclusion(new LeafIndex(index), size, nodes))
                    .isEqualTo(Proofs.inclusion(new LeafIndex(index), size, tree));
            assertThat(Proofs.consistency(new TreeSize(index + 1), size, nodes))
                    .isEqualTo(Proofs.consistency(new TreeSize(index + 1), size, tree));
        }
    }

    @Test
    void asksOnlyForWidthsTheSizeHasAndOnlyOnce() throws Exception {
        // given a source that notes what it is asked for
        ReferenceTree tree = ReferenceTree.ofTexts(300);
        TreeSize size = new TreeSize(300);
        TileMap tiles = new TileMap(tree.nodes(), size);
        List<String> asked = new ArrayList<>();
        TileNodeReader nodes = new TileNodeReader(
                tile -> {
                    asked.add(tile.path());
                    return tiles.tile(tile);
                },
                size);

        // when many proofs are made
        for (int index = 0; index < 300; index += 7) {
            Proofs.inclusion(new LeafIndex(index), size, nodes);
        }

        // then it was asked once for each tile of this size
        assertThat(asked).containsExactlyInAnyOrder("tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1");
    }

    @Test
    void takesTheFullTileWhenThePartialOneIsGone() throws Exception {
        // given a log that has grown and deleted its partial tiles
        ReferenceTree tree = ReferenceTree.ofTexts(256);
        TileMap later = new TileMap(tree.nodes(), new TreeSize(256));

        // when a proof at an older size is made
        TreeSize size = new TreeSize(100);
        List<Hash> path = Proofs.inclusion(new LeafIndex(42), size, new TileNodeReader(later, size));

        // then it is that of the older size
        assertThat(path).isEqualTo(tree.path(42, 100));
    }

    @Test
    void failsRatherThanMakeUpAHash() throws Exception {
        ReferenceTree tree = ReferenceTree.ofTexts(300);
        TreeSize size = new TreeSize(300);
        TileMap tiles = new TileMap(tree.nodes(), size);

        // a tile that is not there
        assertThatThrownBy(() -> new TileNodeReader(tile -> Optional.empty(), size).node(0, 299))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tile/0/001.p/44");
        // tiles that are too short or too long, partial and full
        for (int change : new int[] {-32, -1, 1, 32}) {
            TileSource wrong = tile -> tiles.tile(tile).map(bytes -> Arrays.copyOf(bytes, bytes.length + change));
            assertThatThrownBy(() -> new TileNodeReader(wrong, size).node(0, 0))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("tile/0/000 has");
            assertThatThrownBy(() -> new TileNodeReader(wrong, size).node(0, 299))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("tile/0/001.p/44 has");
        }
        // a full tile of the wrong length does not stand in for a partial one
        assertThatThrownBy(() -> new TileNodeReader(
                                tile -> tile.isFull() ? Optional.of(new byte[44 * 32]) : Optional.empty(), size)
                        .node(0, 299))
                .isInstanceOf(IOException.class);
        // nodes that are not complete at this size, or beyond it
        TileNodeReader nodes = new TileNodeReader(tiles, size);
        assertThatThrownBy(() -> nodes.node(0, 300)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> nodes.node(3, 37)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> nodes.node(9, 0)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> nodes.node(63, 0)).isInstanceOf(IOException.class);
    }

    @Test
    void givesPartsOfATileAsTheyAre() throws Exception {
        TileSource source = tile -> Optional.of(new byte[tile.width() * 32]);
        assertThat(new TileNodeReader(source, new TreeSize(1)).node(0, 0)).isEqualTo(Hash.of(new byte[32]));
        assertThat(new HashTile(0, 0, 1).full().isFull()).isTrue();
    }
}
