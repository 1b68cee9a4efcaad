// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.Locale;

/** What has to hold after a restore. In the order in which it is looked at. */
enum DrillCheck {
    DETECTED("the damage is noticed and named by whoever is started on it"),
    RESTORED("every service is ready again; of a point in time: every file is written"),
    PUBLISHED("an epoch was published after the restore"),
    ROOTS("a tree built anew from topic events has every published root; the checkpoint kept before is among them"),
    ARCHIVE("every object gives what was published; the checkpoint kept before is among it"),
    CONSISTENCY("the monitor that watched since before finds every transition good, of the ledger log and each shard"),
    ACKNOWLEDGED("every event that was acknowledged is proved, offline, by its own bytes"),
    BUNDLES("proof bundles saved before still verify, and their leaves are where they were"),
    OFFSETS("every record of topic events is accounted for in the signed counts: a leaf, a duplicate or a rejection"),
    HISTORY(
            "what clients were told all the time, and every leaf, agree: nothing lost, twice, reordered, forked or of nobody"),
    DEDUP("all events sent again add no leaf"),
    GOES_ON("a new event is accepted and proved");

    private final String what;

    DrillCheck(String what) {
        this.what = what;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String what() {
        return what;
    }

    /** What came of a check. */
    enum Outcome {
        PASSED,
        FAILED,
        NOT_RUN;

        String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** @param detail what was seen, in words */
    record Result(DrillCheck check, Outcome outcome, String detail, long tookMillis) {}
}
