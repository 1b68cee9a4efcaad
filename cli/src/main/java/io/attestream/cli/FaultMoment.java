// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** What is being done when a fault strikes. Each is aimed at by what shows outside that it is under way. */
enum FaultMoment {
    INGEST("a request is on its way") {
        @Override
        void await(FaultScene scene, Random random) {
            scene.await("a request is on its way", scene.load()::asks);
        }

        @Override
        boolean isUnderWay(FaultScene scene) {
            return scene.load().asks();
        }
    },
    SEQUENCING("anywhere between two commits, which come every 100 ms") {
        @Override
        void await(FaultScene scene, Random random) {
            LockSupport.parkNanos(random.nextInt(300_000_000));
        }
    },
    CHECKPOINT("an epoch was guarded and not yet published") {
        @Override
        void await(FaultScene scene, Random random) {
            awaitObject(scene, "guard/");
        }

        @Override
        boolean isUnderWay(FaultScene scene) {
            return newest(scene, "guard/") > newest(scene, "epochs/");
        }
    },
    SNAPSHOT("a shard of a snapshot was written, its manifest was not") {
        @Override
        void await(FaultScene scene, Random random) {
            awaitObject(scene, "shard-snapshots/");
        }

        @Override
        boolean isUnderWay(FaultScene scene) {
            return newest(scene, "shard-snapshots/") > newest(scene, "snapshots/");
        }
    },
    ARCHIVE_UPLOAD("a segment was written, its epoch was not") {
        @Override
        void await(FaultScene scene, Random random) {
            awaitObject(scene, "segments/");
        }

        @Override
        boolean isUnderWay(FaultScene scene) {
            return newest(scene, "segments/") > newest(scene, "epochs/");
        }
    },
    COMPACTION("a pack was written; it is logged, and stores let go of it, in the next two seconds") {
        @Override
        void await(FaultScene scene, Random random) {
            awaitObject(scene, "packs/");
            LockSupport.parkNanos(random.nextInt(2_000_000_000));
        }
    },
    RESTORE("processors that lost their directories make their state again from changelogs") {
        @Override
        void await(FaultScene scene, Random random) {
            scene.restartWithoutState();
            LockSupport.parkNanos(1_500_000_000L + random.nextInt(2_000_000_000));
        }

        @Override
        boolean isUnderWay(FaultScene scene) {
            return !scene.cluster().local().isReady(DrillCluster.PROCESSORS);
        }
    };

    private final String what;

    FaultMoment(String what) {
        this.what = what;
    }

    /** Returns when it is under way. */
    abstract void await(FaultScene scene, Random random);

    /** Whether it was so when the fault had struck, as far as can be seen from outside. */
    boolean isUnderWay(FaultScene scene) {
        return true;
    }

    /** Epoch of the newest object below a prefix. */
    private static long newest(FaultScene scene, String prefix) {
        return scene.cluster().listObjects(prefix).stream()
                .mapToLong(
                        name -> Long.parseLong(name.substring(prefix.length()).replaceAll("^([0-9]+).*", "$1")))
                .max()
                .orElse(-1);
    }

    private static void awaitObject(FaultScene scene, String prefix) {
        Set<String> before = new HashSet<>(scene.cluster().listObjects(prefix));
        scene.awaitQuickly(
                "an object is written below " + prefix,
                () -> scene.cluster().listObjects(prefix).stream().anyMatch(name -> !before.contains(name)));
    }

    String what() {
        return what;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static List<String> words() {
        return Arrays.stream(values()).map(FaultMoment::word).toList();
    }
}
