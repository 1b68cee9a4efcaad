// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The script {@code ./attestream} as a user runs it: a process, its exit code and what it printed. */
final class Script {
    static final Path HOME = Path.of(System.getProperty("attestream.home"));

    private final Process process;
    private final Path out;
    private final Path err;

    private Script(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** What a command that ended left. */
    record Ended(int exitCode, String out, String err) {}

    static Script start(Path scratch, String... arguments) throws IOException {
        return start(scratch, Map.of(), arguments);
    }

    private static Script start(Path scratch, Map<String, String> environment, String... arguments) throws IOException {
        Path out = Files.createTempFile(scratch, "out", ".txt");
        Path err = Files.createTempFile(scratch, "err", ".txt");
        List<String> command = new ArrayList<>();
        command.add(HOME.resolve("attestream").toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        return new Script(builder.start(), out, err);
    }

    /** Runs a command to its end; kills it when it takes longer. */
    static Ended run(Path scratch, Duration timeout, String... arguments) throws IOException, InterruptedException {
        return run(scratch, timeout, Map.of(), arguments);
    }

    /** @param environment beside this process's own */
    static Ended run(Path scratch, Duration timeout, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        Script script = start(scratch, environment, arguments);
        try {
            return script.await(timeout);
        } finally {
            script.process.destroyForcibly();
        }
    }

    Ended await(Duration timeout) throws IOException, InterruptedException {
        if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("did not end within " + timeout.toSeconds() + " s; " + err());
        }
        return new Ended(process.exitValue(), Files.readString(out), err());
    }

    String err() throws IOException {
        return Files.readString(err);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL of the launcher alone. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** SIGTERM. */
    void terminate() {
        process.destroy();
    }
}
