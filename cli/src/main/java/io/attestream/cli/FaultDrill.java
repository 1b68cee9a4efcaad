// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.DrillCheck.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Does one fault to a cluster of its own under load, at each of its moments, again and again, and has all that was acknowledged judged
 * at the end by what an auditor keeps, as after a {@link Drill}. For one use.
 */
final class FaultDrill {
    private static final int EVENTS_BEFORE = 100;

    private final Fault fault;
    private final Settings settings;
    private final Consumer<String> progress;
    private final Random random;
    private final List<CellResult> cells = new ArrayList<>();
    private final List<DrillCheck.Result> checks = new ArrayList<>();

    /**
     * @param strikes for each part and moment
     * @param only moments, all if empty
     * @param forge whether an event is said to be acknowledged that was never sent: then it must not be survived
     */
    record Settings(int strikes, Set<FaultMoment> only, boolean forge, long seed) {}

    /**
     * What came of the strikes of a part at a moment.
     *
     * @param survived strikes after which it went on, and nothing was found wrong at the end
     * @param hits strikes of which it could be seen afterwards that the moment was hit
     * @param recoverMillis of each, from the end of the fault until what was acknowledged since is published
     * @param seen how they showed
     */
    record CellResult(
            String part,
            FaultMoment moment,
            int strikes,
            int survived,
            int hits,
            List<Long> recoverMillis,
            List<String> seen) {
        CellResult {
            recoverMillis = List.copyOf(recoverMillis);
            seen = List.copyOf(seen);
        }
    }

    /**
     * What came of a fault.
     *
     * @param untested why nothing was done; empty if it was
     * @param events that were acknowledged
     */
    record Result(
            Fault fault,
            Optional<String> untested,
            List<CellResult> cells,
            List<DrillCheck.Result> checks,
            int events) {
        boolean isSurvived() {
            return untested.isEmpty()
                    && !cells.isEmpty()
                    && cells.stream().allMatch(cell -> cell.survived() == cell.strikes());
        }
    }

    FaultDrill(Fault fault, Settings settings, Consumer<String> progress) {
        this.fault = fault;
        this.settings = settings;
        this.progress = progress;
        this.random = new Random(settings.seed());
    }

    Result run() {
        if (fault.untested().isPresent()) {
            return new Result(fault, fault.untested(), List.of(), List.of(), 0);
        }
        boolean survived = false;
        Path data = newDirectory();
        SmallDisks disks = new SmallDisks();
        try {
            Optional<String> refusal = disks.mount(data, fault.mounts());
            if (refusal.isPresent()) {
                survived = true; // there is nothing to be looked at
                return new Result(fault, refusal, List.of(), List.of(), 0);
            }
            Result result = run(data);
            survived = result.isSurvived();
            if (!survived) {
                progress.accept("what the processes said is kept in " + data.resolve("logs"));
            }
            return result;
        } finally {
            disks.close();
            delete(data, survived);
        }
    }

