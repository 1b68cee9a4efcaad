// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static io.attestream.cli.DrillCluster.CHECKPOINTER;
import static io.attestream.cli.DrillCluster.PROCESSORS;
import static io.attestream.cli.FaultMoment.ARCHIVE_UPLOAD;
import static io.attestream.cli.FaultMoment.CHECKPOINT;
import static io.attestream.cli.FaultMoment.COMPACTION;
import static io.attestream.cli.FaultMoment.INGEST;
import static io.attestream.cli.FaultMoment.RESTORE;
import static io.attestream.cli.FaultMoment.SEQUENCING;
import static io.attestream.cli.FaultMoment.SNAPSHOT;

import io.attestream.chaos.LocalCluster.Topology;
import io.attestream.chaos.history.Tolerated;
import io.attestream.chaos.verbs.FakeClock;
import io.attestream.chaos.verbs.Parameters;
import io.attestream.chaos.verbs.Verb;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What can go wrong on a machine, the parts it strikes, and at which moments. A part that ended is started again, as everywhere. */
enum Fault {
    SIGKILL("a process ends without a word") {
        @Override
        Map<String, List<FaultMoment>> strikes() {
            return Map.of(
                    GATEWAY, List.of(INGEST),
                    PROCESSORS, List.of(SEQUENCING, COMPACTION, RESTORE),
                    CHECKPOINTER, List.of(CHECKPOINT, SNAPSHOT, ARCHIVE_UPLOAD, COMPACTION));
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.kill(part);
        }
    },
    SIGSTOP("a process stands still for 16 s, longer than a session (6 s) and a transaction (10 s) last, and goes on") {
        @Override
        Map<String, List<FaultMoment>> strikes() {
            return SIGKILL.strikes();
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.suspend(part);
        }

        @Override
        void relieve(FaultScene scene, String part) {
            scene.hold(LONG_MILLIS);
            if (part.equals(PROCESSORS)) {
                scene.requireGoesOnWithout(part);
            }
            scene.resume(part);
        }
    },
    REBALANCE("an instance of the processors leaves, and comes back when the other goes on in its place") {
        @Override
        Map<String, List<FaultMoment>> strikes() {
            return Map.of(PROCESSORS, List.of(INGEST, SEQUENCING, CHECKPOINT, SNAPSHOT, COMPACTION, RESTORE));
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.stop(part);
        }

        @Override
        void relieve(FaultScene scene, String part) {
            scene.requireGoesOnWithout(part);
        }
    },
    BROKER_RESTART("the only broker ends without a word, and is there again after 5 s") {
        @Override
        Map<String, List<FaultMoment>> strikes() {
            return Map.of(BROKER, List.of(FaultMoment.values()));
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.kill(part);
        }

        @Override
        void relieve(FaultScene scene, String part) {
            scene.hold(5_000);
        }
    },
    LEADER_CHANGE(
            "of three brokers the one that leads a shard ends without a word, and is missing until all goes on without it") {
        @Override
        Topology topology() {
            return new Topology(3, false);
        }

        @Override
        Map<String, List<FaultMoment>> strikes() {
            return Map.of(BROKER, List.of(FaultMoment.values()));
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.kill(scene.struck());
        }

        @Override
        void relieve(FaultScene scene, String part) {
            scene.requireGoesOnWithout(scene.struck());
            scene.requireAnotherLeads();
        }

        @Override
        void prepare(FaultScene scene, String part) {
            scene.chooseLeader();
        }
    },
    NETWORK_CUT("nothing gets through between a part and Kafka for 16 s, and no connection ends") {
        @Override
        Topology topology() {
            return new Topology(1, true);
        }

        @Override
        Map<String, List<FaultMoment>> strikes() {
            return SIGKILL.strikes();
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.cut(part);
        }

        @Override
        void relieve(FaultScene scene, String part) {
            scene.hold(LONG_MILLIS);
            scene.heal(part);
        }
    },
    DISK_FULL("the disk below a part has no byte left for 10 s") {
        @Override
        List<String> mounts() {
            return List.of("state", "kafka", "objects");
        }

        @Override
        Map<String, List<FaultMoment>> strikes() {
            return Map.of(
                    "state", List.of(SEQUENCING, COMPACTION, RESTORE),
                    "objects", List.of(CHECKPOINT, SNAPSHOT, ARCHIVE_UPLOAD, COMPACTION),
                    "kafka", List.of(INGEST, SEQUENCING, CHECKPOINT));
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.fill(part);
        }

        @Override
        void relieve(FaultScene scene, String part) {
            scene.hold(10_000);
            scene.free(part);
        }

        @Override
        void prepare(FaultScene scene, String part) {
            scene.fillAlmost(part);
        }
    },
    FLIPPED_BIT("processors stop, a bit flips in the largest table of a state store, and they are started on it") {
        @Override
        Map<String, List<FaultMoment>> strikes() {
            return Map.of(PROCESSORS, List.of(SEQUENCING, COMPACTION));
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.stop(part);
            scene.flipABitOfState(part);
        }
    },
    TRUNCATED_FILE("processors stop, the largest table of a state store is cut in half, and they are started on it") {
        @Override
        Map<String, List<FaultMoment>> strikes() {
            return FLIPPED_BIT.strikes();
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.stop(part);
            scene.truncateAFileOfState(part);
        }
    },
    LOST_DIRECTORY("SIGKILL, and the state directory is gone") {
        @Override
        Map<String, List<FaultMoment>> strikes() {
            return Map.of(PROCESSORS, List.of(SEQUENCING, COMPACTION, RESTORE));
        }

        @Override
        void strike(FaultScene scene, String part) {
            scene.kill(part);
            scene.deleteState(part);
        }
    },
    SLOW_DISK("a disk answers late") {
        @Override
        void strike(FaultScene scene, String part) {
            throw new IllegalStateException("is not tested");
        }

        @Override
        Optional<String> untested() {
            return Optional.of("needs a device that delays (dm-delay), so a kernel module and root");
        }
    },
    NETWORK_DELAY("everything between a part and Kafka takes half a second longer, for 16 s", Verb.DELAY),
    NETWORK_RESET(
            "every connection between a part and Kafka is reset as soon as something is sent, for 16 s", Verb.RESET),
    CLOCK_JUMP("the clock of a part jumps ten minutes ahead, and back after 16 s", Verb.CLOCK_SKEW) {
        @Override
        Set<Tolerated> tolerated() {
            return Set.of(Tolerated.CLOCK);
        }

        @Override
        Optional<String> untested() {
            return FakeClock.library().isPresent()
                    ? Optional.empty()
                    : Optional.of("needs libfaketime, a clock for each process: deploy/prometheus/install.sh");
        }
    };

