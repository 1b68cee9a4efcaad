// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.Installation;
import io.attestream.chaos.LocalBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Whether a longer log takes longer to come back. */
@Command(
        name = "restart",
        mixinStandardHelpOptions = true,
        header = "Measure the time to restart after SIGKILL of a log, and of one ten times as long.",
        description = {
            "Two ledgers on one broker, one ten times as long as the other, both longer than their dedup window. In alternating rounds"
                    + " processors and checkpointer of one are started, killed with SIGKILL and started again; the time is from there"
                    + " until 1,000 events that came meanwhile are published. Those of the other ledger are not running.",
            ""
        },
        footer = {"", "Example:", "  benchmarks/run restart --rounds 7"})
final class RestartFigure implements Callable<Integer> {
    private static final String NAME = "restart after SIGKILL";
    private static final String SHORT = "a log";
    private static final String LONG = "a log ten times as long";
    private static final int TIMES = 10;
    private static final int SHARDS = 2;
    private static final int SNAPSHOT_INTERVAL_SECONDS = 5;

    @Option(
            names = "--events",
            defaultValue = "150000",
            paramLabel = "<n>",
            description = "Events of the shorter log (default: ${DEFAULT-VALUE}).")
    private int events;

    @Option(
            names = "--window",
            defaultValue = "65536",
            paramLabel = "<leaves>",
            description = "Dedup window of each of two shards (default: ${DEFAULT-VALUE}).")
    private long windowLeaves;

    @Option(
            names = "--rounds",
            defaultValue = "7",
            paramLabel = "<n>",
            description = "Rounds (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--json",
            defaultValue = "benchmarks/target/restart.json",
            paramLabel = "<file>",
            description = "File for the figures (default: ${DEFAULT-VALUE}).")
    private Path json = Path.of("");

    private final Progress progress = new Progress(System.err, Boolean.getBoolean("attestream.terminal.err"));
    private final Installation installation = Installation.find();
    private final Report report = new Report(() -> Map.of(
            "processors",
            Runtime.getRuntime().availableProcessors(),
            "java",
            Runtime.version().toString(),
            "rounds",
            rounds,
            "events",
            events,
            "windowLeaves",
            windowLeaves));

    @Override
    public Integer call() throws IOException {
        report.row(NAME, 128, SHORT, "ms", "", "");
        report.row(NAME, 128, LONG, "ms", SHORT, "<= 1.5");
        Path work = Files.createTempDirectory("attestream-restart");
        try (LocalBroker broker = LocalBroker.start(installation, work.resolve("broker"), false);
                BenchLedger shortLedger = ledger(broker, "short", work);
                BenchLedger longLedger = ledger(broker, "long", work);
                GrowingLedger shortLog = grown(shortLedger, events);
                GrowingLedger longLog = grown(longLedger, events * TIMES)) {
            for (int round = 0; round < rounds; round++) {
                // Which comes first alternates, too.
                for (GrowingLedger log : round % 2 == 0 ? List.of(shortLog, longLog) : List.of(longLog, shortLog)) {
                    measure(log, log == shortLog ? SHORT : LONG);
                }
            }
        } finally {
            Main.delete(work);
        }
        report.table().forEach(System.out::println);
        report.writeJson(json);
        progress.say("written to " + json);
        return 0;
    }

    private BenchLedger ledger(LocalBroker broker, String prefix, Path work) throws IOException {
        return new BenchLedger(
                installation, broker.bootstrapServers(), prefix, SHARDS, work, OptionalLong.of(windowLeaves));
    }

    private GrowingLedger grown(BenchLedger ledger, int size) throws IOException {
        GrowingLedger log = new GrowingLedger(ledger, SNAPSHOT_INTERVAL_SECONDS, progress);
        log.grow(size);
        log.kill();
        return log;
    }

    private void measure(GrowingLedger log, String which) throws IOException {
        log.restartMillis(); // so that it is killed while it runs
        log.kill();
        long millis = log.restartMillis();
        log.kill();
        report.sample(NAME, 128, which, (double) millis);
        progress.say(String.format("  %s of %,d events: back after %,d ms", which, log.sent(), millis));
    }
}
