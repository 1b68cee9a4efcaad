// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.history.Tolerated;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What a restore drill loses, and how it is brought back. */
enum DrillCase {
    STATE_DIRECTORIES(
            "state-directories",
            "SIGKILL of the processors, and their state directories are gone",
            "there is no state") {
        @Override
        void damage(DrillCluster cluster) {
            cluster.kill(DrillCluster.PROCESSORS);
            cluster.deleteStateDirectories();
        }

        @Override
        String detect(DrillCluster cluster) {
            return cluster.describeStateDirectories();
        }
    },
    CHANGELOGS(
            "changelogs",
            "SIGKILL of the processors, and the sequencer's changelog topics are deleted",
            "its changelog is missing") {
        @Override
        void damage(DrillCluster cluster) {
            cluster.kill(DrillCluster.PROCESSORS);
            cluster.deleteChangelogs();
        }
    },
    GROUP_OFFSETS(
            "group-offsets",
            "SIGKILL of the processors, and the sequencer's group offsets are deleted",
            "no committed offset") {
        @Override
        void damage(DrillCluster cluster) {
            cluster.kill(DrillCluster.PROCESSORS);
            cluster.deleteGroup();
        }
    },
    OBJECT_STORE(
            "object-store", "SIGKILL of the checkpointer, and every object of the object store is gone", "guard/") {
        @Override
        void damage(DrillCluster cluster) {
            cluster.kill(DrillCluster.CHECKPOINTER);
            cluster.deleteObjects();
        }

        @Override
        String detect(DrillCluster cluster) {
            return cluster.startExpectingRefusal(DrillCluster.CHECKPOINTER);
        }

        @Override
        void restore(DrillScene scene) {
            scene.cluster().restoreObjects();
            scene.cluster().startAgain(DrillCluster.CHECKPOINTER);
        }
    },
    CHANGELOGS_FROM_ARCHIVE(
            "changelogs-from-archive",
            "SIGKILL of the processors, and the sequencer's changelog topics are deleted; the state comes out of the object store",
            "its changelog is missing") {
        @Override
        void damage(DrillCluster cluster) {
            CHANGELOGS.damage(cluster);
        }

        @Override
        void restore(DrillScene scene) {
            scene.cluster().beginNewGenerationFromArchive(begun -> {});
        }
    },
    KAFKA(
            "kafka",
            "SIGKILL of every process, the broker's too; the broker's directory and the processors' state are gone",
            "the Kafka cluster has no ledger") {
        @Override
        void damage(DrillCluster cluster) {
            cluster.loseKafka();
        }

        @Override
        String detect(DrillCluster cluster) {
            return cluster.startAllExpectingRefusal();
        }

        @Override
        void restore(DrillScene scene) {
            scene.cluster().restoreKafka(scene.kept());
        }

        @Override
        Set<Tolerated> tolerated() {
            return Set.of(Tolerated.LOSS);
        }
    },
    POINT_IN_TIME(
            "point-in-time",
            "SIGKILL of every process, the broker's too; all that was written is deleted, but for the object store",
            "no broker answers") {
        @Override
        void damage(DrillCluster cluster) {
            cluster.loseAllButObjects();
        }

        @Override
        String detect(DrillCluster cluster) {
            return cluster.describeBroker();
        }

        @Override
        void restore(DrillScene scene) {
            scene.cluster().restorePointInTime(scene.newest().epoch());
        }

        @Override
        Set<DrillCheck> checks() {
            return EnumSet.of(
                    DrillCheck.DETECTED,
                    DrillCheck.RESTORED,
                    DrillCheck.ROOTS,
                    DrillCheck.ARCHIVE,
                    DrillCheck.CONSISTENCY,
                    DrillCheck.ACKNOWLEDGED,
                    DrillCheck.BUNDLES);
        }
    };

    private final String word;
    private final String what;
    private final String reason;

    DrillCase(String word, String what, String reason) {
        this.word = word;
        this.what = what;
        this.reason = reason;
    }

    /** As the command line and the evidence name it. */
    String word() {
        return word;
    }

    /** What is done to the cluster, for people. */
    String what() {
        return what;
    }

    /** What {@link #detect} has to say. */
    String reason() {
        return reason;
    }

    abstract void damage(DrillCluster cluster);

    /** Returns how the damage shows when the part is started as if nothing had happened. */
    String detect(DrillCluster cluster) {
        return cluster.startExpectingRefusal(DrillCluster.PROCESSORS);
    }

    /** Returns when everything is ready again, or every file is written. */
    void restore(DrillScene scene) {
        scene.cluster().beginNewGeneration();
    }

    /** What has to hold; of a ledger that is only read from then on, less. */
    Set<DrillCheck> checks() {
        return EnumSet.allOf(DrillCheck.class);
    }

    /** What a history of it may show: what was in no published epoch is lost with the topic. */
    Set<Tolerated> tolerated() {
        return Set.of();
    }

    /** Whether the ledger goes on, or is there to be read. */
    boolean goesOn() {
        return checks().contains(DrillCheck.GOES_ON);
    }

    static List<String> words() {
        return Arrays.stream(values()).map(DrillCase::word).toList();
    }

    static DrillCase of(String word) {
        return Arrays.stream(values())
                .filter(drill -> drill.word.equals(word))
                .findFirst()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "there is no drill " + word,
                        "Give --case all or one of " + String.join(", ", words())));
    }
}
