// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import io.attestream.chaos.ClusterFile;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** Processes of this machine, which are told from later ones with the same id by when they started. */
final class Processes {
    private static final Duration COMMAND_TIMEOUT = Duration.ofSeconds(120);

    private Processes() {}

    /** Empty if it ended. */
    static Optional<ProcessHandle> find(long pid, long startedAtMillis) {
        return new ClusterFile.ProcessEntry("", pid, startedAtMillis).find();
    }

    /**
     * Sends a signal that Java cannot send.
     *
     * @throws IOException if it could not be sent
     */
    static void signal(ProcessHandle handle, String signal) throws IOException {
        run(List.of("kill", "-" + signal, Long.toString(handle.pid())));
    }

    /** Whether it ended in time. */
    static boolean awaitEnd(ProcessHandle handle, Duration timeout) {
        try {
            handle.onExit().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * Runs a program to its end.
     *
     * @return what it printed, without the last line's end
     * @throws IOException with what it printed, if it is not there, does not end in time, or ends with another code than 0
     */
    static String run(List<String> command) throws IOException {
        return run(command, COMMAND_TIMEOUT);
    }

    /** @param timeout after which it is killed, with all it started: what those print is waited for, too */
    static String run(List<String> command, Duration timeout) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                .start();
        AtomicBoolean isLate = new AtomicBoolean();
        try {
            // Ends the reading below, too, when it takes too long.
            process.onExit()
                    .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                    .exceptionally(late -> {
                        List<ProcessHandle> all = process.descendants().toList();
                        isLate.set(true);
                        process.destroyForcibly();
                        all.forEach(ProcessHandle::destroyForcibly);
                        return process;
                    });
            String printed = new String(
                            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                    .stripTrailing();
            int exit = process.waitFor();
            if (isLate.get()) {
                throw new IOException(
                        String.join(" ", command) + " did not end in " + timeout.toMillis() + " ms: " + printed);
            }
            if (exit != 0) {
                throw new IOException(String.join(" ", command) + " ended with " + exit + ": " + printed);
            }
            return printed;
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command.get(0) + " ran", e);
        }
    }
}
