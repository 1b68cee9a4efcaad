// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.access.BearerSecret;
import io.attestream.access.PolicyMetric;
import io.attestream.access.Start;
import io.attestream.objects.ObjectStores;
import io.attestream.objects.keys.PayloadKeysSetting;
import io.attestream.objects.keys.SubjectKeyStore;
import io.attestream.operations.clock.ClockMetrics;
import io.attestream.operations.doubt.Doubt;
import io.attestream.operations.kafka.KafkaMeters;
import io.attestream.processors.admission.AdmissionMetrics;
import io.attestream.processors.admission.AdmissionTopology;
import io.attestream.processors.admission.InboxAcls;
import io.attestream.processors.proofs.PackLoader;
import io.attestream.processors.proofs.PackedProofs;
import io.attestream.processors.proofs.ProofQueries;
import io.attestream.processors.proofs.ProofsTopology;
import io.attestream.processors.sequencer.KafkaFence;
import io.attestream.processors.sequencer.SequencerMetrics;
import io.attestream.processors.sequencer.SequencerSizing;
import io.attestream.processors.sequencer.SequencerTopology;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.envelope.SubjectKeys;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.attestream.schemas.cloudevents.EventLimits;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.door.EventFactory;
import io.attestream.schemas.ledger.EventsTopic;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.topics.TopicContract;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.errors.StreamsStoppedException;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The process without its shell: the chosen topologies and their internal HTTP, from start to stop. */
final class Processors {
    private static final Logger LOG = LoggerFactory.getLogger(Processors.class);
    private static final Duration CLUSTER_TIMEOUT = Duration.ofSeconds(30);
    /** Of {@code ENV}. */
    private static final String DEVELOPMENT = "dev";

    private static final long RETRY_MILLIS = 1_000;
    private static final long LOOK_MILLIS = 1_000;
    /** Short: it holds up a stop. */
    private static final Duration LOOK_TIMEOUT = Duration.ofSeconds(3);

    private final ProcessorsConfig config;
    private final boolean isDevelopment;
    private final Map<String, Object> connection;
    private final Topics topics;
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<String, Application> applications = new ConcurrentHashMap<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    /** By somebody, not by what happened here. */
    private final CountDownLatch toldToStop = new CountDownLatch(1);

    private final Doubt doubt = new Doubt();
    /** Whether all topologies ended with the work. */
    private boolean hasEnded = true;

    private final AtomicReference<@Nullable RuntimeException> fatal = new AtomicReference<>();
    private volatile @Nullable ProofQueries queries;
    private Optional<PackLoader> packLoader = Optional.empty();
    private volatile @Nullable String waitingFor = "the cluster";

    /** @param connection {@code bootstrap.servers} and what else it takes to connect */
    Processors(ProcessorsConfig config, Map<String, Object> connection, Start.Policy policy) {
        registry.config().meterFilter(KafkaMeters.filter());
        PolicyMetric.register(policy, registry);
        ClockMetrics.register(Clock.systemUTC(), registry);
        doubt.bindTo(registry);
        this.config = config;
        this.isDevelopment = policy.profile().equals(DEVELOPMENT);
        this.connection = connection;
        this.topics = new Topics(config.topics().prefix());
    }

    /** Tells {@link #run} to come to its end; may be called from any thread, at any time. */
    void stop() {
        toldToStop.countDown();
        stop.countDown();
    }

    /**
     * Runs until {@link #stop} is called; then everything is closed. A doubt is shown for a while before it is thrown.
     *
     * @throws IntegrityException if the ledger, its topics or the state are not what they must be, at start or later
     */
    void run() throws IOException, InvalidFormat, InterruptedException {
        BearerSecret secret = BearerSecret.read(config.internal().secretFile());
        try (InternalServer server = InternalServer.start(
                config.http().host(), config.http().port(), secret, () -> queries, this::health, registry::scrape)) {
            LOG.info(
                    "health, metrics and queries on http://{}:{}", config.http().host(), server.port());
            try {
                work();
            } catch (IntegrityException e) {
                LOG.error("refused: {}", e.getMessage());
                queries = null;
                // Who still writes is not to go on beside it.
                if (hasEnded) {
                    doubt.show(String.valueOf(e.getMessage()), config.doubtShownMillis(), toldToStop);
                }
                throw e;
            }
        }
    }

