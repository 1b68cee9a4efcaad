// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.keys.ErasedKeys;
import io.attestream.operations.clock.SteadyClock;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.SchemaBook;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A ledger with its shards, object store and checkpoint topic in one process; checkpointers come and go. */
final class Scene {
    static final Checkpointer.Pace PACE = new Checkpointer.Pace(10, 10, 1_000_000, 1 << 30);

    final TestLedger ledger;
    final List<TestShard> shards = new ArrayList<>();
    /** That of the machine: what it says is recorded. */
    Clock clock = Clock.systemUTC();

    final ObjectStore store;
    InMemoryCheckpointLog log = new InMemoryCheckpointLog();
    /** Whether topic {@code events} is still the same. */
    Runnable topicCheck = () -> {};

    /** By how much the machine's clock was ahead as the next process starts, and is not any more. */
    Duration steadyAhead = Duration.ZERO;

    /** When the next checkpointers close packs; never, if nothing else is said. */
    Unpacked.Limits packLimits = new Unpacked.Limits(PackName.LEAVES_MAX, Long.MAX_VALUE, Long.MAX_VALUE);

    /** How many snapshots the next checkpointers keep; they are taken on demand. */
    int snapshotsKept = 3;

    long onDemandIntervalMillis;

    /** So many claims from before where they must begin to read do the next checkpointers get too. */
    int claimsReadAgain;

    /** What topics of claims were trimmed to. */
    final List<List<ShardSnapshot>> trimmed = new ArrayList<>();

    /** What the next checkpointers sign with. */
    SigningKeys signingKeys;

    /** What changes of keys the next checkpointers are given. */
    Optional<KeyChanges> keyChanges = Optional.empty();

    /** Whether the next checkpointers begin as early as they can. */
    boolean snapshotsIgnored;

    /** What the next checkpointers know of keys that were destroyed. */
    Optional<ErasedKeys> erased = Optional.empty();

    private @Nullable LedgerDefinition definition;
    private int incarnation = 1;
    private int generation = 1;
    private Optional<StoredSnapshots.Stored> seam = Optional.empty();

