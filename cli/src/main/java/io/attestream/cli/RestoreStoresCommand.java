// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterControl;
import io.attestream.cli.Output.Tone;
import io.attestream.processors.StateCheck;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lets processors make damaged state stores again. */
@Command(
        name = "stores",
        mixinStandardHelpOptions = true,
        header = "Let processors make damaged state stores again, from their changelogs.",
        description = {
            "Looks at every state store as attestream fsck does. The directory of a task with a damaged store is moved apart,"
                    + " and Kafka Streams makes it again from the changelogs."
                    + " What is whole is left alone.",
            "",
            "With --data-dir, in a running local cluster: only processors with a damaged store are stopped, one instance after"
                    + " the other, and started again; what was damaged is kept in <dir>/damaged. With --state, elsewhere: stop the"
                    + " processors on that machine before, and start them afterwards; what was damaged is kept in <dir>-damaged.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream restore stores --data-dir ./attestream-data",
            "  attestream restore stores --state /var/lib/attestream/state"
        })
final class RestoreStoresCommand implements Callable<Integer> {
    private static final long MIB = 1 << 20;
    private static final DateTimeFormatter NAME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH-mm-ss'Z'").withZone(ZoneOffset.UTC);

    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--data-dir",
            paramLabel = "<dir>",
            defaultValue = "attestream-data",
            description = "Of a running local cluster (default: ${DEFAULT-VALUE}).")
    private Path dataDirectory = Path.of("attestream-data");

    @Option(
            names = "--state",
            paramLabel = "<dir>",
            description = "attestream.state.directory of processors that do not run.")
    private @Nullable Path state;

    @Option(
            names = "--max-mib-per-second",
            defaultValue = "100",
            paramLabel = "<n>",
            description = "Reads no faster, because others read there too (default: ${DEFAULT-VALUE}).")
    private int mibPerSecondMax;

    @Override
    public Integer call() throws InterruptedException {
        Output output = form.output();
        if (mibPerSecondMax < 1) {
            throw new CliException(
                    ExitCode.USAGE, "--max-mib-per-second must be at least 1, not " + mibPerSecondMax, "");
        }
        try {
            if (state != null) {
                Path directory = state.toAbsolutePath().normalize();
                setApart(output, "", directory, directory.resolveSibling(directory.getFileName() + "-damaged"));
            } else {
                restoreLocal(output, ClusterControl.of(dataDirectory));
            }
            return ExitCode.OK;
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    String.valueOf(e.getMessage()),
                    state != null
                            ? "Look with attestream fsck --state " + state
                            : "The launcher has to run: attestream up --data-dir " + dataDirectory);
        }
    }

    private void restoreLocal(Output output, ClusterControl control) throws IOException, InterruptedException {
        for (ClusterControl.Condition process : control.processes()) {
            if (!process.name().startsWith("processors-")) {
                continue;
            }
            Path directory = dataDirectory.resolve("state").resolve(process.name());
            if (stores(directory).find().isEmpty()) {
                say(output, process.name(), List.of(), Set.of());
                continue;
            }
            control.stop(process.name());
            try {
                setApart(
                        output,
                        process.name(),
                        directory,
                        dataDirectory.resolve("damaged").resolve(process.name()));
            } finally {
                control.restart(process.name());
            }
        }
    }

    private DamagedStores stores(Path directory) {
        return new DamagedStores(directory, mibPerSecondMax * MIB);
    }

    private void setApart(Output output, String process, Path directory, Path apart)
            throws IOException, InterruptedException {
        DamagedStores stores = stores(directory);
        List<StateCheck.Finding> findings = stores.look()
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE,
                        directory + " has no state store",
                        "Give attestream.state.directory of the processors."));
        say(output, process, findings, stores.setApart(findings, apart.resolve(NAME.format(Instant.now()))));
    }

    private static void say(Output output, String process, List<StateCheck.Finding> findings, Set<Path> tasks) {
        String name = process.isEmpty() ? "" : process + " ";
        output.json(Output.object(
                "process",
                process,
                "findings",
                findings,
                "tasks",
                tasks.stream().map(Path::toString).toList()));
        findings.forEach(finding -> output.print(output.paint(Tone.BAD, "damaged") + "  " + name + finding.store()
                + ": expected " + finding.expected() + ", found " + finding.actual()));
        tasks.forEach(task -> output.print(
                output.paint(Tone.GOOD, "apart") + "    " + name + task + " is made again from its changelogs"));
        if (findings.isEmpty()) {
            output.print(output.paint(Tone.GOOD, "good") + "     " + name + "no store is damaged");
        }
    }
}
