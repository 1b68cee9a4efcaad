// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.NewGeneration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * Lets the processors begin a new generation with the state of a published epoch, made of the object store: what topic {@code events}
 * has of before is not sequenced again.
 *
 * <p>In this order, so that nothing works before all is there, and a run that was cut off is finished by the next: the archive is read
 * to that epoch, verifying all of it; the processors' state is written into changelogs; a signed snapshot of the new generation, from
 * which its checkpointer goes on; and last the group's offsets. Records behind the epoch, published or not, are decided again by
 * processors and checkpointer alike. For one use.
 */
public final class ArchiveRestoreState {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int FETCH_BYTES_MAX = 4 << 20;

    private final ArchiveRestoreKafka.Target target;
    private final LedgerDefinition ledger;
    private final SigningKeys signingKeys;
    private final ObjectStore store;
    private final ArchiveRestoreStates.StatesOf statesOf;
    private final ArchiveCheck.Listener listener;
    private final KafkaClients clients;
    private final Clock clock = Clock.systemUTC();

    /** What came of it. */
    public sealed interface Result {
        /**
         * Processors and checkpointer may be started with the generation.
         *
         * @param epoch whose state it begins with
         */
        record Begun(int generation, long epoch, long leaves) implements Result {}

        /** It was begun before, and has positions of its own; nothing was changed. */
        record AlreadyBegun(int generation) implements Result {}

        /** Nothing was begun. */
        record Refused(List<String> reasons) implements Result {
            public Refused {
                reasons = List.copyOf(reasons);
            }
        }

        /** Something could not be read or written. */
        record Undecided(String detail) implements Result {}
    }

    /**
     * @param target where the ledger is, and a generation that never ran
     * @param signers among which is the key that signs behind the epoch to begin with
     */
    public ArchiveRestoreState(
            ArchiveRestoreKafka.Target target,
            LedgerDefinition ledger,
            List<NoteSigner> signers,
            ObjectStore store,
            ArchiveRestoreStates.StatesOf states,
            ArchiveCheck.Listener listener) {
        this.target = target;
        this.ledger = ledger;
        this.signingKeys = new SigningKeys(signers);
        this.store = store;
        this.statesOf = states;
        this.listener = listener;
        this.clients = new KafkaClients(target.connection());
    }

    /**
     * @param epoch to begin with; if none is given the one published last, and nothing else will do
     * @param kept a verified ledger checkpoint somebody kept, which must be among those published
     */
    public Result run(OptionalLong epoch, Optional<Checkpoint> kept) throws InterruptedException {
        try {
            return restore(epoch, kept);
        } catch (RefusedException e) {
            return new Result.Refused(e.reasons());
        } catch (FatalDoubtException | InvalidFormat e) {
            return new Result.Refused(List.of(String.valueOf(e.getMessage())));
        } catch (KafkaException e) {
            return new Result.Undecided("Kafka: " + e.getMessage());
        } catch (IOException | UncheckedIOException e) {
            return new Result.Undecided("the object store: " + e.getMessage());
        }
    }

    private Result restore(OptionalLong wanted, Optional<Checkpoint> kept)
            throws IOException, InvalidFormat, RefusedException, InterruptedException {
        new StoredEpochs(store).healKeySteps(log());
        CheckpointHistory history = new CheckpointHistory(log());
        LogRecord.Published begin = published(wanted, history);
        requireKeyOf(history.keys().newestAt(begin.epoch() + 1));
        int last = history.lastPublished().orElse(begin).intent().generation();
        if (target.generation() == last) {
            return requireBegun(last);
        }
        if (target.generation() < last) {
            throw new RefusedException("generation " + target.generation() + " is not new: epoch "
                    + (history.nextEpoch() - 1) + " was published from generation " + last);
        }
        requireInThisIncarnation(begin);
        requireUnchanged(begin);
        requireNoneLater(begin.epoch());
        ArchiveRestoreStates.States states = statesOf.shards(ledger.shards());
        ArchiveRestoreStates.Result.Read archive =
                new ArchiveRestoreStates(ledger.key(), store, states, listener).requireRead(begin.epoch(), kept);
        requireRecords(archive.shards());
        NewGeneration.Result result = new NewGeneration(clients.common(), target.topics(), ledger, TIMEOUT)
                .begin(target.generation(), "archive", () -> write(archive, states));
        if (result instanceof NewGeneration.Result.Refused refused) {
            throw new RefusedException(refused.reason());
        }
        return result instanceof NewGeneration.Result.AlreadyBegun
                ? new Result.AlreadyBegun(target.generation())
                : new Result.Begun(target.generation(), archive.epoch(), archive.leaves());
    }

    /** It signs the snapshot the new generation begins with. */
    private void requireKeyOf(NoteVerifier key) throws RefusedException {
        if (signingKeys.find(key).isEmpty()) {
            throw new RefusedException("the key is not that of the ledger, " + key.vkey());
        }
    }

    /** It has published, so it has positions, or it has lost them. */
    private Result requireBegun(int generation) throws RefusedException {
        if (generation > 1
                && !new NewGeneration(clients.common(), target.topics(), ledger, TIMEOUT).isBegun(generation)) {
            throw new RefusedException("generation " + generation
                    + " has published and lost its positions: begin generation " + (generation + 1));
        }
        return new Result.AlreadyBegun(generation);
    }

    // ---- what it is to begin with

