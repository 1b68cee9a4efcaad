// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.checkpointer.Decision.WithoutLeaf;
import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackBuilder;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * Makes every object of the archive again from topics {@code events} and {@code checkpoints}: those that are missing are
 * written, those that are not what they must be are kept under {@code damaged/} and replaced, all others are left alone.
 *
 * <p>Nothing is believed: records are decided and hashed again as by {@link Rebuild}, each shard's root must be the published
 * one before its leaves are written, and an object must come out under the name that was published, which is its digest.
 *
 * <p>Holds the dedup windows of all shards, one epoch, and of each shard one fetch, in memory. Not thread-safe; for one use.
 */
public final class ArchiveRestore {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int FETCH_BYTES_MAX = 1 << 20;
    private static final int CHECKPOINTS_FETCH_BYTES_MAX = 4 << 20;

    private final ObjectStore store;
    private final Ledger ledger;
    private KeyHistory keys;
    /** The ledger log up to the epoch that is restored. */
    private final CompactRange ledgerRange = CompactRange.empty();

    private final Consumer<Consumer<LogRecord>> checkpoints;
    private final IntFunction<DecisionSource> sources;
    private final Listener listener;

    /** Packs the published epochs logged. */
    private final List<PackName> logged = new ArrayList<>();

    /** The index behind the last leaf of a shard in one of them. */
    private final Map<Integer, Long> packedTo = new HashMap<>();

    /** Keys of which a published leaf says that they were destroyed. */
    private final Set<Erasure.Logged> erased = new HashSet<>();

    /** The first epoch whose leaves were not decided yet. */
    private long nextToDecide;

    private final List<String> replaced = new ArrayList<>();
    private Optional<String> goesOn = Optional.empty();
    private long epochs;
    private long present;
    private long written;

    /** Is told what goes by. */
    public interface Listener {
        Listener NONE = new Listener() {};

        /** The objects of so many epochs of all that are published are there. */
        default void progress(long epochs, long total) {}
    }

    /**
     * What was done.
     *
     * @param present objects that were there and right
     * @param written objects that were missing
     * @param replaced objects that were wrong, each kept under {@code damaged/}
     */
    public record Report(long epochs, long present, long written, List<String> replaced) {
        public Report {
            replaced = List.copyOf(replaced);
        }
    }

    /** What came of it. */
    public sealed interface Result {
        /** Every object of every published epoch is there. */
        record Restored(Report report) implements Result {}

        /** Kafka does not hold what was published. Objects of epochs before the one named were restored. */
        record Refused(String detail) implements Result {}

        /** Something could not be read or written, or needs a newer version of this program. */
        record Undecided(String detail) implements Result {}
    }

    /** What becomes of one shard's records, in their order, decided again. */
    interface DecisionSource extends AutoCloseable {
        /** Of records below an input offset that were not taken yet. */
        List<Decision> takeTo(long nextOffset);

        @Override
        void close();
    }

    public static ArchiveRestore open(
            Map<String, Object> connection,
            Topics topics,
            LedgerDefinition definition,
            ObjectStore store,
            Listener listener) {
        KafkaClients clients = new KafkaClients(connection);
        CheckpointRecords codec = new CheckpointRecords(definition.schemas());
        Ledger ledger = new Ledger(definition.origin(), definition.key(), definition.shards(), store);
        return new ArchiveRestore(
                        store,
                        ledger,
                        reader -> KafkaCheckpointLog.readToEnd(
                                clients.reader(CHECKPOINTS_FETCH_BYTES_MAX),
                                topics.checkpoints(),
                                codec,
                                reader,
                                Patience.DEFAULT),
                        shard -> new KafkaDecisionSource(
                                clients.reader(FETCH_BYTES_MAX),
                                new TopicPartition(topics.events(), shard),
                                new ShardDecider(shard, ledger, definition.incarnation()),
                                Patience.DEFAULT),
                        listener)
                .refusedIf(definition.incarnation() > 1);
    }

