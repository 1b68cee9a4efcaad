// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.StoredKeys;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.ledger.ShardHead;
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
import java.util.Map;
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
 * about to be signed is finished; the archive is read, verifying all of it; topics; a claim on the next {@linkplain Incarnations
 * incarnation}; the state of every shard as a signed {@linkplain Seam snapshot}; the {@linkplain SeamEpoch epoch} that logs it; the
 * processors' state; topic {@code checkpoints}; and last a genesis record in each shard, which names the tree it goes on from. For
 * one use.
 */
public final class ArchiveRestoreKafka {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    /** Records of topic {@code checkpoints} written in one transaction. */
    private static final int BATCH = 500;

    private final Target target;
    private final NoteSigner signer;
    private final SigningKeys signingKeys;
    private final NoteVerifier key;
    private final ObjectStore store;
    private final Optional<Checkpoint> kept;
    private final ArchiveRestoreStates.StatesOf statesOf;
    private final ArchiveCheck.Listener listener;
    private final KafkaClients clients;
    private final Clock clock = Clock.systemUTC();

    /**
     * Where the ledger is to go on.
     *
     * @param connection {@code bootstrap.servers} and what else it takes to connect
     * @param generation of the processors that never ran
     * @param dev whether one replica is enough
     */
    public record Target(Map<String, Object> connection, Topics topics, int generation, boolean dev) {}

    /** What came of it. */
    public sealed interface Result {
        /**
         * The ledger can go on: processors and checkpointer may be started with the generation.
         *
         * @param epoch published last
         */
        record Restored(int incarnation, int generation, long epoch, long leaves) implements Result {}

        /** Nothing was started; what was written is used by the next run, if what is refused can be mended. */
        record Refused(List<String> reasons) implements Result {
            public Refused {
                reasons = List.copyOf(reasons);
            }
        }

        /** Something could not be read or written. */
        record Undecided(String detail) implements Result {}
    }

    /**
     * @param signers the ledger's first key, which signs genesis, and behind it those that sign now
     * @param kept a verified ledger checkpoint somebody kept, which must be among those published
     */
    public ArchiveRestoreKafka(
            Target target,
            List<NoteSigner> signers,
            ObjectStore store,
            Optional<Checkpoint> kept,
            ArchiveRestoreStates.StatesOf states,
            ArchiveCheck.Listener listener) {
        this.target = target;
        this.signer = signers.get(0);
        this.signingKeys = new SigningKeys(signers);
        this.key = signer.verifier();
        this.store = store;
        this.kept = kept;
        this.listener = listener;
        this.clients = new KafkaClients(target.connection());
        this.statesOf = states;
    }

    public Result run() throws InterruptedException {
        try {
            return restore();
        } catch (RefusedException e) {
            return new Result.Refused(e.reasons());
        } catch (FatalDoubtException e) {
            return e.getCause() instanceof IOException || e.getCause() instanceof KafkaException
                    ? new Result.Undecided(String.valueOf(e.getMessage()))
                    : new Result.Refused(List.of(String.valueOf(e.getMessage())));
        } catch (InvalidFormat e) {
            return new Result.Refused(List.of(String.valueOf(e.getMessage())));
        } catch (KafkaException | IllegalStateException e) {
            return new Result.Undecided("Kafka: " + e.getMessage());
        } catch (IOException | UncheckedIOException e) {
            return new Result.Undecided("the object store: " + e.getMessage());
        }
    }

    private Result restore() throws IOException, InvalidFormat, RefusedException, InterruptedException {
        Ledger ledger = ledger();
        new StoredEpochs(store).healKeySteps(ledger); // claims and guards are signed by the newest key
        requireFreeCluster();
        ArchiveRestoreStates.States states = statesOf.shards(ledger.shards());
        ArchiveRestoreStates.Result.Read archive = readArchive(ledger, states);
        List<Control> controls = controls(archive);
        SchemaBook schemas = schemaBook(controls);
        Uuid eventsTopicId = makeTopics(controls);
        SeamEpoch seamEpoch = new SeamEpoch(store, ledger, signingKeys);
        Incarnations.Claim claim = claim(archive, eventsTopicId.toString(), seamEpoch);
        archive = archive.asOf(claim.epoch());
        SnapshotName seam = new Seam.Maker(store, ledger, signingKeys, archive)
                .make(claim.incarnation(), claim.generation(), clock.millis());
        if (newestEpoch() == claim.epoch()) {
            seamEpoch.publish(archive.shards(), seam, claim.generation(), clock.millis());
        }
        requireLast(seamEpoch, claim);
        states.write(archive, claim.incarnation(), claim.generation(), eventsTopicId);
        writeCheckpoints(claim.epoch() + 1, schemas);
        requireLast(seamEpoch, claim);
        writeGenesis(archive, controls, claim.incarnation());
        return new Result.Restored(claim.incarnation(), claim.generation(), archive.epoch(), archive.leaves());
    }

