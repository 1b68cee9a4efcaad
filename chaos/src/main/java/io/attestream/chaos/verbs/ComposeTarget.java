// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** A cluster in containers, of a compose project that was explicitly allowed to be struck. Network faults are done by its Toxiproxy. */
public final class ComposeTarget implements ChaosTarget {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");
    private static final long CPU_NANOS = 1_000_000_000;
    private static final String BALLAST_MEBIBYTES = "1024";

    private final String project;
    private final Path file;
    private final URI toxiproxy;
    private final Path journal;

    private ComposeTarget(String project, Path file, URI toxiproxy, Path journal) {
        this.project = project;
        this.file = file;
        this.toxiproxy = toxiproxy;
        this.journal = journal;
    }

    /**
     * The containers of a project.
     *
     * @param project that may be struck
     * @param file of the project
     * @param toxiproxy its REST API, on loopback
     * @param journalDirectory where it is written what is to be undone
     * @throws ChaosRefused if no project is allowed, there is no such file, or the Toxiproxy is not on loopback
     */
    public static ComposeTarget of(Optional<String> project, Path file, URI toxiproxy, Path journalDirectory) {
        if (project.isEmpty()) {
            throw new ChaosRefused(
                    "no compose project is allowed to be struck", "Name the one that may be: --allow <project>");
        }
        requireName("a project", project.get());
        if (!Files.isRegularFile(file)) {
            throw new ChaosRefused("there is no file " + file, "Give the project's: --compose-file <file>");
        }
        LocalTarget.requireLoopback(toxiproxy, "Toxiproxy");
        return new ComposeTarget(
                project.get(),
                file.toAbsolutePath(),
                toxiproxy,
                journalDirectory.toAbsolutePath().normalize());
    }

    private static void requireName(String what, String name) {
        if (!NAME.matcher(name).matches()) {
            throw new ChaosRefused(
                    what + " cannot be called " + name,
                    "Names are of a-z, 0-9, _ and -, as docker compose ls shows them.");
        }
    }

    @Override
    public List<String> plan(Verb verb, String service, Parameters parameters) {
        return planned(verb, service, parameters).steps();
    }

    @Override
    public Injection inject(Verb verb, String service, Parameters parameters) {
        Plan plan = planned(verb, service, parameters);
        return Injection.begin(journal, verb.word() + " " + project + "/" + service, plan.action());
    }

    private Plan planned(Verb verb, String service, Parameters parameters) {
        requireService(service);
        return switch (verb) {
            case KILL -> docker(compose("kill", "-s", "SIGKILL", service), compose("up", "-d", "--no-deps", service));
            case STOP -> docker(compose("stop", service), compose("up", "-d", "--no-deps", service));
            case PAUSE -> docker(compose("pause", service), compose("unpause", service));
            case PARTITION, DELAY, RESET, BANDWIDTH -> {
                Network network = Network.of(toxiproxy, service, verb, parameters);
                yield new Plan(network.steps(), network::start);
            }
            case CPU -> cpu(service, parameters.percent());
            case MEMORY -> memory(service, parameters.percent());
            case DISK_FULL -> diskFull(service, parameters.directory());
            case FSYNC_ERROR ->
                throw new ChaosSkipped(
                        "what forces files in a container cannot be reached from outside it: use --target local");
            case POWER_CUT ->
                throw new ChaosSkipped(
                        "containers share their machine's page cache: what was written and not forced stays there");
            case CLOCK_SKEW ->
                throw new ChaosSkipped(
                        "containers have their machine's clock, and the images no libfaketime: use --target local");
            case BIT_FLIP, TRUNCATE ->
                throw new ChaosSkipped("the images have no tool to change a file: use --target local");
        };
    }

    /** Also that there is a docker, and the project. */
    private void requireService(String service) {
        requireName("a service", service);
        List<String> services;
        try {
            services = Processes.run(command(compose("config", "--services")))
                    .lines()
                    .toList();
        } catch (IOException e) {
            throw new ChaosSkipped("docker compose does not work: " + e.getMessage());
        }
        if (!services.contains(service)) {
            throw new ChaosRefused(
                    "there is no service " + service + " in " + file, "There are " + String.join(", ", services) + ".");
        }
    }