    private static Path newDirectory() {
        try {
            return Files.createTempDirectory("attestream-faults-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path data, boolean logsToo) {
        try (Stream<Path> files = Files.walk(data)) {
            files.sorted(Comparator.reverseOrder())
                    .filter(file -> logsToo || !file.startsWith(data.resolve("logs")))
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Result run(Path data) {
        progress.accept("starting an isolated cluster in " + data);
        try (DrillCluster cluster = DrillCluster.startForFaults(data, fault.topology(), step -> {});
                DrillRecord record = new DrillRecord(cluster, fault.tolerated());
                DrillLoad load = new DrillLoad(record, 2 * DrillLoad.BATCH_EVENTS).start()) {
            DrillCluster.await("events are acknowledged", () -> load.count() >= EVENTS_BEFORE);
            DrillScene kept = new DrillScene(cluster, record, load);
            FaultScene scene = new FaultScene(cluster, load);
            load.expectTrouble(true);
            Thread killing = new Thread(scene::killAll, "faults-killing");
            Runtime.getRuntime().addShutdownHook(killing);
            boolean goesOn = strikeAll(scene);
            Runtime.getRuntime().removeShutdownHook(killing);
            load.expectTrouble(false);
            load.close();
            if (settings.forge()) {
                load.forge();
            }
            if (goesOn) {
                judge(kept);
            }
            return new Result(fault, Optional.empty(), judged(), checks, load.count());
        }
    }

    /** Whether the system went on to the end. */
    private boolean strikeAll(FaultScene scene) {
        for (Fault.Cell cell : chosenCells()) {
            List<Long> recovered = new ArrayList<>();
            int hits = 0;
            Set<String> seen = new LinkedHashSet<>();
            boolean goesOn = true;
            for (int strike = 0; strike < settings.strikes() && goesOn; strike++) {
                try {
                    Strike done = strike(scene, cell);
                    recovered.add(done.recoverMillis());
                    hits += done.isHit() ? 1 : 0;
                } catch (RuntimeException e) {
                    goesOn = false;
                    seen.add("NOT SURVIVED: " + e.getMessage());
                }
                seen.addAll(scene.takeSeen());
            }
            cells.add(new CellResult(
                    cell.part(),
                    cell.moment(),
                    settings.strikes(),
                    recovered.size(),
                    hits,
                    recovered,
                    List.copyOf(seen)));
            progress.accept(String.format(
                    "%-14s %-14s %d of %d went on, %d hit it; recovered in %s ms",
                    cell.part(), cell.moment().word(), recovered.size(), settings.strikes(), hits, recovered));
            if (!goesOn) {
                return false;
            }
        }
        return bringsStateBack(scene);
    }

    private List<Fault.Cell> chosenCells() {
        return fault.cells().stream()
                .filter(cell -> settings.only().isEmpty() || settings.only().contains(cell.moment()))
                .toList();
    }

    /** What a fault spoilt in a changelog shows when everything is made again from there. */
    private boolean bringsStateBack(FaultScene scene) {
        try {
            scene.restartWithoutState();
            scene.awaitRecovered();
            return true;
        } catch (RuntimeException e) {
            checks.add(new DrillCheck.Result(
                    DrillCheck.RESTORED, Outcome.FAILED, "the state does not come back: " + e.getMessage(), 0));
            return false;
        }
    }

    private record Strike(long recoverMillis, boolean isHit) {}

    private Strike strike(FaultScene scene, Fault.Cell cell) {
        fault.prepare(scene, cell.part());
        cell.moment().await(scene, random);
        boolean wasBefore = cell.moment().isUnderWay(scene);
        fault.strike(scene, cell.part());
        boolean isHit = wasBefore && cell.moment().isUnderWay(scene);
        fault.relieve(scene, cell.part());
        long begun = System.nanoTime();
        scene.awaitRecovered();
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
        scene.mendWhatIsDamaged();
        return new Strike(millis, isHit);
    }

    private void judge(DrillScene kept) {
        if (!kept.load().refused().isEmpty()) {
            checks.add(new DrillCheck.Result(
                    DrillCheck.ACKNOWLEDGED,
                    Outcome.FAILED,
                    "good events were refused: " + kept.load().refused().get(0),
                    0));
        }
        new DrillVerifier(kept, result -> {
                    checks.add(result);
                    progress.accept(String.format(
                            "%-8s %-13s %s",
                            result.outcome().word(), result.check().word(), result.detail()));
                })
                .run();
    }

    /** A cell is survived if nothing at all was found wrong at the end. */
    private List<CellResult> judged() {
        boolean good = !checks.isEmpty() && checks.stream().allMatch(check -> check.outcome() == Outcome.PASSED);
        return cells.stream()
                .map(cell -> good
                        ? cell
                        : new CellResult(
                                cell.part(),
                                cell.moment(),
                                cell.strikes(),
                                0,
                                cell.hits(),
                                cell.recoverMillis(),
                                cell.seen()))
                .toList();
    }
}
