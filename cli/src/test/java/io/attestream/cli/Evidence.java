// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;

/** Results of a drill, a game day and an fsck, all of which passed, as a gateway reads them. */
final class Evidence {
    private Evidence() {}

    /** Returns the directory, in {@code scratch}. */
    static Path write(Path scratch) throws IOException {
        Path directory = scratch.resolve("artifacts");
        Path drill = Files.createDirectories(directory.resolve("drills/2026-01-05T09-00-00Z"));
        Files.writeString(
                drill.resolve("drill_summary.json"), """
                {"v":1,"case":"kafka","mutation":"","pass":true,"endedAt":"%s","rpo":{"events":0,"seconds":0},
                "rto":{"millis":12500}}
                """.formatted(Instant.now().minusSeconds(40_000)));
        Path gameDay = Files.createDirectories(directory.resolve("game-days/2026-01-06T09-00-00Z"));
        Files.writeString(gameDay.resolve("game_day_report.json"), """
                {"scenario":"broker-loss","passed":true,"endedAt":"%s","mttrSeconds":41,"acknowledgedEventsLost":0}
                """.formatted(
                        Instant.now().minusSeconds(400_000)));
        FsckRecord.write(
                directory.resolve("fsck"), "ledger", Instant.now().minusSeconds(4_000), Map.of("status", "good"));
        return directory;
    }
}
