// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import io.attestream.chaos.ClusterControl;
import io.attestream.chaos.ClusterFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The local cluster in a data directory, if it was started with {@code attestream up --chaos}. */
public final class LocalTarget implements ChaosTarget {
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration KILL_TIMEOUT = Duration.ofSeconds(10);
    private static final Pattern PROCESSORS = Pattern.compile("processors-[0-9]+");

    private final Path data;
    private final ClusterFile cluster;

    private LocalTarget(Path data, ClusterFile cluster) {
        this.data = data;
        this.cluster = cluster;
    }

    /**
     * The cluster in a data directory.
     *
     * @throws ChaosRefused if there is none, it does not allow faults, or it is not on loopback
     */
    public static LocalTarget of(Path dataDirectory) {
        Path data = dataDirectory.toAbsolutePath().normalize();
        ClusterFile cluster;
        try {
            cluster = ClusterFile.read(data).orElse(null);
        } catch (IOException e) {
            throw new UncheckedIOException("cluster.json in " + data + " cannot be read: " + e.getMessage(), e);
        }
        if (cluster == null) {
            throw new ChaosRefused(
                    dataDirectory + " holds no cluster",
                    "Start one with: attestream up --chaos --data-dir " + dataDirectory);
        }
        if (!cluster.chaosAllowed()) {
            throw new ChaosRefused(
                    "the cluster in " + dataDirectory + " does not allow faults",
                    "Stop it, and start it with: attestream up --chaos --data-dir " + dataDirectory);
        }
        requireLoopback(URI.create(cluster.url()), "the gateway");
        for (String server : cluster.bootstrapServers().split(",", -1)) {
            requireLoopback(URI.create("kafka://" + server), "Kafka");
        }
        Network.url(cluster.toxiproxyUrl()).ifPresent(url -> requireLoopback(url, "Toxiproxy"));
        return new LocalTarget(data, cluster);
    }

    static void requireLoopback(URI url, String what) {
        boolean isLoopback;
        try {
            isLoopback = url.getHost() != null
                    && InetAddress.getByName(url.getHost()).isLoopbackAddress();
        } catch (UnknownHostException e) {
            isLoopback = false;
        }
        if (!isLoopback) {
            throw new ChaosRefused(
                    what + " at " + url + " is not on this machine's loopback",
                    "Faults are done to a cluster of this machine only.");
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
                data, verb.word() + " " + service, "attestream chaos heal --data-dir " + data, plan.action());
    }

    private Plan planned(Verb verb, String service, Parameters parameters) {
        ClusterFile.ProcessEntry entry = entry(service);
        try {
            return switch (verb) {
                case KILL -> ending(entry, "SIGKILL");
                case STOP -> ending(entry, "SIGTERM");
                case PAUSE -> pause(entry);
                case CPU -> cpu(entry, parameters.percent());
                case PARTITION, DELAY, RESET, BANDWIDTH -> network(verb, service, parameters);
                case DISK_FULL -> diskFull(service);
                case CLOCK_SKEW -> clockSkew(service, parameters.skew());
                case BIT_FLIP, TRUNCATE -> damage(verb, entry);
                case FSYNC_ERROR -> fsyncError(entry);
                case POWER_CUT ->
                    throw new ChaosSkipped(
                            "a local cluster shares its machine's disk and page cache: what was written and not forced"
                                    + " stays there when a process ends. It needs a disk of its own that is copied while"
                                    + " it runs");
                case MEMORY ->
                    throw new ChaosSkipped(
                            "the heap of a running JVM cannot be made smaller, and the memory of one process not"
                                    + " be limited without root: use --target compose");
            };
        } catch (IOException e) {
            throw new UncheckedIOException(verb.word() + " cannot be planned: " + e.getMessage(), e);
        }
    }

    private ClusterFile.ProcessEntry entry(String service) {
        ClusterFile.ProcessEntry entry = cluster.processes().stream()
                .filter(process -> process.name().equals(service))
                .findFirst()
                .orElseThrow(() -> new ChaosRefused(
                        "there is no service " + service,
                        "There are "
                                + cluster.processes().stream()
                                        .map(ClusterFile.ProcessEntry::name)
                                        .sorted()
                                        .collect(Collectors.joining(", "))
                                + "."));
        if (Processes.find(entry.pid(), entry.startedAtMillis()).isEmpty()) {
            throw new ChaosRefused(
                    service + " does not run", "Start it with: attestream restart " + service + " --data-dir " + data);
        }
        return entry;
    }

