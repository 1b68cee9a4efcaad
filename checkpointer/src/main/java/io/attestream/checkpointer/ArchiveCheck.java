// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.kafka.common.KafkaException;

/**
 * Holds every object of the archive against what was published: the digest in its name, every leaf hash from the stored entry,
 * every shard's root at every published head, every payload against the digest in its entry, every guard and epoch object
 * against its checkpoint. Finds what rotted, is missing or was replaced, and names it. Reads only; may run beside everything else.
 *
 * <p>Behind an object that cannot be used, the roots of the shards it grew cannot be computed any more. Everything that does
 * not need them is checked nevertheless: one lost object must not hide another.
 *
 * <p>Needs one segment and its payloads in memory, and the names of all objects. Not thread-safe; for one use.
 */
public final class ArchiveCheck {
    /** Enough to see the extent of a damage; what is found beyond is only counted. */
    public static final int FINDINGS_MAX = 1_000;

    private static final int FETCH_BYTES_MAX = 4 << 20;

    /** Looks for epochs that were published while this ran; each takes no longer than what came since the one before. */
    private static final int ROUNDS_MAX = 10;

    /** Time between looks for packs that were logged while this runs, whose segments are gone. */
    private static final long LOOK_AGAIN_NANOS = 60_000_000_000L;

    private final ObjectStore store;
    private final ArchiveReader reader;
    private final Ledger ledger;
    private final Consumer<Consumer<LogRecord>> checkpoints;
    private final String checkpointsName;
    private final Pace pace;
    private final Listener listener;

    private final List<ArchivedShard> shards = new ArrayList<>();
    /** Of the shards. */
    private final List<ArchiveReader> shardReaders = new ArrayList<>();

    private int threads = 1;
    private final SnapshotCheck snapshots;
    private final CompactRange ledgerRange = CompactRange.empty();
    private KeyHistory keys;
    private Taker taker = Taker.NONE;
    private long epochsMax = Long.MAX_VALUE;
    private boolean listsNames = true;
    private long lookedNanos;
    private long epochs;
    private Optional<Checkpoint> newest = Optional.empty();

    /**
     * Something is not as it must be.
     *
     * @param object its name in the object store, or the topic
     * @param expected digest, root or text
     * @param actual what is there instead
     */
    public record Finding(String object, String expected, String actual) {}

    /**
     * What was looked at.
     *
     * @param payloads that were held against their digest
     * @param encrypted payloads, whose digest only the holder of their key can compute
     * @param erased payloads of which nothing is left, each under a key of which a leaf says that it was destroyed unless it is
     *     among the findings
     * @param erasures leaves that say that a key was destroyed
     * @param findings at most {@link #FINDINGS_MAX}
     * @param found how many there were
     * @param unreferenced objects no published epoch names: of a checkpointer that died before its intent was committed
     * @param newest the last checkpoint everything was held against; empty if they did not hold by themselves
     */
    public record Report(
            long epochs,
            long leaves,
            long payloads,
            long encrypted,
            long erased,
            long erasures,
            long sizeBytes,
            List<Finding> findings,
            long found,
            List<String> unreferenced,
            Optional<Checkpoint> newest) {
        public Report {
            findings = List.copyOf(findings);
            unreferenced = List.copyOf(unreferenced);
        }
    }

    /** Is told what goes by. */
    public interface Listener {
        Listener NONE = new Listener() {};

        /** So many epochs of all that are published have been checked. */
        default void progress(long epochs, long total) {}
    }

    /** Is handed what was found to be as published, in order. */
    interface Taker {
        Taker NONE = new Taker() {};

        /** The next leaf of a shard. */
        default void leaf(int shard, LeafRecord leaf) throws IOException {}

        /** What became of another record of a shard, in front of the leaves of its epoch. */
        default void outcome(int shard, OutcomeRecord outcome) {}

        /** A full block of what deduplication remembers. */
        default void block(ShardWindow.Block block) throws IOException {}

        /** The next epoch, behind its leaves. */
        default void epoch(LogRecord.Published published) throws IOException {}
    }

    /** Waits so that no more than so many bytes are read a second: the object store serves others too. */
    static final class Pace {
        private final long bytesPerSecondMax;
        private final long begunNanos = System.nanoTime();

        /** @param bytesPerSecondMax at least 1 */
        Pace(long bytesPerSecondMax) {
            this.bytesPerSecondMax = bytesPerSecondMax;
        }

