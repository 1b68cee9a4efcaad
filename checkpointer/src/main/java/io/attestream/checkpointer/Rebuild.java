// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Builds every shard's tree a second time, from offset 0 of topic {@code events} and nothing else, and holds it against every
 * head that was ever published: equal roots at every published size, at the published position. It reads neither the
 * sequencer's state nor what it wrote, so it finds what both sequencer and checkpointer would have to get wrong together at
 * different times (a crash, another version, a lost state).
 *
 * <p>Holds a bounded number of published heads in memory, and what deduplication remembers of the shards it reads. Reads only;
 * may run beside everything else.
 */
public final class Rebuild {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int FETCH_BYTES_MAX = 8 << 20;
    /** Some 100 bytes each. */
    private static final int HEADS_MAX = 1 << 16;

    private final Supplier<Consumer<byte[], byte[]>> readers;
    private final Topics topics;
    private final LedgerDefinition definition;
    private final Reading reading;
    private final Listener listener;
    private long bytesPerSecondMax = Long.MAX_VALUE;
    private final Duration patience;
    private Optional<ObjectStore> objects = Optional.empty();
    private int headsMax = HEADS_MAX;
    private boolean oneByOne;

    /** How records of events are read. */
    public enum Reading {
        /** By the schema's decoder, as the checkpointer does: shares no reader with the sequencer. */
        DECODED,
        /** Plain events where they lie, as the sequencer does; in about half the time of a core. */
        IN_PLACE
    }

    /** Is told what goes by; called from several threads, each with shards of its own. */
    public interface Listener {
        Listener NONE = new Listener() {};

        /**
         * A leaf was appended.
         *
         * @param entry not to be written to
         */
        default void leaf(int shard, long index, byte[] entry) {}

        /** So many offsets of all that are to be read have been. */
        default void progress(long offsets, long total) {}
    }

    /** What came of it. */
    public sealed interface Result {
        /**
         * Every published head was met.
         *
         * @param epochs that were published
         */
        record Same(long epochs, List<ShardTotal> shards) implements Result {
            public Same {
                shards = List.copyOf(shards);
            }

            public long leaves() {
                return shards.stream().mapToLong(ShardTotal::leaves).sum();
            }
        }

        /** A published head is not what the records give, or the records or checkpoints themselves do not hold. */
        record Different(String detail) implements Result {}

        /** It could not be decided: a record needs rules or schemas this version does not know, or topics cannot be read. */
        record Undecided(String detail) implements Result {}
    }

    /**
     * What was read of one shard up to its last published head.
     *
     * @param heads distinct published heads that were compared
     */
    public record ShardTotal(int shard, long leaves, long withoutLeaf, long heads) {}

    public Rebuild(
            Map<String, Object> connection,
            Topics topics,
            LedgerDefinition definition,
            Reading reading,
            Listener listener) {
        this(
                () -> new KafkaClients(connection).reader(FETCH_BYTES_MAX),
                topics,
                definition,
                reading,
                listener,
                Patience.DEFAULT);
    }

    /** @param patience how long reading may get no further before nothing can be decided */
    Rebuild(
            Supplier<Consumer<byte[], byte[]>> readers,
            Topics topics,
            LedgerDefinition definition,
            Reading reading,
            Listener listener,
            Duration patience) {
        this.readers = readers;
        this.topics = topics;
        this.definition = definition;
        this.reading = reading;
        this.listener = listener;
        this.patience = patience;
    }

    /** In a later incarnation of topic {@code events}: where the snapshot is that it goes on from, whose trees are believed. */
    public Rebuild withObjects(ObjectStore store) {
        objects = Optional.of(store);
        return this;
    }

    /** Reads no more than so many bytes a second, at least 1: the brokers serve others too. */
    public Rebuild atMost(long bytesPerSecondMax) {
        this.bytesPerSecondMax = bytesPerSecondMax;
        return this;
    }

    /** One shard behind the other, so that the memory of one is enough. */
    Rebuild oneByOne() {
        oneByOne = true;
        return this;
    }

    /** @param max read ahead, at least 1 */
    Rebuild withHeadsMax(int max) {
        headsMax = max;
        return this;
    }

    /** As {@link #run(int, Optional)}, believing topic {@code checkpoints} that it has every epoch. */
    public Result run(int threads) throws InterruptedException {
        return run(threads, Optional.empty());
    }

