// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Medians, and ratios of each round by itself. */
class ReportTest {
    @TempDir
    private Path directory;

    private final Report report = new Report(() -> Map.of("processors", 2));

    private void givenTwoVariants() {
        report.row("figure", 512, "baseline", "events/s", "", "");
        report.row("figure", 512, "ours", "events/s", "baseline", ">= 0.5");
        report.row("figure", 4096, "ours", "events/s", "", "");
        // The second round found the machine half as fast.
        for (double slow : new double[] {1, 0.5, 1}) {
            report.sample("figure", 512, "baseline", 1000 * slow);
            report.sample("figure", 512, "ours", 600 * slow);
        }
    }

    @Test
    void theMedianIsTheMiddleOne() {
        assertThat(Report.median(List.of(3.0, 1.0, 2.0))).isEqualTo(2.0);
        assertThat(Report.median(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(2.5);
        assertThat(Report.median(List.of())).isNaN();
    }

    @Test
    void aSlowRoundDoesNotMoveTheRatio() throws Exception {
        // given
        givenTwoVariants();

        // when
        Path file = directory.resolve("figures.json");
        report.writeJson(file);

        // then
        JsonNode ours =
                new ObjectMapper().readTree(file.toFile()).path("figures").path(1);
        assertThat(ours.path("ratio").asDouble()).isEqualTo(0.6);
        assertThat(ours.path("median").asDouble()).isEqualTo(600);
        assertThat(ours.path("samples").size()).isEqualTo(3);
    }

    @Test
    void theTableLinesUpAndLeavesOutWhatWasNotMeasured() {
        // given
        givenTwoVariants();

        // when
        List<String> table = report.table();

        // then
        assertThat(table).hasSize(3);
        assertThat(table.get(2)).contains("ours", "600", "0.60", "baseline", ">= 0.5");
        int unit = table.get(0).indexOf("unit");
        assertThat(table.subList(1, 3))
                .allSatisfy(line -> assertThat(line.substring(unit)).startsWith("events/s"));
    }
}
