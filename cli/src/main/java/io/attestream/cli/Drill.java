// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.DrillCheck.Outcome;
import io.attestream.cli.Output.Tone;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One restore drill: an isolated cluster under load, the state before, the damage, the restore, the state after, and the judgement
 * of {@link DrillVerifier}. Everything seen goes into the evidence, also of a drill that fails.
 */
final class Drill {
    private static final long QUIET_NANOS = 3_000_000_000L;

    private final DrillCase drill;
    private final Optional<DrillMutation> mutation;
    private final Settings settings;
    private final Output output;
    private final Map<String, Long> phasesMillis = new LinkedHashMap<>();
    private final Instant startedAt = Instant.now();
    private final List<DrillCheck.Result> results = new ArrayList<>();
    private List<DrillLoad.Acknowledged> lost = List.of();
    private String detected = "";
    private Map<String, Object> before = Map.of();
    private Map<String, Object> after = Map.of();
    private long damagedAtMillis;

    /**
     * How drills are run.
     *
     * @param events acknowledged before the damage is done, at least 1
     * @param strict whether what was not run, and every warning, is a failure
     */
    record Settings(int shards, int events, boolean strict) {}

    /**
     * What came of it.
     *
     * @param ok whether everything that had to hold held; says nothing of what a mutation was to show
     * @param warnings what is no failure unless it is strict
     */
    record Outcomes(
            DrillCase drill,
            Optional<DrillMutation> mutation,
            Settings settings,
            Instant startedAt,
            Instant endedAt,
            boolean ok,
            List<DrillCheck.Result> checks,
            Map<String, Long> phasesMillis,
            int acknowledged,
            int lost,
            long lostSeconds,
            String detected,
            List<String> warnings,
            Map<String, Object> before,
            Map<String, Object> after) {
        /** A mutated drill is as it has to be if the check it is for failed, for its reason. */
        boolean isAsExpected() {
            return mutation.map(spoilt -> spoilt.isShownBy(checks)).orElse(ok);
        }

        /** From the begin of the restore to the first epoch published after it, or to the last file; −1 if it did not come to that. */
        long recoveryMillis() {
            if (!drill.goesOn()) {
                return after.isEmpty() ? -1 : phasesMillis.getOrDefault("restore", -1L);
            }
            return phasesMillis.containsKey("publish")
                    ? phasesMillis.getOrDefault("restore", 0L) + phasesMillis.getOrDefault("publish", 0L)
                    : -1;
        }
    }

    Drill(DrillCase drill, Optional<DrillMutation> mutation, Settings settings, Output output) {
        this.drill = drill;
        this.mutation = mutation;
        this.settings = settings;
        this.output = output;
    }

    /** @param data a directory for the cluster, empty or absent */
    Outcomes run(Path data) {
        say("starting an isolated cluster in " + data);
        try (DrillCluster cluster = timed("start", () -> DrillCluster.start(data, settings.shards(), line -> {}));
                DrillRecord record = new DrillRecord(cluster, drill.tolerated());
                DrillLoad load = new DrillLoad(record).start()) {
            run(cluster, record, load);
            return outcomes(load.count(), load.refused());
        } catch (RuntimeException e) {
            note(DrillCheck.RESTORED, Outcome.FAILED, "the drill broke off: " + e, 0);
            giveUp();
            return outcomes(0, List.of());
        }
    }

    private void run(DrillCluster cluster, DrillRecord record, DrillLoad load) {
        say("sending events until " + settings.events() + " are acknowledged; the load goes on from here to the end");
        timed("load", () -> DrillCluster.await("events are acknowledged", () -> load.count() >= settings.events()));
        timed("pack", () -> DrillCluster.await("leaves are in a pack", () -> cluster.countObjects("packs/") > 0));
        // Two epochs later at the latest it is logged.
        long packedAt = NewestEpoch.fetch(cluster.api("auditor")).epoch();
        timed(
                "log",
                () -> DrillCluster.await(
                        "the pack is logged",
                        () -> NewestEpoch.fetch(cluster.api("auditor")).epoch() >= packedAt + 2));
        DrillScene scene = new DrillScene(cluster, record, load);
        before = state(cluster, scene.newest(), scene.keptNote(), load);
        say(drill.what());
        load.expectTrouble(true);
        timed("damage", () -> drill.damage(cluster));
        if (!drill.goesOn()) {
            load.close();
        }
        damagedAtMillis = System.currentTimeMillis();
        detect(cluster);
        say(
                mutation.isEmpty()
                        ? "restoring"
                        : "restoring, spoilt on purpose: " + mutation.get().word());
        if (restore(cluster, scene)) {
            if (drill.goesOn()) {
                judge(cluster, load, scene);
            } else {
                judgeFiles(scene);
            }
        } else {
            load.close();
            giveUp();
        }
    }