    /**
     * Reads up to the last published epoch there is when it starts.
     *
     * @param threads among which the shards are divided, at least 1
     * @param kept a verified ledger checkpoint somebody kept, which must be among those published: nothing in a topic that was
     *     cut at its end, or begun anew, says so
     */
    public Result run(int threads, Optional<Checkpoint> kept) throws InterruptedException {
        Ledger ledger = new Ledger(
                definition.origin(),
                definition.key(),
                definition.shards(),
                objects.map(KeyChangeReader::of).orElse(KeyChangeReader.NONE));
        Published published;
        Optional<StoredSnapshots.Stored> seam;
        try {
            seam = seam(ledger);
            published = published(ledger, kept);
        } catch (IOException e) {
            return new Result.Undecided(String.valueOf(e.getMessage()));
        } catch (FatalDoubtException e) {
            return e.getCause() instanceof IOException
                    ? new Result.Undecided(String.valueOf(e.getMessage()))
                    : new Result.Different(String.valueOf(e.getMessage()));
        } catch (KafkaException e) {
            return checkpointsUnread(e);
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (published.epochs() == 0) {
            return new Result.Undecided("nothing was published: topic " + topics.checkpoints() + " has no epoch");
        }
        List<ShardTotal> totals = new ArrayList<>();
        List<String> differences = new ArrayList<>();
        Progress progress = new Progress(published);
        for (List<Integer> group : groups(ledger.shards())) {
            List<ShardRebuild> shards = new ArrayList<>();
            try {
                for (int shard : group) {
                    shards.add(begin(shard, ledger, seam));
                }
            } catch (IOException | InvalidFormat e) {
                return new Result.Undecided(
                        "the snapshot this incarnation goes on from is of no use: " + e.getMessage());
            }
            long firstEpoch = seam.map(stored -> stored.manifest().epoch()).orElse(0L);
            Result result = new Run(shards, threads, progress).over(firstEpoch, published);
            if (result instanceof Result.Undecided) {
                return differences.isEmpty() ? result : new Result.Different(String.join("; ", differences));
            }
            if (result instanceof Result.Different different) {
                differences.add(different.detail()); // one shard's must not hide another's
            }
            shards.forEach(shard -> totals.add(shard.total()));
        }
        return differences.isEmpty()
                ? new Result.Same(published.epochs(), totals)
                : new Result.Different(String.join("; ", differences));
    }

    private List<List<Integer>> groups(int shards) {
        List<Integer> all = IntStream.range(0, shards).boxed().toList();
        return oneByOne ? all.stream().map(List::of).toList() : List.of(all);
    }

    private Result checkpointsUnread(KafkaException e) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        return new Result.Undecided("topic " + topics.checkpoints() + " cannot be read: " + e.getMessage());
    }

    private Optional<StoredSnapshots.Stored> seam(Ledger ledger) throws IOException {
        if (definition.incarnation() > 1 && objects.isEmpty()) {
            throw new IOException("topic " + topics.events() + " is the ledger's incarnation "
                    + definition.incarnation() + ", which goes on from a snapshot in the object store: name it");
        }
        try {
            return objects.isEmpty() ? Optional.empty() : Seam.find(objects.get(), ledger, definition);
        } catch (FatalDoubtException e) {
            throw new IOException(e.getMessage(), e); // says nothing of the records
        }
    }

    private ShardRebuild begin(int shard, Ledger ledger, Optional<StoredSnapshots.Stored> seam)
            throws IOException, InvalidFormat {
        if (seam.isEmpty()) {
            return new ShardRebuild(shard, decider(shard, ledger), listener);
        }
        StoredSnapshots.Shard stored = seam.get().shards().get(shard);
        return new ShardRebuild(
                shard,
                definition.incarnation(),
                stored.state().range(),
                ShardDecider.resumed(shard, ledger, definition.incarnation(), stored),
                listener);
    }

    private ShardDecider decider(int shard, Ledger ledger) {
        return reading == Reading.IN_PLACE
                ? ShardDecider.ofEntries(shard, ledger, definition.incarnation())
                : new ShardDecider(shard, ledger, definition.incarnation());
    }

    /**
     * What topic {@code checkpoints} says, verified.
     *
     * @param heads of the last epoch
     */
    private record Published(long epochs, List<ShardHead> heads) {}