        void after(long bytesRead) throws InterruptedException {
            double dueNanos = 1e9 * bytesRead / bytesPerSecondMax;
            long aheadMillis = (long) (dueNanos - (System.nanoTime() - begunNanos)) / 1_000_000;
            if (aheadMillis > 0) {
                Thread.sleep(aheadMillis);
            }
        }
    }

    /** What came of it. */
    public sealed interface Result {
        /** Everything published was looked at. */
        record Checked(Report report) implements Result {}

        /** Something could not be read, so nothing can be said. */
        record Undecided(String detail) implements Result {}
    }

    /**
     * @param bytesPerSecondMax read from the store, at least 1
     */
    public static ArchiveCheck open(
            Map<String, Object> connection,
            Topics topics,
            LedgerDefinition definition,
            ObjectStore store,
            long bytesPerSecondMax,
            Listener listener) {
        KafkaClients clients = new KafkaClients(connection);
        CheckpointRecords codec = new CheckpointRecords(definition.schemas());
        return new ArchiveCheck(
                store,
                new Ledger(definition.origin(), definition.key(), definition.shards(), store),
                "topic checkpoints",
                reader -> KafkaCheckpointLog.readToEnd(
                        clients.reader(FETCH_BYTES_MAX),
                        topics.checkpoints(),
                        codec,
                        reader,
                        Patience.DEFAULT,
                        new Pace(bytesPerSecondMax)),
                new Pace(bytesPerSecondMax),
                listener);
    }

    /**
     * Without Kafka: the published epochs are those the store itself has, signed by the key. That its newest are missing, nothing
     * in it says.
     *
     * @param bytesPerSecondMax read from the store, at least 1
     * @throws IOException if the store does not answer
     */
    public static ArchiveCheck openAlone(NoteVerifier key, ObjectStore store, long bytesPerSecondMax, Listener listener)
            throws IOException {
        StoredEpochs epochs = new StoredEpochs(store);
        Optional<EpochIntent> first;
        try {
            first = epochs.first().map(LogRecord.Published::intent);
        } catch (FatalDoubtException e) {
            first = Optional.empty(); // found again, and named, by run
        }
        return new ArchiveCheck(
                store,
                // Signed: the first epoch's leaf binds its heads, and with them the number of shards.
                new Ledger(
                        key.keyName(),
                        key,
                        first.map(intent -> intent.heads().size()).orElse(0),
                        store),
                "epoch objects",
                epochs::readAll,
                new Pace(bytesPerSecondMax),
                listener);
    }

    /** @param checkpoints hands every record of topic {@code checkpoints}, or what stands for it, over in order; asked twice */
    ArchiveCheck(
            ObjectStore store,
            Ledger ledger,
            String checkpointsName,
            Consumer<Consumer<LogRecord>> checkpoints,
            Pace pace,
            Listener listener) {
        this.store = store;
        this.reader = new ArchiveReader(store);
        this.ledger = ledger;
        this.checkpointsName = checkpointsName;
        this.checkpoints = checkpoints;
        this.pace = pace;
        this.listener = listener;
        this.keys = KeyHistory.of(ledger.key());
        this.snapshots = new SnapshotCheck(reader, new StoredSnapshots(store, ledger));
        for (int shard = 0; shard < ledger.shards(); shard++) {
            shardReaders.add(reader.beside());
            shards.add(new ArchivedShard(shard, ledger.key(), shardReaders.get(shard)));
        }
    }

    public Result run() throws InterruptedException {
        return run(Optional.empty());
    }

    /**
     * @param kept a verified ledger checkpoint somebody kept, which must be among those published: nothing in a log that was cut
     *     at its end says so
     */
    public Result run(Optional<Checkpoint> kept) throws InterruptedException {
        try {
            long total = published(kept);
            return total == 0
                    ? new Result.Undecided("nothing was published: there is nothing to hold the archive against")
                    : new Result.Checked(checkAll(total));
        } catch (FatalDoubtException e) {
            // It does not hold by itself, so there is nothing to hold the roots against.
            reader.find(checkpointsName, "epochs that follow from each other, signed", String.valueOf(e.getMessage()));
            return checkDigests();
        } catch (KafkaException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return new Result.Undecided(checkpointsName + " cannot be read: " + e.getMessage());
        } catch (IOException | UncheckedIOException e) {
            Throwable cause = e instanceof UncheckedIOException && e.getCause() != null ? e.getCause() : e;
            return new Result.Undecided("the object store cannot be read: " + cause.getMessage());
        }
    }