    static final String GATEWAY = "gateway-0";
    static final String BROKER = "broker";
    private static final long LONG_MILLIS = 16_000;

    private final String what;
    /** By which it is done; null if it has a way of its own. */
    private final @Nullable Verb verb;

    Fault(String what) {
        this(what, null);
    }

    /** Done by a verb of {@code attestream chaos} to every part that SIGKILL strikes, and undone after 16 s. */
    Fault(String what, @Nullable Verb verb) {
        this.what = what;
        this.verb = verb;
    }

    /** One strike: of what, and when. */
    record Cell(String part, FaultMoment moment) {}

    String what() {
        return what;
    }

    /** Why no test does it; empty if one does. */
    Optional<String> untested() {
        return Optional.empty();
    }

    /** What the history may show, for it is what was done. */
    Set<Tolerated> tolerated() {
        return Set.of();
    }

    Topology topology() {
        return verb == null ? new Topology(1, false) : Topology.FOR_CHAOS;
    }

    /** Directories of the cluster that have to be disks of their own. */
    List<String> mounts() {
        return List.of();
    }

    Map<String, List<FaultMoment>> strikes() {
        return verb == null ? Map.of() : SIGKILL.strikes();
    }

    /** What takes long and changes nothing yet. */
    void prepare(FaultScene scene, String part) {}

    /** What is over at once. */
    void strike(FaultScene scene, String part) {
        scene.inject(Objects.requireNonNull(verb, "or strikes in its own way"), part, Parameters.DEFAULT);
    }

    /** How long it lasts, what has to hold meanwhile, and how it ends. */
    void relieve(FaultScene scene, String part) {
        if (verb != null) {
            scene.undoAfter(LONG_MILLIS);
        }
    }

    /** In the order in which they are struck. */
    List<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        for (FaultMoment moment : FaultMoment.values()) {
            strikes().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .filter(part -> part.getValue().contains(moment))
                    .forEach(part -> cells.add(new Cell(part.getKey(), moment)));
        }
        return cells;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static List<String> words() {
        return Arrays.stream(values()).map(Fault::word).toList();
    }

    static Fault of(String word) {
        return Arrays.stream(values())
                .filter(fault -> fault.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "there is no fault " + word,
                        "Give --fault all or one of " + String.join(", ", words())));
    }
}
