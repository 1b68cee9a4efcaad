// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code attestream}. */
@Command(
        name = "attestream",
        mixinStandardHelpOptions = true,
        version = "attestream 0.1.0",
        synopsisSubcommandLabel = "<command>",
        description = {
            "A tamper-evident event ledger on Apache Kafka.",
            "",
            "Begin with:  attestream demo",
            "Then:        attestream up, and in a second terminal attestream append, receipt, verify",
            ""
        },
        footer = {
            "",
            "Exit codes: 0 ok, 1 error, 2 usage, 3 verification failed, 4 authentication or authorization,",
            "            5 not found or pending, 6 unavailable.",
            "Results go to standard output, everything else to standard error. -o json is for programs."
        },
        subcommands = {
            DemoCommand.class,
            UpCommand.class,
            InitCommand.class,
            AppendCommand.class,
            ReceiptCommand.class,
            VerifyCommand.class,
            ConsistencyCommand.class,
            CheckpointCommand.class,
            MonitorCommand.class,
            KeysCommand.class,
            DoctorCommand.class
        })
public final class Main implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    Main() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    static int run(String... args) {
        return commandLine().execute(args);
    }

    static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new Main());
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setExecutionExceptionHandler((failure, command, parsed) -> report(failure, command.getErr()));
        return commandLine;
    }

    private static int report(Exception failure, PrintWriter err) {
        if (failure instanceof CliException expected) {
            err.println("attestream: " + expected.getMessage());
            if (!expected.next().isEmpty()) {
                err.println("  " + expected.next());
            }
            return expected.exitCode();
        }
        err.println("attestream: " + (failure.getMessage() == null ? failure.toString() : failure.getMessage()));
        if (System.getenv("ATTESTREAM_DEBUG") != null) {
            failure.printStackTrace(err);
        } else {
            err.println("  Set ATTESTREAM_DEBUG=1 for where it happened; attestream doctor looks for common causes.");
        }
        return ExitCode.ERROR;
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "which command?");
    }
}
