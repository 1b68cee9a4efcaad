// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ManagedProcess;
import io.attestream.chaos.verbs.Injection;
import io.attestream.chaos.verbs.LocalTarget;
import io.attestream.chaos.verbs.Parameters;
import io.attestream.chaos.verbs.Verb;
import io.attestream.processors.StateCheck;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.jspecify.annotations.Nullable;

/** A cluster under load to which things are done, and who starts again what ended. */
final class FaultScene {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final long POLL_NANOS = 100_000_000;
    private static final long QUICK_NANOS = 500_000;
    private static final String BALLAST = "ballast";
    /** What a checkpointer says of itself that must not go on. */
    private static final String FENCED = "another checkpointer took over";

    private static final int BLOCK_SIZE_BYTES = 1 << 20;
    private static final long REST_SIZE_BYTES = 16 << 20;
    /** So many starts of what ends again at once are tried for a strike. */
    private static final int STARTS_MAX = 6;

    private static final int REASON_LENGTH_MAX = 200;

    private final DrillCluster cluster;
    private final DrillLoad load;
    /** How a strike showed, in words. */
    private final Set<String> seen = new LinkedHashSet<>();

    private @Nullable Injection injection;
    private int starts;
    private String struck = "";
    /** How long it took, each time, until what came meanwhile was published without the part that was missing. */
    private final List<Long> goesOnMillis = new ArrayList<>();

    FaultScene(DrillCluster cluster, DrillLoad load) {
        this.cluster = cluster;
        this.load = load;
    }

    DrillCluster cluster() {
        return cluster;
    }

    DrillLoad load() {
        return load;
    }

    private ManagedProcess process(String name) {
        return cluster.local().process(name);
    }

    // ---- what is done

    void kill(String name) {
        seen.add(name + " is gone");
        process(name).kill();
    }

    void stop(String name) {
        seen.add(name + " leaves its group");
        process(name).stop();
    }

    void suspend(String name) {
        process(name).suspend();
    }

    void resume(String name) {
        process(name).resume();
    }

