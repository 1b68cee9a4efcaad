// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * docs/game-days.md tells of game days whose evidence is in the repository, and of nothing else. A system property {@code
 * -Dattestream.docs.write=true} writes it.
 */
class GameDaysPageTest {
    private static final Path DOCS =
            Path.of(System.getProperty("attestream.home")).resolve("docs");
    private static final Path EVIDENCE = DOCS.resolve("game-day-evidence");
    private static final String BEGIN = "<!-- made of game-day-evidence -->\n";
    private static final String END = "<!-- to here -->\n";
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode evidence(GameDayScenario scenario) throws IOException {
        return JSON.readTree(EVIDENCE.resolve(scenario.word())
                .resolve(GameDayEvidence.REPORT)
                .toFile());
    }

    /** One that needs disks of its own is played by a process of its own, and is told like the others. */
    @Test
    void aGameDayOfAnotherProcessHasItsTimesInTheTable() {
        Path report = EVIDENCE.resolve("disk-full").resolve(GameDayEvidence.REPORT);
        assertThat(GameDayEvidence.reports(EVIDENCE))
                .hasSize(GameDayScenario.values().length)
                .contains(report);
        assertThat(GameDayCommand.Run.row(report))
                .containsExactly(
                        "disk-full",
                        "passed",
                        "51.9 s",
                        "49.3 s",
                        "3729",
                        "0",
                        report.getParent().toString());
    }

    @ParameterizedTest
    @EnumSource(GameDayScenario.class)
    void everyScenarioWasPlayedStrictlyAndPassed(GameDayScenario scenario) throws Exception {
        Path directory = EVIDENCE.resolve(scenario.word());
        JsonNode report = evidence(scenario);
        assertThat(JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                        .getSchema(Files.readString(EVIDENCE.resolve("game_day_report.schema.json")))
                        .validate(Files.readString(directory.resolve(GameDayEvidence.REPORT)), InputFormat.JSON))
                .isEmpty();
        assertThat(report.path("scenario").asText()).isEqualTo(scenario.word());
        assertThat(report.path("strict").asBoolean()).isTrue();
        assertThat(report.path("passed").asBoolean()).isTrue();
        assertThat(report.path("acknowledgedEvents").asInt()).isPositive();
        assertThat(report.path("acknowledgedEventsLost").asInt(-1)).isZero();
        assertThat(report.path("mttrSeconds").isNumber()).isTrue();
        assertThat(report.path("mttrSeconds").asDouble()).isBetween(scenario.isOutage() ? 1 : 0.0, (double)
                scenario.usersOutMax().toSeconds());
        assertThat(report.path("followUps")).isEmpty();
        assertThat(directory.resolve(GameDayEvidence.PEOPLE)).content().startsWith("# Game day: " + scenario.word());
        assertThat(directory.resolve("slis.svg")).content().startsWith("<svg ");
    }

    @Test
    void theTableIsMadeOfTheEvidence() throws Exception {
        List<String> lines = new ArrayList<>();
        lines.add("| scenario | played | page after | mitigated after | MTTR | acknowledged | lost |");
        lines.add("| --- | --- | --- | --- | --- | --- | --- |");
        for (GameDayScenario scenario : GameDayScenario.values()) {
            JsonNode report = evidence(scenario);
            lines.add(String.format(
                    Locale.ROOT,
                    "| [%s](game-day-evidence/%s/report.md) | %s | %s | %s | %.1f s | %d | %d |",
                    scenario.word(),
                    scenario.word(),
                    report.path("startedAt").asText().substring(0, 16).replace('T', ' '),
                    seconds(report, "detectSeconds"),
                    seconds(report, "mitigateSeconds"),
                    report.path("mttrSeconds").asDouble(),
                    report.path("acknowledgedEvents").asInt(),
                    report.path("acknowledgedEventsLost").asInt()));
        }
        Path page = DOCS.resolve("game-days.md");
        String text = Files.readString(page);
        String made = text.substring(0, text.indexOf(BEGIN) + BEGIN.length())
                + String.join("\n", lines)
                + "\n"
                + text.substring(text.indexOf(END));
        if (Boolean.getBoolean("attestream.docs.write")) {
            Files.writeString(page, made);
        }
        assertThat(Files.readString(page)).isEqualTo(made);
    }

    private static String seconds(JsonNode report, String name) {
        JsonNode value = report.path(name);
        return value.isNumber() ? String.format(Locale.ROOT, "%.1f s", value.asDouble()) : "-";
    }
}