    /** Kafka never had what was published before this incarnation: the object store was its only copy. */
    private ArchiveRestore refusedIf(boolean laterIncarnation) {
        goesOn = laterIncarnation
                ? Optional.of(
                        "topic events begins in the middle of the ledger: Kafka was lost once, and what was published"
                                + " before is in the object store alone. Restore the objects from a copy of it; nothing was"
                                + " changed")
                : Optional.empty();
        return this;
    }

    /** @param checkpoints hands every record of topic {@code checkpoints} over, in order; asked again and again */
    ArchiveRestore(
            ObjectStore store,
            Ledger ledger,
            Consumer<Consumer<LogRecord>> checkpoints,
            IntFunction<DecisionSource> sources,
            Listener listener) {
        this.store = store;
        this.ledger = ledger;
        this.checkpoints = checkpoints;
        this.sources = sources;
        this.listener = listener;
        this.keys = KeyHistory.of(ledger.key());
    }

    public Result run() {
        if (goesOn.isPresent()) {
            return new Result.Refused(goesOn.get());
        }
        List<ShardLeaves> shards = new ArrayList<>();
        try {
            List<String> newestInStore = newestInStore(); // before the topic, which is ahead of it in every step
            CheckpointHistory history = new CheckpointHistory(ledger);
            checkpoints.accept(record -> {
                history.accept(record);
                if (record instanceof LogRecord.Published published) {
                    PackChain.logged(published.intent()).forEach(pack -> {
                        logged.add(pack);
                        packedTo.put(pack.shard(), pack.end());
                    });
                }
            });
            keys = history.keys();
            long total = history.ledgerRange().size().value();
            requireNoLongerArchive(newestInStore, history.nextEpoch());
            requireNoOtherSignature();
            if (total == 0) {
                return new Result.Undecided("nothing was published: there is nothing to restore");
            }
            IntStream.range(0, ledger.shards())
                    .forEach(shard -> shards.add(new ShardLeaves(shard, sources.apply(shard))));
            checkpoints.accept(record -> restore(record, total, shards));
            for (int shard = 0; shard < ledger.shards(); shard++) {
                restorePacks(shard, total, shards);
            }
            return new Result.Restored(new Report(epochs, present, written, replaced));
        } catch (FatalDoubtException e) {
            return new Result.Refused(String.valueOf(e.getMessage()));
        } catch (KafkaException | ShardRebuild.UndecidableException e) {
            return new Result.Undecided(String.valueOf(e.getMessage()));
        } catch (IOException | UncheckedIOException e) {
            return new Result.Undecided("the object store: " + e.getMessage());
        } finally {
            shards.forEach(ShardLeaves::close);
        }
    }

    /** Names of the newest guard and epoch object; what a live checkpointer writes later is not among them. */
    private List<String> newestInStore() throws IOException {
        List<String> newest = new ArrayList<>();
        for (String prefix : List.of(ObjectNames.GUARDS, ObjectNames.EPOCHS)) {
            store.list(prefix).stream().max(Comparator.naturalOrder()).ifPresent(newest::add);
        }
        return newest;
    }

    /**
     * A store that knows of more epochs than Kafka is the floor, and Kafka lost records: to go on from Kafka would sign other
     * roots for sizes that were signed before.
     */
    private static void requireNoLongerArchive(List<String> newestInStore, long nextEpoch) {
        for (String name : newestInStore) {
            String first =
                    name.startsWith(ObjectNames.GUARDS) ? ObjectNames.guard(nextEpoch) : ObjectNames.epoch(nextEpoch);
            if (name.compareTo(first) >= 0) {
                throw new FatalDoubtException("topic checkpoints ends before epoch " + nextEpoch
                        + ", the object store has " + name
                        + ": the topic lost records. Nothing was changed; restore the topic");
            }
        }
    }

    /** Rot cannot sign: another checkpoint of the ledger's key in the store is evidence, and not to be replaced. */
    private void requireNoOtherSignature() {
        checkpoints.accept(record -> {
            if (record instanceof LogRecord.Published published && isSignedOtherwise(published)) {
                throw new FatalDoubtException("object " + ObjectNames.epoch(published.epoch())
                        + " holds another checkpoint of epoch " + published.epoch()
                        + " that the ledger's key signed: two histories were signed. Nothing was changed; keep both");
            }
        });
    }