    /** Lets a checkpointer go on that stood still until another had its turn: it has to see that, and to end. */
    void resumeFenced(String name, long pid) {
        ManagedProcess process = process(name);
        if (process.pid() != pid) {
            throw new IllegalStateException(name + " was started again while it stood still: there were never two");
        }
        process.resume();
        awaitPatiently(
                name + " ends, for another has its turn",
                () -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
        if (!LocalFiles.readText(process.log()).contains(FENCED)) {
            throw new IllegalStateException(
                    name + " ended, and not because another had its turn: " + reason(process.logTail()));
        }
        seen.add(name + " was fenced");
    }

    void cut(String name) {
        cluster.local().link(kind(name)).cut();
    }

    void heal(String name) {
        cluster.local().link(kind(name)).heal();
    }

    private static String kind(String name) {
        return name.replaceAll("-[0-9]+$", "");
    }

    /** Begins a fault that has to be undone. */
    void inject(Verb verb, String name, Parameters parameters) {
        injection = LocalTarget.of(cluster.data()).inject(verb, name, parameters);
        seen.add(verb.word() + " of " + name);
    }

    /** Ends what was injected. */
    void undoAfter(long millis) {
        hold(millis);
        Objects.requireNonNull(injection).close();
    }

    /** The fault lasts for so long. */
    void hold(long millis) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    /** The broker that leads shard 0 is the one to be struck. */
    void chooseLeader() {
        struck = leader();
    }

    String struck() {
        return struck;
    }

    void requireAnotherLeads() {
        String now = leader();
        if (now.equals(struck)) {
            throw new IllegalStateException(struck + " is gone and leads shard 0");
        }
        seen.add("another broker leads");
    }

    /** What is acknowledged from now on is published, while nobody starts the part again. */
    void requireGoesOnWithout(String part) {
        long begun = System.nanoTime();
        awaitGoesOn(this::awaitPatiently);
        goesOnMillis.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));
        seen.add("all goes on without " + (part.startsWith(Fault.BROKER) ? "it" : part));
    }

    private String leader() {
        String topic = cluster.topics().events();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            Map<String, TopicDescription> described =
                    admin.describeTopics(List.of(topic)).allTopicNames().get(30, TimeUnit.SECONDS);
            int node = Objects.requireNonNull(described.get(topic), "asked for")
                    .partitions()
                    .get(0)
                    .leader()
                    .id();
            return node == 1 ? Fault.BROKER : Fault.BROKER + "-" + node;
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("nobody says who leads shard 0", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Kills both instances, and starts them without what they had. */
    void restartWithoutState() {
        for (String name : List.of(DrillCluster.PROCESSORS, "processors-1")) {
            if (process(name).isAlive()) {
                process(name).kill();
            }
        }
        cluster.deleteStateDirectories();
        for (String name : List.of(DrillCluster.PROCESSORS, "processors-1")) {
            cluster.local().begin(name);
        }
    }

    private Path state(String name) {
        return cluster.data().resolve("state").resolve(name);
    }

    /** Of a process that was only just started there may be none yet. */
    void deleteState(String name) {
        if (Files.isDirectory(state(name))) {
            DrillCluster.deleteBelow(state(name));
        }
    }

    /** Returns when the processors have written a table of a store to disk. */
    void awaitTable(String name) {
        await(name + " has a table on disk", () -> findLargestTable(name).isPresent());
    }

    void flipABitOfState(String name) {
        Path table = largestTable(name);
        DrillCluster.flipABit(table);
        requireNamed(name, table);
    }

    /** Before anybody reads it. */
    private void requireNamed(String name, Path table) {
        String store = state(name).relativize(table.getParent()).toString();
        if (damaged(name).stream().noneMatch(finding -> finding.store().equals(store))) {
            throw new IllegalStateException("fsck does not name store " + store + ", which was damaged");
        }
        seen.add("fsck names the store");
    }

    void truncateAFileOfState(String name) {
        Path table = largestTable(name);
        try {
            byte[] bytes = Files.readAllBytes(table);
            Files.write(table, Arrays.copyOf(bytes, bytes.length / 2));
            requireNamed(name, table);
        } catch (IOException e) {
            throw new UncheckedIOException(table + " cannot be cut", e);
        }
    }

    private Path largestTable(String name) {
        return findLargestTable(name).orElseThrow(() -> new IllegalStateException(name + " has no table on disk yet"));
    }

    private Optional<Path> findLargestTable(String name) {
        try (Stream<Path> files = Files.walk(state(name))) {
            return files.filter(file -> file.toString().endsWith(".sst"))
                    .max(Comparator.comparingLong(file -> file.toFile().length()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All but what is written in a second, so that little is left to be done when it strikes. */
    void fillAlmost(String directory) {
        fill(directory, REST_SIZE_BYTES);
    }

    /** Until nothing more fits. */
    void fill(String directory) {
        fill(directory, 0);
        long left = diskOf(directory).toFile().getUsableSpace();
        if (left >= BLOCK_SIZE_BYTES) {
            throw new IllegalStateException("the disk of " + directory + " has " + left + " bytes left");
        }
        seen.add("no space left for " + directory);
    }

    /** Never the disk of this machine. */
    private Path diskOf(String directory) {
        Path disk = cluster.data().resolve(directory);
        try {
            if (Files.getFileStore(disk).equals(Files.getFileStore(cluster.data()))
                    || Files.getFileStore(disk).getTotalSpace() > SmallDisks.SIZE_MIB << 20) {
                throw new IllegalStateException(disk + " is no disk of its own: it is not filled");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return disk;
    }

    private void fill(String directory, long restSizeBytes) {
        Path ballast = diskOf(directory).resolve(BALLAST);
        byte[] block = new byte[BLOCK_SIZE_BYTES];
        try (OutputStream out = Files.newOutputStream(ballast, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            for (int size = block.length; size > 0; size /= 2) {
                writeWhileItFits(out, block, size, ballast.toFile(), restSizeBytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(ballast + " cannot be written", e);
        }
    }

    private static void writeWhileItFits(OutputStream out, byte[] block, int size, File disk, long restSizeBytes) {
        try {
            while (disk.getUsableSpace() > restSizeBytes) {
                out.write(block, 0, size);
            }
        } catch (IOException e) {
            // It is full for blocks of this size.
        }
    }

    void free(String directory) {
        try {
            Files.delete(cluster.data().resolve(directory).resolve(BALLAST));
        } catch (IOException e) {
            throw new UncheckedIOException("the disk cannot be freed", e);
        }
    }

    // ---- how it goes on

    /** Waits, starting again whatever ended by itself. */
    void await(String what, BooleanSupplier condition) {
        await(what, condition, POLL_NANOS);
    }

    /** As {@link #await}, and returns at once when it is so. */
    void awaitQuickly(String what, BooleanSupplier condition) {
        await(what, condition, QUICK_NANOS);
    }

    private void await(String what, BooleanSupplier condition, long pollNanos) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("not within " + PATIENCE.toSeconds() + " s: " + what);
            }
            startAgainWhatEnded();
            LockSupport.parkNanos(pollNanos);
        }
    }

    private void startAgainWhatEnded() {
        for (ManagedProcess process : brokersFirst()) {
            if (!process.isAlive()) {
                startAgain(process);
            }
        }
    }

    private List<ManagedProcess> brokersFirst() {
        List<ManagedProcess> processes = new ArrayList<>(cluster.local().processes());
        processes.sort(Comparator.comparing(process -> !process.name().startsWith(Fault.BROKER)));
        return processes;
    }

    private void startAgain(ManagedProcess process) {
        if (!seen.contains(process.name() + " is gone") && !seen.contains(process.name() + " leaves its group")) {
            seen.add(process.name() + " ends by itself: " + reason(process.logTail()));
        }
        if (++starts > STARTS_MAX) {
            throw new IllegalStateException(process.name() + " ends again and again: " + reason(process.logTail()));
        }
        try {
            cluster.startAgain(process.name());
        } catch (IllegalStateException e) {
            seen.add(process.name() + " refuses to start: " + reason(process.logTail()));
            if (process.name().startsWith("processors")) {
                setApartWhatIsDamaged(process.name());
            }
        }
    }

    private DamagedStores stores(String name) {
        return new DamagedStores(state(name), Long.MAX_VALUE);
    }

    private List<StateCheck.Finding> damaged(String name) {
        try {
            return stores(name).find();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** As {@code attestream restore stores} does; the processors are stopped. */
    private boolean setApartWhatIsDamaged(String name) {
        List<StateCheck.Finding> findings = damaged(name);
        try {
            stores(name).setApart(findings, state(name + "-damaged-" + System.nanoTime()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (!findings.isEmpty()) {
            seen.add("the task whose store fsck names is taken away, and comes back from its changelogs");
        }
        return !findings.isEmpty();
    }

    /** What nobody has read yet fsck still names: then it is done as it says. */
    void mendWhatIsDamaged() {
        for (String name : List.of(DrillCluster.PROCESSORS, "processors-1")) {
            if (!damaged(name).isEmpty()) {
                seen.add("went on, for nobody had read what is damaged");
                process(name).stop();
                setApartWhatIsDamaged(name);
                startAgainWhatEnded();
            }
        }
    }

    /** The last line of a log that says why. */
    private static String reason(String log) {
        List<String> lines = log.lines().toList();
        String last = lines.stream()
                .filter(line -> line.contains("ERROR") || line.contains("FATAL"))
                .reduce((first, second) -> second)
                .orElse(lines.get(lines.size() - 1));
        String text = last.replaceAll("^\\S+ (\\[[^]]*] )?", "").replaceAll("\\s+", " ");
        return text.length() > REASON_LENGTH_MAX ? text.substring(0, REASON_LENGTH_MAX) + "…" : text;
    }

    private interface Awaiting {
        void await(String what, BooleanSupplier condition);
    }

    private void awaitGoesOn(Awaiting awaiting) {
        int acknowledged = load.count();
        awaiting.await(
                "events are acknowledged in every shard",
                () -> load.count() > acknowledged + 4 * DrillLoad.BATCH_EVENTS
                        && load.acknowledged().stream()
                                        .skip(acknowledged)
                                        .map(DrillLoad.Acknowledged::shard)
                                        .distinct()
                                        .count()
                                == cluster.shards());
        List<DrillLoad.Acknowledged> since =
                load.acknowledged().stream().skip(acknowledged).toList();
        Api auditor = cluster.api("auditor");
        awaiting.await("all that was acknowledged since is published", () -> {
            NewestEpoch newest = newest(auditor);
            return since.stream().allMatch(event -> newest.covers(event.shard(), event.offset()));
        });
    }

    private void awaitPatiently(String what, BooleanSupplier condition) {
        DrillCluster.await(what, condition);
    }

    /** Returns when events are acknowledged, and published, that came after now, and every process is ready. */
    void awaitRecovered() {
        awaitGoesOn(this::await);
        await(
                "every process is ready",
                () -> cluster.local().processes().stream().allMatch(ManagedProcess::isAlive)
                        && cluster.local().services().stream()
                                .allMatch(name -> cluster.local().isReady(name)));
    }

    private static NewestEpoch newest(Api auditor) {
        try {
            return NewestEpoch.fetch(auditor);
        } catch (CliException e) {
            return NewestEpoch.NONE; // nobody answers just now
        }
    }

    /** How the strike showed, and begins with the next. */
    List<String> takeSeen() {
        load.troubles().stream().limit(3).forEach(trouble -> seen.add("producers are told: " + shortened(trouble)));
        if (!goesOnMillis.isEmpty()) {
            seen.add("goes on meanwhile, after " + goesOnMillis.get(0) + " ms");
            goesOnMillis.clear();
        }
        List<String> since = List.copyOf(seen);
        seen.clear();
        starts = 0;
        return since;
    }

    /** SIGKILL of all there is, also of what stands still. */
    void killAll() {
        cluster.local().processes().stream().filter(ManagedProcess::isAlive).forEach(ManagedProcess::kill);
    }

    private static String shortened(String text) {
        String line = text.replaceAll("127\\.0\\.0\\.1:[0-9]+", "…").replaceAll("\\s+", " ");
        return line.length() > REASON_LENGTH_MAX ? line.substring(0, REASON_LENGTH_MAX) + "…" : line;
    }
}
