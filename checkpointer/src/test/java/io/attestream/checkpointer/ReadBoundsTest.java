// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReadBoundsTest {
    @Test
    void givesTheNewestPositionBeforeWhichNothingSpeaksOfWhatIsBehind() {
        // given
        ReadBounds bounds = new ReadBounds(3);
        bounds.readTo(10, 5);
        bounds.readTo(20, 9);
        bounds.readTo(30, 9);
        bounds.readTo(40, 12);

        // then
        assertThat(bounds.behind(4)).isEqualTo(3);
        assertThat(bounds.behind(5)).isEqualTo(10);
        assertThat(bounds.behind(8)).isEqualTo(10);
        assertThat(bounds.behind(9)).isEqualTo(30);
        assertThat(bounds.behind(11)).isEqualTo(30);
        assertThat(bounds.behind(12)).isEqualTo(40);
        assertThat(bounds.behind(100)).isEqualTo(40);
    }
}