    /** As topic {@code checkpoints} has it. */
    private LogRecord.Published published(OptionalLong wanted, CheckpointHistory history) throws RefusedException {
        AtomicReference<LogRecord.Published> found = new AtomicReference<>();
        KafkaCheckpointLog.readToEnd(
                clients.reader(FETCH_BYTES_MAX),
                target.topics().checkpoints(),
                new CheckpointRecords(ledger.schemas()),
                record -> {
                    history.accept(record);
                    if (record instanceof LogRecord.Published published
                            && (wanted.isEmpty() || wanted.getAsLong() == published.epoch())) {
                        found.set(published);
                    }
                },
                Patience.DEFAULT);
        LogRecord.Published published = found.get();
        if (published == null) {
            throw new RefusedException("topic " + target.topics().checkpoints() + " has no epoch"
                    + (wanted.isPresent() ? " " + wanted.getAsLong() : "") + ", but " + history.nextEpoch()
                    + " of them");
        }
        return published;
    }

    /** What was before is in no topic that could be read on from there. */
    private void requireInThisIncarnation(LogRecord.Published begin) throws RefusedException {
        long first = ledger.genesis().get(0).prior().map(prior -> prior.epoch()).orElse(0L);
        if (begin.epoch() < first) {
            throw new RefusedException("epoch " + begin.epoch() + " is of an earlier incarnation of topic "
                    + target.topics().events() + ": this one goes on from epoch " + first);
        }
    }

    /** The archive has that very epoch. What the topic lost of what is in the archive the checkpointer finds at its start. */
    private void requireUnchanged(LogRecord.Published begin) throws IOException, RefusedException {
        String object = ObjectNames.epoch(begin.epoch());
        Optional<LogRecord.Published> stored = new StoredEpochs(store).get(begin.epoch());
        if (stored.isEmpty()) {
            throw new RefusedException("object " + object + " is missing, and topic "
                    + target.topics().checkpoints()
                    + " has that epoch: the object store is shorter than what was published. Mend it with attestream restore"
                    + " objects, or begin with an earlier epoch (--epoch)");
        }
        if (!stored.get().equals(begin)) {
            throw new RefusedException("object " + object + " is another epoch than topic "
                    + target.topics().checkpoints() + " has: expected "
                    + begin.intent().heads() + ", found "
                    + stored.get().intent().heads());
        }
    }

    /** A run before began with a later epoch: its snapshot would be gone on from, with the state of this one. */
    private void requireNoneLater(long epoch) throws IOException, RefusedException {
        StoredSnapshots stored = new StoredSnapshots(store, log());
        for (SnapshotName name : stored.names()) {
            if (name.epoch() > epoch && isOfGeneration(stored, name)) {
                throw new RefusedException("object " + name.name() + " is a snapshot of generation "
                        + target.generation() + ", which was begun with epoch " + name.epoch()
                        + ": begin with that epoch, or begin generation " + (target.generation() + 1));
            }
        }
    }

    private boolean isOfGeneration(StoredSnapshots stored, SnapshotName name) throws IOException {
        try {
            Snapshot manifest = stored.manifest(name);
            return manifest.incarnation() == ledger.incarnation() && manifest.generation() == target.generation();
        } catch (InvalidFormat e) {
            return false; // nobody goes on from it
        }
    }

    /** Topic {@code events} reaches to where the state does. */
    private void requireRecords(List<ShardSnapshot> states) throws RefusedException {
        List<Long> ends = ends(target.topics().events());
        for (ShardSnapshot state : states) {
            ShardHead head = state.head();
            if (ends.get(head.shard()) < kafkaOffset(head)) {
                throw new RefusedException("partition " + head.shard() + " of topic "
                        + target.topics().events()
                        + " ends at offset " + ends.get(head.shard()) + ", published is up to offset "
                        + kafkaOffset(head) + ": it lost records. Restore it");
            }
        }
    }

    // ---- what is written

    /** At which offsets of {@code events} the shards go on. */
    private List<Long> write(ArchiveRestoreStates.Result.Read archive, ArchiveRestoreStates.States states) {
        try {
            // Whatever the new generation claims comes behind what is there now.
            ArchiveRestoreStates.Result.Read claimed = archive.claimedFrom(
                    ends(target.topics().sealed()), ends(target.topics().outcomes()));
            states.write(claimed, ledger.incarnation(), target.generation(), Uuid.fromString(ledger.topicId()));
            new Seam.Maker(store, log(), signingKeys, claimed)
                    .make(ledger.incarnation(), target.generation(), clock.millis());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("the state is not that of the archive: " + e.getMessage(), e);
        }
        return archive.shards().stream().map(state -> kafkaOffset(state.head())).toList();
    }

    private Ledger log() {
        return new Ledger(ledger.origin(), ledger.key(), ledger.shards(), store);
    }

    private long kafkaOffset(ShardHead head) {
        return LedgerOffset.kafka(Math.max(head.nextOffset(), LedgerOffset.first(ledger.incarnation())));
    }

    private List<Long> ends(String topic) {
        List<TopicPartition> partitions = IntStream.range(0, ledger.shards())
                .mapToObj(shard -> new TopicPartition(topic, shard))
                .toList();
        List<Long> ends = new ArrayList<>();
        try (Consumer<byte[], byte[]> consumer = clients.reader(FETCH_BYTES_MAX)) {
            var found = consumer.endOffsets(partitions, TIMEOUT);
            partitions.forEach(partition -> ends.add(found.getOrDefault(partition, 0L)));
        }
        return ends;
    }
}
