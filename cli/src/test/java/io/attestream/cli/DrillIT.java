// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Restore drills as a scheduler runs them: some of them in every build with the profile, all of them with {@code
 * -Dattestream.drills=all}. A tag of their own, because a build that leaves the other restores away may have one of these.
 */
@Tag("restores")
@Tag("drills")
class DrillIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CHOSEN =
            System.getProperty("attestream.drills", "changelogs-from-archive,kafka,point-in-time");
    private static final String ALL = "all";
    private static final String MUTATIONS = System.getProperty(
            "attestream.drills.mutation",
            "altered-object,lost-snapshot,truncated-changelog,stale-store,new-ledger,altered-pack,altered-entry");

    @TempDir
    private Path scratch;

    private static Set<String> scenes() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("attestream-drill-"))
                    .collect(Collectors.toSet());
        }
    }

    private Script.Ended drill(int exitCode, String... arguments) throws Exception {
        Set<String> before = scenes();
        Script.Ended ended = Script.run(scratch, Duration.ofMinutes(8), arguments);
        assertThat(ended.exitCode()).as(ended.out() + ended.err()).isEqualTo(exitCode);
        assertThat(ProcessHandle.allProcesses()
                        .map(process -> process.info().commandLine().orElse(""))
                        .filter(command -> command.contains("attestream-drill-")))
                .as("processes of the drill's cluster")
                .isEmpty();
        assertThat(before).as("what a drill left").containsAll(scenes());
        return ended;
    }

    static List<String> cases() {
        return CHOSEN.equals(ALL) ? DrillCase.words() : List.of(CHOSEN.split(","));
    }

    static List<String> mutations() {
        return CHOSEN.equals(ALL)
                ? Arrays.stream(DrillMutation.values()).map(DrillMutation::word).toList()
                : List.of(MUTATIONS.split(","));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aRestoreIsShownToWorkAndItsEvidenceCannotBeEdited(String drill) throws Exception {
        // when
        String directory = scratch.resolve("drills").toString();
        Script.Ended ended =
                drill(ExitCode.OK, "drill", "restore", "--case", drill, "--strict", "--dir", directory, "-o", "json");

        // then
        JsonNode result = JSON.readTree(ended.out());
        assertThat(result.path("ok").asBoolean()).isTrue();
        assertThat(result.path("drills")).isNotEmpty().allSatisfy(summary -> {
            assertThat(summary.path("pass").asBoolean()).isTrue();
            assertThat(summary.at("/checks/passed").asInt())
                    .isEqualTo(
                            DrillCase.of(summary.path("case").asText()).checks().size());
            DrillCase of = DrillCase.of(summary.path("case").asText());
            assertThat(summary.at("/checks/passed").asInt())
                    .isEqualTo(of.checks().size());
            // A point in time is chosen before the damage, and lost brokers had what was not published: that is lost.
            assertThat(summary.at("/rpo/events").asInt() == 0 || !of.goesOn() || of == DrillCase.KAFKA)
                    .isTrue();
            assertThat(summary.at("/rto/millis").asLong()).isPositive();
        });
        List<Path> evidence;
        try (var directories = Files.list(scratch.resolve("drills"))) {
            evidence = directories.filter(Files::isDirectory).toList();
        }
        for (Path one : evidence) {
            for (String document : DrillEvidence.DOCUMENTS) {
                assertThat(DrillEvidenceTest.violations(one, document))
                        .as(document)
                        .isEmpty();
            }
            assertThat(one.resolve("logs")).isNotEmptyDirectory();
            requireJudged(one.resolve("logs/history.jsonl"), DrillCase.of(drill));
        }
        assertThat(drill(ExitCode.OK, "drill", "history", "--dir", directory).out())
                .contains("1 passed in a row");

        // and
        Path summary = evidence.get(0).resolve(DrillEvidence.SUMMARY);
        Files.writeString(summary, Files.readString(summary).replaceFirst("\"events\" : ", "\"events\" : 1"));
        assertThat(drill(ExitCode.VERIFICATION_FAILED, "drill", "history", "--dir", directory)
                        .err())
                .contains("drill_summary.json has SHA-256");
    }

    /** Of a ledger that goes on, whoever has the evidence and knows the case comes to the same judgement. */
    private void requireJudged(Path history, DrillCase of) throws Exception {
        List<String> check = new ArrayList<>(List.of("history", "check", history.toString()));
        of.tolerated().forEach(one -> check.addAll(List.of("--tolerate", one.word())));
        boolean isRead = of.checks().contains(DrillCheck.HISTORY);
        Script.Ended ended = drill(isRead ? ExitCode.OK : ExitCode.VERIFICATION_FAILED, check.toArray(String[]::new));
        assertThat(ended.out()).contains(isRead ? "valid  " : "no read of all leaves ended well");
    }

    @ParameterizedTest
    @MethodSource("mutations")
    void aDrillThatIsSpoiltOnPurposeFailsForItsReason(String mutation) throws Exception {
        String directory = scratch.resolve("spoilt").toString();
        JsonNode result = JSON.readTree(
                drill(ExitCode.OK, "drill", "restore", "--mutate", mutation, "--dir", directory, "-o", "json")
                        .out());
        assertThat(result.path("drills")).isNotEmpty().allSatisfy(summary -> {
            assertThat(summary.path("pass").asBoolean()).isFalse();
            assertThat(summary.path("asExpected").asBoolean()).isTrue();
        });
    }
}
