// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Undoes what a killed {@code attestream chaos} left. */
@Command(
        name = "heal",
        mixinStandardHelpOptions = true,
        header = "Undo the fault of a command that was killed before it could.",
        description = {
            "Reads what is to be undone from <dir>/chaos/journal.json. Exit code 0 if there is nothing left to be undone.",
            ""
        },
        footer = {"", "Example:", "  attestream chaos heal --data-dir ./attestream-data"})
final class ChaosHealCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--data-dir",
            paramLabel = "<dir>",
            defaultValue = "attestream-data",
            description = "Of the cluster, or where the journal is kept (default: ${DEFAULT-VALUE}).")
    private Path dataDirectory = Path.of("attestream-data");

    @Override
    public Integer call() {
        return ChaosCommand.heal(form.output(), dataDirectory);
    }
}
