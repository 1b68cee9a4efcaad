// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.Installation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** A service of a ledger as a program that is started with one environment and nothing else. */
enum ServiceProgram {
    GATEWAY,
    PROCESSORS,
    CHECKPOINTER;

    /** What a child keeps of this process's own environment. */
    private static final Set<String> KEPT = Set.of("PATH", "HOME", "LANG", "TMPDIR");

    /** @param output of both streams */
    record Ended(int exitCode, String output) {}

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Starts it and waits until it ends by itself; one that does not is killed.
     *
     * @throws CliException if it does not end in time
     */
    Ended run(Map<String, String> environment, Duration timeout, String... arguments)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("attestream-" + word(), ".log");
        try {
            ProcessBuilder builder = new ProcessBuilder(command(arguments))
                    .redirectErrorStream(true)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(output.toFile());
            builder.environment().keySet().retainAll(KEPT);
            builder.environment().putAll(environment);
            Process process = builder.start();
            try {
                boolean ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
                String printed = Files.readString(output, StandardCharsets.UTF_8);
                if (!ended) {
                    throw new CliException(
                            ExitCode.ERROR,
                            "the " + word() + " did not end within " + timeout.toSeconds() + " s; it said: " + printed,
                            "");
                }
                return new Ended(process.exitValue(), printed);
            } finally {
                process.destroyForcibly().waitFor();
            }
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private List<String> command(String... arguments) {
        Installation installation = Installation.find();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1"));
        switch (this) {
            case GATEWAY ->
                command.addAll(List.of("-jar", installation.gatewayJar().toString()));
            case PROCESSORS ->
                command.addAll(List.of("-cp", installation.processorsLib() + "/*", "io.attestream.processors.Main"));
            case CHECKPOINTER ->
                command.addAll(
                        List.of("-cp", installation.checkpointerLib() + "/*", "io.attestream.checkpointer.Main"));
        }
        command.addAll(List.of(arguments));
        return command;
    }
}
