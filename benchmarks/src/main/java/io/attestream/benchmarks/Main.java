// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.Installation;
import io.attestream.chaos.LocalBroker;
import io.attestream.proofs.InvalidFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.AppInfoParser;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures the figures and prints them beside their baselines. */
@Command(
        name = "benchmarks/run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Measures what the proof costs over plain Kafka. Every figure stands beside its baseline, measured in"
                    + " alternating rounds on the same broker; the table shows medians, and medians of each round's ratio.",
            ""
        },
        footer = {
            "",
            "Figures: sealed, rebuild, accepted (with accept to published).",
            "Examples:",
            "  benchmarks/run",
            "  benchmarks/run --figures sealed --payload-sizes 512 --rounds 3",
            "  benchmarks/run archive        how fast a ledger comes out of its packs",
            "  benchmarks/run growth         what grows with the log",
            "  benchmarks/run jmh            proofs and trees, by JMH"
        },
        subcommands = {ArchiveFigure.class, Growth.class, RestartFigure.class, SnapshotFigure.class})
public final class Main implements Callable<Integer> {
    @Option(
            names = "--rounds",
            defaultValue = "5",
            paramLabel = "<n>",
            description = "Rounds of every figure (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--payload-sizes",
            defaultValue = "512,4096",
            split = ",",
            paramLabel = "<bytes>",
            description = "Payload sizes (default: ${DEFAULT-VALUE}).")
    private List<Integer> payloadSizes = List.of();

    @Option(
            names = "--events",
            defaultValue = "3000000",
            paramLabel = "<n>",
            description = "Events of 512 bytes in the backlog of a round, of larger ones fewer, but a quarter at"
                    + " least; over HTTP a thirtieth (default: ${DEFAULT-VALUE}).")
    private int events;

    @Option(
            names = "--shards",
            defaultValue = "4",
            paramLabel = "<n>",
            description = "Shards of each ledger (default: ${DEFAULT-VALUE}).")
    private int shards;

    @Option(names = "--figures", split = ",", paramLabel = "<name>", description = "Only these figures (default: all).")
    private Set<String> figures = Set.of();

    @Option(
            names = "--directory",
            paramLabel = "<dir>",
            description = "Where to work; several GiB; emptied afterwards (default: a temporary directory).")
    private @Nullable Path directory;

    @Option(
            names = "--json",
            defaultValue = "benchmarks/target/benchmarks.json",
            paramLabel = "<file>",
            description = "File for the figures (default: ${DEFAULT-VALUE}).")
    private Path json = Path.of("");

    private final Progress progress = new Progress(System.err, Boolean.getBoolean("attestream.terminal.err"));
    private final Installation installation = Installation.find();
    private final Report report = new Report(this::environment);

