// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.evidence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvidenceReaderTest {
    @TempDir
    private Path directory;

    private void drill(String time, String name, String mutation, boolean passed, long recoveryMillis)
            throws IOException {
        write("drills/" + time + "/drill_summary.json", """
                {"v":1,"case":"%s","mutation":"%s","pass":%s,"endedAt":"%s","rpo":{"events":0,"seconds":0},
                "rto":{"millis":%d}}
                """.formatted(
                        name, mutation, passed, endedAt(time), recoveryMillis));
    }

    private void gameDay(String time, String name, boolean passed, long lost) throws IOException {
        write("game-days/" + time + "/game_day_report.json", """
                {"scenario":"%s","passed":%s,"startedAt":"%s","endedAt":"%s","mttrSeconds":41.5,
                "acknowledgedEventsLost":%d,"whateverElse":[1,2]}
                """.formatted(
                        name, passed, endedAt(time), endedAt(time), lost));
    }

    private static String endedAt(String time) {
        return time.substring(0, 10) + time.substring(10).replace('-', ':');
    }

    private void write(String file, String text) throws IOException {
        Path path = directory.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private Evidence read() {
        return new EvidenceReader(directory).read();
    }

    @Test
    void ofEachCaseAndScenarioTheNewestCounts() throws Exception {
        // given
        drill("2026-01-05T09-00-00Z", "kafka", "", true, 12_500);
        drill("2026-01-06T09-00-00Z", "kafka", "", false, -1);
        drill("2026-01-04T09-00-00Z", "changelogs", "", true, 9_000);
        gameDay("2026-01-07T09-00-00Z", "broker-loss", true, 0);

        // when
        Evidence evidence = read();

        // then
        assertThat(evidence.problems()).isEmpty();
        assertThat(evidence.runs())
                .extracting(LastRun::name, LastRun::passed, LastRun::recoverySeconds)
                .containsExactly(
                        tuple("broker-loss", true, OptionalDouble.of(41.5)),
                        tuple("kafka", false, OptionalDouble.empty()),
                        tuple("changelogs", true, OptionalDouble.of(9)));
        assertThat(evidence.runs().get(0).lostEvents()).isEqualTo(OptionalLong.of(0));
        assertThat(evidence.runs().get(1).directory()).isEqualTo("2026-01-06T09-00-00Z");
    }

    @Test
    void aDrillSpoiltOnPurposeIsNoFailure() throws Exception {
        // given
        drill("2026-01-05T09-00-00Z", "kafka", "", true, 1);
        drill("2026-01-06T09-00-00Z", "kafka", "short-store", false, -1);

        // then
        assertThat(read().runs())
                .singleElement()
                .satisfies(run -> assertThat(run.passed()).isTrue());
    }

    @Test
    void aGameDayThatLostAnEventDidNotPassWhateverItSays() throws Exception {
        // given
        gameDay("2026-01-07T09-00-00Z", "disk-full", true, 1);

        // then
        assertThat(read().runs())
                .singleElement()
                .satisfies(run -> assertThat(run.passed()).isFalse());
    }

    @Test
    void whatCannotBeReadIsAProblemAndNotPassed() throws Exception {
        // given
        Files.createDirectories(directory.resolve("drills/2026-01-05T09-00-00Z"));
        write("drills/2026-01-06T09-00-00Z/drill_summary.json", "{\"case\":\"kafka\"");
        write(
                "drills/2026-01-07T09-00-00Z/drill_summary.json",
                "{\"case\":\"kafka\",\"endedAt\":\"2026-01-07T09:00:00Z\"}");
        write("drills/2026-01-08T09-00-00Z/drill_summary.json", "{\"case\":\"<script>\",\"pass\":true}");
        write(
                "game-days/2026-01-07T09-00-00Z/game_day_report.json",
                "{\"scenario\":\"" + "x".repeat(EvidenceReader.MAX_FILE_SIZE_BYTES) + "\"}");
        write("drills/drill.vkey", "not a drill");

        // when
        Evidence evidence = read();

        // then
        assertThat(evidence.runs()).isEmpty();
        assertThat(evidence.problems())
                .containsExactlyInAnyOrder(
                        "drills/2026-01-05T09-00-00Z/drill_summary.json is missing",
                        "drills/2026-01-06T09-00-00Z/drill_summary.json is not JSON that can be read",
                        "drills/2026-01-07T09-00-00Z/drill_summary.json must have pass, true or false",
                        "drills/2026-01-08T09-00-00Z/drill_summary.json must have a case of 1 to 100 letters, digits,"
                                + " '.', '_', '-'",
                        "game-days/2026-01-07T09-00-00Z/game_day_report.json is longer than 1048576 bytes");
    }

    @Test
    void aReaderSeesWhatCameSinceItLooked() throws Exception {
        // given
        EvidenceReader reader = new EvidenceReader(directory);
        assertThat(reader.read().runs()).isEmpty();
        Files.createDirectories(directory.resolve("drills/2026-01-05T09-00-00Z"));
        assertThat(reader.read().problems()).hasSize(1);

        // when
        drill("2026-01-05T09-00-00Z", "kafka", "", true, 1);

        // then
        assertThat(reader.read().runs()).hasSize(1);
        assertThat(reader.read().problems()).isEmpty();
    }

    @Test
    void agesAndResultsAreGauges() throws Exception {
        // given
        drill("2026-01-05T09-00-00Z", "kafka", "", true, 1);
        gameDay("2026-01-05T08-00-00Z", "broker-loss", false, 0);
        write(
                "fsck/2026-01-05T09-30-00Z/fsck_report.json",
                "{\"scope\":\"ledger\",\"endedAt\":\"2026-01-05T09:30:00Z\",\"status\":\"damaged\"}");
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        Clock clock = Clock.fixed(Instant.parse("2026-01-05T10:00:00Z"), ZoneOffset.UTC);

        // when
        new EvidenceMetrics(registry, clock).set(read().runs());

        // then
        assertThat(registry.get("attestream.drill.age")
                        .tag("case", "kafka")
                        .gauge()
                        .value())
                .isEqualTo(3_600);
        assertThat(registry.get("attestream.drill.passed")
                        .tag("case", "kafka")
                        .gauge()
                        .value())
                .isEqualTo(1);
        assertThat(registry.get("attestream.game.day.age")
                        .tag("scenario", "broker-loss")
                        .gauge()
                        .value())
                .isEqualTo(7_200);
        assertThat(registry.get("attestream.game.day.passed")
                        .tag("scenario", "broker-loss")
                        .gauge()
                        .value())
                .isZero();
        assertThat(registry.get("attestream.fsck.age")
                        .tag("scope", "ledger")
                        .gauge()
                        .value())
                .isEqualTo(1_800);
        assertThat(registry.get("attestream.fsck.passed")
                        .tag("scope", "ledger")
                        .gauge()
                        .value())
                .isZero();
    }
}
