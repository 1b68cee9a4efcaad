// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

    @Test
    void aDeathOfItsOwnIsNotTakenForAKill() throws Exception {
        // given
        Path log = directory.resolve("crash.log");
        try (ManagedProcess process = new ManagedProcess("crashed", List.of("sh", "-c", "exit 3"), Map.of(), log)) {
            assertThat(process.start().awaitExit(Duration.ofSeconds(30))).isTrue();

            // when, then
            assertThatThrownBy(process::kill).hasMessageContaining("crashed was to be killed and does not run");
            assertThatThrownBy(process::restart).hasMessageContaining("does not run");
        }
    }

    @Test
    void restartsWhatItKilled() {
        // given
        Path log = directory.resolve("sleep.log");
        try (ManagedProcess process = new ManagedProcess("sleeper", List.of("sleep", "60"), Map.of(), log)) {
            long first = process.start().pid();

            // when
            long second = process.restart().pid();

            // then
            assertThat(second).isNotEqualTo(first);
            process.kill();
            assertThat(process.isAlive()).isFalse();
            assertThat(process.exitCode()).isEqualTo(128 + 9);
        }
    }
}
