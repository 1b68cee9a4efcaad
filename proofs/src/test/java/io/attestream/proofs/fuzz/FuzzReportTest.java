// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.fuzz.FuzzReport.Run;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class FuzzReportTest {
    private static final String LOG =
            "INFO: x\nstat::number_of_executed_units: 123456\nstat::average_exec_per_sec: 9\n";

    @Test
    void countsWhatWasTriedOfEachTarget() {
        FuzzReport report = new FuzzReport(20, 2, List.of(new Run("A", true, LOG), new Run("B", true, LOG)));

        assertThat(new String(report.json(), StandardCharsets.UTF_8))
                .isEqualTo("{\"complete\":true,\"findings\":0,\"secondsPerTarget\":20,\"targets\":["
                        + "{\"executions\":123456,\"good\":true,\"target\":\"A\"},"
                        + "{\"executions\":123456,\"good\":true,\"target\":\"B\"}],\"v\":1}");
    }

    @Test
    void aTargetThatBrokeAnInvariantOrTriedNothingIsAFinding() {
        FuzzReport report = new FuzzReport(
                20, 3, List.of(new Run("A", false, LOG), new Run("B", true, ""), new Run("C", true, LOG)));

        assertThat(report.failed()).containsExactly("A", "B");
        assertThat(report.findings()).isEqualTo(2);
    }

    @Test
    void someOfTheTargetsAreNotAllOfThem() {
        FuzzReport report = new FuzzReport(20, 2, List.of(new Run("A", true, LOG)));

        assertThat(new String(report.json(), StandardCharsets.UTF_8)).contains("\"complete\":false");
    }
}
