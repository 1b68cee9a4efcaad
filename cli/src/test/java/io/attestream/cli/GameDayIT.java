// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * One game day, with a real Prometheus and Alertmanager; all of them are played every night. Of findings only the high ones count: on
 * machines that are busy otherwise too, users may see more than the fault.
 */
@Tag("ops")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class GameDayIT {
    @TempDir
    private Path scratch;

    @Test
    void somebodyIsWokenTheRunbookMendsItAndNothingIsLost() throws Exception {
        // when
        Path directory = scratch.resolve("game-days");
        Script.Ended played = Script.run(
                scratch, Duration.ofMinutes(14), "gameday", "run", "processors-down", "--dir", directory.toString());

        // then
        assertThat(played.exitCode()).as(played.out() + played.err()).isZero();
        Set<Path> reports = GameDayEvidence.reports(directory);
        assertThat(reports).hasSize(1);
        JsonNode report = GameDayEvidence.read(reports.iterator().next());
        assertThat(report.path("passed").asBoolean()).isTrue();
        assertThat(report.path("acknowledgedEvents").asInt()).isPositive();
        assertThat(report.path("acknowledgedEventsLost").asInt(-1)).isZero();
        assertThat(report.path("alerts").findValuesAsText("alert"))
                .containsAnyElementsOf(GameDayScenario.PROCESSORS_DOWN.pages());
        assertThat(report.path("timeline").findValuesAsText("moment"))
                .containsSubsequence(
                        "injected", "pageReceived", "acknowledged", "mitigationStarted", "mitigationEnded");
        assertThat(report.path("mitigation").findValuesAsText("command"))
                .containsAll(Runbook.read(OnCall.page("AttestreamProcessDown"))
                        .commands("Mitigation", Path.of(Runbook.DATA)));
        assertThat(report.path("mitigation").findValuesAsText("exitCode")).containsOnly("0");

        // and nobody of it is left
        assertThat(ProcessHandle.allProcesses()
                        .map(process -> process.info().commandLine().orElse(""))
                        .filter(command -> command.contains("attestream-game-day-")))
                .isEmpty();
    }
}
