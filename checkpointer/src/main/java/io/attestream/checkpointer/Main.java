// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.access.BearerSecret;
import io.attestream.access.ServiceStart;
import io.attestream.access.Start;
import io.attestream.checkpointer.CheckpointerConfigs.RefusedKeyException;
import io.attestream.objects.ObjectStores;
import io.attestream.objects.keys.ErasedKeys;
import io.attestream.operations.clock.SteadyClock;
import io.attestream.operations.doubt.Doubt;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.ledger.EventsTopic;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.topics.TopicContract;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts the checkpointer. Exit code 0 after a stop, 1 on refused settings or a doubt, with one message that says why. */
public final class Main {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);
    private static final Duration CLUSTER_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration LOOK_TIMEOUT = Duration.ofSeconds(30);
    private static final long RETRY_MILLIS = 1_000;
    /** A round without progress for longer than any wait inside it. */
    private static final long STUCK_MILLIS = 90_000;

    private static final long STOP_WAIT_SECONDS = 15;
    private static final long ON_DEMAND_INTERVAL_MILLIS = 5_000;

    private final CheckpointerConfig config;
    private final Start.Policy policy;
    private final Clock clock = Clock.systemUTC();
    private final Clock steady = SteadyClock.of(clock);
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final CountDownLatch stop = new CountDownLatch(1);
    private final AtomicReference<@Nullable Running> running = new AtomicReference<>();
    private final AtomicReference<@Nullable Turn> turn = new AtomicReference<>();
    private final Doubt doubt = new Doubt();
    /** Whether all that was begun beside the work ended with it. */
    private boolean hasEnded = true;

    private volatile String waitingFor = "the cluster";

    private record Running(
            Checkpointer checkpointer,
            Packer packer,
            Snapshots snapshots,
            LedgerFollower follower,
            Backlog backlog,
            CheckpointerMetrics metrics) {}

    private Main(CheckpointerConfig config, Start.Policy policy) {
        this.config = config;
        this.policy = policy;
    }

    public static void main(String[] args) {
        System.exit(run(List.of(args), StepListener.NONE));
    }

    /** Runs to the end of the process's life and returns its exit code. */
    static int run(List<String> arguments, StepListener steps) {
        Optional<ServiceStart<CheckpointerConfig>> start =
                ServiceStart.pass(CheckpointerConfigs::load, CheckpointerConfigs::problems, CheckpointerConfig::dev);
        if (start.isEmpty()) {
            return 1;
        }
        return arguments.contains(Start.CHECK_ARGUMENT)
                ? 0
                : run(new Main(start.get().config(), start.get().policy()), steps);
    }

    private static int run(Main main, StepListener steps) {
        Thread hook = new Thread(main::stopAndWait, "stop");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            return main.serve(steps);
        } catch (IOException | IllegalStateException e) {
            LOG.error("stopped: {}", String.valueOf(e.getMessage()));
            return 1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        } finally {
            main.stopped.countDown();
        }
    }

    private void stopAndWait() {
        stop.countDown();
        Running now = running.get();
        if (now != null) {
            now.checkpointer().stop();
        }
        try {
            if (!stopped.await(STOP_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("stopped in the middle of a round; the next start finishes it");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Optional<BearerSecret> secret() throws IOException {
        Optional<Path> file = config.internal().secretFile();
        return file.isPresent() ? Optional.of(BearerSecret.read(file.get())) : Optional.empty();
    }

    /** @return the exit code */
    private int serve(StepListener steps) throws IOException, InterruptedException {
        try (StatusServer status = StatusServer.start(
                config.http().host(),
                config.http().port(),
                new StatusServer.Pages(
                        this::live, this::ready, this::metrics, this::snapshots, this::requestSnapshot, secret()))) {
            LOG.info("health and metrics on http://{}:{}", config.http().host(), status.port());
            try {
                work(steps);
                return 0;
            } catch (FatalDoubtException | InvalidFormat | RefusedKeyException | IOException | KafkaException e) {
                LOG.error("stopped: {}", String.valueOf(e.getMessage()));
                LOG.debug("stopped", e);
                // Who still writes is not to go on beside it.
                if (hasEnded && DoubtCause.isOfWhatIsRead(e)) {
                    doubt.show(String.valueOf(e.getMessage()), config.doubtShownMillis(), stop);
                }
                return 1;
            }
        }
    }

    private void work(StepListener steps) throws IOException, InvalidFormat, RefusedKeyException, InterruptedException {
        Topics topics = new Topics(config.topics().prefix());
        KafkaClients clients = new KafkaClients(CheckpointerConfigs.connection(config.kafka()));
        LedgerDefinition definition = awaitLedger(clients, topics);
        if (definition == null) {
            return;
        }
        requireTopics(clients, topics, definition);
        if (!config.checkpointer().standby()) {
            follow(clients, topics, definition, steps);
            return;
        }
        try (Turn own = Turn.join(clients, topics)) {
            turn.set(own);
            if (awaitTurn(own)) {
                follow(clients, topics, definition, steps);
            }
        }
    }

    /** False if told to stop before. */
    private boolean awaitTurn(Turn own) throws InterruptedException {
        waitingFor = "its turn";
        LOG.info("standing by until no other checkpointer works");
        while (!own.await(RETRY_MILLIS)) {
            if (stop.getCount() == 0) {
                return false;
            }
        }
        return true;
    }

    /** The ledger once {@code attestream init} has made it; null if told to stop before. */
    private @Nullable LedgerDefinition awaitLedger(KafkaClients clients, Topics topics)
            throws InvalidFormat, InterruptedException {
        NoteVerifier key = NoteVerifier.parse(config.ledger().verifierKey());
        do {
            String why;
            try {
                GenesisReader.Result result = GenesisReader.read(clients.common(), topics, key, CLUSTER_TIMEOUT);
                if (result instanceof GenesisReader.Result.Ready ready) {
                    return ready.ledger();
                }
                if (result instanceof GenesisReader.Result.Refused refused) {
                    throw new FatalDoubtException(refused.reason());
                }
                why = ((GenesisReader.Result.NotReady) result).reason();
            } catch (KafkaException e) {
                why = KafkaConnection.reason(e);
            }
            if (!why.equals(waitingFor)) {
                LOG.info("waiting: {}", why);
                waitingFor = why;
            }
        } while (!stop.await(RETRY_MILLIS, TimeUnit.MILLISECONDS));
        return null;
    }

    private void requireTopics(KafkaClients clients, Topics topics, LedgerDefinition definition) {
        long maxPayloadBytes = definition.genesis().get(0).rules().maxPayloadBytes();
        TopicContract contract = new TopicContract(topics, definition.shards(), maxPayloadBytes, config.dev());
        try (Admin admin = Admin.create(clients.common())) {
            List<TopicContract.Violation> violations = contract.check(admin);
            if (!violations.isEmpty()) {
                throw new FatalDoubtException("topics do not keep what the ledger promises: "
                        + String.join(
                                "; ", violations.stream().map(Object::toString).toList()));
            }
        }
    }

    private void follow(KafkaClients clients, Topics topics, LedgerDefinition definition, StepListener steps)
            throws IOException, InvalidFormat, RefusedKeyException, InterruptedException {
        warnOfSmallHeap(definition);
        ObjectStore store = ObjectStores.openForWriting(config.objects().location());
        Optional<KeyChanges> changes = CheckpointerConfigs.keyChanges(config.ledger());
        Ledger ledger = new Ledger(
                definition.origin(),
                definition.key(),
                definition.shards(),
                KeyChangeReader.of(store).or(changes));
        SigningKeys keys = CheckpointerConfigs.signingKeys(config.ledger());
        PendingKeys pendingKeys = new PendingKeys(changes);
        // Which keys signed a snapshot is told by what proves them, so that is made again before one is chosen.
        new StoredEpochs(store)
                .healKeySteps(
                        ledger, changes.map(given -> given.changes().size()).orElse(0));
        new Incarnations(store, definition.key()).requireNewest(definition, new SeamEpoch(store, ledger, keys));
        Optional<StoredSnapshots.Stored> own = newestSnapshot(store, ledger, definition);
        Optional<StoredSnapshots.Stored> seam = seam(store, ledger, definition, keys, own.isPresent());
        Optional<StoredSnapshots.Stored> start = own.or(() -> seam);
        Backlog backlog = backlog(ledger, definition, start);
        CheckpointerMetrics metrics = new CheckpointerMetrics(backlog, clock);
        metrics.process(policy, doubt);
        EpochArchive archive = new EpochArchive(store);
        Unpacked unpacked = new Unpacked(ledger, config.packs().segmentGraceMillis());
        Packer packer = new Packer(store, archive, unpacked, packLimits(), ledger.shards(), erasedKeys(), steady);
        Snapshots snapshots = new Snapshots(
                ledger,
                definition.incarnation(),
                config.generation(),
                store,
                new Snapshots.Schedule(
                        config.snapshots().intervalMillis(),
                        ON_DEMAND_INTERVAL_MILLIS,
                        config.snapshots().kept()),
                new ClaimsTrimmer(clients, topics, config.generation(), unpacked::packedTo),
                clock,
                steady,
                seam);
        if (start.isPresent()) {
            snapshots.resume(start.get());
        }
        Signer signer = new Signer(keys, ledger, archive, LoggedObjects.of(packer, snapshots));
        CheckpointRecords records = new CheckpointRecords(definition.schemas());
        LedgerFollower follower = new LedgerFollower(
                clients, topics, new ProcessorRecords(definition.schemas()), backlog, steady::millis);
        Thread reading = new Thread(follower, "reading");
        try (EventsTopic eventsTopic = new EventsTopic(clients.common(), topics.events(), definition, LOOK_TIMEOUT);
                KafkaCheckpointLog log = KafkaCheckpointLog.open(
                        clients, topics.checkpoints(), topics.checkpointerTransactionalId(), records);
                KafkaClientMetrics reader = follower.metrics();
                KafkaClientMetrics writer = log.metrics()) {
            metrics.client(reader);
            metrics.client(writer);
            LOG.info(
                    "{} with {} shards; this process owns topic {}",
                    ledger.origin(),
                    ledger.shards(),
                    topics.checkpoints());
            Checkpointer checkpointer = new Checkpointer(
                    ledger,
                    config.generation(),
                    backlog,
                    () -> requireSame(eventsTopic),
                    log,
                    archive,
                    new Guard(store),
                    keys,
                    pendingKeys,
                    signer,
                    unpacked,
                    packer,
                    snapshots,
                    start,
                    metrics,
                    pace(),
                    clock,
                    steady,
                    both(metrics, steps));
            Scrubs scrubs = new Scrubs(
                    CheckpointerConfigs.connection(config.kafka()),
                    topics,
                    definition,
                    store,
                    config.checkpointer(),
                    checkpointer::isReplayed,
                    steady);
            scrubs.scrubbers().forEach(metrics::scrubber);
            metrics.packer(packer, unpacked);
            metrics.snapshots(snapshots, steady);
            Thread packing = daemon(() -> packer.run(checkpointer::isReplayed), "packing");
            Thread snapshotting = daemon(snapshots::run, "snapshots");
            Watchdog watchdog =
                    new Watchdog(() -> live().stream().allMatch(Health::up), STUCK_MILLIS, () -> System.exit(1));
            running.set(new Running(checkpointer, packer, snapshots, follower, backlog, metrics));
            if (stop.getCount() == 0) {
                return;
            }
            reading.start();
            scrubs.start();
            packing.start();
            snapshotting.start();
            daemon(() -> watchdog.run(stopped), "watchdog").start();
            try {
                checkpointer.run();
            } finally {
                scrubs.stop();
                packer.stop();
                snapshots.stop();
                awaitEnd(packing);
                awaitEnd(snapshotting);
                scrubs.join(STOP_WAIT_SECONDS); // they only read
            }
        } finally {
            follower.stop();
            awaitEnd(reading);
        }
    }

    private void awaitEnd(Thread thread) throws InterruptedException {
        thread.join(TimeUnit.SECONDS.toMillis(STOP_WAIT_SECONDS));
        hasEnded &= !thread.isAlive();
    }

    private Optional<ErasedKeys> erasedKeys() throws IOException {
        Optional<String> location = config.payloadKeys().location();
        if (location.isEmpty()) {
            return Optional.empty();
        }
        ErasedKeys keys = ErasedKeys.open(ObjectStores.openForWriting(location.get()));
        LOG.info("what is erased is told by the payload keys {}", keys.id());
        return Optional.of(keys);
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    private Unpacked.Limits packLimits() {
        CheckpointerConfig.Packs packs = config.packs();
        return new Unpacked.Limits(packs.leavesMax(), packs.sizeBytesMax(), packs.ageMillisMax());
    }

    private static StepListener both(StepListener first, StepListener second) {
        return new StepListener() {
            @Override
            public void reached(PublishStep step, long epoch) {
                first.reached(step, epoch);
                second.reached(step, epoch);
            }

            @Override
            public void signed(long epoch, String note) {
                first.signed(epoch, note);
                second.signed(epoch, note);
            }
        };
    }

    private void warnOfSmallHeap(LedgerDefinition definition) {
        List<Long> windows = definition.genesis().stream()
                .map(genesis -> genesis.rules().dedupWindowLeaves())
                .toList();
        CheckpointerConfigs.memoryProblem(
                        config.checkpointer(),
                        config.packs().sizeBytesMax(),
                        windows,
                        Runtime.getRuntime().maxMemory())
                .ifPresent(LOG::warn);
    }

    /** Made again from the archive if it was lost; if that cannot be, a newer one has to be there to go on from. */
    private Optional<StoredSnapshots.Stored> seam(
            ObjectStore store, Ledger ledger, LedgerDefinition definition, SigningKeys keys, boolean hasNewer)
            throws IOException, InterruptedException {
        try {
            return Seam.find(store, ledger, definition);
        } catch (FatalDoubtException e) {
            LOG.error("ALARM: {}; making it again from the archive", e.getMessage());
            return madeAgain(store, ledger, definition, keys, hasNewer);
        }
    }

    private Optional<StoredSnapshots.Stored> madeAgain(
            ObjectStore store, Ledger ledger, LedgerDefinition definition, SigningKeys keys, boolean hasNewer)
            throws IOException, InterruptedException {
        try {
            Seam.makeAgain(store, ledger, definition, keys, clock.millis());
            return Seam.find(store, ledger, definition);
        } catch (FatalDoubtException e) {
            if (!hasNewer) {
                throw e;
            }
            LOG.error("ALARM: it could not be made again: {}", e.getMessage());
            return Optional.empty();
        }
    }

    /** The newest one this life of the processors can go on from. */
    private Optional<StoredSnapshots.Stored> newestSnapshot(
            ObjectStore store, Ledger ledger, LedgerDefinition definition) throws IOException {
        if (config.snapshots().ignored()) {
            return Optional.empty();
        }
        Optional<StoredSnapshots.Stored> newest =
                new StoredSnapshots(store, ledger).newest(definition.incarnation(), config.generation());
        newest.ifPresent(snapshot ->
                LOG.info("going on from snapshot {}", snapshot.name().name()));
        return newest;
    }

    private Backlog backlog(Ledger ledger, LedgerDefinition definition, Optional<StoredSnapshots.Stored> start)
            throws IOException, InvalidFormat {
        List<ShardReplica> replicas = new ArrayList<>();
        for (Control.Genesis genesis : definition.genesis()) {
            if (start.isPresent()) {
                StoredSnapshots.Shard stored = start.get().shards().get(genesis.shard());
                replicas.add(ShardReplica.resumed(
                        stored.state(),
                        start.get().manifest().generation(),
                        definition.incarnation(),
                        config.generation(),
                        ShardDecider.resumed(genesis.shard(), ledger, definition.incarnation(), stored),
                        config.checkpointer().shardBacklogBytesMax()));
                continue;
            }
            replicas.add(new ShardReplica(
                    genesis.shard(),
                    definition.incarnation(),
                    config.generation(),
                    new ShardDecider(genesis.shard(), ledger, definition.incarnation()),
                    config.checkpointer().shardBacklogBytesMax()));
        }
        return new Backlog(replicas);
    }

    private static void requireSame(EventsTopic events) {
        try {
            events.difference().ifPresent(difference -> {
                throw new FatalDoubtException(difference);
            });
        } catch (KafkaException e) {
            throw new FatalDoubtException(String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new FatalDoubtException("told to stop while looking at topic events", e);
        }
    }

    private Checkpointer.Pace pace() {
        CheckpointerConfig.Checkpointer own = config.checkpointer();
        return new Checkpointer.Pace(
                own.intervalMillis(), own.shardNotesIntervalMillis(), own.epochLeavesMax(), own.epochSizeBytesMax());
    }

    // ---- what is told outside

    private List<Health> live() {
        if (doubt.reason().isPresent()) {
            return List.of(new Health("doubt", true, Map.of("ends", "soon")));
        }
        Running now = running.get();
        if (now == null) {
            return List.of(new Health("starting", true, Map.of("waitingFor", waitingFor)));
        }
        long millis = steady.millis();
        long reading = millis - now.follower().lastPollMillis();
        long publishing = millis
                - Math.max(now.checkpointer().lastRoundMillis(), now.packer().lastReadMillis());
        return List.of(
                new Health("reading", reading < STUCK_MILLIS, Map.of("lastPollMillisAgo", reading)),
                new Health("publishing", publishing < STUCK_MILLIS, Map.of("lastRoundMillisAgo", publishing)));
    }

    private Map<String, Object> snapshots() {
        Running now = running.get();
        if (now == null) {
            return Map.of("newestEpoch", -1, "publishedEpoch", -1, "problem", "waiting for " + waitingFor);
        }
        return Map.of(
                "newestEpoch", now.snapshots().newestEpoch(),
                "publishedEpoch", now.metrics().epoch(),
                "problem", now.snapshots().problem());
    }

    private void requestSnapshot() {
        Running now = running.get();
        if (now != null) {
            now.snapshots().request();
        }
    }

    private List<Health> ready() {
        Optional<String> stopped = doubt.reason();
        if (stopped.isPresent()) {
            return List.of(new Health("doubt", false, Map.of("reason", stopped.get())));
        }
        Running now = running.get();
        if (now == null) {
            Turn own = turn.get();
            boolean standsBy = own != null && own.isOfAnother();
            return List.of(new Health("ledger", standsBy, Map.of("waitingFor", waitingFor)));
        }
        List<Health> checks = new ArrayList<>(live());
        checks.add(new Health(
                "replay",
                now.checkpointer().isReplayed(),
                Map.of("epoch", now.metrics().epoch())));
        for (int shard = 0; shard < now.backlog().shards(); shard++) {
            String reason = now.backlog().look(shard, ShardReplica::stoppedReason);
            checks.add(new Health(
                    "shard-" + shard, reason == null, reason == null ? Map.of() : Map.of("stopped", reason)));
        }
        return checks;
    }

    private String metrics() {
        Running now = running.get();
        return now == null
                ? CheckpointerMetrics.scrapeWaiting(clock, policy, doubt)
                : now.metrics().scrape();
    }
}
