// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Looks once a second at what users of a ledger have of it, from outside: whether events are acknowledged, how long the oldest of
 * them waits for publication, the age of the checkpoint a monitor verified, and whether a proof is answered. Each look that hangs
 * holds up nothing but itself. Thread-safe.
 */
final class SliProbe implements AutoCloseable {
    /** Bounds of the objectives in {@code runbooks/slo}. */
    static final double PUBLICATION_SECONDS_MAX = 10;

    static final double CHECKPOINT_AGE_SECONDS_MAX = 20;
    /** A single proof that takes longer was no answer for whoever waited. */
    static final double PROOF_SECONDS_MAX = 3;

    /** So long nothing may be acknowledged: a request that is on its way is not an outage. */
    static final double INGEST_SECONDS_MAX = 2;

    private static final String CHECKPOINT_AGE = "attestream_monitor_checkpoint_age_seconds";
    private static final int SAMPLES_MAX = 4 * 3_600;

    private final DrillLoad load;
    private final Supplier<Api> auditor;
    private final URI monitor;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();
    private final List<Sample> samples = new ArrayList<>();
    private volatile NewestEpoch newest = NewestEpoch.NONE;
    private volatile long provedNanos = System.nanoTime();
    private volatile double checkpointAgeSeconds = Double.NaN;
    private int acknowledgedBefore;
    private long troublesBefore;
    private long acknowledgedNanos = System.nanoTime();

    /**
     * What was seen at one time.
     *
     * @param notAcknowledged answers to the load, since the look before, that were no acknowledgement
     * @param sinceAcknowledgedSeconds since the last event was acknowledged
     * @param oldestUnpublishedSeconds age of the oldest event that was acknowledged and is in no published epoch; 0 if none is
     * @param checkpointAgeSeconds of the newest checkpoint the monitor verified; NaN if it does not say
     * @param sinceProofSeconds since a proof was answered
     */
    record Sample(
            Instant at,
            long notAcknowledged,
            double sinceAcknowledgedSeconds,
            double oldestUnpublishedSeconds,
            double checkpointAgeSeconds,
            double sinceProofSeconds) {
        /** The indicators that are not as their objective says, by name. */
        List<String> bad() {
            List<String> bad = new ArrayList<>();
            if (notAcknowledged > 0 || sinceAcknowledgedSeconds > INGEST_SECONDS_MAX) {
                bad.add("ingest");
            }
            if (oldestUnpublishedSeconds > PUBLICATION_SECONDS_MAX) {
                bad.add("publication");
            }
            if (!(checkpointAgeSeconds <= CHECKPOINT_AGE_SECONDS_MAX)) {
                bad.add("checkpoint");
            }
            if (sinceProofSeconds > PROOF_SECONDS_MAX) {
                bad.add("proof");
            }
            return bad;
        }
    }

    /**
     * Begins to look.
     *
     * @param auditor asked before each look
     * @param monitor its {@code /metrics}
     */
    static SliProbe start(DrillLoad load, Supplier<Api> auditor, URI monitor) {
        SliProbe probe = new SliProbe(load, auditor, monitor);
        probe.each("sli-newest", () -> probe.newest = NewestEpoch.fetch(auditor.get()));
        probe.each("sli-proof", probe::prove);
        probe.each("sli-checkpoint", probe::lookAtMonitor);
        probe.each("sli-sample", probe::sample);
        return probe;
    }

    private SliProbe(DrillLoad load, Supplier<Api> auditor, URI monitor) {
        this.load = load;
        this.auditor = auditor;
        this.monitor = monitor;
    }

    private void each(String name, Runnable look) {
        Thread thread = new Thread(
                () -> {
                    try {
                        do {
                            lookOnce(look);
                        } while (!stop.await(1, TimeUnit.SECONDS));
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                name);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private static void lookOnce(Runnable look) {
        try {
            look.run();
        } catch (RuntimeException e) {
            // Nobody answers just now: what was seen last gets older, and that is what is looked at.
        }
    }

    private void prove() {
        NewestEpoch seen = newest;
        List<DrillLoad.Acknowledged> events = load.acknowledged();
        for (int i = events.size() - 1; i >= 0; i--) {
            DrillLoad.Acknowledged event = events.get(i);
            if (seen.covers(event.shard(), event.offset())) {
                if (auditor.get()
                        .require(event.href(), "application/json")
                        .json()
                        .has("bundle")) {
                    provedNanos = System.nanoTime();
                }
                return;
            }
        }
    }

    private void lookAtMonitor() {
        checkpointAgeSeconds = Scrape.value(monitor, CHECKPOINT_AGE).orElse(Double.NaN);
    }

    private void sample() {
        List<DrillLoad.Acknowledged> events = load.acknowledged();
        long now = System.nanoTime();
        if (events.size() > acknowledgedBefore) {
            acknowledgedBefore = events.size();
            acknowledgedNanos = now;
        }
        long troubles = load.troubleCount();
        long notAcknowledged = troubles - troublesBefore;
        troublesBefore = troubles;
        NewestEpoch seen = newest;
        OptionalDouble oldest = events.stream()
                .filter(event -> !seen.covers(event.shard(), event.offset()))
                .mapToDouble(event -> (System.currentTimeMillis() - event.atMillis()) / 1000.0)
                .max();
        Sample sample = new Sample(
                Instant.now(),
                notAcknowledged,
                (now - acknowledgedNanos) / 1e9,
                oldest.orElse(0),
                checkpointAgeSeconds,
                (now - provedNanos) / 1e9);
        synchronized (samples) {
            if (samples.size() < SAMPLES_MAX) {
                samples.add(sample);
            }
        }
    }

    /** All that was seen, in order. */
    List<Sample> samples() {
        synchronized (samples) {
            return List.copyOf(samples);
        }
    }

    /** What was seen last, for people. */
    String last() {
        List<Sample> all = samples();
        return all.isEmpty() ? "nothing" : all.get(all.size() - 1).toString();
    }

    /** Whether every look of the last seconds was good; false as long as there are not so many. */
    boolean isGoodFor(int seconds) {
        List<Sample> all = samples();
        return all.size() >= seconds
                && all.subList(all.size() - seconds, all.size()).stream()
                        .allMatch(sample -> sample.bad().isEmpty());
    }

    @Override
    public void close() {
        stop.countDown();
        threads.forEach(Thread::interrupt);
    }
}
