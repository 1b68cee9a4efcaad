// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.chaos.DevIdentityProvider;
import io.attestream.chaos.history.AnomalyKind;
import io.attestream.chaos.history.History;
import io.attestream.chaos.history.HistoryChecker;
import io.attestream.chaos.history.InvalidHistory;
import io.attestream.chaos.history.Others;
import io.attestream.chaos.history.Receipt;
import io.attestream.chaos.history.Result.Outcome;
import io.attestream.chaos.history.Tolerated;
import io.attestream.chaos.history.Verdict;
import io.attestream.cli.DrillChecks.Failed;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Records what the clients of a drill do, the producer and an auditor that reads checkpoints and receipts all the time, whatever is
 * being done to the cluster; and has it judged at the end.
 */
final class DrillRecord implements DrillLoad.Door, AutoCloseable {
    private static final String FILE = "history.jsonl";
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final long POLL_NANOS = 100_000_000;
    private static final long PAUSE_MILLIS = 200;
    private static final int RECEIPTS_AT_ONCE = 5;
    private static final int READERS = 8;
    private static final long END_SECONDS = 120;

    private final Path file;
    private final Set<Tolerated> tolerated;
    private final History history;
    private final RecordedClient producer;
    private final RecordedClient auditor;
    private final Queue<Given> unread = new ConcurrentLinkedQueue<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread reader = new Thread(this::read, "drill-reader");
    private volatile long lostEvents;

    /** A receipt, and the event it was given for. */
    private record Given(String href, byte[] line) {}

    /**
     * A ledger of the tenant of local clusters, with their dedup window.
     *
     * @param file of the history, which does not exist yet
     * @param api of the gateway, by the role in which it is asked; asked before each request
     */
    record Ledger(Path file, NoteVerifier key, int shards, Function<String, Api> api) {
        static Ledger of(DrillCluster cluster) {
            return new Ledger(
                    cluster.data().resolve("logs").resolve(FILE), // kept with what the processes said
                    Connection.parseKey(cluster.vkey()),
                    cluster.shards(),
                    cluster::api);
        }
    }

    /** Begins to read. Nobody else appends to the ledger, and nothing may be lost. */
    DrillRecord(DrillCluster cluster) {
        this(cluster, Set.of());
    }

    /** @param tolerated what the drill will do to it */
    DrillRecord(DrillCluster cluster, Set<Tolerated> tolerated) {
        this(Ledger.of(cluster), Optional.empty(), tolerated);
    }

    /** @param othersSource of the events that somebody else appends */
    DrillRecord(DrillCluster cluster, Optional<String> othersSource) {
        this(Ledger.of(cluster), othersSource, Set.of());
    }

    DrillRecord(Ledger ledger, Optional<String> othersSource, Set<Tolerated> tolerated) {
        this.tolerated = tolerated;
        file = ledger.file();
        history = History.create(
                file,
                Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES,
                othersSource.map(source -> new Others(DevIdentityProvider.TENANT, source)));
        producer = client(ledger, "producer", "ingester");
        auditor = client(ledger, "auditor", "auditor");
        reader.setDaemon(true);
        reader.start();
    }

    private RecordedClient client(Ledger ledger, String name, String role) {
        return new RecordedClient(
                history,
                name,
                DevIdentityProvider.TENANT,
                ledger.key(),
                ledger.shards(),
                () -> ledger.api().apply(role));
    }

    @Override
    public void append(List<byte[]> lines, Consumer<JsonNode> onResult) {
        Iterator<byte[]> answered = lines.iterator();
        producer.append(lines, result -> {
            String href = result.path("receipt").path("href").asText();
            byte[] line = answered.next();
            if (!href.isEmpty()) {
                unread.add(new Given(href, line));
            }
            onResult.accept(result);
        });
    }

    /** By which others send whose receipts nobody reads: what they were answered is recorded, and judged as everything else. */
    DrillLoad.Door withoutReading() {
        return producer::append;
    }

    /** Claims that an event was acknowledged that was never sent. */
    @Override
    public void forge(byte[] line) {
        producer.forge(line, new Receipt(1, 0, Integer.MAX_VALUE));
    }

    private void read() {
        try {
            while (!stop.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS)) {
                readSome();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void readSome() {
        try {
            auditor.checkpoint();
        } catch (RuntimeException e) {
            return; // it is recorded; the cluster is just being damaged or replaced
        }
        for (int i = 0; i < RECEIPTS_AT_ONCE; i++) {
            Given next = unread.poll();
            if (next != null && !isDecided(next)) {
                unread.add(next);
            }
        }
    }

    private boolean isDecided(Given receipt) {
        try {
            return auditor.receipt(receipt.href(), receipt.line()).outcome() != Outcome.PENDING;
        } catch (RuntimeException e) {
            return false; // recorded too
        }
    }

    /** Reads what has not been read, and the whole tree; what was recorded must be what a good ledger shows. Nobody appends any more. */
    String judge() throws Failed, IOException, InterruptedException {
        stopReading();
        decideAll();
        try {
            auditor.all();
        } catch (CliException e) {
            throw new Failed("not every leaf can be read: " + e.getMessage());
        }
        history.close();
        try {
            Verdict verdict = HistoryChecker.check(file, tolerated);
            Verdict.Anomalies lost = verdict.anomalies().get(AnomalyKind.LOST);
            lostEvents = lost == null ? 0 : lost.count();
            if (!verdict.isValid()) {
                throw new Failed(verdict.summary());
            }
            return verdict.summary();
        } catch (InvalidHistory e) {
            throw new Failed(file + " is no history: " + e.getMessage());
        }
    }

    /** Of all that anybody recorded; 0 before it was judged. */
    long lostEvents() {
        return lostEvents;
    }

    private void decideAll() throws Failed, InterruptedException {
        ExecutorService readers = Executors.newFixedThreadPool(READERS);
        try {
            long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
            List<Future<Boolean>> decided = new ArrayList<>();
            unread.forEach(receipt -> decided.add(readers.submit(() -> decide(receipt, deadlineNanos))));
            int open = 0;
            for (Future<Boolean> one : decided) {
                open += one.get() ? 0 : 1;
            }
            if (open > 0) {
                throw new Failed(open + " of " + decided.size() + " receipts that were left do not say what became of"
                        + " their event");
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } finally {
            readers.shutdownNow();
        }
    }

    private boolean decide(Given receipt, long deadlineNanos) {
        while (!isDecided(receipt)) {
            if (System.nanoTime() > deadlineNanos) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }

    private void stopReading() {
        stop.countDown();
        try {
            reader.join(TimeUnit.SECONDS.toMillis(END_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stopReading();
        history.close();
    }
}
