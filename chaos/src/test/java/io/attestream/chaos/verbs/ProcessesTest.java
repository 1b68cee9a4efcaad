// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProcessesTest {
    /** As the plugins of docker: who is asked ends, who it asked goes on and holds what is read. */
    @Test
    void aCommandThatTakesTooLongEndsWithAllItStarted() {
        List<String> command = List.of("sh", "-c", "sleep 45 & wait");

        assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () -> assertThatThrownBy(() -> Processes.run(command, Duration.ofSeconds(1)))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("did not end in 1000 ms"));
    }
}
