// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.Beginning;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerInitializer;
import io.attestream.schemas.topics.TopicContract;
import io.attestream.schemas.wire.SchemaBook;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;

/**
 * Lets a ledger whose Kafka cluster was lost go on in a new one, from the object store: the same origin, key and trees, in a new
 * incarnation of topic {@code events} and a new generation of the processors. What was published is all there; what was acknowledged
 * and not published is lost, and who sends it again gets a leaf for it.
 *
 * <p>In this order, so that nothing works before all is there, and a run that was cut off is finished by the next: an epoch that was
 * about to be signed is finished; the archive is read once, verifying all of it; topics; the state of every shard as a signed
 * {@linkplain Seam snapshot}; the processors' state; topic {@code checkpoints}; and last a genesis record in each shard, which names
 * the tree it goes on from. For one use.
 */
public final class ArchiveRestoreKafka {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    /** Records of topic {@code checkpoints} written in one transaction. */
    private static final int BATCH = 500;

    private final Target target;
    private final NoteSigner signer;
    private final NoteVerifier key;
    private final ObjectStore store;
    private final Optional<Checkpoint> kept;
    private final StatesOf statesOf;
    private final ArchiveCheck.Listener listener;
    private final KafkaClients clients;
    private final Clock clock = Clock.systemUTC();

    /**
     * Where the ledger is to go on.
     *
     * @param generation of the processors that never ran
     * @param dev whether one replica is enough
     */
    public record Target(String bootstrapServers, Topics topics, int generation, boolean dev) {}

    /** Makes the processors' state of what the archive has. */
    public interface States extends ArchiveRestoreStates.Taker {
        /**
         * Writes it, where the processors of a generation will find it.
         *
         * @throws InvalidFormat if it is not that of what was taken
         */
        void write(ArchiveRestoreStates.Result.Read archive, int incarnation, int generation, Uuid eventsTopicId)
                throws IOException, InvalidFormat;
    }

    /** Makes what takes the state of so many shards. */
    public interface StatesOf {
        States shards(int shards);
    }

    /** What came of it. */
    public sealed interface Result {
        /**
         * The ledger can go on: processors and checkpointer may be started with the generation.
         *
         * @param epoch published last
         */
        record Restored(int incarnation, int generation, long epoch, long leaves) implements Result {}

        /** Nothing was started; what was written is used by the next run. */
        record Refused(List<String> reasons) implements Result {
            public Refused {
                reasons = List.copyOf(reasons);
            }
        }

        /** Something could not be read or written. */
        record Undecided(String detail) implements Result {}
    }

    static final ArchiveRestoreStates.Taker NOTHING = new ArchiveRestoreStates.Taker() {
        @Override
        public void leaf(int shard, LeafRecord leaf) {}

        @Override
        public void outcome(int shard, OutcomeRecord outcome) {}

        @Override
        public void pack(PackName pack) {}
    };

    /** Ends a run with a refusal. */
    private static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient List<String> reasons;

        RefusedException(List<String> reasons) {
            super(String.join("; ", reasons));
            this.reasons = reasons;
        }