    private void work() throws IOException, InvalidFormat, InterruptedException {
        LedgerDefinition ledger = awaitLedger();
        if (ledger == null) {
            return;
        }
        requireTopics(ledger);
        try (EventsTopic events = new EventsTopic(connection, topics.events(), ledger, LOOK_TIMEOUT);
                StateScrub scrub = new StateScrub(config.state(), config.generation(), this::isRunning, registry)) {
            start(ledger);
            waitingFor = null;
            scrub.start();
            do {
                requireSame(events);
            } while (!stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS));
            if (fatal.get() != null) {
                // A topic that is made again takes the group's offsets with it: tell the cause, not what follows.
                requireSame(events);
            }
        } finally {
            hasEnded =
                    applications.values().parallelStream().map(Application::end).reduce(true, Boolean::logicalAnd);
            packLoader.ifPresent(PackLoader::close);
        }
        RuntimeException why = fatal.get();
        if (why != null) {
            throw why;
        }
    }

    private static void requireSame(EventsTopic events) throws InterruptedException {
        Optional<String> difference;
        try {
            difference = events.difference();
        } catch (KafkaException e) {
            LOG.debug("{}", e.getMessage()); // nothing is read while the brokers do not answer
            return;
        }
        if (difference.isPresent()) {
            throw new IntegrityException(difference.get());
        }
    }

    /** The ledger once {@code attestream init} has made it; null if told to stop before. */
    private @Nullable LedgerDefinition awaitLedger() throws InvalidFormat, InterruptedException {
        NoteVerifier key = NoteVerifier.parse(config.ledger().verifierKey());
        do {
            String why;
            try {
                GenesisReader.Result result = GenesisReader.read(connection, topics, key, CLUSTER_TIMEOUT);
                if (result instanceof GenesisReader.Result.Ready ready) {
                    return ready.ledger();
                }
                if (result instanceof GenesisReader.Result.Refused refused) {
                    throw new IntegrityException(refused.reason());
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

    private void requireTopics(LedgerDefinition ledger) {
        TopicContract contract = new TopicContract(topics, ledger.shards(), maxPayloadBytes(ledger), config.dev());
        try (Admin admin = Admin.create(connection)) {
            List<TopicContract.Violation> violations = contract.check(admin);
            if (!violations.isEmpty()) {
                throw new IntegrityException("topics do not keep what the ledger promises: "
                        + String.join(
                                "; ", violations.stream().map(Object::toString).toList()));
            }
        }
    }

    private static long maxPayloadBytes(LedgerDefinition ledger) {
        return ledger.genesis().get(0).rules().maxPayloadBytes();
    }

    private void start(LedgerDefinition ledger) throws IOException {
        StreamsSettings settings =
                new StreamsSettings(config, connection, maxPayloadBytes(ledger) + TopicContract.MESSAGE_OVERHEAD_BYTES);
        if (config.roles().contains(ProcessorsConfigs.SEQUENCER)) {
            startSequencer(ledger, settings);
        }
        List<String> tenants = config.admission().tenants().orElse(List.of());
        if (config.roles().contains(ProcessorsConfigs.ADMISSION) && !tenants.isEmpty()) {
            startAdmission(ledger, settings, tenants);
        }
        if (config.roles().contains(ProcessorsConfigs.PROOFS)) {
            startProofs(ledger, settings);
        }
    }

    private void startSequencer(LedgerDefinition ledger, StreamsSettings settings) {
        SequencerSizing.warnings(
                        ledger.genesis().stream()
                                .map(genesis -> genesis.rules().dedupWindowLeaves())
                                .toList(),
                        Runtime.getRuntime().maxMemory(),
                        config.state().cacheSizeBytes())
                .forEach(LOG::warn);
        String applicationId = topics.sequencerGroup(config.generation());
        SequencerMetrics metrics = new SequencerMetrics(registry);
        KafkaFence fence = new KafkaFence(connection, applicationId, topics.events());
        fence.requireChangelogs();
        run(
                new Application(
                        ProcessorsConfigs.SEQUENCER,
                        SequencerTopology.build(topics, ledger, config.generation(), fence, metrics),
                        settings.sequencer(applicationId),
                        () -> Map.of("shards", metrics.positions()),
                        registry,
                        this::onFatal),
                ProcessorsConfigs.SEQUENCER);
    }

    private void startAdmission(LedgerDefinition ledger, StreamsSettings settings, List<String> tenants)
            throws IOException {
        requireInboxes(tenants);
        requireAcls(tenants);
        ContentTag tag = new ContentTag(
                ProcessorsConfigs.secret(config.door().contentTagKeyFile().orElseThrow()));
        run(
                new Application(
                        ProcessorsConfigs.ADMISSION,
                        AdmissionTopology.build(
                                topics,
                                tenants,
                                ledger,
                                new CloudEventReader(limits(ledger)),
                                EventFactory.of(ledger, tag, new SecureRandom(), subjectKeys()),
                                new AdmissionMetrics(registry)),
                        settings.admission(topics.admissionGroup()),
                        Map::of,
                        registry,
                        this::onFatal),
                ProcessorsConfigs.ADMISSION);
    }

    private Optional<SubjectKeys> subjectKeys() throws IOException {
        ProcessorsConfig.PayloadKeys keys = config.payloadKeys();
        Optional<SubjectKeyStore> opened =
                PayloadKeysSetting.open(keys.location(), keys.keyFile(), keys.rememberedMax());
        opened.ifPresent(store -> LOG.info("payloads are encrypted under the payload keys {}", store.id()));
        return opened.map(SubjectKeys.class::cast);
    }

    private void requireInboxes(List<String> tenants) {
        try (Admin admin = Admin.create(connection)) {
            Set<String> present = admin.listTopics().names().get(CLUSTER_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            List<String> missing = tenants.stream()
                    .map(topics::inbox)
                    .filter(inbox -> !present.contains(inbox))
                    .toList();
            if (!missing.isEmpty()) {
                throw new IntegrityException("attestream.admission.tenants names tenants without an inbox; create the"
                        + " topics first: " + String.join(", ", missing));
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new KafkaException("the topics could not be listed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        }
    }

    private void requireAcls(List<String> tenants) {
        if (config.dev() || isDevelopment) {
            return;
        }
        try (Admin admin = Admin.create(connection)) {
            List<String> written =
                    new ArrayList<>(tenants.stream().map(topics::inbox).toList());
            written.add(topics.events());
            InboxAcls.problem(admin, written).ifPresent(problem -> {
                throw new IntegrityException(problem);
            });
        }
    }

    /** A payload the topic has no room for would stop the inbox for ever, so the ledger's limit holds here too. */
    private static EventLimits limits(LedgerDefinition ledger) {
        EventLimits limits = EventLimits.DEFAULT;
        return new EventLimits(
                (int) Math.min(limits.maxPayloadBytes(), maxPayloadBytes(ledger)),
                limits.maxAttributes(),
                limits.maxAttributeBytes(),
                limits.maxIdBytes(),
                limits.maxBatchEvents());
    }

    private void startProofs(LedgerDefinition ledger, StreamsSettings settings) throws IOException {
        Optional<PackedProofs> packs = packs();
        packLoader = packs.map(PackLoader::new);
        Application application = new Application(
                ProcessorsConfigs.PROOFS,
                ProofsTopology.build(topics, ledger, config.generation(), packLoader),
                settings.proofs(topics.proofsGroup(config.generation())),
                Map::of,
                registry,
                this::onFatal);
        run(application, ProcessorsConfigs.PROOFS);
        queries = new ProofQueries(new StreamsStores(application.streams()), ledger, packs);
    }

    private Optional<PackedProofs> packs() throws IOException {
        Optional<String> location = config.objects().location();
        return location.isPresent()
                ? Optional.of(new PackedProofs(ObjectStores.openForServing(location.get())))
                : Optional.empty();
    }

    private void run(Application application, String role) {
        applications.put(role, application);
        application.start();
    }

    private boolean isRunning() {
        return applications.values().stream()
                .allMatch(application -> application.streams().state() == KafkaStreams.State.RUNNING);
    }

    private void onFatal(RuntimeException why) {
        if (fatal.compareAndSet(null, why)) {
            stop.countDown();
        }
    }

    private List<HealthCheck> health() {
        List<HealthCheck> checks = new ArrayList<>();
        doubt.reason().ifPresent(why -> checks.add(new HealthCheck("doubt", false, Map.of("reason", why))));
        String waiting = waitingFor;
        checks.add(new HealthCheck("ledger", waiting == null, waiting == null ? Map.of() : Map.of("reason", waiting)));
        applications.values().forEach(application -> checks.add(application.health()));
        return checks;
    }

    /** Stores by interactive queries: active or standby, also while a rebalance goes on. */
    record StreamsStores(KafkaStreams streams) implements ProofQueries.Stores {
        @Override
        public ReadOnlyKeyValueStore<Bytes, byte[]> shard(int shard) {
            return store(query(ProofsTopology.SHARD_STORE).withPartition(shard).enableStaleStores());
        }

        @Override
        public boolean settling() {
            return streams.state() == KafkaStreams.State.REBALANCING;
        }

        @Override
        public ReadOnlyKeyValueStore<Bytes, byte[]> ledger() {
            return store(query(ProofsTopology.LEDGER_STORE));
        }

        private static StoreQueryParameters<ReadOnlyKeyValueStore<Bytes, byte[]>> query(String store) {
            return StoreQueryParameters.fromNameAndType(store, QueryableStoreTypes.<Bytes, byte[]>keyValueStore());
        }

        private ReadOnlyKeyValueStore<Bytes, byte[]> store(
                StoreQueryParameters<ReadOnlyKeyValueStore<Bytes, byte[]>> query) {
            try {
                return streams.store(query);
            } catch (IllegalStateException e) {
                // What Kafka Streams says once it stops: another instance may have a copy.
                throw new StreamsStoppedException("proofs is " + streams.state(), e);
            }
        }
    }
}