    /** All that can be said without epochs: whether each object has the digest its name says. */
    private Result checkDigests() throws InterruptedException {
        try {
            for (String prefix : List.of(ObjectNames.SEGMENTS, ObjectNames.PAYLOADS)) {
                for (String name : store.list(prefix)) {
                    reader.readIfThere(name, object -> object);
                    pace.after(reader.sizeBytes());
                }
            }
            for (String name : store.list(PackName.PACKS)) {
                checkPack(name);
            }
            return new Result.Checked(report());
        } catch (IOException e) {
            return new Result.Undecided("the object store cannot be read: " + e.getMessage());
        }
    }

    private void checkPack(String object) throws IOException {
        Optional<PackName> name = reader.part(object, from -> PackName.parse(object));
        if (name.isEmpty()) {
            return;
        }
        reader.part(object, from -> {
            Optional<Pack> pack = Pack.open(from, name.get());
            if (pack.isPresent()) {
                pack.get().requireWhole();
            }
            return pack;
        });
        reader.part(name.get().payloads(), from -> {
            Optional<PayloadPack> pack = PayloadPack.open(from, name.get(), new ZstdBlocks());
            if (pack.isPresent()) {
                pack.get().requireWhole();
            }
            return pack;
        });
    }

    /** Leaves out which objects no epoch names, and with it the only thing that grows with the archive. */
    ArchiveCheck withoutUnreferenced() {
        listsNames = false;
        return this;
    }

    /** @param newThreads among which the shards are divided, at least 1 */
    public ArchiveCheck inThreads(int newThreads) {
        threads = newThreads;
        return this;
    }

    /** Looks at the first epochs only, and hands over what is in them. */
    ArchiveCheck upTo(long epochs, Taker newTaker) {
        epochsMax = epochs;
        taker = newTaker;
        return withoutUnreferenced();
    }

    /** Of all shards, in their order, where the check ended. */
    List<ArchivedShard> shards() {
        return List.copyOf(shards);
    }

    private Report checkAll(long all) throws IOException, InterruptedException {
        ExecutorService executor = Executors.newFixedThreadPool(
                Math.min(threads, shards.size()), task -> new Thread(task, "archive-check"));
        try {
            return checkAll(executor, all);
        } finally {
            executor.shutdownNow();
        }
    }

    private Report checkAll(ExecutorService executor, long all) throws IOException, InterruptedException {
        long total = Math.min(all, epochsMax);
        if (listsNames) {
            for (String prefix : List.of(
                    ObjectNames.SEGMENTS,
                    ObjectNames.PAYLOADS,
                    ObjectNames.EPOCHS,
                    PackName.PACKS,
                    PackName.PAYLOAD_PACKS,
                    SnapshotName.SNAPSHOTS,
                    SnapshotName.SHARD_SNAPSHOTS,
                    KeyChange.KEYS)) {
                reader.list(prefix);
            }
        }
        if (taker == Taker.NONE) {
            snapshots.begin();
        }
        checkEpochs(executor, total);
        if (epochsMax == Long.MAX_VALUE) {
            requireErasuresLogged(executor);
        } else {
            requireErasuresLoggedBehind();
        }
        return report();
    }

    /**
     * Packs are rewritten while this runs; but never before it is published that the key was destroyed. So where that was not met,
     * it is in an epoch that was published meanwhile.
     */
    private void requireErasuresLogged(ExecutorService executor) throws IOException, InterruptedException {
        Map<Erasure.Logged, ArchivedShard.ErasedRow> unlogged = unlogged();
        for (int round = 0; round < ROUNDS_MAX && !unlogged.isEmpty(); round++) {
            long newer = published(Optional.empty());
            if (newer == epochs) {
                break;
            }
            checkEpochs(executor, newer);
            unlogged = unlogged();
        }
        find(unlogged);
    }

    /**
     * Packs that hold leaves of the epochs looked at may have been rewritten long after them. So the leaf that says why may be in any
     * epoch: all are read for it, and those leaves count that a published root covers.
     */
    private void requireErasuresLoggedBehind() throws IOException, InterruptedException {
        Map<Erasure.Logged, ArchivedShard.ErasedRow> unlogged = unlogged();
        if (unlogged.isEmpty()) {
            return;
        }
        ArchiveCheck all = new ArchiveCheck(store, ledger, checkpointsName, checkpoints, pace, Listener.NONE)
                .withoutUnreferenced();
        if (all.run() instanceof Result.Undecided undecided) {
            throw new IOException(undecided.detail());
        }
        all.shards.forEach(shard -> unlogged.keySet().removeAll(shard.proven()));
        find(unlogged);
    }