    private static ProcessHandle handle(ClusterFile.ProcessEntry entry) throws IOException {
        return Processes.find(entry.pid(), entry.startedAtMillis())
                .orElseThrow(() -> new IOException(entry.name() + " does not run any more"));
    }

    private Undo restart(String service) {
        return new Undo.Restart(data.toString(), service);
    }

    // ---- processes

    private Plan ending(ClusterFile.ProcessEntry entry, String signal) throws IOException {
        requireControl();
        Undo undo = restart(entry.name());
        return new Plan(
                List.of("send " + signal + " to process " + entry.pid() + " (" + entry.name() + ")", undo.words()),
                injection -> {
                    ProcessHandle handle = handle(entry);
                    injection.undoBy(undo);
                    injection.tell("pid", entry.pid());
                    end(handle, signal);
                });
    }

    private static void end(ProcessHandle handle, String signal) throws IOException {
        boolean kills = signal.equals("SIGKILL");
        boolean sent = kills ? handle.destroyForcibly() : handle.destroy();
        if (!sent || !Processes.awaitEnd(handle, kills ? KILL_TIMEOUT : STOP_TIMEOUT)) {
            throw new IOException("process " + handle.pid() + " does not end after " + signal);
        }
    }

    /** SIGTERM, and waits for its end; SIGKILL if that does not come. */
    static void stop(Path data, String service) throws IOException {
        ClusterFile cluster = ClusterFile.read(data).orElseThrow();
        for (ClusterFile.ProcessEntry entry : cluster.processes()) {
            ProcessHandle handle = entry.name().equals(service)
                    ? Processes.find(entry.pid(), entry.startedAtMillis()).orElse(null)
                    : null;
            if (handle != null) {
                handle.destroy();
                if (!Processes.awaitEnd(handle, STOP_TIMEOUT)) {
                    end(handle, "SIGKILL");
                }
            }
        }
    }

    /** Before anything ends that only the launcher can start again. */
    private void requireControl() throws IOException {
        try {
            ClusterControl.of(data).processes();
        } catch (IOException e) {
            throw new ChaosSkipped("the launcher, which has to start it again, does not answer: " + e.getMessage());
        }
    }

    private static Plan pause(ClusterFile.ProcessEntry entry) {
        Undo undo = new Undo.Continue(entry.name(), entry.pid(), entry.startedAtMillis());
        return new Plan(
                List.of("send SIGSTOP to process " + entry.pid() + " (" + entry.name() + ")", undo.words()),
                injection -> {
                    injection.undoBy(undo);
                    injection.tell("pid", entry.pid());
                    Processes.signal(handle(entry), "STOP");
                });
    }

    private static Plan cpu(ClusterFile.ProcessEntry entry, int percent) {
        Undo undo = new Undo.Continue(entry.name(), entry.pid(), entry.startedAtMillis());
        return new Plan(
                List.of(
                        "stop process " + entry.pid() + " (" + entry.name() + ") for " + percent
                                + " ms of every 100 ms, with SIGSTOP and SIGCONT",
                        undo.words()),
                injection -> {
                    injection.undoBy(undo);
                    injection.tell("pid", entry.pid());
                    injection.whileItLasts(DutyCycle.start(handle(entry), percent));
                });
    }

    // ---- network

    private Plan network(Verb verb, String service, Parameters parameters) throws IOException {
        URI url =
                Network.url(cluster.toxiproxyUrl()).orElseThrow(() -> new ChaosSkipped("the cluster has no Toxiproxy"));
        Network network = Network.of(url, service, verb, parameters);
        return new Plan(network.steps(), network::start);
    }

    // ---- disks

    private Plan diskFull(String service) throws IOException {
        Path directory = data.resolve(
                switch (service.replaceAll("-[0-9]+$", "")) {
                    case "processors" -> "state";
                    case "broker" -> "kafka";
                    case "registry" -> "registry";
                    case "checkpointer" -> "objects";
                    default ->
                        throw new ChaosRefused(
                                service + " has no disk",
                                "Give processors-0, broker, registry, or checkpointer, which writes to the object"
                                        + " store.");
                });
        requireWithin(directory);
        Optional<String> refusal = Ballast.refusal(directory);
        if (refusal.isPresent()) {
            throw new ChaosSkipped(refusal.get());
        }
        Undo undo = new Undo.Delete(directory.resolve(Ballast.NAME).toString());
        return new Plan(
                List.of("fill the disk of " + directory + " with a file " + Ballast.NAME, undo.words()), injection -> {
                    injection.undoBy(undo);
                    injection.tell("directory", directory);
                    Ballast.fill(directory);
                });
    }

