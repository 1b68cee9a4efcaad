// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Milliseconds from the result that says accepted to the epoch that covers the event in topic {@code checkpoints}, under an
 * open loop of events at half the highest rate of the same run.
 */
final class LatencyFigure {
    static final String NAME = "accept to published";
    static final String P50 = "p50";
    static final String P99 = "p99";

    private static final Duration LENGTH = Duration.ofSeconds(20);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long POLL_NANOS = 5_000_000;
    private static final int WARM_RUNS = 5;

    private final BenchCluster cluster;
    private final int payloadSizeBytes;
    private final Report report;
    private final Progress progress;

    LatencyFigure(BenchCluster cluster, int payloadSizeBytes, Report report, Progress progress) {
        this.cluster = cluster;
        this.payloadSizeBytes = payloadSizeBytes;
        this.report = report;
        this.progress = progress;
    }

    static void declare(Report report, int payloadSizeBytes) {
        report.row(NAME, payloadSizeBytes, P50, "ms", "", "");
        report.row(NAME, payloadSizeBytes, P99, "ms", "", "<= 1000");
    }

    /** Accepted events of a shard that are not published yet: nanoseconds of acceptance by offset. */
    private static final class Unpublished {
        private final TreeMap<Long, Long> accepted = new TreeMap<>();

        synchronized void add(long offset, long nanos) {
            accepted.put(offset, nanos);
        }

        /** An event may be published before its result was read; then it took no time. */
        synchronized void published(long nextOffset, long now, Histogram millis) {
            Map<Long, Long> covered = accepted.headMap(nextOffset);
            covered.values().forEach(nanos -> millis.recordValue(Math.max(0, (now - nanos) / 1_000_000)));
            covered.clear();
        }

        synchronized boolean isEmpty() {
            return accepted.isEmpty();
        }
    }

    /** Accepted a second by the whole of it, with everything that reads running too, when it is warm. */
    double highestRate(int events) throws InterruptedException {
        double most = 0;
        for (int run = 0; run < WARM_RUNS; run++) {
            HttpLoad load =
                    new HttpLoad(cluster.gateway(), cluster.token(), payloadSizeBytes, cluster.nextIds(events), false);
            most = Math.max(most, load.asFastAsPossible(events));
            awaitPublished((long) (run + 1) * events);
        }
        progress.say(String.format("  the whole cluster accepts %,.0f events/s", most));
        return most;
    }

    /** What is still to be read would make the next run a slower one. */
    private void awaitPublished(long events) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try (PublishedOffsets published =
                new PublishedOffsets(cluster.bootstrapServers(), cluster.topics(), cluster.ledger())) {
            while (published.getAsLong() < events) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("not everything was published within " + PATIENCE);
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }

    void round(double perSecond) throws InterruptedException {
        List<Unpublished> shards = IntStream.range(0, cluster.shards())
                .mapToObj(shard -> new Unpublished())
                .toList();
        Histogram millis = new ConcurrentHistogram(3);
        AtomicBoolean sent = new AtomicBoolean();
        LongAdder accepted = new LongAdder();
        FutureTask<Boolean> watch = new FutureTask<>(() -> watch(shards, millis, sent), true);
        new Thread(watch, "published").start();
        int events = (int) (perSecond * LENGTH.toSeconds() + 1_000);
        HttpLoad load =
                new HttpLoad(cluster.gateway(), cluster.token(), payloadSizeBytes, cluster.nextIds(events), false);
        double seconds = load.atRate(perSecond, LENGTH, (due, nanos, shard, offset) -> {
            accepted.increment();
            shards.get(shard).add(offset, nanos);
        });
        sent.set(true);
        requireWhole(watch, millis, accepted.sum());
        if (seconds > 1.1 * LENGTH.toSeconds()) {
            throw new IllegalStateException(String.format(
                    "%,.0f events/s were asked for, the load of %d s took %.1f s: the rate was not reached",
                    perSecond, LENGTH.toSeconds(), seconds));
        }
        report.sample(NAME, payloadSizeBytes, P50, (double) millis.getValueAtPercentile(50));
        report.sample(NAME, payloadSizeBytes, P99, (double) millis.getValueAtPercentile(99));
        progress.say(String.format(
                "  accept to published at %,.0f events/s: p50 %d ms, p99 %d ms, max %d ms of %,d events",
                perSecond,
                millis.getValueAtPercentile(50),
                millis.getValueAtPercentile(99),
                millis.getMaxValue(),
                millis.getTotalCount()));
    }

    /** A percentile of half the events would be a good one. */
    private static void requireWhole(FutureTask<Boolean> watch, Histogram millis, long accepted)
            throws InterruptedException {
        try {
            watch.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("not everything was published within " + PATIENCE, e);
        }
        if (millis.getTotalCount() != accepted) {
            throw new IllegalStateException(
                    accepted + " events were accepted, " + millis.getTotalCount() + " measured");
        }
    }

    private void watch(List<Unpublished> shards, Histogram millis, AtomicBoolean sent) {
        try (PublishedOffsets published =
                new PublishedOffsets(cluster.bootstrapServers(), cluster.topics(), cluster.ledger())) {
            while (!sent.get() || !shards.stream().allMatch(Unpublished::isEmpty)) {
                published.getAsLong();
                long now = System.nanoTime();
                for (int shard = 0; shard < shards.size(); shard++) {
                    shards.get(shard).published(published.nextOffset(shard), now, millis);
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }
}
