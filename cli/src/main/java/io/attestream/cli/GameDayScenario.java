// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.DevIdentityProvider;
import io.attestream.chaos.LocalCluster.Topology;
import io.attestream.chaos.verbs.LocalTarget;
import io.attestream.chaos.verbs.Parameters;
import io.attestream.chaos.verbs.Verb;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What is done to a ledger on a game day, and what is expected to happen. */
enum GameDayScenario {
    PROCESSORS_DOWN(
            "Both processors end without a word. Events go on being acknowledged, and wait in Kafka; nothing is published"
                    + " until somebody starts them again.",
            Users.HAVE_AN_OUTAGE,
            "AttestreamStageDown SLOErrorBudgetBurnCritical") {
        @Override
        void inject(GameDayScene scene) {
            scene.faults().kill("processors-0");
            scene.faults().kill("processors-1");
        }
    },
    CHECKPOINTER_STALLED(
            "The checkpointer stands still, as in a long pause of its machine. Events go on being acknowledged; nothing is"
                    + " published until it is started again.",
            Users.HAVE_AN_OUTAGE,
            "AttestreamStageDown SLOErrorBudgetBurnCritical") {
        @Override
        void inject(GameDayScene scene) {
            scene.faults().suspend(DrillCluster.CHECKPOINTER);
        }
    },
    BROKER_LOSS(
            "One of three brokers ends without a word. The others take over what it led, and nobody outside sees more than"
                    + " a moment of it; somebody is told that a second loss would stop the ledger.",
            Users.NOTICE_A_MOMENT,
            "KafkaPartitionsUnderReplicated") {
        @Override
        Topology topology() {
            return new Topology(3, false);
        }

        @Override
        void inject(GameDayScene scene) {
            scene.faults().chooseLeader();
            scene.faults().kill(scene.faults().struck());
        }
    },
    ROLLING_RESTART(
            "Every process is stopped in order and started again, one after the other, as for a new version. Nobody is"
                    + " woken, and nothing is lost or doubled.",
            Users.NOTICE_A_MOMENT,
            "") {
        @Override
        void inject(GameDayScene scene) {
            for (String name : List.of("processors-1", "processors-0", DrillCluster.CHECKPOINTER, "gateway-0")) {
                scene.faults().stop(name);
                scene.cluster().local().startAgain(name);
                scene.faults().awaitRecovered();
            }
        }
    },
    SPLIT_BRAIN(
            "Of two checkpointers the one that works stands still until the other has taken over, and goes on as if nothing had"
                    + " been. Its next write is fenced and it ends: never do two publish.",
            Users.NOTICE_A_MOMENT,
            "AttestreamProcessDown") {
        @Override
        Topology topology() {
            return super.topology().withCheckpointers(2);
        }

        @Override
        void inject(GameDayScene scene) {
            String active = scene.activeCheckpointer();
            long pid = scene.cluster().local().process(active).pid();
            scene.faults().suspend(active);
            scene.faults().requireGoesOnWithout(active);
            scene.faults().resumeFenced(active, pid);
        }
    },
    LOAD_SURGE(
            "Producers send more at once than the gateway has room for. What does not fit is refused at once, to be sent again;"
                    + " what is acknowledged is kept as ever. Somebody is told, and makes who surges slow down.",
            Users.HAVE_AN_OUTAGE,
            "SLOErrorRateCritical") {
        @Override
        Map<String, Map<String, String>> settings() {
            // Room for two streams of events at once.
            return Map.of("gateway", Map.of("ATTESTREAM_ADMISSION_MAX_IN_FLIGHT_EVENTS", "1100"));
        }

        @Override
        void inject(GameDayScene scene) {
            scene.surge();
        }
    },
    JWKS_OUTAGE(
            "The identity provider answers no more. The gateways go on with the keys they have; somebody is told before those are"
                    + " too old, and sees to the provider. No gateway is restarted.",
            Users.NOTICE_NOTHING,
            "AttestreamKeysStale") {
        @Override
        Map<String, Map<String, String>> settings() {
            return Map.of("gateway", Map.of("JWKS_MAX_STALE_SECONDS", "240"));
        }

        @Override
        void inject(GameDayScene scene) {
            DevIdentityProvider provider = scene.cluster().local().identityProvider();
            provider.setAvailable(false);
            scene.untilByHand("the identity provider answers again", () -> provider.setAvailable(true));
        }
    },
    CLOCK_SKEW(
            "The clock of the gateway's machine falls ten minutes behind. Every token is of the future for it, and nobody is let in"
                    + " until the clock is right again.",
            Users.HAVE_AN_OUTAGE,
            "AttestreamClockSkew") {
        @Override
        Topology topology() {
            return Topology.FOR_CHAOS;
        }

        @Override
        void inject(GameDayScene scene) {
            scene.untilByHand(
                    "the clock is set right",
                    LocalTarget.of(scene.cluster().data())
                            .inject(
                                    Verb.CLOCK_SKEW,
                                    "gateway-0",
                                    Parameters.DEFAULT.withSkew(Duration.ofMinutes(-10))));
        }
    },
    BIT_FLIP(
            "A bit of a processors' store flips on its disk. The scrub finds it before anybody is answered with it, and the store is"
                    + " made again from its changelogs.",
            Users.NOTICE_NOTHING,
            "AttestreamStorageDamaged") {
        @Override
        Map<String, Map<String, String>> settings() {
            return Map.of("processors", Map.of("ATTESTREAM_STATE_SCRUB_INTERVAL_MILLIS", "5000"));
        }

        @Override
        void prepare(GameDayScene scene) {
            scene.faults().awaitTable(DrillCluster.PROCESSORS);
        }

        @Override
        void inject(GameDayScene scene) {
            scene.faults().flipABitOfState(DrillCluster.PROCESSORS);
        }
    },
    DISK_FULL(
            "The disk of the object store has no byte left. The checkpointer publishes nothing that it could not store;"
                    + " events go on being acknowledged. The page's commands work once somebody has freed the disk.",
            Users.HAVE_AN_OUTAGE,
            "AttestreamStageDown SLOErrorBudgetBurnCritical") {
        @Override
        List<String> mounts() {
            return List.of("objects");
        }

        @Override
        void inject(GameDayScene scene) {
            scene.faults().fillAlmost("objects");
            scene.faults().fill("objects");
            scene.untilByHand("the disk is freed", () -> scene.faults().free("objects"));
        }
    };

