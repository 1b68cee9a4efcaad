// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FreePortsTest {
    @Test
    void givesNoPortToTwoWhoHaveNotBoundItYet() {
        assertThat(IntStream.range(0, 1_000).map(i -> FreePorts.pick()).toArray())
                .doesNotHaveDuplicates();
    }
}
