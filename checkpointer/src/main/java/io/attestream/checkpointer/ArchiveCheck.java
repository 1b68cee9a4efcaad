// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
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

    /** So many objects one behind the other that cannot be read are no rot: the store does not answer. */
    private static final int UNREADABLE_MAX = 3;

    private final ObjectStore store;
    private final Ledger ledger;
    private final Consumer<Consumer<LogRecord>> checkpoints;
    private final String checkpointsName;
    private final Pace pace;
    private final Listener listener;

    private final List<Finding> findings = new ArrayList<>();
    private final List<ShardTree> trees = new ArrayList<>();
    private final Set<String> unreferenced = new TreeSet<>();
    private boolean listsNames = true;
    private int unreadableInARow;
    private long found;
    private long epochs;
    private long leaves;
    private long payloads;
    private long encrypted;
    private long bytes;
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

    /** Reads an object of one kind. */
    private interface Parser<T> {
        T parse(byte[] object) throws InvalidFormat;
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
            String bootstrapServers,
            Topics topics,
            LedgerDefinition definition,
            ObjectStore store,
            long bytesPerSecondMax,
            Listener listener) {
        KafkaClients clients = new KafkaClients(bootstrapServers);
        CheckpointRecords codec = new CheckpointRecords(definition.schemas());
        return new ArchiveCheck(
                store,
                new Ledger(definition.origin(), definition.key(), definition.shards()),
                "topic checkpoints",
                reader -> KafkaCheckpointLog.readToEnd(
                        clients.reader(FETCH_BYTES_MAX), topics.checkpoints(), codec, reader, Patience.DEFAULT),
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
                        first.map(intent -> intent.heads().size()).orElse(0)),
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
        this.ledger = ledger;
        this.checkpointsName = checkpointsName;
        this.checkpoints = checkpoints;
        this.pace = pace;
        this.listener = listener;
        for (int shard = 0; shard < ledger.shards(); shard++) {
            trees.add(new ShardTree(shard));
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
            find(checkpointsName, "epochs that follow from each other, signed", String.valueOf(e.getMessage()));
            return checkDigests();
        } catch (KafkaException e) {
            return new Result.Undecided(checkpointsName + " cannot be read: " + e.getMessage());
        } catch (IOException | UncheckedIOException e) {
            Throwable cause = e instanceof UncheckedIOException && e.getCause() != null ? e.getCause() : e;
            return new Result.Undecided("the object store cannot be read: " + cause.getMessage());
        }
    }

    /** All that can be said without epochs: whether each object has the digest its name says. */
    private Result checkDigests() throws InterruptedException {
        try {
            for (String prefix : List.of("segments/", "payloads/")) {
                for (String name : store.list(prefix)) {
                    read(name, object -> object);
                    pace.after(bytes);
                }
            }
            return new Result.Checked(report());
        } catch (IOException e) {
            return new Result.Undecided("the object store cannot be read: " + e.getMessage());
        }
    }

    /** Leaves out which objects no epoch names, and with it the only thing that grows with the archive. */
    ArchiveCheck withoutUnreferenced() {
        listsNames = false;
        return this;
    }

    private Report checkAll(long total) throws IOException, InterruptedException {
        if (listsNames) {
            unreferenced.addAll(store.list("segments/"));
            unreferenced.addAll(store.list("payloads/"));
            unreferenced.addAll(store.list(ObjectNames.EPOCHS));
        }
        List<IOException> failed = new ArrayList<>();
        checkpoints.accept(record -> {
            if (record instanceof LogRecord.Intent open && open.epoch() >= total) {
                unreferenced.remove(open.intent().segment());
                unreferenced.remove(open.intent().payloads());
                unreferenced.remove(ObjectNames.epoch(open.epoch()));
            }
            if (record instanceof LogRecord.Published epoch && epoch.epoch() < total && failed.isEmpty()) {
                try {
                    check(epoch);
                    listener.progress(++epochs, total);
                    pace.after(bytes);
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
        return report();
    }

    private Report report() {
        return new Report(
                epochs, leaves, payloads, encrypted, bytes, findings, found, List.copyOf(unreferenced), newest);
    }

    /** Verifies signatures and transitions before anything is held against them. */
    private long published(Optional<Checkpoint> kept) {
        CheckpointHistory history = new CheckpointHistory(ledger);
        AtomicBoolean keptIsThere = new AtomicBoolean(kept.isEmpty());
        checkpoints.accept(record -> {
            history.accept(record);
            if (record instanceof LogRecord.Published published && !keptIsThere.get()) {
                keptIsThere.set(
                        kept.orElseThrow().text().equals(published.intent().noteText()));
            }
        });
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

    private void check(LogRecord.Published epoch) throws IOException {
        EpochIntent intent = epoch.intent();
        requireBytes(ObjectNames.epoch(epoch.epoch()), EpochObjects.published(epoch), "what was published of epoch");
        Optional<Segment> segment = read(intent.segment(), Segment::parse);
        Optional<PayloadObject> payloadObject = read(intent.payloads(), PayloadObject::parse);
        requireBytes(
                ObjectNames.guard(intent.epoch()),
                intent.noteText().getBytes(StandardCharsets.UTF_8),
                "the text of the checkpoint of epoch");
        for (ShardTree tree : trees) {
            tree.grow(intent, segment, payloadObject);
        }
    }

    private void requireBytes(String name, byte[] expected, String what) throws IOException {
        unreferenced.remove(name);
        String expectation = what + " " + epochs;
        Optional<byte[]> object = load(name, expectation);
        if (object.isEmpty()) {
            return;
        }
        if (!Arrays.equals(object.get(), expected)) {
            find(name, expectation, "other bytes");
        }
    }

    /** Empty if there is none, or it cannot be read, which was noted then. */
    private Optional<byte[]> load(String name, String expectation) throws IOException {
        try {
            Optional<byte[]> object = store.get(name);
            unreadableInARow = 0;
            bytes += object.map(there -> there.length).orElse(0);
            if (object.isEmpty()) {
                find(name, expectation, "no object");
            }
            return object;
        } catch (IOException e) {
            if (Thread.currentThread().isInterrupted() || ++unreadableInARow == UNREADABLE_MAX) {
                throw e;
            }
            find(name, expectation, "cannot be read: " + e.getMessage());
            return Optional.empty();
        }
    }

    /** Empty if the object is of no use, which was noted then. */
    private <T> Optional<T> read(String name, Parser<T> parser) throws IOException {
        unreferenced.remove(name);
        Optional<byte[]> object = load(name, "an object");
        if (object.isEmpty()) {
            return Optional.empty();
        }
        try {
            ObjectNames.requireDigest(name, object.get());
            return Optional.of(parser.parse(object.get()));
        } catch (InvalidFormat e) {
            find(name, "the digest in its name and a known format", String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private void find(String object, String expected, String actual) {
        found++;
        if (findings.size() < FINDINGS_MAX) {
            findings.add(new Finding(object, expected, actual));
        }
    }

    /** One shard's tree as the stored entries give it. */
    private final class ShardTree {
        private final int shard;
        private final CompactRange range = CompactRange.empty();
        private long size;
        /** Input position of the head the leaves are below. */
        private long nextOffset;

        private long lastOffset = -1;
        /** False behind an object that could not be used. */
        private boolean known = true;

        ShardTree(int shard) {
            this.shard = shard;
        }

        void grow(EpochIntent intent, Optional<Segment> segment, Optional<PayloadObject> payloadObject) {
            ShardHead head = intent.heads().get(shard);
            long from = size;
            size = head.size().value();
            long fromOffset = nextOffset;
            nextOffset = head.nextOffset();
            if (segment.isEmpty()) {
                known &= from == size;
                return;
            }
            try {
                requireRows(segment.get(), from);
                lastOffset = fromOffset - 1;
                for (long index = from; index < size; index++) {
                    LeafRecord leaf = segment.get().leaf(shard, index);
                    range.append(Rfc6962.leafHash(leaf.entry()));
                    check(intent, index, leaf, payloadObject);
                }
            } catch (InvalidFormat e) {
                known = false;
                find(intent.segment(), "leaves [" + from + ", " + size + ") of shard " + shard, describe(e));
                return;
            }
            if (known && !range.root().equals(head.root())) {
                known = false;
                find(
                        intent.segment(),
                        "root " + head.root().base64() + " of shard " + shard + " at size " + size,
                        "root " + range.root().base64());
            }
        }

        private void requireRows(Segment segment, long from) throws InvalidFormat {
            boolean has = segment.shards().contains(shard);
            if (has != size > from
                    || (has && (segment.firstIndex(shard) != from || segment.count(shard) != size - from))) {
                throw new InvalidFormat(
                        "shard " + shard,
                        has
                                ? "has " + segment.count(shard) + " leaves from " + segment.firstIndex(shard)
                                : "has no leaves here");
            }
        }

        private void check(EpochIntent intent, long index, LeafRecord leaf, Optional<PayloadObject> payloadObject)
                throws InvalidFormat {
            leaves++;
            EntryView entry = CanonicalEntry.parse(leaf.entry());
            String what = "leaf " + index + " of shard " + shard;
            if (entry.kind() != leaf.kind()) {
                find(intent.segment(), what + " of kind " + entry.kind(), "kind " + leaf.kind());
            }
            if (leaf.offset() <= lastOffset || leaf.offset() >= nextOffset) {
                find(
                        intent.segment(),
                        what + " of an offset from " + (lastOffset + 1) + " to " + (nextOffset - 1),
                        "offset " + leaf.offset());
            }
            lastOffset = Math.max(lastOffset, leaf.offset());
            if (entry instanceof EntryView.Event event) {
                if (event.timeMillis() != leaf.timestampMillis()) {
                    find(
                            intent.segment(),
                            what + " of time " + event.timeMillis() + " ms",
                            leaf.timestampMillis() + " ms");
                }
                if (payloadObject.isPresent()) {
                    checkPayload(intent, index, event, payloadObject.get());
                }
            }
        }

        private void checkPayload(EpochIntent intent, long index, EntryView.Event event, PayloadObject payloadObject) {
            String what = "payload of leaf " + index + " of shard " + shard;
            try {
                Payload payload = payloadObject.payload(shard, index);
                if (payload instanceof Payload.None) {
                    // Nothing erases payloads yet.
                    find(intent.payloads(), what + ": " + event.dataSizeBytes() + " bytes", "none");
                }
                if (payload instanceof Payload.Encrypted) {
                    encrypted++;
                }
                if (payload instanceof Payload.Plain plain) {
                    payloads++;
                    byte[] digest = DataDigest.compute(plain.salt(), plain.data());
                    if (plain.data().length != event.dataSizeBytes() || !Arrays.equals(digest, event.dataDigest())) {
                        find(
                                intent.payloads(),
                                what + ": " + event.dataSizeBytes() + " bytes, digest " + hex(event.dataDigest()),
                                plain.data().length + " bytes, digest " + hex(digest));
                    }
                }
            } catch (InvalidFormat e) {
                find(intent.payloads(), what, describe(e));
            }
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static String describe(InvalidFormat e) {
        return String.valueOf(e.getMessage());
    }
}