    private void find(Map<Erasure.Logged, ArchivedShard.ErasedRow> unlogged) {
        unlogged.forEach((key, row) -> {
            Finding finding = row.finding(key);
            reader.find(finding.object(), finding.expected(), finding.actual());
        });
    }

    private Map<Erasure.Logged, ArchivedShard.ErasedRow> unlogged() {
        Map<Erasure.Logged, ArchivedShard.ErasedRow> unlogged = new LinkedHashMap<>();
        shards.forEach(shard -> shard.erasedUnder().forEach((key, row) -> {
            if (shards.stream().noneMatch(any -> any.logged().contains(key))) {
                unlogged.putIfAbsent(key, row);
            }
        }));
        return unlogged;
    }

    /** Goes on with those that were not looked at, up to this number. */
    private void checkEpochs(ExecutorService executor, long total) throws IOException, InterruptedException {
        long from = epochs;
        List<IOException> failed = new ArrayList<>();
        readEpochs(() -> epochs, record -> {
            if (record instanceof LogRecord.Intent open && open.epoch() >= total) {
                reader.refer(open.intent().segment());
                reader.refer(open.intent().payloads());
                reader.refer(ObjectNames.epoch(open.epoch()));
                EpochObjects.leaf(open.intent()).logged().forEach(object -> reader.refer(object.name()));
                PackChain.logged(open.intent()).forEach(pack -> {
                    reader.refer(pack.name());
                    reader.refer(pack.payloads());
                });
            }
            if (record instanceof LogRecord.Published epoch
                    && epoch.epoch() >= from
                    && epoch.epoch() < total
                    && failed.isEmpty()) {
                try {
                    check(executor, epoch);
                    listener.progress(++epochs, total);
                    pace.after(reader.sizeBytes());
                } catch (IOException e) {
                    failed.add(e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    failed.add(new IOException("interrupted", e));
                }
            }
        });
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (!failed.isEmpty()) {
            throw failed.get(0);
        }
    }

    private Report report() {
        return new Report(
                epochs,
                shards.stream().mapToLong(ArchivedShard::leaves).sum(),
                shards.stream().mapToLong(ArchivedShard::payloads).sum(),
                shards.stream().mapToLong(ArchivedShard::encrypted).sum(),
                shards.stream().mapToLong(ArchivedShard::erased).sum(),
                shards.stream().mapToLong(shard -> shard.logged().size()).sum(),
                reader.sizeBytes(),
                reader.findings(),
                reader.found(),
                reader.unreferenced(),
                newest);
    }

    /** Damage behind the last epoch that is looked at does not matter to it. */
    private void readEpochs(LongSupplier done, Consumer<LogRecord> reading) {
        try {
            checkpoints.accept(reading);
        } catch (FatalDoubtException e) {
            if (done.getAsLong() < epochsMax) {
                throw e;
            }
        }
    }

    /** Verifies signatures and transitions before anything is held against them. */
    private long published(Optional<Checkpoint> kept) {
        CheckpointHistory history = new CheckpointHistory(ledger);
        AtomicBoolean keptIsThere = new AtomicBoolean(kept.isEmpty());
        readEpochs(() -> history.ledgerRange().size().value(), record -> {
            history.accept(record);
            if (record instanceof LogRecord.Published published) {
                learnPacks(published.intent());
                if (!keptIsThere.get()) {
                    keptIsThere.set(
                            kept.orElseThrow().text().equals(published.intent().noteText()));
                }
            }
        });
        keys = history.keys();
        CompactRange range = history.ledgerRange();
        long total = range.size().value();
        if (!keptIsThere.get()) {
            throw new FatalDoubtException(
                    "the kept checkpoint of size " + kept.orElseThrow().size() + " is not among the " + total
                            + " published: the end was lost, or history was rewritten");
        }
        newest = Optional.of(new Checkpoint(ledger.origin(), range.size(), range.root()));
        return total;
    }

    private void learnPacks(EpochIntent intent) {
        PackChain.logged(intent).forEach(pack -> shards.get(pack.shard()).know(pack));
    }

    private interface Growing {
        void grow(ArchivedShard shard) throws IOException;
    }

    /** Who takes what is read expects the shards one behind the other. */
    private void grow(ExecutorService executor, Growing growing) throws IOException, InterruptedException {
        if (threads == 1 || taker != Taker.NONE) {
            for (ArchivedShard shard : shards) {
                growing.grow(shard);
            }
            return;
        }
        List<Callable<Void>> tasks = new ArrayList<>();
        for (ArchivedShard shard : shards) {
            tasks.add(() -> {
                growing.grow(shard);
                return null;
            });
        }
        for (Future<Void> task : executor.invokeAll(tasks)) {
            try {
                task.get();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof IOException io) {
                    throw io;
                }
                throw new IllegalStateException("the check of a shard ended by a bug", e);
            }
        }
    }

