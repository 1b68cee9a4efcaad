// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

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
            "Then:        attestream up",
            "and in a second terminal: attestream append, receipt, verify",
            ""
        },
        footer = {
            "",
            "attestream <command> --help explains a command, with examples.",
            "",
            "Exit codes: 0 ok, 1 error, 2 usage, 3 verification failed,",
            "            4 authentication or authorization, 5 not found or pending,",
            "            6 unavailable.",
            "Results go to standard output, everything else to standard error.",
            "-o json is for programs."
        })
public final class Main implements Callable<Integer> {
    private static final List<Class<?>> COMMANDS = List.of(
            DemoCommand.class,
            UpCommand.class,
            RestartCommand.class,
            InitCommand.class,
            AppendCommand.class,
            ReceiptCommand.class,
            VerifyCommand.class,
            PayloadKeysCommand.class,
            EraseCommand.class,
            ConsistencyCommand.class,
            CheckpointCommand.class,
            MonitorCommand.class,
            RebuildCommand.class,
            FsckCommand.class,
            SnapshotsCommand.class,
            AclsCommand.class,
            LagCommand.class,
            SloCommand.class,
            RestoreCommand.class,
            DrillCommand.class,
            GameDayCommand.class,
            DossierCommand.class,
            ChaosCommand.class,
            HistoryCommand.class,
            ReleaseCommand.class,
            KeysCommand.class,
            DeployCommand.class,
            DoctorCommand.class);

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    Main() {}

    public static void main(String[] args) {
        // Notes, ids and attributes are UTF-8 whatever the locale: a terminal's or a pipe's default would write ? for
        // what
        // it does not have, and break the signature line of a checkpoint.
        System.setOut(utf8(FileDescriptor.out));
        System.setErr(utf8(FileDescriptor.err));
        System.exit(run(args));
    }

    private static PrintStream utf8(FileDescriptor descriptor) {
        return new PrintStream(
                new BufferedOutputStream(new FileOutputStream(descriptor), 1 << 13), true, StandardCharsets.UTF_8);
    }

    static int run(String... args) {
        return commandLine(args)
                .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
                .execute(args);
    }

    /** @param args all commands are there if the first is none: making them takes as long as a short one runs */
    static CommandLine commandLine(String... args) {
        CommandLine all = new CommandLine(new Main());
        List<Class<?>> named = COMMANDS.stream()
                .filter(command -> args.length > 0 && args[0].equals(nameOf(command)))
                .toList();
        (named.isEmpty() ? COMMANDS : named).forEach(all::addSubcommand);
        return all.setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler((failure, arguments) -> reportUsage(failure))
                .setExecutionExceptionHandler((failure, command, parsed) -> report(failure, command.getErr()));
    }

    private static String nameOf(Class<?> command) {
        return command.getAnnotation(Command.class).name();
    }

    /** One line what is wrong, then the next command to run. */
    private static int reportUsage(ParameterException failure) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("attestream: " + failure.getMessage());
        UnmatchedArgumentException.printSuggestions(failure, err);
        err.println("  Run " + command.getCommandSpec().qualifiedName() + " --help for what it takes.");
        return ExitCode.USAGE;
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
        Throwable cause = failure.getCause();
        if (cause != null && !String.valueOf(failure.getMessage()).contains(cause.toString())) {
            err.println("  because of " + cause);
        }
        if (System.getenv("ATTESTREAM_DEBUG") != null) {
            failure.printStackTrace(err);
        } else {
            err.println("  Set ATTESTREAM_DEBUG=1 for where it happened; attestream doctor looks for common causes.");
        }
        return ExitCode.ERROR;
    }

    /** Without a command there is nothing to do but to teach. */
    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return ExitCode.USAGE;
    }
}