    private List<String> compose(String... arguments) {
        List<String> all = new ArrayList<>(List.of("compose", "-p", project, "-f", file.toString()));
        all.addAll(List.of(arguments));
        return all;
    }

    private static List<String> command(List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("docker"));
        command.addAll(arguments);
        return command;
    }

    private static Plan docker(List<String> arguments, List<String> undone) {
        Undo undo = new Undo.Docker(undone);
        return new Plan(List.of("docker " + String.join(" ", arguments), undo.words()), injection -> {
            injection.undoBy(undo);
            Processes.run(command(arguments));
        });
    }

    private String container(String service) {
        String id = ask(compose("ps", "-q", service));
        if (!id.matches("[0-9a-f]{12,64}")) {
            throw new ChaosRefused(
                    service + " has not one container that runs: \"" + id + "\"",
                    "Start it with: docker compose -p " + project + " -f " + file + " up -d " + service);
        }
        return id;
    }

    private static String ask(List<String> arguments) {
        try {
            return Processes.run(command(arguments));
        } catch (IOException e) {
            throw new ChaosSkipped(String.valueOf(e.getMessage()));
        }
    }

    /** A container without a limit cannot be given back none while it runs. */
    private static long limit(String container, String member, String what) {
        String limit = ask(List.of("inspect", "-f", "{{.HostConfig." + member + "}}", container));
        if (!limit.matches("[1-9][0-9]{0,17}")) {
            throw new ChaosSkipped("the container has no limit of its " + what
                    + " to go back to: give the service one in the compose file");
        }
        return Long.parseLong(limit);
    }

    private Plan cpu(String service, int percent) {
        String container = container(service);
        long nanos = limit(container, "NanoCpus", "processor time");
        return docker(
                List.of("update", "--cpus", cpus(nanos * (100 - percent) / 100), container),
                List.of("update", "--cpus", cpus(nanos), container));
    }

    private static String cpus(long nanos) {
        return String.format(java.util.Locale.ROOT, "%d.%09d", nanos / CPU_NANOS, nanos % CPU_NANOS);
    }

    private Plan memory(String service, int percent) {
        String container = container(service);
        long bytes = limit(container, "Memory", "memory");
        return docker(update(container, bytes / 100 * (100 - percent)), update(container, bytes));
    }

    /** Without swap: otherwise it would only get slow. */
    private static List<String> update(String container, long bytes) {
        return List.of("update", "--memory", Long.toString(bytes), "--memory-swap", Long.toString(bytes), container);
    }

    private Plan diskFull(String service, Optional<String> directory) {
        if (directory.isEmpty()) {
            throw new ChaosRefused(
                    "which disk of " + service + " is to be filled is not said",
                    "Give a directory in its container that is a small disk of its own: --directory <dir>");
        }
        requireSmallDisk(service, directory.get());
        String ballast = directory.get() + "/" + Ballast.NAME;
        List<String> fill = compose(
                "exec", "-T", service, "dd", "if=/dev/zero", "of=" + ballast, "bs=1M", "count=" + BALLAST_MEBIBYTES);
        Undo undo = new Undo.Docker(compose("exec", "-T", service, "rm", "-f", ballast));
        return new Plan(List.of("docker " + String.join(" ", fill), undo.words()), injection -> {
            injection.undoBy(undo);
            try {
                Processes.run(command(fill));
            } catch (IOException e) {
                if (!String.valueOf(e.getMessage()).contains("No space left")) {
                    throw e;
                }
                return; // as it has to be
            }
            throw new IOException("the disk of " + directory.get() + " does not get full");
        });
    }

    private void requireSmallDisk(String service, String directory) {
        String answer = ask(compose("exec", "-T", service, "df", "-B1", "--output=size,target", directory));
        String[] last = answer.lines()
                .reduce((first, second) -> second)
                .orElse("")
                .strip()
                .split("\\s+", 2);
        if (last.length < 2 || !last[0].matches("[0-9]{1,18}")) {
            throw new ChaosSkipped("df does not say how large the disk of " + directory + " is: " + answer);
        }
        if (!last[1].equals(directory) || Long.parseLong(last[0]) > Ballast.DISK_SIZE_BYTES_MAX) {
            throw new ChaosSkipped(
                    directory + " is no disk of its own of up to 1 GiB: give the service a tmpfs with a size there");
        }
    }
}
