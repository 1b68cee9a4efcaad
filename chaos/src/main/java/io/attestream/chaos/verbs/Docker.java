// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Containers, by the command {@code docker}. */
final class Docker {
    static final Pattern CONTAINER = Pattern.compile("[0-9a-f]{12,64}");

    private static final long CPU_NANOS = 1_000_000_000;

    private Docker() {}

    /**
     * A project of compose.
     *
     * @param file its compose file, an absolute path
     */
    record Project(String name, String file) {
        List<String> arguments(String... more) {
            List<String> all = new ArrayList<>(List.of("compose", "-p", name, "-f", file));
            all.addAll(List.of(more));
            return all;
        }

        /** Ids of the containers a service has now, running or not. */
        List<String> containers(String service) throws IOException {
            return run(arguments("ps", "-a", "-q", service)).lines().toList();
        }

        /** Whether a service has a container that runs. */
        boolean runs(String service) throws IOException {
            return !run(arguments("ps", "-q", "--status", "running", service)).isBlank();
        }
    }

    /** @throws IOException with what it printed, if it failed */
    static String run(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("docker"));
        command.addAll(arguments);
        return Processes.run(command);
    }

    /** A member of what is known of a container; empty if there is no such container any more. */
    static Optional<String> inspect(String container, String member) throws IOException {
        try {
            return Optional.of(run(List.of("inspect", "-f", "{{." + member + "}}", container)));
        } catch (IOException e) {
            String why = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
            if (why.contains("no such object") || why.contains("no such container")) {
                return Optional.empty();
            }
            throw e;
        }
    }

    static boolean isPaused(String container) throws IOException {
        return inspect(container, "State.Paused").equals(Optional.of("true"));
    }

    /** Lets a container go on; nothing if it is not paused, or gone. */
    static void unpause(String container) throws IOException {
        if (isPaused(container)) {
            try {
                run(List.of("unpause", container));
            } catch (IOException e) {
                if (isPaused(container)) { // else somebody else was faster
                    throw e;
                }
            }
        }
    }

    /** Gives a container other limits; nothing if it is gone: its successor has those of its compose file. */
    static void update(List<String> limits, String container) throws IOException {
        List<String> all = new ArrayList<>(List.of("update"));
        all.addAll(limits);
        all.add(container);
        try {
            run(all);
        } catch (IOException e) {
            if (inspect(container, "Id").isPresent()) {
                throw e;
            }
        }
    }

    static List<String> cpus(long nanos) {
        return List.of("--cpus", String.format(Locale.ROOT, "%d.%09d", nanos / CPU_NANOS, nanos % CPU_NANOS));
    }

    /** @param swapBytes memory and swap together; -1 for no limit */
    static List<String> memory(long bytes, long swapBytes) {
        return List.of("--memory", Long.toString(bytes), "--memory-swap", Long.toString(swapBytes));
    }
}
