// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.chaos.Installation;
import io.attestream.cli.Output.Tone;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what faults the system survives, at which moments. */
@Command(
        name = "faults",
        mixinStandardHelpOptions = true,
        header =
                "Do faults to an isolated cluster under load, at every moment of its work, and verify what came of it.",
        description = {
            "For each fault a cluster is started, struck at each moment, and what ended is started again. At the end every event"
                    + " that was acknowledged has to be proved, every tree built again, and nothing counted twice, as after a"
                    + " restore drill. What cannot be done on this machine is said to be untested, never survived. Exit code 0"
                    + " only if every strike was survived, 6 if a fault needs another machine (mounts need root). All faults take about an hour.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream drill faults --fault sigkill --moment snapshot",
            "  attestream drill faults --fault all --result docs/durability-matrix.json"
        })
final class FaultsCommand implements Callable<Integer> {
    private static final String ALL = "all";
    private static final int STRIKES_MAX = 100;

    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--fault",
            paramLabel = "<fault>",
            split = ",",
            defaultValue = ALL,
            description =
                    "sigkill, sigstop, rebalance, broker-restart, leader-change, network-cut, disk-full, flipped-bit,"
                            + " truncated-file, lost-directory, network-delay, network-reset, clock-jump, or all (default:"
                            + " ${DEFAULT-VALUE}).")
    private List<String> faults = List.of(ALL);

    @Option(
            names = "--moment",
            paramLabel = "<moment>",
            split = ",",
            defaultValue = ALL,
            description = "ingest, sequencing, checkpoint, snapshot, archive-upload, compaction, restore, or all"
                    + " (default: ${DEFAULT-VALUE}).")
    private List<String> moments = List.of(ALL);

    @Option(
            names = "--strikes",
            paramLabel = "<n>",
            defaultValue = "2",
            description = "Of each part at each moment (default: ${DEFAULT-VALUE}).")
    private int strikes;

    @Option(
            names = "--result",
            paramLabel = "<file>",
            description = "Where the result is written, as JSON. What the file has of other faults is kept.")
    private @Nullable Path result;

    @Option(
            names = "--mutate",
            description = "Claim at the end an acknowledgement that never was, to see that this is not survived.")
    private boolean mutate;

    @Option(names = "--in-own-mounts", hidden = true)
    private boolean inOwnMounts;

    @Override
    public Integer call() {
        Output output = form.output();
        Limits.check("--strikes", strikes, 1, STRIKES_MAX);
        List<Fault> named =
                faults.stream().filter(word -> !word.equals(ALL)).map(Fault::of).toList();
        List<Fault> chosen = faults.contains(ALL) ? Arrays.asList(Fault.values()) : named;
        requireAnyMoment(chosen);
        requireResults();
        List<Object> results = new ArrayList<>();
        for (Fault fault : chosen) {
            output.say(Tone.STRONG, "Fault " + fault.word() + ": " + fault.what());
            EvidenceOrigin origin = EvidenceOrigin.now();
            results.add(
                    !fault.mounts().isEmpty() && !inOwnMounts && SmallDisks.canUnshare()
                            ? inOwnMounts(fault)
                            : FaultMatrix.json(run(fault, output), origin));
            if (result != null) {
                write(FaultMatrix.of(all(results)), result); // what was done stays, whatever becomes of the next
            }
        }
        Map<String, Object> all = all(results);
        FaultMatrix matrix = FaultMatrix.of(all);
        Output.table(matrix.rows()).forEach(output::print);
        output.json(all);
        long untested = matrix.faults().stream().filter(FaultMatrix::isUntested).count();
        if (!matrix.isTested()) {
            output.print(output.paint(Tone.WARNING, "not tested") + "  "
                    + matrix.faults().get(0).path("untested").asText());
            return ExitCode.UNAVAILABLE;
        }
        boolean good = matrix.isSurvived();
        output.print((good ? output.paint(Tone.GOOD, "survived") : output.paint(Tone.BAD, "NOT SURVIVED"))
                + (untested == 0 ? "" : "; " + untested + " faults were not tested"));
        if (!good) {
            return ExitCode.VERIFICATION_FAILED;
        }
        return couldNotBeDone(chosen, matrix) ? ExitCode.UNAVAILABLE : ExitCode.OK;
    }

    /** Here, of those that can be done elsewhere. */
    private static boolean couldNotBeDone(List<Fault> chosen, FaultMatrix matrix) {
        List<String> untested = matrix.faults().stream()
                .filter(FaultMatrix::isUntested)
                .map(fault -> fault.path("fault").asText())
                .toList();
        return chosen.stream()
                .filter(fault -> fault.untested().isEmpty())
                .anyMatch(fault -> untested.contains(fault.word()));
    }

    private static void write(FaultMatrix matrix, Path file) {
        (Files.exists(file) ? matrix.keeping(FaultMatrix.read(file)) : matrix).write(file);
    }

    private Map<String, Object> all(List<Object> results) {
        return Output.object("strikes", strikes, "faults", results);
    }

    private FaultDrill.Result run(Fault fault, Output output) {
        long seed = new Random().nextLong();
        output.say("  seed " + seed);
        return new FaultDrill(
                        fault,
                        new FaultDrill.Settings(strikes, chosenMoments(), mutate, seed),
                        line -> output.say("  " + line))
                .run();
    }

    private Set<FaultMoment> chosenMoments() {
        Set<FaultMoment> chosen = EnumSet.noneOf(FaultMoment.class);
        for (String word : moments) {
            if (!word.equals(ALL)) {
                chosen.add(Arrays.stream(FaultMoment.values())
                        .filter(moment -> moment.word().equals(word))
                        .findFirst()
                        .orElseThrow(() -> new CliException(
                                ExitCode.USAGE,
                                "there is no moment " + word,
                                "Give --moment all or one of " + String.join(", ", FaultMoment.words()))));
            }
        }
        return moments.contains(ALL) ? EnumSet.noneOf(FaultMoment.class) : chosen;
    }

    /** A fault takes minutes, and its result is to be kept there. */
    private void requireResults() {
        if (result != null && Files.exists(result) && !FaultMatrix.isOne(result)) {
            throw new CliException(
                    ExitCode.USAGE, result + " holds no results of faults", "Name another file with --result.");
        }
    }

    private void requireAnyMoment(List<Fault> chosen) {
        Set<FaultMoment> only = chosenMoments();
        for (Fault fault : chosen) {
            boolean any = fault.untested().isPresent()
                    || only.isEmpty()
                    || fault.cells().stream().anyMatch(cell -> only.contains(cell.moment()));
            if (!any) {
                throw new CliException(
                        ExitCode.USAGE,
                        "fault " + fault.word() + " is not done at any of " + String.join(", ", moments),
                        "Its moments: "
                                + String.join(
                                        ", ",
                                        fault.cells().stream()
                                                .map(cell -> cell.moment().word())
                                                .distinct()
                                                .toList()));
            }
        }
    }

    // ---- disks that can be full

    /** What is mounted there goes with it, whatever becomes of it. */
    private JsonNode inOwnMounts(Fault fault) {
        try {
            Path directory = Files.createTempDirectory("attestream-fault-");
            Path file = directory.resolve("result.json"); // not there yet: what is there is taken for a result
            try {
                int exit = run(commandInOwnMounts(fault, file));
                if (exit != ExitCode.OK && exit != ExitCode.VERIFICATION_FAILED) {
                    throw new IllegalStateException("the drill in mounts of its own ended with " + exit);
                }
                return FaultMatrix.read(file).faults().get(0);
            } finally {
                Files.deleteIfExists(file);
                Files.delete(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> commandInOwnMounts(Fault fault, Path result) {
        List<String> command = new ArrayList<>(List.of(
                "unshare",
                "--map-root-user",
                "--mount",
                Installation.find().home().resolve("attestream").toString(),
                "drill",
                "faults",
                "--in-own-mounts",
                "--fault",
                fault.word(),
                "--moment",
                String.join(",", moments),
                "--strikes",
                Integer.toString(strikes),
                "--result",
                result.toString()));
        if (mutate) {
            command.add("--mutate");
        }
        return command;
    }

    private static int run(List<String> command) throws IOException {
        Process child = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            return child.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            child.destroy();
        }
    }
}