    Scene(Path directory, int shardCount) {
        try {
            store = new DirectoryObjectStore(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ledger = new TestLedger(
                shardCount,
                (name, number) -> KeyChangeReader.of(store).or(keyChanges).read(name, number));
        signingKeys = ledger.keys();
        for (int shard = 0; shard < shardCount; shard++) {
            shards.add(TestShard.withEveryOutcome(ledger, shard));
            shards.get(shard).seal();
        }
    }

    /** One checkpointer process. */
    final class Instance {
        final Backlog backlog;
        final InMemoryCheckpointLog.Owner owner;
        final Signer signer;
        final Packer packer;
        final Snapshots snapshots;
        /** What it began with. */
        final Optional<StoredSnapshots.Stored> start;

        final Checkpointer checkpointer;
        private final List<Integer> fedRecords = new ArrayList<>();
        private final List<Integer> fedDeltas = new ArrayList<>();
        private final List<Integer> fedOutcomes = new ArrayList<>();

        Instance(StepListener steps, SigningKeys keys) {
            List<ShardReplica> replicas = new ArrayList<>();
            Clock steady = Clock.offset(SteadyClock.of(clock), steadyAhead);
            snapshots = new Snapshots(
                    ledger.ledger,
                    incarnation,
                    generation,
                    store,
                    new Snapshots.Schedule(0, onDemandIntervalMillis, snapshotsKept),
                    trimmed::add,
                    clock,
                    steady,
                    seam);
            start = newestSnapshot();
            for (TestShard shard : shards) {
                replicas.add(replica(shard));
                ShardReplica.ResumePoint point = replicas.get(shard.shard).resumePoint();
                long nextOffset = point.head().head().nextOffset();
                fedRecords.add((int) shard.records.stream()
                        .filter(record -> record.offset() < nextOffset)
                        .count());
                fedDeltas.add(Math.max(0, (int) point.sealedOffset() - claimsReadAgain));
                fedOutcomes.add(Math.max(0, (int) point.outcomesOffset() - claimsReadAgain));
            }
            backlog = new Backlog(replicas);
            owner = log.open();
            EpochArchive archive = new EpochArchive(store);
            Unpacked unpacked = new Unpacked(ledger.ledger, 0);
            packer = new Packer(store, archive, unpacked, packLimits, shards.size(), erased, steady);
            signer = new Signer(keys, ledger.ledger, archive, LoggedObjects.of(packer, snapshots));
            checkpointer = new Checkpointer(
                    ledger.ledger,
                    generation,
                    backlog,
                    () -> topicCheck.run(),
                    owner,
                    archive,
                    new Guard(store),
                    keys,
                    new PendingKeys(keyChanges),
                    signer,
                    unpacked,
                    packer,
                    snapshots,
                    start,
                    new CheckpointerMetrics(backlog, Clock.systemUTC()),
                    PACE,
                    clock,
                    steady,
                    steps);
            read();
        }

        private Optional<StoredSnapshots.Stored> newestSnapshot() {
            try {
                Optional<StoredSnapshots.Stored> newest = snapshotsIgnored
                        ? seam
                        : new StoredSnapshots(store, ledger.ledger)
                                .newest(incarnation, generation)
                                .or(() -> seam);
                if (newest.isPresent()) {
                    snapshots.resume(newest.get());
                }
                return newest;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InvalidFormat e) {
                throw new AssertionError(e);
            }
        }

        private ShardReplica replica(TestShard shard) {
            return start.isPresent() ? shard.resumed(start.get()) : shard.replica(1 << 30);
        }

        /** Takes a snapshot of the last published epoch and writes it; it is not logged yet. */
        SnapshotName takeSnapshot() throws InterruptedException {
            snapshots.request();
            checkpointer.takeSnapshotIfDue();
            snapshots.finishNext();
            return snapshots.ready().stream()
                    .map(logged -> {
                        try {
                            return SnapshotName.parse(logged.name());
                        } catch (InvalidFormat e) {
                            throw new AssertionError(e);
                        }
                    })
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no snapshot was taken: " + snapshots.problem()));
        }

        /** Reads what was committed since the last time. */
        void read() {
            for (int i = 0; i < shards.size(); i++) {
                TestShard shard = shards.get(i);
                int record = fedRecords.get(i);
                int outcome = fedOutcomes.get(i);
                int delta = fedDeltas.get(i);
                backlog.feed(i, replica -> {
                    shard.records
                            .subList(record, shard.records.size())
                            .forEach(r -> replica.onEvent(r.offset(), r.timestampMillis(), r.value()));
                    replica.onEventsReadTo(shard.endOffset());
                    shard.sequencer
                            .outcomes
                            .subList(outcome, shard.sequencer.outcomes.size())
                            .forEach(replica::onOutcome);
                    shard.sequencer
                            .deltas
                            .subList(delta, shard.sequencer.deltas.size())
                            .forEach(replica::onSealed);
                    replica.onOutcomesReadTo(shard.sequencer.outcomes.size());
                    replica.onSealedReadTo(shard.sequencer.deltas.size());
                });
                fedRecords.set(i, shard.records.size());
                fedOutcomes.set(i, shard.sequencer.outcomes.size());
                fedDeltas.set(i, shard.sequencer.deltas.size());
            }
        }
    }

    /** Gives up the processors' state: a new generation sequences everything again. */
    void restore(int newGeneration, int recordsInADelta) {
        generation = newGeneration;
        shards.forEach(shard -> shard.restore(newGeneration, recordsInADelta));
    }

    /** Gives up the processors' state, and begins a new generation with that of a published epoch, out of the object store. */
    void restoreFromArchive(int newGeneration, long epoch, int recordsInADelta) throws Exception {
        ArchiveRestoreStates.Result.Read archive = readArchive(epoch);
        generation = newGeneration;
        new Seam.Maker(store, ledger.ledger, signingKeys, archive).make(incarnation, generation, 1_700_000_000_000L);
        for (ShardSnapshot state : archive.shards()) {
            shards.get(state.head().shard()).restoreFrom(state.head(), generation, recordsInADelta);
        }
    }

    /** The brokers are gone: the ledger goes on in an empty cluster, out of the object store alone. */
    ArchiveRestoreStates.Result.Read loseKafka(int newGeneration) throws Exception {
        long last = store.list(ObjectNames.EPOCHS).size() - 1;
        ArchiveRestoreStates.Result.Read archive = readArchive(last);
        generation = newGeneration;
        String topicId = "topic-id-" + (incarnation + 1);
        incarnation = new Incarnations(store, ledger.ledger.key())
                .claim(incarnation, generation, last, "cluster", topicId, signingKeys)
                .incarnation();
        SnapshotName made = new Seam.Maker(store, ledger.ledger, signingKeys, archive)
                .make(incarnation, generation, 1_700_000_000_000L);
        new SeamEpoch(store, ledger.ledger, signingKeys)
                .publish(archive.shards(), made, generation, 1_700_000_000_000L);
        log = new InMemoryCheckpointLog();
        new StoredEpochs(store).readAll(log.committed::add);
        List<Control.Genesis> genesis = new ArrayList<>();
        for (ShardSnapshot state : archive.shards()) {
            int shard = state.head().shard();
            Prior prior = new Prior(archive.epoch(), state.head().size(), state.frontier());
            byte[] inForce = state.controls().get(state.controls().size() - 1);
            Rules rules = ControlRecord.read(inForce, ledger.ledger.key()).rules();
            genesis.add(ledger.laterGenesis(shard, incarnation, prior, rules));
            shards.get(shard).loseTopic(state.head(), incarnation, generation, ledger.value(genesis.get(shard)));
        }
        definition = new LedgerDefinition(
                ledger.ledger.origin(), ledger.ledger.key(), genesis, new SchemaBook(TestLedger.schemas()));
        seam = findSeam();
        return archive;
    }

    /** What the newest incarnation goes on from. */
    Optional<StoredSnapshots.Stored> findSeam() throws IOException {
        return Seam.find(store, ledger.ledger, definition());
    }

    /** Of the newest incarnation. */
    LedgerDefinition definition() {
        return Objects.requireNonNull(definition, "Kafka was not lost");
    }

    ArchiveRestoreStates.Result.Read readArchive(long epoch) throws InterruptedException {
        ArchiveRestoreStates.Result result = new ArchiveRestoreStates(
                        ledger.ledger.key(), store, ArchiveRestoreStates.NOTHING, ArchiveCheck.Listener.NONE)
                .run(epoch, Optional.empty());
        if (result instanceof ArchiveRestoreStates.Result.Read read) {
            return read;
        }
        throw new AssertionError(result);
    }

    Instance start() {
        return start(StepListener.NONE);
    }

    Instance start(StepListener steps) {
        return new Instance(steps, signingKeys);
    }

    /** More events in every shard, sealed. */
    void grow(String tag) {
        for (TestShard shard : shards) {
            shard.event(tag + "-1", "payload");
            shard.event(tag + "-2", "payload");
            shard.event(tag + "-1", "payload");
            shard.seal();
        }
    }

    /** So many more events in every shard, every tenth of them sent twice, sealed. */
    void growBy(String tag, int events) {
        for (TestShard shard : shards) {
            for (int i = 0; i < events; i++) {
                shard.event(tag + "-" + i, "payload " + i);
                if (i % 10 == 9) {
                    shard.event(tag + "-" + i, "payload " + i);
                }
            }
            shard.seal();
        }
    }

    /** The records of one partition, decided again. */
    ArchiveRestore.DecisionSource decisionSource(int number) {
        TestShard shard = shards.get(number);
        ShardDecider decider = new ShardDecider(number, ledger.ledger, 1);
        List<Decision> decisions = new ArrayList<>();
        AtomicInteger decided = new AtomicInteger();
        return new ArchiveRestore.DecisionSource() {
            @Override
            public List<Decision> takeTo(long nextOffset) {
                while (decided.get() < shard.records.size()) {
                    TestShard.Committed record = shard.records.get(decided.getAndIncrement());
                    ShardDecider.Verdict verdict =
                            decider.decide(record.offset(), record.timestampMillis(), record.value());
                    decisions.add(((ShardDecider.Decided) verdict).decision());
                }
                List<Decision> taken = decisions.stream()
                        .filter(decision -> decision.offset() < nextOffset)
                        .toList();
                decisions.removeAll(taken);
                return taken;
            }

            @Override
            public void close() {}
        };
    }

    /** Everything in the topic verified from the first record by a checkpointer of its own. */
    CheckpointHistory history() {
        CheckpointHistory history = new CheckpointHistory(ledger.ledger);
        log.committed.forEach(history::accept);
        return history;
    }

    List<LogRecord.Published> published() {
        return log.committed.stream()
                .filter(LogRecord.Published.class::isInstance)
                .map(LogRecord.Published.class::cast)
                .toList();
    }
}
