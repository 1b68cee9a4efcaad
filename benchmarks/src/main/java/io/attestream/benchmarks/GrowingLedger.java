// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import io.attestream.chaos.ManagedProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;

/** A ledger that grows, in packs and snapshots, and whose services are killed and started again. Not thread-safe. */
final class GrowingLedger implements AutoCloseable {
    private static final int PAYLOAD_SIZE_BYTES = 128;
    /** Sent while processors and checkpointer are down. */
    private static final int MEANWHILE = 1_000;

    private static final int SETTLING_ROUNDS = 12;
    private static final int SETTLING_EVENTS = 10;
    private static final Duration SETTLING_INTERVAL = Duration.ofSeconds(5);

    private final BenchLedger ledger;
    private final Progress progress;
    private final Workload workload = new Workload(PAYLOAD_SIZE_BYTES, 1);
    private final PublishedOffsets published;
    private final ManagedProcess processors;
    private final ManagedProcess checkpointer;
    private long sent;

    /** Starts its services. */
    GrowingLedger(BenchLedger ledger, int snapshotIntervalSeconds, Progress progress) throws IOException {
        this.ledger = ledger;
        this.progress = progress;
        this.published = new PublishedOffsets(ledger.bootstrapServers, ledger.topics, ledger.definition);
        this.processors = ledger.processors("sequencer,proofs", 1);
        String intervalMillis =
                Long.toString(Duration.ofSeconds(snapshotIntervalSeconds).toMillis());
        this.checkpointer = ledger.checkpointer(
                1,
                Map.of(
                        "ATTESTREAM_SNAPSHOTS_INTERVAL_MILLIS",
                        intervalMillis,
                        "ATTESTREAM_SNAPSHOTS_KEPT",
                        "2",
                        "ATTESTREAM_PACKS_AGE_MILLIS_MAX",
                        intervalMillis));
        start();
    }

    long sent() {
        return sent;
    }

    /** Takes so many events more, until all of them are published, in packs, and in a snapshot. */
    void grow(int events) {
        send(events);
        awaitPublished();
        sent += settle(ledger, workload, sent, progress);
        awaitPublished();
    }

    /** Packs and snapshots are of what was published before, and are logged by what comes next: a few rounds of both. */
    static int settle(BenchLedger ledger, Workload workload, long sent, Progress progress) {
        for (int round = 0; round < SETTLING_ROUNDS; round++) {
            workload.load(
                    ledger.bootstrapServers,
                    ledger.topics.events(),
                    ledger.definition,
                    sent + (long) round * SETTLING_EVENTS,
                    SETTLING_EVENTS,
                    progress);
            Waiting.pause(SETTLING_INTERVAL);
        }
        return SETTLING_ROUNDS * SETTLING_EVENTS;
    }

    private void send(int events) {
        workload.load(ledger.bootstrapServers, ledger.topics.events(), ledger.definition, sent, events, progress);
        sent += events;
    }

    private void awaitPublished() {
        Waiting.reach(checkpointer, published, ledger.endOffset(ledger.topics.events()), progress);
    }

    void start() throws IOException {
        processors.start();
        checkpointer.start();
    }

    /** By SIGKILL. */
    void kill() {
        processors.kill();
        checkpointer.kill();
    }

    /** Milliseconds from the start of its killed services until what came meanwhile is published. */
    long restartMillis() throws IOException {
        send(MEANWHILE);
        long begunNanos = System.nanoTime();
        start();
        awaitPublished();
        return Duration.ofNanos(System.nanoTime() - begunNanos).toMillis();
    }

    @Override
    public void close() {
        processors.close();
        checkpointer.close();
        published.close();
    }
}