    private void requireWithin(Path directory) throws IOException {
        if (Files.exists(directory) && !directory.toRealPath().startsWith(data.toRealPath())) {
            throw new ChaosRefused(
                    directory + " is a link to " + directory.toRealPath() + ": that disk is not the cluster's own",
                    "Mount a small disk at " + directory + " itself, before the cluster is started.");
        }
    }

    /** A process may end of it: it is started again, too. */
    private Plan fsyncError(ClusterFile.ProcessEntry entry) throws IOException {
        requireControl();
        Undo start = restart(entry.name());
        int port = FailingForce.port(entry.pid());
        Undo mend = new Undo.MendForce(entry.name(), entry.pid(), entry.startedAtMillis(), port);
        return new Plan(
                List.of(
                        "let every force of a file to its disk fail in process " + entry.pid() + " (" + entry.name()
                                + "), by Byteman",
                        mend.words(),
                        start.words() + " if it ended"),
                injection -> {
                    injection.undoBy(start);
                    injection.undoBy(mend);
                    injection.tell("pid", entry.pid());
                    FailingForce.start(handle(entry).pid(), port);
                });
    }

    private Plan damage(Verb verb, ClusterFile.ProcessEntry entry) throws IOException {
        String service = entry.name();
        if (!PROCESSORS.matcher(service).matches()) {
            throw new ChaosRefused(
                    service + " has no state of its own to be damaged",
                    "Give an instance of the processors, for example processors-0.");
        }
        requireControl();
        Path state = data.resolve("state").resolve(service);
        requireWithin(state);
        if (Damage.largestTable(state).isEmpty()) {
            throw new ChaosSkipped(service + " has no table on disk yet: append more, or stop and start it first");
        }
        Undo undo = restart(service);
        return new Plan(
                List.of(
                        "stop " + service,
                        verb == Verb.BIT_FLIP
                                ? "flip a bit in the largest table below " + state
                                : "cut the largest table below " + state + " in half",
                        undo.words(),
                        "put the file back as it was if it is still there, with " + service + " stopped, and "
                                + undo.words()),
                injection -> {
                    injection.undoBy(undo);
                    stop(data, service);
                    Path table = Damage.largestTable(state)
                            .orElseThrow(() -> new IOException("there is no table left below " + state));
                    damage(injection, verb, service, table);
                    startOnDamage(injection, service);
                });
    }

    private void damage(Injection injection, Verb verb, String service, Path table) throws IOException {
        byte[] whole = Files.readAllBytes(table);
        byte[] damaged = verb == Verb.BIT_FLIP ? Damage.withAFlippedBit(whole) : Damage.cutInHalf(whole);
        Path kept = injection.directory().resolve(table.getFileName() + ".whole");
        Files.write(kept, whole);
        injection.undoBy(
                new Undo.PutBack(data.toString(), service, table.toString(), kept.toString(), Damage.sha256(damaged)));
        Files.write(table, damaged, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        injection.tell("file", table);
        injection.tell("offset", whole.length / 2);
    }

    /** That it refuses to start on what is damaged is what is to be seen, not a failure. */
    private void startOnDamage(Injection injection, String service) {
        try {
            ClusterControl.of(data).restart(service);
            injection.tell("started", "it runs on the damaged file");
        } catch (IOException e) {
            injection.tell("started", "it does not start on the damaged file");
        }
    }

    // ---- clocks

    private Plan clockSkew(String service, Duration skew) {
        Path file = FakeClock.file(data, service);
        if (!Files.exists(file)) {
            throw new ChaosSkipped(
                    service + " was started without a clock of its own: install Debian's package libfaketime, and"
                            + " start the cluster again with attestream up --chaos");
        }
        Undo undo = new Undo.Write(file.toString(), FakeClock.text(Duration.ZERO));
        return new Plan(
                List.of("make the clock of " + service + " wrong by " + skew.toSeconds() + " s", undo.words()),
                injection -> {
                    injection.undoBy(undo);
                    injection.tell("file", file);
                    Files.writeString(file, FakeClock.text(skew));
                });
    }
}