    // ---- what must not be there

    /** Before the archive is read, or anything is written. */
    private void requireFreeCluster() throws IOException, RefusedException {
        int last = published(newestEpoch()).intent().generation();
        Optional<Incarnations.Claim> begunBefore = begunBefore();
        boolean goesOn = begunBefore
                .filter(claim -> claim.generation() == target.generation())
                .isPresent();
        if (target.generation() <= last && !goesOn) {
            throw new RefusedException("generation " + target.generation() + " is not new: epoch " + newestEpoch()
                    + " was published from generation " + last);
        }
        OptionalInt begun = GenesisReader.begunIncarnation(clients.common(), target.topics(), key, TIMEOUT);
        if (begun.isPresent() && begun.getAsInt() == 1) {
            throw new RefusedException("topic " + target.topics().events() + " begins with the genesis of a new ledger:"
                    + " attestream init was run there. Use an empty cluster or another topic prefix");
        }
        requireNoRecords(begunBefore.isPresent());
    }

    /** Of others: what a run before wrote lies behind its claim. */
    private void requireNoRecords(boolean isBegun) throws RefusedException {
        Topics topics = target.topics();
        List<String> foreign = new ArrayList<>(List.of(topics.sealed(), topics.outcomes()));
        if (!isBegun) {
            foreign.addAll(List.of(topics.events(), topics.checkpoints()));
        }
        try (Admin admin = Admin.create(clients.common())) {
            for (String topic : foreign) {
                if (GenesisReader.topicIdIfThere(admin, topic, TIMEOUT).isPresent()
                        && GenesisReader.holdsRecords(admin, topic, TIMEOUT)) {
                    throw new RefusedException("topic " + topic + " holds records: a ledger works there already. Use an"
                            + " empty cluster or another topic prefix");
                }
            }
        }
    }

    /** The claim on this very topic, of a run that was cut off. */
    private Optional<Incarnations.Claim> begunBefore() throws IOException {
        try (Admin admin = Admin.create(clients.common())) {
            Optional<Uuid> topicId =
                    GenesisReader.topicIdIfThere(admin, target.topics().events(), TIMEOUT);
            return topicId.isPresent()
                    ? new Incarnations(store, key).of(topicId.get().toString())
                    : Optional.empty();
        }
    }

    /** Somebody of the lost cluster may be alive and publish. */
    private void requireLast(SeamEpoch seamEpoch, Incarnations.Claim claim) throws IOException, RefusedException {
        long newest = newestEpoch();
        if (newest != claim.epoch() + 1 || !seamEpoch.isIt(published(newest).intent(), claim)) {
            throw new RefusedException("epoch " + newest + " was published by somebody else than this restore: a"
                    + " checkpointer of the lost cluster works. Stop it, and run this again");
        }
    }

    // ---- what the archive has

