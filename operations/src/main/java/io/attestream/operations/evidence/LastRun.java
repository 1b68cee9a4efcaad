// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.evidence;

import java.time.Instant;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * The newest run of a case of the restore drill, or of a scenario of a game day.
 *
 * @param name of the case or scenario
 * @param directory of its evidence, below that of its kind
 * @param recoverySeconds RTO of a drill, MTTR of a game day; empty if nothing recovered or it was not said
 * @param lostEvents acknowledged events that were lost; empty if it was not said
 */
public record LastRun(
        Kind kind,
        String name,
        String directory,
        Instant endedAt,
        boolean passed,
        OptionalDouble recoverySeconds,
        OptionalLong lostEvents) {

    /** What was carried out. */
    public enum Kind {
        DRILL("drills", "drill_summary.json"),
        GAME_DAY("game-days", "game_day_report.json");

        private final String directory;
        private final String file;

        Kind(String directory, String file) {
            this.directory = directory;
            this.file = file;
        }

        /** Below the evidence directory; in it one directory for each run. */
        public String directory() {
            return directory;
        }

        /** In a run's directory: what came of it. */
        public String file() {
            return file;
        }
    }
}
