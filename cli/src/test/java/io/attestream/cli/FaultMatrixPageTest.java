// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The matrix in docs/durability.md is what {@code attestream drill faults --result docs/durability-matrix.json} came to;
 * {@code -Dattestream.docs.write=true} writes it.
 */
class FaultMatrixPageTest {
    private static final Path PAGE = Script.HOME.resolve("docs/durability.md");
    private static final String BEGIN = "<!-- made of durability-matrix.json -->\n";
    private static final String END = "<!-- end of what is made -->\n";

    private final FaultMatrix matrix = FaultMatrix.read(Script.HOME.resolve("docs/durability-matrix.json"));

    @Test
    void thePageIsMadeOfTheResults() throws IOException {
        // given
        String page = Files.readString(PAGE);
        int from = page.indexOf(BEGIN) + BEGIN.length();
        int to = page.indexOf(END);
        String made = page.substring(0, from) + render() + page.substring(to);

        if (Boolean.getBoolean("attestream.docs.write")) {
            Files.writeString(PAGE, made);
        }

        // then
        assertThat(Files.readString(PAGE)).isEqualTo(made);
    }

    /** Nothing is left out, and nothing is said to be survived that was not looked at. */
    @Test
    void everyFaultIsThereAtEachOfItsMoments() {
        List<String> faults = matrix.faults().stream()
                .map(fault -> fault.path("fault").asText())
                .toList();
        assertThat(faults).containsExactlyElementsOf(Fault.words());
        for (JsonNode result : matrix.faults()) {
            Fault fault = Fault.of(result.path("fault").asText());
            if (FaultMatrix.isUntested(result)) {
                assertThat(result.path("survived").asBoolean()).as(fault.word()).isFalse();
                continue;
            }
            assertThat(FaultMatrix.list(result.path("cells")))
                    .extracting(cell -> cell.path("part").asText() + " "
                            + cell.path("moment").asText())
                    .containsExactlyElementsOf(fault.cells().stream()
                            .map(cell -> cell.part() + " " + cell.moment().word())
                            .toList());
            assertThat(FaultMatrix.list(result.path("checks")))
                    .as(fault.word())
                    .hasSizeGreaterThanOrEqualTo(8)
                    .allSatisfy(
                            check -> assertThat(check.path("outcome").asText()).isEqualTo("passed"));
        }
    }

    private String render() {
        StringBuilder page = new StringBuilder("Of " + matrix.days()
                + ". Each cell: strikes survived of strikes made, and the longest time from the end of the fault until what was"
                + " acknowledged since was published.\n\n");
        table(page, matrix.rows());
        page.append("\n| moment | aimed at |\n| --- | --- |\n");
        for (FaultMoment moment : FaultMoment.values()) {
            page.append("| " + moment.word() + " | " + moment.what() + " |\n");
        }
        page.append("\n| fault | what is done | how it showed |\n| --- | --- | --- |\n");
        for (JsonNode result : matrix.faults()) {
            Fault fault = Fault.of(result.path("fault").asText());
            String showed = FaultMatrix.isUntested(result)
                    ? "**not tested**: " + result.path("untested").asText()
                    : seen(result);
            page.append("| " + fault.word() + " | " + fault.what() + " | " + showed + " |\n");
        }
        page.append("\nJudged at the end of each fault, of all events that were acknowledged: ");
        page.append(matrix.faults().stream()
                .filter(fault -> !FaultMatrix.isUntested(fault))
                .map(fault -> fault.path("fault").asText() + " "
                        + fault.path("acknowledged").asInt())
                .collect(Collectors.joining(", ")));
        return page.append(".\n").toString();
    }

    private static String seen(JsonNode result) {
        List<String> seen = new ArrayList<>();
        FaultMatrix.list(result.path("cells"))
                .forEach(cell -> FaultMatrix.list(cell.path("seen")).forEach(one -> seen.add(text(one.asText()))));
        return seen.stream().distinct().sorted().collect(Collectors.joining("; "));
    }

    /** Without what is another in every run. */
    private static String text(String seen) {
        return seen.replaceAll("[0-9a-f]{64}", "…")
                .replaceAll("/tmp/[^ ,:]*", "…")
                .replaceAll("[0-9]{4,}", "…")
                .replace("|", "\\|");
    }

    private static void table(StringBuilder page, List<List<String>> rows) {
        for (int i = 0; i < rows.size(); i++) {
            page.append("| " + String.join(" | ", rows.get(i)) + " |\n");
            if (i == 0) {
                String[] rule = new String[rows.get(0).size()];
                Arrays.fill(rule, "---");
                page.append("| " + String.join(" | ", rule) + " |\n");
            }
        }
    }
}
