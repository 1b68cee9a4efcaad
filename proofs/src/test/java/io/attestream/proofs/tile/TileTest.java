// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.support.ReferenceTree;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.tile.TilePath.Entries;
import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tree.TreeSize;
import java.math.BigInteger;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TileTest {
    @Test
    void countsTilesAsTheSpecificationsExampleDoes() {
        // given 70,000 leaves: 273 full tiles and one of 112 at level 0, 1 full and one of 17 at level 1, one of 1 at
        // level 2
        TreeSize size = new TreeSize(70_000);
        assertThat(Tile.at(0, 272, size)).contains(new HashTile(0, 272, 256));
        assertThat(Tile.at(0, 273, size)).contains(new HashTile(0, 273, 112));
        assertThat(Tile.at(0, 274, size)).isEmpty();
        assertThat(Tile.at(1, 0, size)).contains(new HashTile(1, 0, 256));
        assertThat(Tile.at(1, 1, size)).contains(new HashTile(1, 1, 17));
        assertThat(Tile.at(2, 0, size)).contains(new HashTile(2, 0, 1));
        assertThat(Tile.at(3, 0, size)).isEmpty();
        assertThat(Tile.at(63, 0, size)).isEmpty();
        assertThat(Tile.entriesAt(273, size)).contains(new Entries(273, 112));
    }

    @Test
    void hasAFullTileAndTheFirstHashAboveAt256Leaves() {
        TreeSize size = new TreeSize(256);
        assertThat(Tile.at(0, 0, size)).map(TilePath::path).contains("tile/0/000");
        assertThat(Tile.at(0, 1, size)).isEmpty();
        assertThat(Tile.at(1, 0, size)).map(TilePath::path).contains("tile/1/000.p/1");
    }

    @Test
    void countsUnsignedOverAllLevelsAndSizes() {
        Seeded.check(1000, random -> {
            // given any size, and the number of complete subtrees by arithmetic that cannot overflow
            TreeSize size = new TreeSize(random.unsigned());
            int level = random.below(9);
            BigInteger complete = new BigInteger(size.toString()).shiftRight(8 * level);
            BigInteger full = complete.shiftRight(8);
            int rest = complete.and(BigInteger.valueOf(255)).intValue();

            // then the last tiles are where they must be
            Optional<HashTile> partial = Tile.at(level, full.longValue(), size);
            assertThat(partial.map(HashTile::width)).isEqualTo(rest == 0 ? Optional.empty() : Optional.of(rest));
            assertThat(Tile.at(level, full.longValue() + 1, size)).isEmpty();
            if (full.signum() > 0) {
                assertThat(Tile.at(level, full.longValue() - 1, size).map(HashTile::isFull))
                        .contains(true);
            }
        });
    }

    @Test
    void saysWhatATreeOfASizeHas() {
        TreeSize size = new TreeSize(257);
        assertThat(Tile.isWithin(new HashTile(0, 0, 256), size)).isTrue();
        assertThat(Tile.isWithin(new HashTile(0, 0, 3), size)).isTrue();
        assertThat(Tile.isWithin(new HashTile(0, 1, 1), size)).isTrue();
        assertThat(Tile.isWithin(new HashTile(0, 1, 2), size)).isFalse();
        assertThat(Tile.isWithin(new HashTile(1, 0, 1), size)).isTrue();
        assertThat(Tile.isWithin(new HashTile(1, 0, 2), size)).isFalse();
        assertThat(Tile.isWithin(new Entries(1, 1), size)).isTrue();
        assertThat(Tile.isWithin(new Entries(2, 1), size)).isFalse();
        assertThat(Tile.isWithin(new Entries(0, 1), TreeSize.ZERO)).isFalse();
    }

    @Test
    void computesTheNodesWithinATile() throws Exception {
        // given a full tile of leaves
        ReferenceTree tree = ReferenceTree.ofTexts(256);
        byte[] tile = new byte[Tile.FULL_SIZE_BYTES];
        for (int i = 0; i < 256; i++) {
            tree.leafHash(i).copyTo(tile, 32 * i);
        }

        // then each node in it is that of the tree
        for (int level = 0; level <= Tile.HEIGHT; level++) {
            for (int number = 0; number < 256 >> level; number++) {
                assertThat(Tile.node(tile, level, number))
                        .isEqualTo(tree.nodes().node(level, number));
            }
        }
    }

    @Test
    void refusesNodesATileIsTooShortFor() {
        byte[] tile = new byte[3 * 32];
        assertThatThrownBy(() -> Tile.node(tile, 0, 3)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Tile.node(tile, 1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Tile.node(tile, 9, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Tile.node(tile, -1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Tile.node(tile, 0, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Tile.node(tile, 8, 1 << 28)).isInstanceOf(IllegalArgumentException.class);
    }
}