    private Published published(Ledger ledger, Optional<Checkpoint> kept) {
        CheckpointHistory history = new CheckpointHistory(ledger);
        AtomicBoolean keptIsThere = new AtomicBoolean(kept.isEmpty());
        readCheckpoints(record -> {
            history.accept(record);
            if (record instanceof LogRecord.Published epoch) {
                kept.filter(checkpoint ->
                                checkpoint.text().equals(epoch.intent().noteText()))
                        .ifPresent(found -> keptIsThere.set(true));
            }
        });
        long epochs = history.ledgerRange().size().value();
        if (!keptIsThere.get()) {
            throw new FatalDoubtException("the kept checkpoint of size "
                    + kept.map(Checkpoint::size).orElseThrow() + " is not among the " + epochs + " published in topic "
                    + topics.checkpoints() + ": it was cut, or history was rewritten. Compare it with its backup");
        }
        return new Published(epochs, history.publishedHeads());
    }

    private void readCheckpoints(java.util.function.Consumer<LogRecord> reader) {
        CheckpointRecords codec = new CheckpointRecords(definition.schemas());
        KafkaCheckpointLog.readToEnd(
                readers.get(), topics.checkpoints(), codec, reader, patience, new ArchiveCheck.Pace(bytesPerSecondMax));
    }

    /** Of all offsets up to the last published heads. */
    private final class Progress {
        private final long total;
        private final AtomicLong done = new AtomicLong();

        Progress(Published published) {
            long first = LedgerOffset.first(definition.incarnation());
            total = published.heads().stream()
                    .mapToLong(head -> Math.max(0, head.nextOffset() - first))
                    .sum();
        }

        void add(long offsets) {
            listener.progress(done.addAndGet(offsets), total);
        }
    }

    /** One pass over some shards. */
    private final class Run {
        private final List<ShardRebuild> shards;
        private final int threads;
        private final Progress progress;
        private final ShardHead[] newest = new ShardHead[definition.shards()];
        private final AtomicBoolean stop = new AtomicBoolean();
        private final AtomicLong sizeBytes = new AtomicLong();
        private final ArchiveCheck.Pace pace = new ArchiveCheck.Pace(bytesPerSecondMax);
        /** Heads that were read of topic {@code checkpoints} and not met yet. */
        private int waiting;

        private Result result = new Result.Same(0, List.of());

        Run(List<ShardRebuild> shards, int threads, Progress progress) {
            this.shards = shards;
            this.threads = Math.min(threads, shards.size());
            this.progress = progress;
        }