    private void check(ExecutorService executor, LogRecord.Published epoch) throws IOException, InterruptedException {
        EpochIntent intent = epoch.intent();
        byte[] published = EpochObjects.published(epoch);
        require(
                ObjectNames.epoch(epoch.epoch()),
                object -> Arrays.equals(object, published),
                "what was published of epoch");
        Optional<Segment> segment = read(intent, intent.segment(), Segment::parse);
        Optional<PayloadObject> payloadObject = read(intent, intent.payloads(), PayloadObject::parse);
        require(
                ObjectNames.guard(intent.epoch()),
                object -> GuardObject.isOf(object, intent, keys.newestAt(intent.epoch())),
                "the text of the checkpoint of epoch");
        grow(executor, shard -> shard.grow(intent, segment, payloadObject, taker));
        shardReaders.forEach(reader::take);
        checkCounts(intent);
        checkKeys(epoch);
        ledgerRange.append(Rfc6962.leafHash(intent.epochLeaf()));
        snapshots.check(intent, ledgerRange, shards);
        taker.epoch(epoch);
    }

    /** What the change of a key is, and what proves it, lies beside the epoch that logs it. */
    private void checkKeys(LogRecord.Published epoch) throws IOException {
        for (KeyHistory.Logged logged : keys.changes()) {
            if (logged.epoch() == epoch.epoch()) {
                KeyChange change = logged.change();
                byte[] step = EpochObjects.keyStep(epoch, ledgerRange, change);
                require(change.name(), object -> Arrays.equals(object, change.encode()), "the change of keys in epoch");
                require(
                        KeyStep.name(change.number()),
                        object -> Arrays.equals(object, step),
                        "the proof of a change of keys in epoch");
            }
        }
    }

    /** The signed leaf of an epoch says how many records of each kind there were in all. */
    private void checkCounts(EpochIntent intent) {
        Counts counts = Counts.NONE;
        for (ArchivedShard shard : shards) {
            if (shard.counts().isEmpty()) {
                return;
            }
            counts = counts.plus(shard.counts().get());
        }
        Map<String, Long> published = new TreeMap<>(EpochObjects.leaf(intent).counts());
        if (!published.equals(counts.asMap())) {
            reader.find(
                    intent.segment(),
                    "counts " + published + " up to epoch " + intent.epoch(),
                    "counts " + counts.asMap());
            shards.forEach(ArchivedShard::giveUpCounts);
        }
    }

    private void require(String name, Predicate<byte[]> isExpected, String what) throws IOException {
        String expectation = what + " " + epochs;
        Optional<byte[]> object = reader.load(name, expectation);
        if (object.isPresent() && !isExpected.test(object.get())) {
            reader.find(name, expectation, "other bytes");
        }
    }

    /** Empty if all its records are in packs, or the object is of no use, which was noted then. */
    private <T> Optional<T> read(EpochIntent intent, String name, ArchiveReader.Parser<T> parser) throws IOException {
        long foundBefore = reader.found();
        Optional<T> object = reader.readIfThere(name, parser);
        boolean gone = object.isEmpty() && reader.found() == foundBefore;
        if (gone && !isPacked(intent) && !isPackedMeanwhile(intent)) {
            reader.find(name, "an object", "no object");
        }
        return object;
    }

    private boolean isPacked(EpochIntent intent) {
        return shards.stream().allMatch(shard -> shard.isPacked(intent));
    }

    /** Beside a live checkpointer: a segment may have gone since this began, because a pack was logged. */
    private boolean isPackedMeanwhile(EpochIntent intent) {
        long now = System.nanoTime();
        if (lookedNanos != 0 && now - lookedNanos < LOOK_AGAIN_NANOS) {
            return false;
        }
        lookedNanos = now;
        CheckpointHistory history = new CheckpointHistory(ledger);
        readEpochs(() -> history.ledgerRange().size().value(), record -> {
            history.accept(record);
            if (record instanceof LogRecord.Published published) {
                learnPacks(published.intent());
            }
        });
        return isPacked(intent);
    }
}
