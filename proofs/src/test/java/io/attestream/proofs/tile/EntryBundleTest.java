// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.tile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.support.Seeded;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EntryBundleTest {
    @Test
    void writesLengthsBigEndianBeforeEntries() {
        assertThat(EntryBundle.encode(List.of(new byte[] {7}, new byte[0], new byte[258])))
                .startsWith(HexFormat.of().parseHex("000107" + "0000" + "0102"))
                .hasSize(3 + 2 + 2 + 258);
    }

    @Test
    void readsBackWhatItWrites() {
        Seeded.check(100, random -> {
            List<byte[]> entries = new ArrayList<>();
            for (int i = random.between(1, 256); i > 0; i--) {
                entries.add(random.bytes(random.below(50)));
            }
            List<byte[]> read = EntryBundle.decode(EntryBundle.encode(entries));
            assertThat(read).hasSameSizeAs(entries);
            for (int i = 0; i < read.size(); i++) {
                assertThat(read.get(i)).isEqualTo(entries.get(i));
            }
        });
    }

    @Test
    void holdsTheLargestEntriesAndNoneLarger() throws Exception {
        byte[] largest = new byte[65_535];
        assertThat(EntryBundle.decode(EntryBundle.encode(Collections.nCopies(256, largest))))
                .hasSize(256);
        assertThatThrownBy(() -> EntryBundle.encode(List.of(new byte[65_536])))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("65,535");
    }

    @Test
    void refusesToWriteNoneOrMoreThan256() {
        assertThatThrownBy(() -> EntryBundle.encode(List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> EntryBundle.encode(Collections.nCopies(257, new byte[1])))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "'', has no entry",
        "00, ends within the length of entry 0",
        "0001, ends within entry 0",
        "00010700, ends within the length of entry 1",
        "0001070002ff, ends within entry 1",
    })
    void refusesBytesThatEndTooEarly(String hex, String reason) {
        assertThatThrownBy(() -> EntryBundle.decode(HexFormat.of().parseHex(hex)))
                .isInstanceOf(InvalidFormat.class)
                .hasMessage("bundle: " + reason);
    }

    @Test
    void refusesMoreThan256Entries() {
        assertThatThrownBy(() -> EntryBundle.decode(new byte[2 * 257]))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("more than 256");
    }
}
