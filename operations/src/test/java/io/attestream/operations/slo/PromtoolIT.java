// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rules as Prometheus itself evaluates them: when each alert fires, and when it must not. */
@Tag("ops")
class PromtoolIT {
    private static final Path PROMETHEUS =
            Path.of("../deploy/prometheus").toAbsolutePath().normalize();
    /** A minute on a quiet machine. */
    private static final long TIMEOUT_SECONDS = 900;

    @TempDir
    private Path scratch;

    private record Ended(int exitCode, String output) {}

    private Ended promtool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("promtool"));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(scratch, "promtool", ".out");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("promtool did not end");
        }
        return new Ended(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
    }

    static List<Path> files(String directory) throws IOException {
        try (Stream<Path> files = Files.list(PROMETHEUS.resolve(directory))) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
    }

    static List<Path> rules() throws IOException {
        return files("rules");
    }

    static List<Path> tests() throws IOException {
        return files("tests");
    }

    @ParameterizedTest
    @MethodSource("rules")
    void rulesAreRules(Path file) throws Exception {
        Ended checked = promtool("check", "rules", "--lint=all", "--lint-fatal", file.toString());
        assertThat(checked.exitCode()).as(checked.output()).isZero();
    }

    @Test
    void theConfigurationHasAllRules() throws Exception {
        Ended checked = promtool(
                "check", "config", PROMETHEUS.resolve("prometheus.yaml").toString());
        assertThat(checked.exitCode()).as(checked.output()).isZero();
        assertThat(checked.output()).contains(rules().size() + " rule files found");
    }

    @ParameterizedTest
    @MethodSource("tests")
    void alertsFireWhenTheyMustAndOnlyThen(Path file) throws Exception {
        Ended tested = promtool("test", "rules", file.toString());
        assertThat(tested.exitCode()).as(tested.output()).isZero();
    }

    /** Else the tests above could not fail. */
    @Test
    void anotherThresholdIsSeen() throws Exception {
        // given budgets that burn a hundred times as slowly
        Path rules = Files.createDirectories(scratch.resolve("rules"));
        Path tests = Files.createDirectories(scratch.resolve("tests"));
        for (Path file : rules()) {
            Files.writeString(
                    rules.resolve(file.getFileName().toString()),
                    Files.readString(file).replace("(14.4 * ", "(1440 * "));
        }
        Path test = PROMETHEUS.resolve("tests/slo-ratios.yaml");
        Path copy = Files.copy(test, tests.resolve("slo-ratios.yaml"));

        // then
        Ended tested = promtool("test", "rules", copy.toString());
        assertThat(tested.exitCode()).as(tested.output()).isNotZero();
        assertThat(tested.output()).contains("SLOErrorBudgetBurnCritical");
    }
}
