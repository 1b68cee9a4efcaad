// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.evidence;

import java.time.Instant;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * The newest run of a case of the restore drill, of a scenario of a game day, or of a scope of fsck.
 *
 * @param name of the case, scenario or scope
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
        DRILL("drill", "case", "drills", "drill_summary.json"),
        GAME_DAY("game day", "scenario", "game-days", "game_day_report.json"),
        /** Of {@code attestream fsck --record}. */
        FSCK("fsck", "scope", "fsck", "fsck_report.json");

        private final String words;
        private final String nameLabel;
        private final String directory;
        private final String file;

        Kind(String words, String nameLabel, String directory, String file) {
            this.words = words;
            this.nameLabel = nameLabel;
            this.directory = directory;
            this.file = file;
        }

        /** For people. */
        public String words() {
            return words;
        }

        /** What its name is that of: a member of the result, and a label of the metrics. */
        public String nameLabel() {
            return nameLabel;
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
