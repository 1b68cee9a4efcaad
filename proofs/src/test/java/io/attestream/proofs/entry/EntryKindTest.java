// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import org.junit.jupiter.api.Test;

class EntryKindTest {
    @Test
    void hasTheCodesAndWordsOfTheFormats() throws Exception {
        assertThat(EntryKind.ofCode((byte) 0)).isEqualTo(EntryKind.EVENT);
        assertThat(EntryKind.ofCode((byte) 1)).isEqualTo(EntryKind.CONFLICT);
        assertThat(EntryKind.ofCode((byte) 2)).isEqualTo(EntryKind.GENESIS);
        assertThat(EntryKind.ofCode((byte) 3)).isEqualTo(EntryKind.RULES);
        for (EntryKind kind : EntryKind.values()) {
            assertThat(EntryKind.ofWord(kind.word())).isEqualTo(kind);
        }
    }

    @Test
    void refusesEveryOther() {
        assertThatThrownBy(() -> EntryKind.ofCode((byte) 4)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> EntryKind.ofCode((byte) -1)).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> EntryKind.ofWord("EVENT")).isInstanceOf(InvalidFormat.class);
    }
}