    private void note(DrillCheck check, Outcome outcome, String detail, long tookMillis) {
        note(new DrillCheck.Result(check, outcome, detail, tookMillis));
    }

    private void note(DrillCheck.Result result) {
        results.add(result);
        show(result);
    }

    /** Without a restore there is nothing to judge. */
    private void giveUp() {
        for (DrillCheck check : drill.checks()) {
            if (results.stream().noneMatch(result -> result.check() == check)) {
                note(check, Outcome.NOT_RUN, "nothing was restored", 0);
            }
        }
    }

    private void detect(DrillCluster cluster) {
        long begun = System.nanoTime();
        try {
            detected = timed("detect", () -> drill.detect(cluster));
            boolean named = detected.contains(drill.reason());
            note(
                    DrillCheck.DETECTED,
                    named ? Outcome.PASSED : Outcome.FAILED,
                    (named ? "says: " : "does not say: ") + drill.reason(),
                    millisSince(begun));
        } catch (IllegalStateException e) {
            note(DrillCheck.DETECTED, Outcome.FAILED, String.valueOf(e.getMessage()), millisSince(begun));
        }
    }

    private boolean restore(DrillCluster cluster, DrillScene scene) {
        long begun = System.nanoTime();
        try {
            if (mutation.isPresent()) {
                mutation.get().restore(scene);
            } else {
                drill.restore(scene);
            }
            List<String> ended = drill.goesOn() ? cluster.ended() : List.of();
            phasesMillis.put("restore", millisSince(begun));
            String restored = drill.goesOn() ? "generation " + cluster.generation() : "files in " + cluster.restored();
            note(
                    DrillCheck.RESTORED,
                    ended.isEmpty() ? Outcome.PASSED : Outcome.FAILED,
                    ended.isEmpty() ? restored : "ended by themselves: " + ended,
                    millisSince(begun));
            return ended.isEmpty();
        } catch (IllegalStateException e) {
            phasesMillis.put("restore", millisSince(begun));
            note(DrillCheck.RESTORED, Outcome.FAILED, String.valueOf(e.getMessage()), millisSince(begun));
            return false;
        }
    }

    private void judge(DrillCluster cluster, DrillLoad load, DrillScene scene) {
        long begun = System.nanoTime();
        Api auditor = cluster.api("auditor");
        long epochBefore = NewestEpoch.fetch(auditor).epoch(); // of what was sealed before the damage, some came since
        load.expectTrouble(false);
        try {
            DrillCluster.await(
                    "an epoch is published",
                    () -> !cluster.ended().isEmpty()
                            || NewestEpoch.fetch(auditor).epoch() > epochBefore);
            if (!cluster.ended().isEmpty()) {
                note(
                        DrillCheck.PUBLISHED,
                        Outcome.FAILED,
                        "ended by themselves: " + cluster.ended(),
                        millisSince(begun));
                load.close();
                giveUp();
                return;
            }
            phasesMillis.put("publish", millisSince(begun));
            note(
                    DrillCheck.PUBLISHED,
                    Outcome.PASSED,
                    "epoch " + NewestEpoch.fetch(auditor).epoch() + " after epoch " + epochBefore,
                    millisSince(begun));
        } catch (IllegalStateException | CliException e) {
            note(DrillCheck.PUBLISHED, Outcome.FAILED, String.valueOf(e.getMessage()), millisSince(begun));
        }
        load.close();
        awaitQuiet(auditor);
        mutation.ifPresent(spoilt -> spoilt.spoil(scene));
        DrillVerifier verifier = new DrillVerifier(scene, this::note);
        lost = timed("verify", verifier::run);
        after = state(
                cluster,
                NewestEpoch.fetch(auditor),
                auditor.require("/v1/checkpoint", "text/plain").text(),
                load);
    }