    private boolean isSignedOtherwise(LogRecord.Published published) {
        try {
            Optional<byte[]> there = store.get(ObjectNames.epoch(published.epoch()));
            if (there.isEmpty() || Arrays.equals(there.get(), EpochObjects.published(published))) {
                return false;
            }
            SignedNote note = SignedNote.parse(EpochObject.parse(there.get()).note());
            return !note.text().equals(published.intent().noteText())
                    && !(note.verify(keys.activeAt(published.epoch())) instanceof NoteVerification.Rejected);
        } catch (InvalidFormat e) {
            return false; // rotted
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An intent that was not published yet has objects too: whoever rolls it forward needs them. */
    private void restore(LogRecord record, long total, List<ShardLeaves> shards) {
        if (record instanceof LogRecord.Intent open && open.epoch() <= total) {
            restoreLeaves(open.intent(), shards);
        }
        if (record instanceof LogRecord.Published published && published.epoch() < total) {
            EpochIntent intent = published.intent();
            putGuard(intent);
            put(ObjectNames.epoch(intent.epoch()), EpochObjects.published(published));
            putKeys(published);
            listener.progress(++epochs, total);
        }
    }

    private void putKeys(LogRecord.Published published) {
        for (KeyHistory.Logged logged : keys.changes()) {
            if (logged.epoch() == published.epoch()) {
                put(logged.change().name(), logged.change().encode());
                put(
                        KeyStep.name(logged.change().number()),
                        EpochObjects.keyStep(published, ledgerRange, logged.change()));
            }
        }
        ledgerRange.append(Rfc6962.leafHash(published.intent().epochLeaf()));
    }

    private void putGuard(EpochIntent intent) {
        try {
            String name = ObjectNames.guard(intent.epoch());
            if (store.get(name)
                    .filter(there -> GuardObject.isOf(there, intent, keys.newestAt(intent.epoch())))
                    .isPresent()) {
                present++;
            } else {
                put(name, GuardObject.textOnly(intent));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void restoreLeaves(EpochIntent intent, List<ShardLeaves> shards) {
        List<Added> added = new ArrayList<>();
        for (ShardHead head : intent.heads()) {
            List<Decision> decisions = shards.get(head.shard()).takeTo(head, intent.epoch());
            decisions.forEach(this::learnErasure);
            added.add(Added.of(decisions, head.size()));
        }
        nextToDecide = intent.epoch() + 1;
        byte[] segment = EpochObjects.segment(intent.epoch(), added);
        byte[] payloads = EpochObjects.payloads(intent.epoch(), added);
        requireName(intent.segment(), ObjectNames.segment(intent.epoch(), segment));
        requireName(intent.payloads(), ObjectNames.payloads(intent.epoch(), payloads));
        if (!isPacked(added) || isThere(intent.segment())) {
            put(intent.segment(), segment);
        }
        if (!isPacked(added) || isThere(intent.payloads())) {
            put(intent.payloads(), payloads);
        }
    }

    /** Beside a live ledger: what was erased while this ran may be out of its pack already. */
    private void learnErasuresSince(List<ShardLeaves> shards) {
        CheckpointHistory history = new CheckpointHistory(ledger);
        checkpoints.accept(record -> {
            history.accept(record);
            if (record instanceof LogRecord.Published published && published.epoch() >= nextToDecide) {
                for (ShardHead head : published.intent().heads()) {
                    shards.get(head.shard()).takeTo(head, published.epoch()).forEach(this::learnErasure);
                }
                nextToDecide = published.epoch() + 1;
            }
        });
    }

    private void learnErasure(Decision decision) {
        try {
            if (decision instanceof Leaf leaf) {
                Erasure.of(leaf.entry()).ifPresent(erased::add);
            }
        } catch (InvalidFormat e) {
            throw new IllegalStateException("it was decided to be a leaf: " + e.getMessage(), e);
        }
    }

    /** What a pack is to have: topic events keeps for ever what is encrypted under a key that is gone. */
    private Payload left(Leaf leaf) {
        try {
            return leaf.payload() instanceof Payload.Encrypted encrypted
                            && CanonicalEntry.parse(leaf.entry()) instanceof EntryView.Event event
                            && erased.contains(new Erasure.Logged(encrypted.keyId(), event.tenant()))
                    ? new Payload.Erased(encrypted.contentTag(), encrypted.keyId())
                    : leaf.payload();
        } catch (InvalidFormat e) {
            throw new IllegalStateException("it was decided to be a leaf: " + e.getMessage(), e);
        }
    }

    /** Whether what an epoch added is in packs, so that its own objects may have been removed. */
    private boolean isPacked(List<Added> added) {
        for (int shard = 0; shard < added.size(); shard++) {
            if (!added.get(shard).isEmpty() && added.get(shard).size() >= packedTo.getOrDefault(shard, 0L)) {
                return false;
            }
        }
        return true;
    }

    private boolean isThere(String name) {
        try {
            return store.get(name).isPresent();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- packs

    /** Decides the shard's records once more, so that no more than one pack is in memory. */
    private void restorePacks(int shard, long total, List<ShardLeaves> all) {
        Deque<PackName> packs = new ArrayDeque<>();
        logged.stream().filter(pack -> pack.shard() == shard).forEach(packs::add);
        if (packs.isEmpty()) {
            return;
        }
        ShardLeaves leaves = new ShardLeaves(shard, sources.apply(shard));
        try {
            PackRestore restore = new PackRestore(shard, packs, all);
            checkpoints.accept(record -> {
                if (record instanceof LogRecord.Published published && published.epoch() < total) {
                    ShardHead head = published.intent().heads().get(shard);
                    restore.take(published.epoch(), head, leaves.takeTo(head, published.epoch()));
                }
            });
        } finally {
            leaves.close();
        }
    }

    /** Makes the packs of a shard out of its leaves, in their order. */
    private final class PackRestore {
        private final int shard;
        private final Deque<PackName> packs;
        private final CompactRange range = CompactRange.empty();
        private final List<ShardLeaves> all;
        private PackBuilder pack;
        private List<Leaf> leaves = new ArrayList<>();

        PackRestore(int shard, Deque<PackName> packs, List<ShardLeaves> all) {
            this.shard = shard;
            this.packs = packs;
            this.all = all;
            this.pack = Pack.builder(shard, range);
        }

        void take(long epoch, ShardHead head, List<Decision> decisions) {
            if (packs.isEmpty()) {
                return;
            }
            long size = head.size().value();
            if (size > range.size().value()) {
                pack.boundary(epoch, size);
            }
            for (Decision decision : decisions) {
                if (packs.isEmpty()) {
                    return;
                }
                if (decision instanceof Leaf leaf) {
                    take(epoch, size, leaf);
                } else {
                    pack.add(EpochObjects.record((WithoutLeaf) decision));
                }
            }
        }

        private void take(long epoch, long size, Leaf leaf) {
            pack.add(EpochObjects.record(leaf));
            leaves.add(leaf);
            range.append(leaf.leafHash(), 0);
            if (leaf.index() + 1 == packs.element().end()) {
                put(packs.remove());
                if (size > leaf.index() + 1) {
                    pack.boundary(epoch, size);
                }
            }
        }

        private void put(PackName name) {
            Pack.Built built = pack.build();
            requireName(name.name(), built.name().name());
            ArchiveRestore.this.put(name.name(), built.object());
            putPayloads(name);
            pack = Pack.builder(shard, range);
            leaves = new ArrayList<>();
        }

        private void putPayloads(PackName name) {
            List<Leaf> own = leaves;
            PackedPayloads.Expected expected = index -> left(own.get((int) (index - name.first())));
            try {
                boolean holds = PackedPayloads.hold(store, name, expected);
                if (!holds && PackedPayloads.sayErased(store, name, expected)) {
                    learnErasuresSince(all);
                    holds = PackedPayloads.hold(store, name, expected);
                }
                if (holds) {
                    present++;
                    return;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InvalidFormat e) {
                throw new IllegalStateException("payloads in memory have a format", e);
            }
            PayloadPack.Builder builder = PayloadPack.builder(new ZstdBlocks());
            own.forEach(leaf -> builder.add(left(leaf)));
            ArchiveRestore.this.put(name.payloads(), builder.build(name));
        }
    }

    private static void requireName(String published, String made) {
        if (!published.equals(made)) {
            throw new FatalDoubtException("object " + published + " was published, topic events gives " + made
                    + ": its records are not those the object was made of");
        }
    }

    private void put(String name, byte[] bytes) {
        try {
            Optional<byte[]> there = store.get(name);
            if (there.isPresent() && Arrays.equals(there.get(), bytes)) {
                present++;
                return;
            }
            if (there.isEmpty()) {
                store.putIfAbsent(name, bytes);
                written++;
            } else {
                keep(name, there.get());
                store.replace(name, bytes);
                replaced.add(name);
            }
            if (!store.get(name).filter(back -> Arrays.equals(back, bytes)).isPresent()) {
                throw new IOException("object " + name + " was written and does not read back");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Under a name of its own: the same object may rot twice. */
    private void keep(String name, byte[] damaged) throws IOException {
        String kept = ObjectNames.damaged(name, damaged);
        if (store.putIfAbsent(kept, damaged) instanceof ObjectStore.PutResult.DifferentBytes) {
            throw new IOException("object " + kept + " holds other bytes: " + name + " was not replaced");
        }
    }

    /** What becomes of a shard's records, held against its published heads. */
    private static final class ShardLeaves {
        private final int shard;
        private final DecisionSource source;
        private final CompactRange range = CompactRange.empty();

        ShardLeaves(int shard, DecisionSource source) {
            this.shard = shard;
            this.source = source;
        }

        List<Decision> takeTo(ShardHead head, long epoch) {
            List<Decision> decisions = source.takeTo(head.nextOffset());
            for (Decision decision : decisions) {
                if (decision instanceof Leaf leaf) {
                    range.append(leaf.leafHash(), 0);
                }
            }
            if (!range.size().equals(head.size()) || !range.root().equals(head.root())) {
                throw new FatalDoubtException("shard " + shard + " was published in epoch " + epoch + " with size "
                        + head.size() + " and root " + head.root().base64() + " at input offset " + head.nextOffset()
                        + ", the records below it give size " + range.size() + " and root "
                        + range.root().base64());
            }
            return decisions;
        }

        void close() {
            source.close();
        }
    }

    /** Out of one partition of topic {@code events}. */
    private static final class KafkaDecisionSource implements DecisionSource {
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final TopicPartition partition;
        private final ShardDecider decider;
        private final Duration patience;
        private final Deque<Decision> decisions = new ArrayDeque<>();

        KafkaDecisionSource(
                KafkaConsumer<byte[], byte[]> consumer,
                TopicPartition partition,
                ShardDecider decider,
                Duration patience) {
            this.consumer = consumer;
            this.partition = partition;
            this.decider = decider;
            this.patience = patience;
            consumer.assign(List.of(partition));
            consumer.beginningOffsets(List.of(partition)).forEach(Rebuild::requireFromTheFirst);
            consumer.seek(partition, 0);
        }

        @Override
        public List<Decision> takeTo(long nextOffset) {
            Patience own = new Patience(patience);
            while (consumer.position(partition) < nextOffset) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    decide(record);
                }
                own.requireProgress(
                        () -> "partition " + partition + " was read to offset " + consumer.position(partition)
                                + ", a head was published up to " + nextOffset,
                        consumer.position(partition));
            }
            List<Decision> taken = new ArrayList<>();
            while (!decisions.isEmpty() && decisions.element().offset() < nextOffset) {
                taken.add(decisions.remove());
            }
            return taken;
        }

        private void decide(ConsumerRecord<byte[], byte[]> record) {
            ShardDecider.Verdict verdict = decider.decide(record.offset(), record.timestamp(), record.value());
            if (verdict instanceof ShardDecider.Undecidable undecidable) {
                throw new ShardRebuild.UndecidableException(partition + " " + undecidable.reason());
            }
            decisions.add(((ShardDecider.Decided) verdict).decision());
        }

        @Override
        public void close() {
            consumer.close();
        }
    }
}