    private final String hypothesis;
    private final Users users;
    /** Separated by spaces. */
    private final String pages;

    /** What users have of a fault. */
    private enum Users {
        /** Until somebody mends it. */
        HAVE_AN_OUTAGE(Duration.ofMinutes(10)),
        /** Until another instance has taken over. */
        NOTICE_A_MOMENT(Duration.ofSeconds(30)),
        /** But for what a machine does that others use too. */
        NOTICE_NOTHING(Duration.ofSeconds(3));

        private final Duration max;

        Users(Duration max) {
            this.max = max;
        }
    }

    GameDayScenario(String hypothesis, Users users, String pages) {
        this.hypothesis = hypothesis;
        this.users = users;
        this.pages = pages;
    }

    String hypothesis() {
        return hypothesis;
    }

    /** Longer users may not be without any of it. */
    Duration usersOutMax() {
        return users.max;
    }

    /** Whether they have to see it. */
    boolean isOutage() {
        return users == Users.HAVE_AN_OUTAGE;
    }

    /** Alerts of which one has to page; none if nobody may be woken. */
    Set<String> pages() {
        return pages.isEmpty() ? Set.of() : Set.of(pages.split(" ", -1));
    }

    /** Alerts that follow from the fault and may page too. */
    Set<String> mayPage() {
        return pages.isEmpty()
                ? Set.of()
                : Set.of("SLOErrorBudgetBurnCritical", "AttestreamStageDown", "AttestreamProcessDown");
    }

    Topology topology() {
        return new Topology(1, false);
    }

    /** Settings of services that differ, by the service's name without number. */
    Map<String, Map<String, String>> settings() {
        return Map.of();
    }

    /** Directories of the cluster that have to be disks of their own. */
    List<String> mounts() {
        return List.of();
    }

    /** What has to be there before, so that the fault can be done; returns when it is. */
    void prepare(GameDayScene scene) {}

    /**
     * Begins the fault; returns when it is there, or, if nobody is to mend it, when all of it is over. What the one on call ends before the commands of the page, and no command can, is given to {@link
     * GameDayScene#untilByHand}.
     */
    abstract void inject(GameDayScene scene);

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static List<String> words() {
        return Arrays.stream(values()).map(GameDayScenario::word).toList();
    }

    static GameDayScenario of(String word) {
        return Arrays.stream(values())
                .filter(scenario -> scenario.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        "there is no scenario " + word,
                        "Give --all or one of " + String.join(", ", words())));
    }
}