    private void judgeFiles(DrillScene scene) {
        mutation.ifPresent(spoilt -> spoilt.spoil(scene));
        DrillFilesVerifier verifier = new DrillFilesVerifier(scene, this::note);
        lost = timed("verify", verifier::run);
        after = verifier.state();
    }

    /** What was written and not answered any more is published too, before anything is counted. */
    private static void awaitQuiet(Api auditor) {
        long[] last = {NewestEpoch.fetch(auditor).epoch(), System.nanoTime()};
        DrillCluster.await("nothing new is published", () -> {
            long newest = NewestEpoch.fetch(auditor).epoch();
            if (newest != last[0]) {
                last[0] = newest;
                last[1] = System.nanoTime();
            }
            return System.nanoTime() - last[1] > QUIET_NANOS;
        });
    }

    private static Map<String, Object> state(DrillCluster cluster, NewestEpoch newest, String note, DrillLoad load) {
        Map<String, Object> offsets = new LinkedHashMap<>();
        cluster.groupOffsets().entrySet().stream()
                .sorted((a, b) ->
                        Integer.compare(a.getKey().partition(), b.getKey().partition()))
                .forEach(entry -> offsets.put(
                        Integer.toString(entry.getKey().partition()),
                        entry.getValue().offset()));
        return Output.object(
                "takenAt", Instant.now().toString(),
                "ledgerKey", cluster.vkey(),
                "generation", cluster.generation(),
                "epoch", newest.epoch(),
                "eventLeaves", newest.eventLeaves(),
                "checkpoint", note,
                "heads",
                        newest.heads().stream()
                                .map(head -> Output.object(
                                        "shard", head.shard(),
                                        "size", head.size().value(),
                                        "root", head.root().base64(),
                                        "nextOffset", head.nextOffset()))
                                .toList(),
                "groupOffsets", offsets,
                "changelogs", cluster.changelogs(),
                "acknowledged", load.count());
    }

    private Outcomes outcomes(int acknowledged, List<String> refused) {
        List<String> warnings = new ArrayList<>();
        refused.forEach(event -> warnings.add("a gateway would not take an event: " + event));
        if (before.isEmpty() || after.isEmpty()) {
            warnings.add("evidence is missing: the state " + (before.isEmpty() ? "before" : "after"));
        }
        results.stream()
                .filter(result -> result.outcome() == Outcome.NOT_RUN)
                .forEach(result -> warnings.add("not run: " + result.check().word()));
        boolean failed = results.stream().anyMatch(result -> result.outcome() == Outcome.FAILED);
        long oldestLostMillis =
                lost.stream().mapToLong(DrillLoad.Acknowledged::atMillis).min().orElse(damagedAtMillis);
        return new Outcomes(
                drill,
                mutation,
                settings,
                startedAt,
                Instant.now(),
                !failed && (!settings.strict() || warnings.isEmpty()),
                List.copyOf(results),
                Map.copyOf(phasesMillis),
                acknowledged,
                lost.size(),
                Math.max(0, damagedAtMillis - oldestLostMillis) / 1_000,
                detected,
                warnings,
                before,
                after);
    }

    // ---- what is told

    private void say(String what) {
        output.say(Tone.STRONG, "  " + what);
    }

    private void show(DrillCheck.Result result) {
        Tone tone = switch (result.outcome()) {
            case PASSED -> Tone.GOOD;
            case FAILED -> Tone.BAD;
            case NOT_RUN -> Tone.WARNING;
        };
        output.say(
                tone,
                String.format(
                        "    %-8s %-13s %s",
                        result.outcome().word(), result.check().word(), result.detail()));
    }

    private interface Phase<T> {
        T run();
    }

    private <T> T timed(String phase, Phase<T> work) {
        long begun = System.nanoTime();
        try {
            return work.run();
        } finally {
            phasesMillis.put(phase, millisSince(begun));
        }
    }

    private void timed(String phase, Runnable work) {
        timed(phase, () -> {
            work.run();
            return phase;
        });
    }

    private static long millisSince(long begunNanos) {
        return (System.nanoTime() - begunNanos) / 1_000_000;
    }
}
