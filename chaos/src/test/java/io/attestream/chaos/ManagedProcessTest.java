// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManagedProcessTest {
    @TempDir
    private Path directory;

    /** The build runs this test with the settings of another system in its environment. */
    @Test
    void takesNoSettingFromTheShellOfTheLauncher() throws Exception {
        // given
        assertThat(System.getenv()).containsEntry("ENVIRONMENT", "production").containsKey("ATTESTREAM_TOPICS_PREFIX");
        Path log = directory.resolve("env.log");

        // when
        try (ManagedProcess process = new ManagedProcess("env", List.of("env"), Map.of("ENV", "dev"), log)) {
            assertThat(process.start().awaitExit(Duration.ofSeconds(30))).isTrue();
        }

        // then
        assertThat(Files.readAllLines(log))
                .contains("ENV=dev")
                .anyMatch(line -> line.startsWith("PATH="))
                .noneMatch(line -> line.startsWith("ENVIRONMENT=") || line.startsWith("ATTESTREAM_"));
    }
}
