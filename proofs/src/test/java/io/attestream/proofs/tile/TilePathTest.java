// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.tile.TilePath.Entries;
import io.attestream.proofs.tile.TilePath.HashTile;
import io.attestream.proofs.tree.TreeSize;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TilePathTest {
    @ParameterizedTest
    @CsvSource({
        "0, 256, tile/entries/000",
        "251, 255, tile/entries/000.p/255",
        "255, 256, tile/entries/000",
        "3, 257, tile/entries/000",
        "256, 257, tile/entries/001.p/1",
        "256, 512, tile/entries/001",
        "256000, 256001, tile/entries/x001/000.p/1",
        "31604937984, 31604938240, tile/entries/x123/x456/789",
    })
    void namesTheBundleOfAnEntryAtASize(long index, long size, String path) {
        assertThat(Tile.entriesAt(index / 256, new TreeSize(size)).orElseThrow().path())
                .isEqualTo(path);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, 256, tile/0/000",
        "0, 0, 1, tile/0/000.p/1",
        "1, 0, 17, tile/1/000.p/17",
        "2, 999, 256, tile/2/999",
        "0, 1000, 256, tile/0/x001/000",
        "0, 1234067, 256, tile/0/x001/x234/067",
        "15, 123456789, 41, tile/15/x123/x456/789.p/41",
        "63, 9223372036854775807, 255, tile/63/x009/x223/x372/x036/x854/x775/807.p/255",
    })
    void namesAndReadsHashTiles(int level, long index, int width, String path) throws Exception {
        HashTile tile = new HashTile(level, index, width);
        assertThat(tile.path()).isEqualTo(path);
        assertThat(TilePath.parse(path)).isEqualTo(tile);
    }

    @ParameterizedTest
    @CsvSource({
        "123456789, 256, tile/entries/x123/x456/789",
        "0, 255, tile/entries/000.p/255",
        "70, 8, tile/entries/070.p/8",
    })
    void namesAndReadsEntryBundles(long index, int width, String path) throws Exception {
        Entries bundle = new Entries(index, width);
        assertThat(bundle.path()).isEqualTo(path);
        assertThat(TilePath.parse(path)).isEqualTo(bundle);
    }

    @Test
    void readsEveryPathItWritesWhateverTheLocale() {
        Locale before = Locale.getDefault();
        try {
            // Digits of this locale are not ASCII.
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            Seeded.check(500, random -> {
                long index = random.unsigned() >>> 1;
                int width = random.between(1, 256);
                TilePath path =
                        random.chance(50) ? new Entries(index, width) : new HashTile(random.below(64), index, width);
                assertThat(path.path()).matches("[a-z0-9/.]+");
                assertThat(TilePath.parse(path.path())).isEqualTo(path);
            });
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "tile",
                "tile/",
                "tile/0",
                "tile/0/",
                "/tile/0/000",
                "tile//000",
                "tile/8/0/000", // with the height of sumdb paths
                "tile/0/0",
                "tile/0/00",
                "tile/0/0000",
                "tile/0/x000", // the last group has no x
                "tile/0/001/000", // all others have
                "tile/0/x000/000", // leading zero group
                "tile/0/x000/x001/000",
                "tile/0/x01/000",
                "tile/0/x0001/000",
                "tile/0/X001/000",
                "tile/0/x-01/000",
                "tile/0/-01",
                "tile/0/+01",
                "tile/0/x001//000",
                "tile/0/000/",
                "tile/00/000",
                "tile/01/000",
                "tile/64/000",
                "tile/-1/000",
                "tile/x/000",
                "tile/data/000",
                "tile/Entries/000",
                "tile/0/000.p/0",
                "tile/0/000.p/256", // full
                "tile/0/000.p/257",
                "tile/0/000.p/01",
                "tile/0/000.p/",
                "tile/0/000.p",
                "tile/0/000.p/1/",
                "tile/0/000.p/1.p/1",
                "tile/0/000.P/1",
                "tile/0/000.q/1",
                "tile/0/000.p/+1",
                "tile/0/ 00",
                "tile/0/٠٠٠",
                "tile/0/x009/x223/x372/x036/x854/x775/808", // 2^63
                "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
                "tile/0/../0/000",
                "tile/entries/x123/x456/789/",
            })
    void refusesEveryOtherPath(String path) {
        assertThatThrownBy(() -> TilePath.parse(path)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void refusesTilesThatCannotBe() {
        assertThatThrownBy(() -> new HashTile(64, 0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new HashTile(-1, 0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new HashTile(0, -1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new HashTile(0, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Entries(0, 257)).isInstanceOf(IllegalArgumentException.class);
    }
}
