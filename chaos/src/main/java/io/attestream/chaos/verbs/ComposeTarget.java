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
    private static final String BALLAST_MEBIBYTES = "1024";

    private final Docker.Project project;
    private final URI toxiproxy;
    private final boolean remoteAllowed;
    private final Path journal;

    private ComposeTarget(Docker.Project project, URI toxiproxy, boolean remoteAllowed) {
        this.project = project;
        this.toxiproxy = toxiproxy;
        this.remoteAllowed = remoteAllowed;
        this.journal = stateDirectory().resolve("compose-" + project.name());
    }

    /** Of the user, so that two shells know of each other wherever they are. */
    private static Path stateDirectory() {
        String state = System.getenv("XDG_STATE_HOME");
        return (state == null || state.isEmpty()
                        ? Path.of(System.getProperty("user.home"), ".local/state")
                        : Path.of(state))
                .resolve("attestream")
                .toAbsolutePath();
    }

    /**
     * The containers of a project.
     *
     * @param project that may be struck
     * @param file of the project
     * @param toxiproxy its REST API, on loopback
     * @param remoteAllowed whether the engine may be that of another machine
     * @throws ChaosRefused if no project is allowed, there is no such file, or the Toxiproxy is not on loopback
     */
    public static ComposeTarget of(Optional<String> project, Path file, URI toxiproxy, boolean remoteAllowed) {
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
                new Docker.Project(
                        project.get(), file.toAbsolutePath().normalize().toString()),
                toxiproxy,
                remoteAllowed);
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
        return Injection.begin(
                journal,
                verb.word() + " " + project.name() + "/" + service,
                "attestream chaos heal --target compose --allow " + project.name() + " --compose-file "
                        + project.file(),
                plan.action());
    }

    /**
     * Undoes what a process left that was killed.
     *
     * @return what was undone, in words; empty if there was nothing
     * @throws ChaosRefused if the process lives, or the journal is not the caller's or holds anything that no fault writes; nothing
     *     was touched
     * @throws IllegalStateException if a step failed; the rest was undone
     */
    public List<String> heal() {
        requireLocalEngine();
        return Injection.heal(journal, Optional.of(project.name()));
    }

    private Plan planned(Verb verb, String service, Parameters parameters) {
        requireService(service);
        return switch (verb) {
            case KILL ->
                docker(project.arguments("kill", "-s", "SIGKILL", service), new Undo.StartContainers(project, service));
            case STOP -> docker(project.arguments("stop", service), new Undo.StartContainers(project, service));
            case PAUSE -> docker(project.arguments("pause", service), new Undo.UnpauseContainers(project, service));
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
            services = Docker.run(project.arguments("config", "--services"))
                    .lines()
                    .toList();
        } catch (IOException e) {
            throw new ChaosSkipped("docker compose does not work: " + e.getMessage());
        }
        if (!services.contains(service)) {
            throw new ChaosRefused(
                    "there is no service " + service + " in " + project.file(),
                    "There are " + String.join(", ", services) + ".");
        }
        requireLocalEngine();
    }

    /** The lock is on this machine: who uses the engine of another one cannot see it. */
    private void requireLocalEngine() {
        String engine = ask(List.of("context", "inspect", "-f", "{{.Endpoints.docker.Host}}"));
        if (!remoteAllowed && !engine.startsWith("unix://") && !engine.startsWith("npipe://")) {
            throw new ChaosRefused(
                    "docker uses the engine at " + engine + ", which may be of another machine",
                    "Choose the one of this machine (DOCKER_HOST, docker context use default), or say"
                            + " --allow-remote-engine.");
        }
    }

    private static Plan docker(List<String> arguments, Undo undo) {
        return new Plan(List.of("docker " + String.join(" ", arguments), undo.words()), injection -> {
            injection.undoBy(undo);
            Docker.run(arguments);
        });
    }

    private String container(String service) {
        String id = ask(project.arguments("ps", "-q", service));
        if (!Docker.CONTAINER.matcher(id).matches()) {
            throw new ChaosRefused(
                    service + " has not one container that runs: \"" + id + "\"",
                    "Start it with: docker compose -p " + project.name() + " -f " + project.file() + " up -d "
                            + service);
        }
        return id;
    }

    private static String ask(List<String> arguments) {
        try {
            return Docker.run(arguments);
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
                update(Docker.cpus(nanos * (100 - percent) / 100), container),
                new Undo.GiveCpus(project, container, nanos));
    }

    /** Without swap: otherwise it would only get slow. */
    private Plan memory(String service, int percent) {
        String container = container(service);
        long bytes = limit(container, "Memory", "memory");
        long less = bytes / 100 * (100 - percent);
        return docker(
                update(Docker.memory(less, less), container),
                new Undo.GiveMemory(project, container, bytes, swap(container, bytes)));
    }

    /** Memory and swap together. 0 is docker's word for twice the memory, which "docker update" does not take for that. */
    private static long swap(String container, long memoryBytes) {
        String swap = ask(List.of("inspect", "-f", "{{.HostConfig.MemorySwap}}", container));
        if (!swap.matches("-1|[0-9]{1,18}")) {
            throw new ChaosSkipped("docker does not say how much swap the container has: \"" + swap + "\"");
        }
        return swap.equals("0") ? 2 * memoryBytes : Long.parseLong(swap);
    }

    private static List<String> update(List<String> limits, String container) {
        List<String> all = new ArrayList<>(List.of("update"));
        all.addAll(limits);
        all.add(container);
        return all;
    }

    private Plan diskFull(String service, Optional<String> directory) {
        if (directory.isEmpty()) {
            throw new ChaosRefused(
                    "which disk of " + service + " is to be filled is not said",
                    "Give a directory in its container that is a small disk of its own: --directory <dir>");
        }
        requireSmallDisk(service, directory.get());
        String ballast = directory.get() + "/" + Ballast.NAME;
        List<String> fill = project.arguments(
                "exec", "-T", service, "dd", "if=/dev/zero", "of=" + ballast, "bs=1M", "count=" + BALLAST_MEBIBYTES);
        Undo undo = new Undo.DeleteInContainer(project, service, directory.get());
        return new Plan(List.of("docker " + String.join(" ", fill), undo.words()), injection -> {
            injection.undoBy(undo);
            try {
                Docker.run(fill);
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
        String answer = ask(project.arguments("exec", "-T", service, "df", "-B1", "--output=size,target", directory));
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