    private Ledger ledger() throws IOException, RefusedException {
        newestEpoch();
        return new Ledger(key.keyName(), key, published(0).intent().heads().size(), store);
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

    private LogRecord.Published published(long epoch) throws IOException {
        return new StoredEpochs(store)
                .get(epoch)
                .orElseThrow(() -> new FatalDoubtException("object " + ObjectNames.epoch(epoch) + " is missing"));
    }

    /** Finishes an epoch that is open, and reads all there is then. */
    private ArchiveRestoreStates.Result.Read readArchive(Ledger ledger, ArchiveRestoreStates.States states)
            throws IOException, InvalidFormat, RefusedException, InterruptedException {
        long epoch = newestEpoch();
        OpenEpoch openEpoch = new OpenEpoch(store, key, signingKeys);
        Optional<EpochIntent> open = openEpoch.behind(epoch);
        List<ShardHead> heads = open.orElse(published(epoch).intent()).heads();
        new ArchiveFloor(store).require(epoch + (open.isPresent() ? 1 : 0), heads);
        if (open.isPresent()) {
            openEpoch.finish(
                    open.get(),
                    ledger,
                    read(epoch, ArchiveRestoreStates.NOTHING, Optional.empty()).shards().stream()
                            .map(ShardSnapshot::range)
                            .toList());
            epoch++;
        }
        ArchiveRestoreStates.Result.Read archive = read(epoch, states, kept);
        // Who cannot sign on makes no topic, and takes no number.
        signingKeys.requireFit(StoredKeys.read(store, key).verify(key), List.of());
        return archive;
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

    private ArchiveRestoreStates.Result.Read read(
            long epoch, ArchiveRestoreStates.Taker states, Optional<Checkpoint> among)
            throws IOException, RefusedException, InterruptedException {
        return new ArchiveRestoreStates(key, store, states, listener).requireRead(epoch, among);
    }

    private static SchemaBook schemaBook(List<Control> controls) throws RefusedException {
        try {
            return new SchemaBook(schemas(controls));
        } catch (IllegalArgumentException e) {
            throw new RefusedException("the shards' rules define schemas that do not go together: " + e.getMessage());
        }
    }

    // ---- whose life it is

    /** The one a run before took for this topic, unless somebody published since; else the next number. */
    private Incarnations.Claim claim(ArchiveRestoreStates.Result.Read archive, String topicId, SeamEpoch seamEpoch)
            throws IOException, InvalidFormat, RefusedException {
        Incarnations incarnations = new Incarnations(store, key);
        Optional<Incarnations.Claim> begun = incarnations.of(topicId);
        if (begun.isPresent() && isOpen(begun.get(), archive, seamEpoch)) {
            if (begun.get().generation() != target.generation()) {
                throw new RefusedException("incarnation " + begun.get().incarnation() + " was begun with --generation "
                        + begun.get().generation() + ": run it again with that");
            }
            return begun.get();
        }
        if (GenesisReader.begunIncarnation(clients.common(), target.topics(), key, TIMEOUT)
                .isPresent()) {
            throw new RefusedException("topic " + target.topics().events()
                    + " begins with a genesis that goes on from another state than the object store has. Use an empty"
                    + " cluster or another topic prefix");
        }
        if (target.generation() <= archive.generation()) {
            throw new RefusedException("generation " + target.generation() + " is not new: epoch " + archive.epoch()
                    + " was published from generation " + archive.generation());
        }
        int newest = 1;
        for (ShardSnapshot shard : archive.shards()) {
            for (byte[] entry : shard.controls()) {
                if (ControlRecord.read(entry, key) instanceof Genesis genesis) {
                    newest = Math.max(newest, genesis.incarnation());
                }
            }
        }
        return incarnations.claim(newest, target.generation(), archive.epoch(), clusterId(), topicId, signingKeys);
    }

    private boolean isOpen(Incarnations.Claim claim, ArchiveRestoreStates.Result.Read archive, SeamEpoch seamEpoch)
            throws IOException {
        return archive.epoch() == claim.epoch()
                || seamEpoch.isIt(published(archive.epoch()).intent(), claim);
    }

    private String clusterId() {
        try (Admin admin = Admin.create(clients.common())) {
            return GenesisReader.clusterId(admin, TIMEOUT);
        }
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
            return GenesisReader.topicId(admin, target.topics().events(), TIMEOUT);
        }
    }

    /** Goes on behind what a run before wrote. */
    private void writeCheckpoints(long lastEpoch, SchemaBook schemas) {
        CheckpointRecords codec = new CheckpointRecords(schemas);
        String topic = target.topics().checkpoints();
        try (KafkaCheckpointLog log =
                KafkaCheckpointLog.open(clients, topic, target.topics().checkpointerTransactionalId(), codec)) {
            long[] present = {0};
            log.readToEnd(record -> requireSame(archived(present[0]++), record));
            List<LogRecord> batch = new ArrayList<>();
            for (long at = present[0]; at < 2 * (lastEpoch + 1); at++) {
                batch.add(archived(at));
                if (batch.size() == BATCH) {
                    log.write(batch);
                    batch.clear();
                }
            }
            if (!batch.isEmpty()) {
                log.write(batch);
            }
        }
    }

    /** Of each epoch its intent and its publication. */
    private LogRecord archived(long record) {
        try {
            LogRecord.Published published = published(record / 2);
            return record % 2 == 0 ? new LogRecord.Intent(published.intent()) : published;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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
