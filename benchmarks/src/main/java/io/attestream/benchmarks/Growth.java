// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.Installation;
import io.attestream.chaos.LocalBroker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.LogDirDescription;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What grows with the log, and what does not. */
@Command(
        name = "growth",
        mixinStandardHelpOptions = true,
        header = "Show what grows with the log: state, changelogs, time to restart.",
        description = {
            "Lets a ledger grow in steps. After each, when all of it is published, in packs, and"
                    + " in a snapshot, it measures the state directories and the topics, kills processors and checkpointer with"
                    + " SIGKILL, and measures the time until what came meanwhile is published. With packs and snapshots all of it is"
                    + " to stay flat once every shard has passed its window. Writes a table, JSON, and a plot.",
            ""
        },
        footer = {"", "Example:", "  benchmarks/run growth --steps 8 --events 250000"})
final class Growth implements Callable<Integer> {
    @Option(
            names = "--steps",
            defaultValue = "8",
            paramLabel = "<n>",
            description = "Steps (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--events",
            defaultValue = "250000",
            paramLabel = "<n>",
            description = "Events of a step (default: ${DEFAULT-VALUE}).")
    private int events;

    @Option(
            names = "--shards",
            defaultValue = "2",
            paramLabel = "<n>",
            description = "Shards (default: ${DEFAULT-VALUE}).")
    private int shards;

    @Option(
            names = "--window",
            defaultValue = "65536",
            paramLabel = "<leaves>",
            description = "Dedup window of a shard (default: ${DEFAULT-VALUE}; a ledger's own default is 1048576).")
    private long windowLeaves;

    @Option(
            names = "--snapshot-seconds",
            defaultValue = "5",
            paramLabel = "<n>",
            description = "Between snapshots, and between packs (default: ${DEFAULT-VALUE}).")
    private int snapshotIntervalSeconds;

    @Option(
            names = "--json",
            defaultValue = "benchmarks/target/growth.json",
            paramLabel = "<file>",
            description = "File for the figures; the plot is beside it, as .svg (default: ${DEFAULT-VALUE}).")
    private Path json = Path.of("");

    private final Progress progress = new Progress(System.err, Boolean.getBoolean("attestream.terminal.err"));
    private final Installation installation = Installation.find();

    /** After one step. */
    record Row(
            long events,
            long sequencerStateBytes,
            long proofsStateBytes,
            long changelogBytes,
            long sealedTopicBytes,
            long eventsTopicBytes,
            long restartMillis) {}

    @Override
    public Integer call() throws IOException {
        Path work = Files.createTempDirectory("attestream-growth");
        List<Row> rows = new ArrayList<>();
        try (LocalBroker broker = LocalBroker.start(installation, work.resolve("broker"), false);
                BenchLedger ledger = new BenchLedger(
                        installation,
                        broker.bootstrapServers(),
                        "growth",
                        shards,
                        work,
                        OptionalLong.of(windowLeaves));
                GrowingLedger growing = new GrowingLedger(ledger, snapshotIntervalSeconds, progress)) {
            for (int step = 1; step <= steps; step++) {
                rows.add(step(ledger, growing));
            }
        } finally {
            Main.delete(work);
        }
        table(rows).forEach(System.out::println);
        Files.createDirectories(json.toAbsolutePath().getParent());
        Files.write(json, new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(rows));
        Path plot = Path.of(json.toString().replaceFirst("\\.json$", "") + ".svg");
        Files.writeString(plot, GrowthPlot.svg(rows));
        progress.say("written to " + json + " and " + plot);
        return 0;
    }

    private Row step(BenchLedger ledger, GrowingLedger growing) throws IOException {
        growing.grow(events);
        Row sizes = measure(ledger, growing.sent());
        growing.kill();
        long millis = growing.restartMillis();
        progress.say(String.format("  %,12d events: back after %,d ms", sizes.events(), millis));
        return new Row(
                sizes.events(),
                sizes.sequencerStateBytes(),
                sizes.proofsStateBytes(),
                sizes.changelogBytes(),
                sizes.sealedTopicBytes(),
                sizes.eventsTopicBytes(),
                millis);
    }

    private static Row measure(BenchLedger ledger, long events) throws IOException {
        Path state = ledger.directory().resolve("processors-1");
        long changelogs = 0;
        long sealed = 0;
        long input = 0;
        for (Map.Entry<String, Long> topic : topicSizes(ledger).entrySet()) {
            if (topic.getKey().endsWith("-changelog")) {
                changelogs += topic.getValue();
            } else if (topic.getKey().equals(ledger.topics.sealed())) {
                sealed = topic.getValue();
            } else if (topic.getKey().equals(ledger.topics.events())) {
                input = topic.getValue();
            }
        }
        return new Row(
                events,
                sizeBytes(state.resolve("sequencer")),
                sizeBytes(state.resolve("proofs")),
                changelogs,
                sealed,
                input,
                0);
    }

    private static Map<String, Long> topicSizes(BenchLedger ledger) {
        Map<String, Long> sizes = new TreeMap<>();
        for (LogDirDescription directory :
                Waiting.get(ledger.admin.describeLogDirs(List.of(1)).allDescriptions()).values().stream()
                        .flatMap(byPath -> byPath.values().stream())
                        .toList()) {
            directory
                    .replicaInfos()
                    .forEach((partition, info) -> sizes.merge(partition.topic(), info.size(), Long::sum));
        }
        return sizes;
    }

    /** Files come and go beneath it while it is looked at. */
    private static long sizeBytes(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(Growth::fileSizeBytes)
                    .sum();
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof NoSuchFileException) {
                return sizeBytes(directory);
            }
            throw e;
        }
    }

    private static long fileSizeBytes(Path file) {
        try {
            return Files.size(file);
        } catch (NoSuchFileException e) {
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> table(List<Row> rows) {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                "%12s  %12s  %12s  %12s  %12s  %12s  %12s",
                "events", "sequencer", "proofs", "changelogs", "sealed", "events topic", "restart"));
        for (Row row : rows) {
            lines.add(String.format(
                    "%,12d  %9.1f MB  %9.1f MB  %9.1f MB  %9.1f MB  %9.1f MB  %,9d ms",
                    row.events(),
                    row.sequencerStateBytes() / 1e6,
                    row.proofsStateBytes() / 1e6,
                    row.changelogBytes() / 1e6,
                    row.sealedTopicBytes() / 1e6,
                    row.eventsTopicBytes() / 1e6,
                    row.restartMillis()));
        }
        return lines;
    }
}
