// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterControl;
import io.attestream.cli.Output.Tone;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Starts processes of a running local cluster again. */
@Command(
        name = "restart",
        mixinStandardHelpOptions = true,
        header = "Start processes of a running local cluster again.",
        description = {
            "Asks the launcher that runs in --data-dir (attestream up). A process that is ready is stopped in order; one that"
                    + " stands still is killed; one that ended is just started. Each continues where it stopped: a restart"
                    + " loses and doubles nothing. Ends when they are ready.",
            "",
            "Without names and options it lists the processes.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream restart --data-dir ./attestream-data --unready",
            "  attestream restart --data-dir ./attestream-data processors-0 checkpointer"
        })
final class RestartCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--data-dir",
            paramLabel = "<dir>",
            defaultValue = "attestream-data",
            description = "Of the cluster (default: ${DEFAULT-VALUE}).")
    private Path dataDirectory = Path.of("attestream-data");

    @Option(
            names = "--unready",
            description =
                    "All that do not run, or do not say that they are ready; but for a gateway that saw acknowledged"
                            + " events vanish, which must not forget it (exit code 3).")
    private boolean unready;

    @Parameters(paramLabel = "<process>", description = "gateway-0, processors-0, checkpointer, broker, registry …")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        Output output = form.output();
        if (unready && !names.isEmpty()) {
            throw new CliException(ExitCode.USAGE, "--unready is instead of names", "Give one of them.");
        }
        try {
            ClusterControl control = ClusterControl.of(dataDirectory);
            List<ClusterControl.Condition> processes = control.processes();
            List<String> chosen = chosen(processes);
            if (chosen.isEmpty()) {
                show(output, processes);
            }
            for (String name : chosen) {
                control.restart(name);
                output.print(output.paint(Tone.GOOD, "ready") + "  " + name);
                output.json(Output.object("name", name, "ready", true));
            }
            requireNoneFenced(processes);
            return ExitCode.OK;
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    String.valueOf(e.getMessage()),
                    "The launcher has to run: attestream up --data-dir " + dataDirectory);
        }
    }

    private List<String> chosen(List<ClusterControl.Condition> processes) {
        List<String> known =
                processes.stream().map(ClusterControl.Condition::name).toList();
        for (String name : names) {
            if (!known.contains(name)) {
                throw new CliException(
                        ExitCode.USAGE,
                        "there is no process " + name,
                        "Give some of " + String.join(", ", known) + ".");
            }
        }
        return unready
                ? processes.stream()
                        .filter(process -> !process.ready() && process.fenced().isEmpty())
                        .map(ClusterControl.Condition::name)
                        .toList()
                : names;
    }

    /** Started again, it might take what it saw to be gone for never written. */
    private void requireNoneFenced(List<ClusterControl.Condition> processes) {
        for (ClusterControl.Condition process : processes) {
            if (unready && !process.fenced().isEmpty()) {
                throw new CliException(
                        ExitCode.VERIFICATION_FAILED,
                        process.name() + " was not started again, since acknowledged events are gone: "
                                + process.fenced(),
                        "Keep everything as it is and go to runbooks/SLOIntegrityViolated.md.");
            }
        }
    }

    private static void show(Output output, List<ClusterControl.Condition> processes) {
        List<List<String>> rows = new ArrayList<>();
        for (ClusterControl.Condition process : processes) {
            rows.add(List.of(
                    process.name(),
                    process.ready()
                            ? "ready"
                            : !process.fenced().isEmpty()
                                    ? process.fenced()
                                    : process.alive() ? "does not answer" : "does not run"));
            output.json(Output.object(
                    "name",
                    process.name(),
                    "alive",
                    process.alive(),
                    "ready",
                    process.ready(),
                    "fenced",
                    process.fenced()));
        }
        Output.table(rows).forEach(output::print);
    }
}