        /** Reads the heads of these epochs again, which were verified, and behind so many of them the records they cover. */
        Result over(long firstEpoch, Published published) throws InterruptedException {
            try {
                readCheckpoints(record -> {
                    if (record instanceof LogRecord.Published epoch
                            && epoch.epoch() >= firstEpoch
                            && epoch.epoch() < published.epochs()) {
                        expect(epoch.intent().heads());
                    }
                });
                meet();
            } catch (FatalDoubtException e) {
                result = new Result.Different(String.valueOf(e.getMessage()));
            } catch (KafkaException e) {
                result = checkpointsUnread(e);
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return result instanceof Result.Same && !hasMet(published) ? otherCheckpoints() : result;
        }

        private boolean hasMet(Published published) {
            return shards.stream()
                    .allMatch(shard -> published.heads().get(shard.shard()).equals(newest[shard.shard()]));
        }

        private Result otherCheckpoints() {
            return new Result.Undecided("topic " + topics.checkpoints()
                    + " has other epochs than a moment ago: it was cut or made again. Run it again");
        }

        private void expect(List<ShardHead> heads) {
            if (!(result instanceof Result.Same)) {
                return; // the rest is neither met nor kept
            }
            for (ShardRebuild shard : shards) {
                ShardHead head = heads.get(shard.shard());
                if (!head.equals(newest[shard.shard()])) {
                    newest[shard.shard()] = head;
                    shard.expect(head);
                    waiting++;
                }
            }
            if (waiting >= headsMax) {
                meet();
            }
        }

        private void meet() {
            waiting = 0;
            if (result instanceof Result.Same) {
                try {
                    result = inThreads();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    result = new Result.Undecided("interrupted");
                }
            }
        }

        private Result inThreads() throws InterruptedException {
            ExecutorService executor = Executors.newFixedThreadPool(threads, task -> new Thread(task, "rebuild"));
            try {
                List<Future<Result>> parts = new ArrayList<>();
                for (int thread = 0; thread < threads; thread++) {
                    int first = thread;
                    List<ShardRebuild> own = IntStream.range(0, shards.size())
                            .filter(shard -> shard % threads == first)
                            .mapToObj(shards::get)
                            .toList();
                    parts.add(executor.submit(() -> read(own)));
                }
                return worst(parts);
            } finally {
                executor.shutdownNow();
            }
        }

        private Result worst(List<Future<Result>> parts) throws InterruptedException {
            Result worst = new Result.Same(0, List.of());
            for (Future<Result> part : parts) {
                try {
                    Result result = part.get();
                    if (!(result instanceof Result.Same) && !(worst instanceof Result.Different)) {
                        worst = result;
                    }
                } catch (ExecutionException | CancellationException e) {
                    throw new IllegalStateException("rebuilding ended by a bug", e);
                }
            }
            return worst;
        }

        private Result read(List<ShardRebuild> own) {
            Map<TopicPartition, ShardRebuild> open = new HashMap<>();
            own.stream()
                    .filter(shard -> !shard.isDone())
                    .forEach(shard -> open.put(new TopicPartition(topics.events(), shard.shard()), shard));
            Patience ownPatience = new Patience(patience);
            try (Consumer<byte[], byte[]> consumer = readers.get()) {
                consumer.assign(open.keySet());
                consumer.beginningOffsets(open.keySet()).forEach(Rebuild::requireFromTheFirst);
                open.forEach((partition, shard) -> consumer.seek(partition, shard.position()));
                while (!open.isEmpty() && !stop.get()) {
                    read(consumer, open);
                    pace.after(sizeBytes.get());
                    requireProgress(ownPatience, consumer, open);
                }
                return new Result.Same(0, List.of());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return new Result.Undecided("interrupted");
            } catch (FatalDoubtException e) {
                stop.set(true); // what others may find is not worse
                return new Result.Different(String.valueOf(e.getMessage()));
            } catch (ShardRebuild.UndecidableException e) {
                return new Result.Undecided(String.valueOf(e.getMessage()));
            } catch (KafkaException e) {
                return new Result.Undecided("topic " + topics.events() + " cannot be read: " + e.getMessage());
            }
        }

        /**
         * An end below a published head is no difference at once: it is the brokers' for a moment after a leader changed. When
         * patience has ended, and they say so when asked, records were lost.
         */
        private void requireProgress(
                Patience ownPatience, Consumer<byte[], byte[]> consumer, Map<TopicPartition, ShardRebuild> open) {
            try {
                ownPatience.requireProgress(
                        () -> open.values().stream()
                                .map(shard -> "partition " + shard.shard() + " was read to offset " + shard.position()
                                        + ", a head was published up to " + shard.endOffset())
                                .collect(Collectors.joining("; ")),
                        open.values().stream().mapToLong(ShardRebuild::position).sum());
            } catch (TimeoutException e) {
                consumer.endOffsets(open.keySet()).forEach((partition, end) -> {
                    ShardRebuild shard = Objects.requireNonNull(open.get(partition), "asked for");
                    if (end < shard.endOffset()) {
                        throw new FatalDoubtException("topic " + partition + " ends at offset " + end
                                + ", a head was published up to " + shard.endOffset() + ": it lost records");
                    }
                });
                throw e;
            }
        }

        /** What cannot be reached is a kind of its own; of a batch that is none the consumer says this, and cannot go past it. */
        private ConsumerRecords<byte[], byte[]> poll(Consumer<byte[], byte[]> consumer) {
            try {
                return consumer.poll(POLL);
            } catch (KafkaException e) {
                if (e.getClass() != KafkaException.class) {
                    throw e;
                }
                String cause = e.getCause() == null ? "" : ": " + e.getCause().getMessage();
                throw new FatalDoubtException("topic " + topics.events() + " is damaged: " + e.getMessage() + cause, e);
            }
        }

        private void read(Consumer<byte[], byte[]> consumer, Map<TopicPartition, ShardRebuild> open) {
            ConsumerRecords<byte[], byte[]> records = poll(consumer);
            for (ShardRebuild shard : List.copyOf(open.values())) {
                TopicPartition partition = new TopicPartition(topics.events(), shard.shard());
                long before = shard.position();
                for (ConsumerRecord<byte[], byte[]> record : records.records(partition)) {
                    sizeBytes.addAndGet(Math.max(0, record.serializedValueSize()));
                    shard.accept(record.offset(), record.timestamp(), record.value());
                }
                shard.readTo(consumer.position(partition));
                progress.add(shard.position() - before);
                if (shard.isDone()) {
                    open.remove(partition);
                    consumer.assign(open.keySet());
                }
            }
        }
    }

    static void requireFromTheFirst(TopicPartition partition, long first) {
        if (first != 0) {
            throw new FatalDoubtException("topic " + partition + " begins at offset " + first
                    + ": its first records were deleted. Check retention.ms and cleanup.policy, and restore it");
        }
    }
}
