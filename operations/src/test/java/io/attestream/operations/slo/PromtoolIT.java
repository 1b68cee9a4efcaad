// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules as Prometheus itself evaluates them: when each alert fires, and when it must not. */
@Tag("ops")
class PromtoolIT {
    private static final Path PROMETHEUS =
            Path.of("../deploy/prometheus").toAbsolutePath().normalize();
    /** Half a minute on a quiet machine. */
    private static final long TIMEOUT_SECONDS = 300;

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

    @Test
    void alertsOfFixedThresholdsFireWhenTheyMustAndOnlyThen() throws Exception {
        Ended tested = promtool(
                "test", "rules", PROMETHEUS.resolve("tests/attestream.yaml").toString());
        assertThat(tested.exitCode()).as(tested.output()).isZero();
    }

    @Test
    void everyFileOfTestsIsRun() throws IOException {
        assertThat(files("tests"))
                .extracting(file -> file.getFileName().toString())
                .containsExactly("attestream.yaml", "slo-paces.yaml", "slo-ratios.yaml");
    }

    @ParameterizedTest
    @ValueSource(strings = {"slo-paces.yaml", "slo-ratios.yaml"})
    void alertsOfBudgetsFireWhenTheyMustAndOnlyThen(String file) throws Exception {
        for (BudgetTests tests : BudgetTests.byObjectives(PROMETHEUS, file, scratch)) {
            Ended tested = promtool("test", "rules", tests.file().toString());
            assertThat(tested.exitCode())
                    .as(tests.objectives() + ": " + tested.output())
                    .isZero();
        }
    }

    /** Else the tests above could not fail. */
    @ParameterizedTest
    @CsvSource({
        "slo-ratios.yaml, 14.4, SLOErrorBudgetBurnCritical",
        "slo-paces.yaml, 6, SLOErrorBudgetBurnCritical",
        "slo-paces.yaml, 3, SLOErrorBudgetBurnWarning",
        "slo-paces.yaml, 1, SLOErrorBudgetBurnWarning"
    })
    void anotherThresholdIsSeen(String file, String pace, String alert) throws Exception {
        // given budgets that burn a hundred times as slowly
        BudgetTests tests = BudgetTests.byObjectives(PROMETHEUS, file, scratch).stream()
                .filter(each -> each.objectives().equals(Set.of("ingest-availability")))
                .findFirst()
                .orElseThrow();
        Files.writeString(
                tests.rules(), Files.readString(tests.rules()).replace("(" + pace + " * ", "(100 * " + pace + " * "));

        // then
        Ended tested = promtool("test", "rules", tests.file().toString());
        assertThat(tested.exitCode()).as(tested.output()).isNotZero();
        assertThat(tested.output()).contains(alert);
    }
}
