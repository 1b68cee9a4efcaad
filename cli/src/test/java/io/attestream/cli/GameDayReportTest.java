// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.attestream.cli.GameDayReport.Finding;
import io.attestream.cli.GameDayReport.Moment;
import io.attestream.cli.GameDayReport.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GameDayReportTest {
    private static final EvidenceOrigin ORIGIN = new EvidenceOrigin("c".repeat(40), true);
    private static final Instant BEGIN = Instant.parse("2026-01-05T09:00:00Z");

    @TempDir
    private Path scratch;

    private static SliProbe.Sample sample(int second, boolean good) {
        return new SliProbe.Sample(BEGIN.plusSeconds(second), 0, 0.1, good ? 1 : 30, 2, 0.5);
    }

    /** One character a second: good is a dot. */
    private static List<SliProbe.Sample> samples(String seconds) {
        List<SliProbe.Sample> samples = new ArrayList<>();
        for (int i = 0; i < seconds.length(); i++) {
            samples.add(sample(i, seconds.charAt(i) == '.'));
        }
        return samples;
    }

    private static Map<Moment, Instant> impact(String seconds, int injected) {
        return GameDayReport.impact(samples(seconds), BEGIN.plusSeconds(injected));
    }

    @Test
    void impactLastsFromTheFirstBadSecondToTheOneFromWhichAllAreGood() {
        assertThat(impact("....xx.x....", 2))
                .isEqualTo(
                        Map.of(Moment.USER_IMPACT, BEGIN.plusSeconds(4), Moment.SLI_RECOVERED, BEGIN.plusSeconds(8)));
    }

    @Test
    void whatWasBadBeforeTheFaultIsNotItsImpact() {
        assertThat(impact("xx..........", 2)).isEmpty();
    }

    @Test
    void whatIsBadAtTheEndHasNotRecovered() {
        assertThat(impact("....xx...x", 2)).containsOnlyKeys(Moment.USER_IMPACT);
    }

    @Test
    void eachIndicatorHasItsBoundAndNoNumberIsBad() {
        assertThat(new SliProbe.Sample(BEGIN, 0, 2, 10, 20, 3).bad()).isEmpty();
        assertThat(new SliProbe.Sample(BEGIN, 0, 2.1, 10.1, 20.1, 3.1).bad())
                .containsExactly("ingest", "publication", "checkpoint", "proof");
        assertThat(new SliProbe.Sample(BEGIN, 0, 0, 0, Double.NaN, 0).bad()).containsExactly("checkpoint");
        assertThat(new SliProbe.Sample(BEGIN, 1, 0, 0, 0, 0).bad()).containsExactly("ingest");
    }

    private static GameDayReport report(Finding... findings) {
        return report("....xxxx....", findings);
    }

    private static GameDayReport report(String seconds, Finding... findings) {
        Map<Moment, Instant> moments = new EnumMap<>(Moment.class);
        moments.put(Moment.INJECTED, BEGIN.plusSeconds(2));
        moments.put(Moment.PAGE_RECEIVED, BEGIN.plusSeconds(45));
        List<SliProbe.Sample> samples = samples(seconds);
        moments.putAll(GameDayReport.impact(samples, BEGIN.plusSeconds(2)));
        return new GameDayReport(
                GameDayScenario.PROCESSORS_DOWN,
                BEGIN,
                BEGIN.plusSeconds(300),
                moments,
                samples,
                List.of(new Pager.Alert("AttestreamStageDown", true, "f1", true, null, BEGIN.plusSeconds(45))),
                List.of(
                        new Responder.Step(
                                "AttestreamStageDown", true, "the disk is freed", BEGIN.plusSeconds(45), 0, ""),
                        new Responder.Step(
                                "AttestreamStageDown",
                                false,
                                "./attestream restart",
                                BEGIN.plusSeconds(46),
                                0,
                                "ready")),
                500,
                0,
                List.of(new DrillCheck.Result(DrillCheck.ROOTS, DrillCheck.Outcome.PASSED, "as | it must be", 12)),
                List.of(findings));
    }

    private static List<String> violations(Path document) throws IOException {
        Path schema = Path.of(System.getProperty("attestream.home"))
                .resolve("docs/game-day-evidence/game_day_report.schema.json");
        return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(Files.readString(schema))
                .validate(Files.readString(document), InputFormat.JSON)
                .stream()
                .map(Object::toString)
                .toList();
    }

    @Test
    void evidenceIsAsItsSchemaSays() throws Exception {
        // given
        Path logs = Files.createDirectories(scratch.resolve("logs"));
        Files.writeString(logs.resolve("broker.log"), "a line");

        // when
        Path directory = GameDayEvidence.write(
                scratch.resolve("game-days"), report(new Finding(Severity.MEDIUM, "x")), ORIGIN, true, logs);

        // then
        assertThat(violations(directory.resolve(GameDayEvidence.REPORT))).isEmpty();
        JsonNode written = GameDayEvidence.read(directory.resolve(GameDayEvidence.REPORT));
        assertThat(written.path("commit").asText()).isEqualTo(ORIGIN.commit());
        assertThat(written.path("treeClean")).isEqualTo(BooleanNode.TRUE);
        assertThat(Files.readString(directory.resolve(GameDayEvidence.PEOPLE)))
                .contains("**FAILED**", "**4.0 s**", "medium | x", "| by hand: the disk is freed |");
        assertThat(directory.resolve("logs/broker.log")).hasContent("a line");
        assertThat(directory.resolve("slis.svg")).content().startsWith("<svg ").contains("users see it");

        // and: the schema sees what is not so
        Path spoilt = scratch.resolve("spoilt.json");
        Files.writeString(
                spoilt,
                Files.readString(directory.resolve(GameDayEvidence.REPORT))
                        .replace("\"acknowledgedEventsLost\" : 0", "\"acknowledgedEventsLost\" : -1"));
        assertThat(violations(spoilt)).isNotEmpty();
    }

    @Test
    void aHighFindingFailsAndAnyOtherWhenItIsStrict() {
        assertThat(report().isPassed(true)).isTrue();
        assertThat(report(new Finding(Severity.MEDIUM, "x")).isPassed(false)).isTrue();
        assertThat(report(new Finding(Severity.MEDIUM, "x")).isPassed(true)).isFalse();
        assertThat(report(new Finding(Severity.HIGH, "x")).isPassed(false)).isFalse();
    }

    @Test
    void timeToRecoverIsOfUsersAndNotOfTheAlert() {
        assertThat(report().timeToRecover()).contains(Duration.ofSeconds(4));
        assertThat(report().badSeconds()).containsEntry("publication", 4).containsEntry("ingest", 0);
        assertThat(report().budgetSpentPercent().get("publication")).isEqualTo(0.031);
    }

    @Test
    void usersWhoHaveNotAllOfItAgainHaveNoTimeToRecover() {
        assertThat(report("....xxxxxxxx").timeToRecover()).isEmpty();
        assertThat(report("....xxxxxxxx").json(true)).containsEntry("mttrSeconds", null);
        assertThat(report("............").timeToRecover()).contains(Duration.ZERO);
    }

    @Test
    void whatWasBadBeforeTheFaultSpendsNothing() {
        assertThat(report("xx..xxxx....").badSeconds()).containsEntry("publication", 4);
    }

    @Test
    void thePageNamesEveryScenarioAndWhoIsToBeWoken() throws Exception {
        String page =
                Files.readString(Path.of(System.getProperty("attestream.home")).resolve("docs/game-days.md"));
        for (GameDayScenario scenario : GameDayScenario.values()) {
            String row = page.lines()
                    .filter(line -> line.startsWith("| `" + scenario.word() + "` |"))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(scenario.word()));
            scenario.pages().forEach(alert -> assertThat(row).contains("`" + alert + "`"));
        }
    }
}