    Main() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).setUsageHelpAutoWidth(true).execute(args));
    }

    @Override
    public Integer call() throws IOException, InvalidFormat, InterruptedException {
        Path work = directory == null
                ? Files.createTempDirectory("attestream-benchmarks")
                : Files.createDirectories(directory);
        requireEmpty(work);
        requireKnown(figures);
        payloadSizes.forEach(this::declare);
        try {
            for (int payloadSizeBytes : payloadSizes) {
                if (wants(SealedFigure.NAME) || wants(RebuildFigure.NAME)) {
                    measureStreams(work.resolve("streams-" + payloadSizeBytes), payloadSizeBytes);
                }
                if (wants(HttpFigure.NAME)) {
                    measureHttp(work.resolve("http-" + payloadSizeBytes), payloadSizeBytes);
                }
            }
        } finally {
            delete(work);
        }
        report.table().forEach(System.out::println);
        progress.say("written to " + json);
        return 0;
    }

    private static void requireKnown(Set<String> figures) {
        List<String> known = List.of(SealedFigure.NAME, RebuildFigure.NAME, HttpFigure.NAME);
        for (String figure : figures) {
            if (!known.contains(figure)) {
                throw new CommandLine.ParameterException(
                        new CommandLine(new Main()), "no figure is named " + figure + ", there are " + known);
            }
        }
    }

    /** Of about as many bytes as those of 512 have, so that rounds take about as long. */
    private int backlogEvents(int payloadSizeBytes) {
        return (int) Math.max(events / 4, Math.min(events, events * 512L / payloadSizeBytes));
    }

    private static void requireEmpty(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            if (files.findAny().isPresent()) {
                throw new CommandLine.ParameterException(
                        new CommandLine(new Main()), directory + " is not empty: it would be emptied afterwards");
            }
        }
    }

    private boolean wants(String figure) {
        return figures.isEmpty() || figures.contains(figure);
    }

    private void declare(int payloadSizeBytes) {
        SealedFigure.declare(report, payloadSizeBytes);
        RebuildFigure.declare(report, payloadSizeBytes);
        HttpFigure.declare(report, payloadSizeBytes);
        LatencyFigure.declare(report, payloadSizeBytes);
    }

    private void measureStreams(Path work, int payloadSizeBytes) throws IOException {
        try (LocalBroker broker = LocalBroker.start(installation, work.resolve("broker"), false)) {
            for (int round = 0; round < rounds; round++) {
                int backlog = backlogEvents(payloadSizeBytes);
                progress.say("round " + (round + 1) + " of " + rounds + ", " + payloadSizeBytes + " bytes, backlog of "
                        + backlog + " events");
                try (BenchLedger ledger =
                        new BenchLedger(installation, broker.bootstrapServers(), "round" + round, shards, work)) {
                    new Workload(payloadSizeBytes, round)
                            .load(
                                    broker.bootstrapServers(),
                                    ledger.topics.events(),
                                    ledger.definition,
                                    backlog,
                                    progress);
                    new SealedFigure(ledger, payloadSizeBytes, report, progress).round(round);
                    if (wants(RebuildFigure.NAME)) {
                        new RebuildFigure(ledger, payloadSizeBytes, report, progress).round(round);
                    }
                }
                delete(work.resolve("round" + round));
                report.writeJson(json); // what was measured stays, whatever becomes of the next round
            }
        }
    }

    private void measureHttp(Path work, int payloadSizeBytes) throws IOException, InvalidFormat, InterruptedException {
        try (LocalBroker broker = LocalBroker.start(installation, work.resolve("broker"), false);
                BenchLedger ledger = new BenchLedger(installation, broker.bootstrapServers(), "http", shards, work);
                HttpFigure http =
                        new HttpFigure(installation, ledger, payloadSizeBytes, events / 30, report, progress)) {
            http.warmUp();
            for (int round = 0; round < rounds; round++) {
                progress.say("round " + (round + 1) + " of " + rounds + ", " + payloadSizeBytes + " bytes over HTTP");
                http.round(round);
                report.writeJson(json);
            }
        }
        try (BenchCluster cluster = BenchCluster.start(installation, work.resolve("cluster"), shards)) {
            LatencyFigure latency = new LatencyFigure(cluster, payloadSizeBytes, report, progress);
            double most = latency.highestRate(events / 30);
            for (int round = 0; round < rounds; round++) {
                latency.round(most / 2);
                report.writeJson(json);
            }
        }
    }

    static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        List<Path> all = new ArrayList<>();
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder()).forEach(all::add);
        }
        for (Path path : all) {
            Files.deleteIfExists(path);
        }
    }

    private Map<String, Object> environment() {
        Map<String, Object> environment = new LinkedHashMap<>();
        environment.put("processors", Runtime.getRuntime().availableProcessors());
        environment.put("processor", firstLine(Path.of("/proc/cpuinfo"), "model name"));
        environment.put("memory", firstLine(Path.of("/proc/meminfo"), "MemTotal"));
        environment.put("java", Runtime.version().toString());
        environment.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        environment.put("kafka", AppInfoParser.getVersion());
        environment.put("broker", "one, on the same machine, replication factor 1");
        environment.put("shards", shards);
        environment.put("rounds", rounds);
        environment.put("events", events);
        return environment;
    }

    /** What a file of {@code name : value} lines says; not every system has them. */
    private static String firstLine(Path file, String name) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
