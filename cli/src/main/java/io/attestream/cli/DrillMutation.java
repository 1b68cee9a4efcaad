// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.Arrays;
import java.util.List;

/** A drill that is spoilt on purpose: it has to fail, in the named check and with the named reason, else the check is worth nothing. */
enum DrillMutation {
    DROPPED_EVENT(DrillCase.STATE_DIRECTORIES, DrillCheck.ACKNOWLEDGED, "was acknowledged and is not proved") {
        @Override
        void spoil(DrillScene scene) {
            scene.forgeAcknowledgement();
        }
    },
    SHORT_LOG(DrillCase.STATE_DIRECTORIES, DrillCheck.ROOTS, "the kept checkpoint of size") {
        @Override
        void spoil(DrillScene scene) {
            scene.forgeLongerCheckpoint();
        }
    },
    EMPTY_CHANGELOGS(DrillCase.CHANGELOGS, DrillCheck.RESTORED, "a changelog was deleted or replaced") {
        @Override
        void restore(DrillCluster cluster) {
            cluster.createEmptyChangelogs();
            cluster.startAgain(DrillCluster.PROCESSORS);
        }
    },
    SHIFTED_OFFSET(DrillCase.GROUP_OFFSETS, DrillCheck.RESTORED, "is a committed record") {
        @Override
        void restore(DrillCluster cluster) {
            cluster.shiftGroupOffsets(1);
            cluster.startAgain(DrillCluster.PROCESSORS);
        }
    },
    ALTERED_OBJECT(DrillCase.OBJECT_STORE, DrillCheck.ARCHIVE, "the digest in its name") {
        @Override
        void spoil(DrillScene scene) {
            scene.cluster().flipABitOfASegment();
        }
    },
    WRONG_KEY(DrillCase.OBJECT_STORE, DrillCheck.ACKNOWLEDGED, "note-signature") {
        @Override
        void spoil(DrillScene scene) {
            scene.trustAnotherKey();
        }
    };

    private final DrillCase drill;
    private final DrillCheck check;
    private final String reason;

    DrillMutation(DrillCase drill, DrillCheck check, String reason) {
        this.drill = drill;
        this.check = check;
        this.reason = reason;
    }

    /** What is done instead of the case's own restore. */
    void restore(DrillCluster cluster) {
        drill.restore(cluster);
    }

    /** What is done after the restore, before anything is verified. */
    void spoil(DrillScene scene) {}

    String word() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }

    DrillCase drill() {
        return drill;
    }

    /** The check that has to fail. */
    DrillCheck check() {
        return check;
    }

    /** What its detail has to say. */
    String reason() {
        return reason;
    }

    static List<DrillMutation> of(DrillCase drill) {
        return Arrays.stream(values())
                .filter(mutation -> mutation.drill == drill)
                .toList();
    }

    static DrillMutation of(String word) {
        return Arrays.stream(values())
                .filter(mutation -> mutation.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "there is no mutation " + word,
                        "Give --mutate all or one of "
                                + String.join(
                                        ", ",
                                        Arrays.stream(values())
                                                .map(DrillMutation::word)
                                                .toList())));
    }
}
