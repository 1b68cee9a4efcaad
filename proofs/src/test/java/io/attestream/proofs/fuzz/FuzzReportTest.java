// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.fuzz.FuzzReport.Run;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class FuzzReportTest {
    private static final String LOG =
            "INFO: x\nstat::number_of_executed_units: 123456\nstat::average_exec_per_sec: 9\n";

    private static FuzzReport report(long secondsPerTarget, int known, List<Run> runs) {
        return new FuzzReport(
                new FuzzedTree("c".repeat(40), false),
                Instant.parse("2026-01-05T09:00:00Z"),
                secondsPerTarget,
                known,
                runs);
    }

    @Test
    void countsWhatWasTriedOfEachTarget() {
        FuzzReport report = report(20, 2, List.of(new Run("A", true, LOG), new Run("B", true, LOG)));

        assertThat(new String(report.json(), StandardCharsets.UTF_8))
                .isEqualTo("{\"commit\":\"" + "c".repeat(40) + "\",\"complete\":true,"
                        + "\"endedAt\":\"2026-01-05T09:00:00Z\",\"findings\":0,\"secondsPerTarget\":20,\"targets\":["
                        + "{\"executions\":123456,\"good\":true,\"target\":\"A\"},"
                        + "{\"executions\":123456,\"good\":true,\"target\":\"B\"}],\"treeClean\":false,\"v\":1}");
    }

    @Test
    void aTargetThatBrokeAnInvariantOrTriedNothingIsAFinding() {
        FuzzReport report =
                report(20, 3, List.of(new Run("A", false, LOG), new Run("B", true, ""), new Run("C", true, LOG)));

        assertThat(report.failed()).containsExactly("A", "B");
        assertThat(report.findings()).isEqualTo(2);
    }

    @Test
    void someOfTheTargetsAreNotAllOfThem() {
        FuzzReport report = report(20, 2, List.of(new Run("A", true, LOG)));

        assertThat(new String(report.json(), StandardCharsets.UTF_8)).contains("\"complete\":false");
    }
}
