// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The shortest game day, with a real Prometheus and Alertmanager; all of them are played every night. */
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
                scratch,
                Duration.ofMinutes(14),
                "gameday",
                "run",
                "bit-flip",
                "--strict",
                "--dir",
                directory.toString());

        // then
        assertThat(played.exitCode()).as(played.out() + played.err()).isZero();
        Set<Path> reports = GameDayEvidence.reports(directory);
        assertThat(reports).hasSize(1);
        JsonNode report = GameDayEvidence.read(reports.iterator().next());
        assertThat(report.path("passed").asBoolean()).isTrue();
        assertThat(report.path("acknowledgedEvents").asInt()).isPositive();
        assertThat(report.path("acknowledgedEventsLost").asInt(-1)).isZero();
        assertThat(report.at("/alerts/0/alert").asText()).isEqualTo("AttestreamStorageDamaged");
        assertThat(report.path("timeline").findValuesAsText("moment"))
                .containsSubsequence(
                        "injected",
                        "pageReceived",
                        "acknowledged",
                        "mitigationStarted",
                        "mitigationEnded",
                        "alertResolved");
        assertThat(report.path("mitigation").findValuesAsText("command"))
                .isEqualTo(Runbook.read(OnCall.page("AttestreamStorageDamaged"))
                        .commands("Mitigation", Path.of(Runbook.DATA)));
        assertThat(report.path("mitigation").findValuesAsText("exitCode")).isEqualTo(List.of("0", "0"));

        // and nobody of it is left
        assertThat(ProcessHandle.allProcesses()
                        .map(process -> process.info().commandLine().orElse(""))
                        .filter(command -> command.contains("attestream-game-day-")))
                .isEmpty();
    }
}
