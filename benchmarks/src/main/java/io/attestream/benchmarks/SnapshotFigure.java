// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.Installation;
import io.attestream.proofs.InvalidFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What a snapshot costs those who send events meanwhile. */
@Command(
        name = "snapshot",
        mixinStandardHelpOptions = true,
        header = "Measure what snapshots under half load cost the latency of acceptance.",
        description = {
            "An open loop of events over HTTP at half the highest rate of the whole cluster, in alternating rounds: without snapshots,"
                    + " and with one on demand every six seconds. Latency is from when a request was to begin until an event's"
                    + " result, which says accepted, was read.",
            ""
        },
        footer = {"", "Example:", "  benchmarks/run snapshot --rounds 7"})
final class SnapshotFigure implements Callable<Integer> {
    private static final String NAME = "accepted under a snapshot";
    private static final String WITHOUT = "p99 without snapshots";
    private static final String WITH = "p99 with one every 6 s";
    private static final int PAYLOAD_SIZE_BYTES = 512;
    private static final Duration LENGTH = Duration.ofSeconds(20);
    private static final long BETWEEN_MILLIS = 6_000;

    @Option(
            names = "--rounds",
            defaultValue = "7",
            paramLabel = "<n>",
            description = "Rounds (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--events",
            defaultValue = "66666",
            paramLabel = "<n>",
            description = "Events of a run that finds the highest rate (default: ${DEFAULT-VALUE}).")
    private int events;

    @Option(
            names = "--json",
            defaultValue = "benchmarks/target/snapshot.json",
            paramLabel = "<file>",
            description = "File for the figures (default: ${DEFAULT-VALUE}).")
    private Path json = Path.of("");

    private final Progress progress = new Progress(System.err, Boolean.getBoolean("attestream.terminal.err"));
    private final HttpClient http = HttpClient.newHttpClient();
    private final Report report = new Report(() -> Map.of(
            "processors",
            Runtime.getRuntime().availableProcessors(),
            "java",
            Runtime.version().toString(),
            "rounds",
            rounds));

    @Override
    public Integer call() throws IOException, InvalidFormat, InterruptedException {
        report.row(NAME, PAYLOAD_SIZE_BYTES, WITHOUT, "ms", "", "");
        report.row(NAME, PAYLOAD_SIZE_BYTES, WITH, "ms", WITHOUT, "<= 1.25");
        LatencyFigure.declare(report, PAYLOAD_SIZE_BYTES);
        Path work = Files.createTempDirectory("attestream-snapshot");
        try (BenchCluster cluster = BenchCluster.start(Installation.find(), work.resolve("cluster"), 4)) {
            double most = new LatencyFigure(cluster, PAYLOAD_SIZE_BYTES, report, progress).highestRate(events);
            measure(cluster, most / 2, false); // to warm up
            for (int round = 0; round < rounds; round++) {
                // Which comes first alternates, too.
                for (boolean with : round % 2 == 0 ? List.of(false, true) : List.of(true, false)) {
                    report.sample(NAME, PAYLOAD_SIZE_BYTES, with ? WITH : WITHOUT, measure(cluster, most / 2, with));
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

    /** The 99th percentile in milliseconds. */
    private double measure(BenchCluster cluster, double perSecond, boolean with) throws InterruptedException {
        Histogram micros = new ConcurrentHistogram(3);
        CountDownLatch done = new CountDownLatch(1);
        AtomicInteger snapshots = new AtomicInteger();
        Thread taking = new Thread(() -> takeUntil(done, cluster.checkpointer(), snapshots), "snapshots");
        if (with) {
            taking.start();
        }
        int count = (int) (perSecond * LENGTH.toSeconds() + 1_000);
        double seconds = new HttpLoad(
                        cluster.gateway(), cluster.token(), PAYLOAD_SIZE_BYTES, cluster.nextIds(count), false)
                .atRate(
                        perSecond,
                        LENGTH,
                        (due, nanos, shard, offset) -> micros.recordValue(Math.max(0, (nanos - due) / 1_000)));
        done.countDown();
        taking.join();
        if (with && snapshots.get() < 2) {
            throw new IllegalStateException("only " + snapshots.get() + " snapshots were taken in a round");
        }
        double millis = micros.getValueAtPercentile(99) / 1e3;
        progress.say(String.format(
                "  %s at %,.0f events/s in %.1f s: p50 %.1f ms, p99 %.1f ms, %d snapshots",
                with ? "with" : "without",
                perSecond,
                seconds,
                micros.getValueAtPercentile(50) / 1e3,
                millis,
                snapshots.get()));
        return millis;
    }

    private void takeUntil(CountDownLatch done, URI checkpointer, AtomicInteger snapshots) {
        HttpRequest request = HttpRequest.newBuilder(checkpointer.resolve("/snapshots"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        try {
            do {
                int status = http.send(request, HttpResponse.BodyHandlers.discarding())
                        .statusCode();
                if (status / 100 == 2) {
                    snapshots.incrementAndGet();
                }
            } while (!done.await(BETWEEN_MILLIS, TimeUnit.MILLISECONDS));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
