// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.cli.GameDayReport.Finding;
import io.attestream.cli.GameDayReport.Severity;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GameDayJudgeTest {
    private static final Instant BEGIN = Instant.parse("2026-01-05T09:00:00Z");
    private static final DrillCheck.Result GOOD =
            new DrillCheck.Result(DrillCheck.ROOTS, DrillCheck.Outcome.PASSED, "all heads", 1);

    // What was seen of a good game day; each test spoils a part of it.
    private Optional<Duration> usersOut = Optional.of(Duration.ofSeconds(60));
    private Optional<Instant> recoveredAt = Optional.of(BEGIN.plusSeconds(90));
    private List<SliProbe.Sample> samples = List.of(sample(100, 0));
    private List<Pager.Alert> alerts =
            List.of(alert("AttestreamStageDown", true, "f1", true), alert("AttestreamStageDown", true, "f1", false));
    private List<Responder.Step> steps = List.of(step(0));
    private List<DrillCheck.Result> checks = List.of(GOOD);
    private int lostEvents;
    private List<String> refused = List.of();

    private static SliProbe.Sample sample(int second, double oldestUnpublishedSeconds) {
        return new SliProbe.Sample(BEGIN.plusSeconds(second), 0, 0, oldestUnpublishedSeconds, 0, 0);
    }

    private static Pager.Alert alert(String name, boolean page, String fingerprint, boolean firing) {
        return new Pager.Alert(name, page, fingerprint, firing, null, BEGIN.plusSeconds(30));
    }

    private static Responder.Step step(int exitCode) {
        return new Responder.Step("AttestreamStageDown", false, "./attestream restart", BEGIN, exitCode, "");
    }

    private List<Finding> judge(GameDayScenario scenario) {
        return GameDayJudge.judge(
                scenario,
                new GameDayJudge.Seen(usersOut, recoveredAt, samples, alerts, steps, checks, lostEvents, refused));
    }

    private void requireFinding(Severity severity, String what) {
        assertThat(judge(GameDayScenario.PROCESSORS_DOWN)).singleElement().satisfies(finding -> {
            assertThat(finding.severity()).isEqualTo(severity);
            assertThat(finding.what()).contains(what);
        });
    }

    @Test
    void nothingIsFoundWhereAllIsAsTheScenarioSays() {
        assertThat(judge(GameDayScenario.PROCESSORS_DOWN)).isEmpty();
    }

    @Test
    void somebodyHasToBeWoken() {
        alerts = List.of(alert("AttestreamStageDown", false, "f1", true));
        requireFinding(Severity.HIGH, "nobody was woken");
    }

    @Test
    void wokenByAnotherAlertIsNotEnough() {
        alerts = List.of(
                alert("AttestreamProcessDown", true, "f2", true), alert("AttestreamProcessDown", true, "f2", false));
        requireFinding(Severity.HIGH, "by none of AttestreamStageDown");
    }

    @Test
    void whatNobodyExpectsToPageIsSaid() {
        alerts = List.of(
                alert("AttestreamStageDown", true, "f1", true),
                alert("AttestreamKeysStale", true, "f2", true),
                alert("AttestreamStageDown", true, "f1", false),
                alert("AttestreamKeysStale", true, "f2", false));
        requireFinding(Severity.MEDIUM, "AttestreamKeysStale too");
    }

    @Test
    void nobodyMayBeWokenWhereTheScenarioSaysSo() {
        usersOut = Optional.of(Duration.ofSeconds(8));
        steps = List.of();
        assertThat(judge(GameDayScenario.ROLLING_RESTART))
                .extracting(Finding::what)
                .containsExactly("somebody was woken by AttestreamStageDown too");
    }

    @Test
    void aPageHasToEnd() {
        alerts = List.of(
                alert("AttestreamStageDown", true, "f1", true),
                alert("AttestreamStageDown", true, "f1", false),
                alert("AttestreamStageDown", true, "f1", true));
        requireFinding(Severity.MEDIUM, "a page was not over");
    }

    @Test
    void usersHaveToHaveAllOfItAgain() {
        usersOut = Optional.empty();
        requireFinding(Severity.HIGH, "users have not all of it again");
    }

    @Test
    void usersHaveToHaveItInTime() {
        recoveredAt = Optional.empty();
        requireFinding(Severity.HIGH, "users have not all of it again");
    }

    @Test
    void usersMayNotBeWithoutItForLongerThanTheScenarioSays() {
        steps = List.of(step(0));
        alerts = List.of(
                alert("KafkaPartitionsUnderReplicated", true, "f1", true),
                alert("KafkaPartitionsUnderReplicated", true, "f1", false));
        usersOut = Optional.of(Duration.ofSeconds(30));
        assertThat(judge(GameDayScenario.BROKER_LOSS)).isEmpty();
        usersOut = Optional.of(Duration.ofSeconds(74));
        assertThat(judge(GameDayScenario.BROKER_LOSS)).singleElement().satisfies(finding -> {
            assertThat(finding.severity()).isEqualTo(Severity.HIGH);
            assertThat(finding.what()).contains("74.0 s", "at most 30 s");
        });
    }

    @Test
    void anOutageThatNobodySeesIsNone() {
        usersOut = Optional.of(Duration.ZERO);
        requireFinding(Severity.HIGH, "users saw nothing of an outage");
    }

    @Test
    void aRelapseIsSaid() {
        samples = List.of(sample(89, 30), sample(100, 0), sample(101, 30), sample(102, 30));
        requireFinding(Severity.MEDIUM, "then not for 2 s");
    }

    @Test
    void theRunbookHasToBeFollowedAndItsCommandsHaveToWork() {
        steps = List.of();
        requireFinding(Severity.HIGH, "no command of a runbook");
        steps = List.of(new Responder.Step("AttestreamStageDown", true, "the disk is freed", BEGIN, 0, ""));
        requireFinding(Severity.HIGH, "no command of a runbook");
        steps = List.of(step(0), step(1));
        requireFinding(Severity.HIGH, "which ended with 1");
    }

    @Test
    void everyCheckHasToPass() {
        checks = List.of(GOOD, new DrillCheck.Result(DrillCheck.HISTORY, DrillCheck.Outcome.FAILED, "a fork", 1));
        requireFinding(Severity.HIGH, "a fork");
    }

    @Test
    void noEventMayBeLostAndNoGoodOneRefused() {
        lostEvents = 1;
        requireFinding(Severity.HIGH, "1 events that were acknowledged are lost");
        lostEvents = 0;
        refused = List.of("drill-7");
        requireFinding(Severity.HIGH, "drill-7");
    }
}