        RefusedException(String reason) {
            this(List.of(reason));
        }
    }

    /** @param kept a verified ledger checkpoint somebody kept, which must be among those published */
    public ArchiveRestoreKafka(
            Target target,
            NoteSigner signer,
            ObjectStore store,
            Optional<Checkpoint> kept,
            StatesOf states,
            ArchiveCheck.Listener listener) {
        this.target = target;
        this.signer = signer;
        this.key = signer.verifier();
        this.store = store;
        this.kept = kept;
        this.listener = listener;
        this.clients = new KafkaClients(target.bootstrapServers());
        this.statesOf = states;
    }

    public Result run() throws InterruptedException {
        try {
            OptionalInt begun = GenesisReader.begunIncarnation(clients.common(), target.topics(), key, TIMEOUT);
            long epoch = newestEpoch();
            Ledger ledger = ledger();
            Optional<EpochIntent> open = new OpenEpoch(store, signer).behind(epoch);
            if (open.isPresent()) {
                finish(open.get(), ledger);
                epoch++;
            }
            States states = statesOf.shards(ledger.shards());
            ArchiveRestoreStates.Result.Read archive = read(epoch, states);
            requireNewGeneration(archive);
            List<Control> controls = controls(archive);
            Seam.Maker seam = new Seam.Maker(store, ledger, signer, archive);
            int incarnation = begun.isPresent() ? begun.getAsInt() : seam.nextIncarnation();
            Uuid eventsTopicId = makeTopics(controls);
            seam.make(incarnation, target.generation(), clock.millis());
            states.write(archive, incarnation, target.generation(), eventsTopicId);
            writeCheckpoints(archive, controls);
            writeGenesis(archive, controls, incarnation);
            return new Result.Restored(incarnation, target.generation(), archive.epoch(), archive.leaves());
        } catch (RefusedException e) {
            return new Result.Refused(e.reasons);
        } catch (FatalDoubtException | InvalidFormat e) {
            return new Result.Refused(List.of(String.valueOf(e.getMessage())));
        } catch (KafkaException e) {
            return new Result.Undecided("Kafka: " + e.getMessage());
        } catch (IOException | UncheckedIOException e) {
            return new Result.Undecided("the object store: " + e.getMessage());
        }
    }

    // ---- what the archive has

    private Ledger ledger() throws IOException {
        LogRecord.Published first =
                new StoredEpochs(store).first().orElseThrow(() -> new IOException("the first epoch is missing"));
        return new Ledger(key.keyName(), key, first.intent().heads().size());
    }

    private void finish(EpochIntent open, Ledger ledger) throws IOException, RefusedException, InterruptedException {
        ArchiveRestoreStates.Result.Read before = read(open.epoch() - 1, NOTHING);
        new OpenEpoch(store, signer)
                .finish(
                        open,
                        ledger,
                        before.shards().stream().map(ShardSnapshot::range).toList());
    }

    private ArchiveRestoreStates.Result.Read read(long epoch, ArchiveRestoreStates.Taker states)
            throws IOException, RefusedException, InterruptedException {
        ArchiveRestoreStates.Result result = new ArchiveRestoreStates(key, store, states, listener).run(epoch, kept);
        if (result instanceof ArchiveRestoreStates.Result.Read read) {
            return read;
        }
        if (result instanceof ArchiveRestoreStates.Result.Refused refused) {
            List<String> reasons = new ArrayList<>();
            refused.findings()
                    .forEach(finding -> reasons.add("object " + finding.object() + ": expected " + finding.expected()
                            + ", found " + finding.actual()));
            throw new RefusedException(reasons);
        }
        throw new IOException(((ArchiveRestoreStates.Result.Undecided) result).detail());
    }

    private long newestEpoch() throws IOException, RefusedException {
        long epochs = store.list(ObjectNames.EPOCHS).stream()
                .filter(ObjectNames::isEpoch)
                .count();
        if (epochs == 0) {
            throw new RefusedException("the object store has no epoch: nothing was published that could go on. Make a"
                    + " ledger with attestream init");
        }
        return epochs - 1;
    }

    private void requireNewGeneration(ArchiveRestoreStates.Result.Read archive) throws RefusedException {
        if (target.generation() <= archive.generation()) {
            throw new RefusedException("generation " + target.generation() + " is not new: epoch " + archive.epoch()
                    + " was published from generation " + archive.generation());
        }
    }

    /** The newest control record of each shard; of one without leaves that of another. */
    private List<Control> controls(ArchiveRestoreStates.Result.Read archive) throws InvalidFormat, RefusedException {
        List<Optional<Control>> known = new ArrayList<>();
        for (ShardSnapshot shard : archive.shards()) {
            List<byte[]> entries = shard.controls();
            known.add(
                    entries.isEmpty()
                            ? Optional.empty()
                            : Optional.of(ControlRecord.read(entries.get(entries.size() - 1), key)));
        }
        Control any = known.stream()
                .flatMap(Optional::stream)
                .findFirst()
                .orElseThrow(() -> new RefusedException("no shard has a leaf: begin with attestream init"));
        return known.stream().map(control -> control.orElse(any)).toList();
    }

    // ---- what is written

    private TopicContract contract(List<Control> controls) {
        long maxPayloadBytes = controls.stream()
                .mapToLong(control -> control.rules().maxPayloadBytes())
                .max()
                .orElse(Rules.DEFAULT_MAX_PAYLOAD_BYTES);
        return new TopicContract(target.topics(), controls.size(), maxPayloadBytes, target.dev());
    }

    private Uuid makeTopics(List<Control> controls) throws RefusedException {
        TopicContract contract = contract(controls);
        try (Admin admin = Admin.create(clients.common())) {
            contract.create(admin);
            List<TopicContract.Violation> violations = contract.check(admin);
            if (!violations.isEmpty()) {
                throw new RefusedException(
                        violations.stream().map(Object::toString).toList());
            }
            for (String topic :
                    List.of(target.topics().sealed(), target.topics().outcomes())) {
                if (GenesisReader.holdsRecords(admin, topic, TIMEOUT)) {
                    throw new RefusedException("topic " + topic + " holds records: a ledger works there already. Use an"
                            + " empty cluster or another topic prefix");
                }
            }
            return GenesisReader.topicId(admin, target.topics().events(), TIMEOUT);
        }
    }

    private void writeCheckpoints(ArchiveRestoreStates.Result.Read archive, List<Control> controls) {
        CheckpointRecords codec = new CheckpointRecords(new SchemaBook(schemas(controls)));
        String topic = target.topics().checkpoints();
        try (KafkaCheckpointLog log =
                KafkaCheckpointLog.open(clients, topic, target.topics().checkpointerTransactionalId(), codec)) {
            List<LogRecord> present = new ArrayList<>();
            log.readToEnd(present::add);
            List<LogRecord> batch = new ArrayList<>();
            int[] at = {0};
            new StoredEpochs(store).readAll(record -> {
                if (record.epoch() > archive.epoch()) {
                    return;
                }
                if (at[0] < present.size()) {
                    requireSame(record, present.get(at[0]++));
                    return;
                }
                batch.add(record);
                if (batch.size() == BATCH) {
                    log.write(batch);
                    batch.clear();
                }
            });
            if (at[0] < present.size()) {
                throw new FatalDoubtException("topic " + topic + " has " + present.size()
                        + " records, more than were published up to epoch " + archive.epoch()
                        + ": a checkpointer works there already");
            }
            if (!batch.isEmpty()) {
                log.write(batch);
            }
        }
    }

    private void requireSame(LogRecord archived, LogRecord present) {
        if (!archived.equals(present)) {
            throw new FatalDoubtException("topic " + target.topics().checkpoints() + " has " + present
                    + " where the object store has " + archived + ": it is that of another ledger or history");
        }
    }

    private void writeGenesis(ArchiveRestoreStates.Result.Read archive, List<Control> controls, int incarnation)
            throws RefusedException {
        List<Beginning.Shard> shards = new ArrayList<>();
        for (ShardSnapshot state : archive.shards()) {
            Prior prior = new Prior(archive.epoch(), state.head().size(), state.frontier());
            Rules rules = controls.get(state.head().shard()).rules();
            shards.add(new Beginning.Shard(rules, Optional.of(prior)));
        }
        LedgerInitializer.Result result = new LedgerInitializer(
                        clients.common(),
                        target.topics(),
                        contract(controls),
                        signer,
                        new Beginning(incarnation, shards, schemas(controls)),
                        target.generation(),
                        TIMEOUT)
                .run();
        if (result instanceof LedgerInitializer.Result.Refused refused) {
            throw new RefusedException(refused.reasons());
        }
    }

    /** Rules may have changed in one shard and not yet in another: all get the schemas of all, of which the rules allow some. */
    private static List<SchemaText> schemas(List<Control> controls) {
        Set<SchemaText> schemas = new LinkedHashSet<>();
        controls.forEach(control -> schemas.addAll(control.schemas()));
        return List.copyOf(schemas);
    }
}
