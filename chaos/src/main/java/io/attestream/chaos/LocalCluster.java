// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import io.attestream.chaos.toxiproxy.ToxiproxyServer;
import io.attestream.chaos.verbs.FakeClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The whole of Attestream on one machine: broker, registry, processors, checkpointer and gateway, each a process of its own on
 * loopback, with one data directory. Starting again on the same directory continues the same ledger.
 *
 * <p>The children live no longer than this process: {@link #close} stops them in order, and when this process dies without a
 * word they end by themselves ({@link io.attestream.chaos.agent.ChildAgent}).
 */
public final class LocalCluster implements AutoCloseable {
    static {
        // Who sends half a request to one of the launcher's servers is cut off, unless the operator says how long it
        // may take.
        // The JDK reads it when the first server of the process is made.
        if (System.getProperty("sun.net.httpserver.maxReqTime") == null) {
            System.setProperty("sun.net.httpserver.maxReqTime", "20");
        }
    }

    private static final Duration READY_TIMEOUT = Duration.ofMinutes(2);
    private static final Duration ORPHAN_TIMEOUT = Duration.ofSeconds(20);
    /** As long as a gateway allows: nothing renews them while the cluster runs, a start makes new ones. */
    private static final Duration TOKEN_LIFETIME = Duration.ofDays(7);

    private static final String UNUSABLE_IN_PATHS = ",;";
    private static final String GATEWAY = "gateway";
    private static final String PROCESSORS = "processors";
    private static final String CHECKPOINTER = "checkpointer";
    private static final String REGISTRY = "registry";
    private static final String TOXIPROXY = "toxiproxy";
    /** Who makes the ledger. */
    private static final String OPERATOR = "operator";
    /** Three scrapes of the Prometheus beside it; who waits at a terminal is told soon. */
    private static final String DOUBT_SHOWN_MILLIS = "15000";
    /** Who may write into the local tenant's inbox. */
    public static final String PRODUCER = "producer";

    static final String CONTROL = "control";
    /** Where the keys of subjects are, in the data directory. */
    public static final String PAYLOAD_KEYS = "payload-keys";
    /** Under what they are encrypted; once it is there, nothing is stored in the clear, whatever else was lost. */
    public static final String PAYLOAD_KEYS_KEY = "keys/payload-keys.key";

    private final Options options;
    private final Installation installation;
    private final Path data;
    private final FileChannel lockChannel;
    private final Map<String, Integer> ports = Collections.synchronizedMap(new HashMap<>());
    /** Ports settled on in this life. */
    private final Map<String, Integer> chosen = new HashMap<>();
    /** Services in the order they are stopped in: who depends on others first. */
    private final Map<String, ManagedProcess> services = Collections.synchronizedMap(new LinkedHashMap<>());

    private @Nullable DevIdentityProvider identityProvider;
    private final List<LocalBroker> brokers = Collections.synchronizedList(new ArrayList<>());
    /** Between a part and the broker, by the part. */
    private final Map<String, TcpProxy> links = new HashMap<>();

    private @Nullable ToxiproxyServer toxiproxy;
    private @Nullable ManagedProcess registry;
    private @Nullable ControlServer control;
    private LedgerBootstrap.@Nullable Identity ledger;
    private boolean closed;
    private int generation = 1;

    /**
     * How to start.
     *
     * @param data directory; made if absent
     * @param shards of a new ledger
     * @param bootstrap makes the ledger
     * @param progress is told what is being done, for people
     * @param environment added to each service's own, by the service's name without number, or with it, which counts more
     * @param newGeneration gives up the processors' state: it is made again from topic events
     * @param topology of what the services work with
     */
    public record Options(
            Path data,
            int shards,
            int processors,
            int gateways,
            LedgerBootstrap bootstrap,
            Consumer<String> progress,
            Map<String, Map<String, String>> environment,
            boolean newGeneration,
            Topology topology) {
        /** With one broker and no links that can be cut. */
        public Options(
                Path data,
                int shards,
                int processors,
                int gateways,
                LedgerBootstrap bootstrap,
                Consumer<String> progress,
                Map<String, Map<String, String>> environment,
                boolean newGeneration) {
            this(
                    data,
                    shards,
                    processors,
                    gateways,
                    bootstrap,
                    progress,
                    environment,
                    newGeneration,
                    Topology.ONE_BROKER);
        }

        public Options(Path data, int shards, LedgerBootstrap bootstrap, Consumer<String> progress) {
            this(data, shards, 1, 1, bootstrap, progress, Map.of(), false);
        }

        public Options withNewGeneration() {
            return new Options(data, shards, processors, gateways, bootstrap, progress, environment, true, topology);
        }

        public Options withBootstrap(LedgerBootstrap other) {
            return new Options(
                    data, shards, processors, gateways, other, progress, environment, newGeneration, topology);
        }

        public Options withTopology(Topology other) {
            return new Options(
                    data, shards, processors, gateways, bootstrap, progress, environment, newGeneration, other);
        }
    }

    /**
     * What the services work with.
     *
     * @param brokers 1, or 3 of which one may be lost
     * @param linked whether gateway, processors and checkpointer each have a {@link #link} of their own to the broker; with one
     *     broker only
     * @param chaos whether faults may be done to it from outside: the links are served by Toxiproxy's REST API then, and clocks can
     *     be made wrong if libfaketime is installed
     * @param checkpointers 1, or 2 of which one stands by
     * @param secured whether the brokers ask every client for a token, and let it do what ACLs allow; those are made by who makes
     *     the ledger
     */
    public record Topology(int brokers, boolean linked, boolean chaos, int checkpointers, boolean secured) {
        static final Topology ONE_BROKER = new Topology(1, false);
        /** One broker, links, and faults allowed. */
        public static final Topology FOR_CHAOS = new Topology(1, true, true, 1, false);

        public Topology(int brokers, boolean linked) {
            this(brokers, linked, false, 1, false);
        }

        public Topology withCheckpointers(int count) {
            return new Topology(brokers, linked, chaos, count, secured);
        }

        public Topology withSecurity() {
            return new Topology(brokers, linked, chaos, checkpointers, true);
        }
    }

    private LocalCluster(Options options, Installation installation, FileChannel lockChannel) {
        this.options = options;
        this.installation = installation;
        this.data = options.data().toAbsolutePath();
        this.lockChannel = lockChannel;
    }

    /**
     * Starts everything and returns when all of it is ready.
     *
     * @throws IllegalStateException if another launcher holds the directory or a part does not become ready; what was started
     *     is stopped again
     */
    public static LocalCluster start(Options options) {
        LocalCluster cluster = prepare(options);
        cluster.start();
        return cluster;
    }

    /**
     * Takes the directory; nothing is started yet. Who must be able to stop a cluster that is still starting, arranges for
     * {@link #close} now and then calls {@link #start()}.
     *
     * @throws IllegalStateException if another launcher holds the directory
     */
    public static LocalCluster prepare(Options options) {
        Path data = options.data().toAbsolutePath();
        if (data.toString().chars().anyMatch(c -> UNUSABLE_IN_PATHS.indexOf(c) >= 0)) {
            throw new IllegalArgumentException("the path " + data + " has one of the characters " + UNUSABLE_IN_PATHS
                    + " which separate settings of Kafka and of the registry's database: choose another --data-dir");
        }
        try {
            for (String part : List.of("kafka", "registry", "objects", "state", "keys", "logs")) {
                Files.createDirectories(data.resolve(part));
            }
            return new LocalCluster(options, Installation.find(), lock(data));
        } catch (IOException e) {
            throw cannotStart(data, e);
        }
    }

    /**
     * Starts everything and returns when all of it is ready.
     *
     * @throws IllegalStateException if a part does not become ready, or {@link #close} was called meanwhile; what was started
     *     is stopped again
     */
    public void start() {
        try {
            startAll();
        } catch (RuntimeException e) {
            close();
            throw e;
        } catch (IOException e) {
            close();
            throw cannotStart(data, e);
        }
    }

    private static UncheckedIOException cannotStart(Path data, IOException e) {
        return new UncheckedIOException("the cluster in " + data + " cannot start: " + e, e);
    }

    private static FileChannel lock(Path data) throws IOException {
        FileChannel channel =
                FileChannel.open(data.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Held by this very process.
        }
        if (lock == null) {
            channel.close();
            throw new IllegalStateException(
                    "another cluster runs in " + data + ": stop it, or choose another --data-dir");
        }
        return channel;
    }

    private ControlServer.Children children() {
        return new ControlServer.Children() {
            @Override
            public List<ClusterControl.Condition> conditions() {
                return LocalCluster.this.conditions();
            }

            @Override
            public void restart(String name) {
                LocalCluster.this.restart(name);
            }

            @Override
            public void stop(String name) {
                process(name).stop();
            }

            @Override
            public void rotateTokens() throws IOException {
                LocalCluster.this.rotateTokens();
            }
        };
    }

    private void startAll() throws IOException {
        endOrphans();
        String origin = ClusterFile.read(data).map(ClusterFile::origin).orElseGet(LocalCluster::newOrigin);
        int shards = ClusterFile.read(data).map(ClusterFile::shards).orElse(options.shards());
        if (shards != options.shards()) {
            say("the ledger here has " + shards + " shards, for life; not " + options.shards());
        }
        DevIdentityProvider identities =
                DevIdentityProvider.start(data.resolve("keys/identity-provider.jwk"), ports.getOrDefault("jwks", 0));
        identityProvider = identities;
        ports.put("jwks", identities.port());
        writeTokens(identities);
        Secrets.randomFile(data.resolve("keys/internal.secret"));
        Secrets.randomFile(data.resolve("keys/content-tag.key"));
        String controlSecret =
                Files.readString(Secrets.randomFile(controlSecret(data))).strip();
        control = ControlServer.start(children(), controlSecret, port(CONTROL));

        say("starting broker and registry");
        prepareBrokers();
        brokers.forEach(broker -> launch(broker.process()));
        ManagedProcess startedRegistry = registryProcess();
        registry = startedRegistry;
        launch(startedRegistry);
        // Its key is known from the last life; a start that fails must not make the directory forget it.
        writeClusterFile(
                origin, ClusterFile.read(data).map(ClusterFile::ledgerKey).orElse(""), shards);
        brokers.forEach(LocalBroker::awaitReady);
        startedRegistry.awaitReady(URI.create(registryApi() + "/subjects"), READY_TIMEOUT);

        generation = Generation.of(data, options.newGeneration());
        if (options.newGeneration()) {
            say("generation " + generation + " makes the processors' state again");
        }
        say("preparing the ledger");
        LedgerBootstrap.Identity prepared = options.bootstrap()
                .prepare(new LedgerBootstrap.Environment(
                        bootstrapServers(),
                        brokers.size(),
                        registryApi(),
                        shards,
                        generation,
                        origin,
                        DevIdentityProvider.TENANT,
                        signingKey(data),
                        data.resolve("objects").toString(),
                        kafkaConfig(OPERATOR)));
        ledger = prepared;
        Generation.keep(data, generation);

        say("starting processors, checkpointer and gateway");
        List<ManagedProcess> started = new ArrayList<>();
        for (int i = 0; i < options.gateways(); i++) {
            started.add(gatewayProcess(i));
        }
        for (int i = 0; i < options.processors(); i++) {
            started.add(processorsProcess(i));
        }
        for (int i = 0; i < options.topology().checkpointers(); i++) {
            started.add(checkpointerProcess(i == 0 ? CHECKPOINTER : CHECKPOINTER + "-" + i));
        }
        started.forEach(process -> services.put(process.name(), process));
        started.forEach(this::launch);
        writeClusterFile(prepared.origin(), prepared.verifierKey(), shards);
        for (ManagedProcess process : started) {
            awaitReady(process.name());
        }
        say("ready");
    }

    private void prepareBrokers() throws IOException {
        if (options.topology().chaos()) {
            toxiproxy = ToxiproxyServer.start(port(TOXIPROXY));
        }
        if (options.topology().linked()) {
            for (String kind : List.of(GATEWAY, PROCESSORS, CHECKPOINTER)) {
                links.put(kind, link(kind, FreePorts.preferring(0)));
            }
        }
        List<Path> directories = new ArrayList<>(List.of(data.resolve("kafka")));
        for (int broker = 2; broker <= options.topology().brokers(); broker++) {
            directories.add(data.resolve("kafka-" + broker));
        }
        brokers.addAll(LocalBroker.prepare(installation, directories, data.resolve("logs"), false, links, security()));
    }

    private Optional<BrokerSecurity> security() throws IOException {
        if (!options.topology().secured()) {
            return Optional.empty();
        }
        for (String part : List.of(OPERATOR, GATEWAY, PROCESSORS, CHECKPOINTER, PRODUCER)) {
            addKafkaClient(part, DevIdentityProvider.TENANT);
        }
        String password = Files.readString(Secrets.randomFile(data.resolve("keys/brokers.secret")));
        DevIdentityProvider identities = required(identityProvider);
        return Optional.of(new BrokerSecurity(
                identities.jwksUrl(),
                identities.issuer(),
                DevIdentityProvider.KAFKA_AUDIENCE,
                password,
                kafkaClient(OPERATOR)));
    }

    /** What the brokers call a part of the local cluster, or a producer, behind {@code User:}. */
    public static String kafkaClient(String part) {
        return "attestream-" + part;
    }

    /**
     * Makes an OAuth client that brokers with security know.
     *
     * @return file with its settings of security, readable by the owner only
     */
    public Path addKafkaClient(String part, String tenant) throws IOException {
        DevIdentityProvider identities = required(identityProvider);
        String secret = Files.readString(Secrets.randomFile(data.resolve("keys/kafka-" + part + ".secret")));
        identities.addClient(kafkaClient(part), secret, tenant);
        Path file = kafkaConfigFile(part);
        Secrets.replace(file, """
                security.protocol=SASL_PLAINTEXT
                sasl.mechanism=OAUTHBEARER
                sasl.oauthbearer.token.endpoint.url=%s
                sasl.oauthbearer.client.credentials.client.id=%s
                sasl.oauthbearer.client.credentials.client.secret=%s
                """.formatted(identities.tokenUrl(), kafkaClient(part), secret));
        return file;
    }

    private Path kafkaConfigFile(String part) {
        return data.resolve("keys/kafka-" + part + ".properties");
    }

    /** Settings of security of a part's Kafka clients; empty if the brokers ask nobody who he is. */
    public Optional<Path> kafkaConfig(String part) {
        return options.topology().secured() ? Optional.of(kafkaConfigFile(part)) : Optional.empty();
    }

    private TcpProxy link(String kind, int brokerPort) {
        return toxiproxy == null
                ? TcpProxy.start(0, brokerPort)
                : toxiproxy.add("kafka-" + kind, port("kafka-" + kind), brokerPort);
    }

    /** Starts a process, unless everything is being stopped already: then nobody would stop it in its turn. */
    private synchronized void launch(ManagedProcess process) {
        if (closed) {
            throw new IllegalStateException("the cluster was stopped before all of it was started");
        }
        process.start();
    }

    /** Where the ledger's signing key is in a data directory; it is made with the ledger. */
    public static Path signingKey(Path data) {
        return data.resolve("keys/ledger.skey");
    }

    /**
     * Files with the ledger's signing keys: the first, and behind it those made beside it for later, {@code ledger-*.skey}, by
     * name.
     *
     * @param first as {@link #signingKey} names it
     */
    public static List<Path> signingKeys(Path first) {
        List<Path> keys = new ArrayList<>(List.of(first));
        Path directory = Objects.requireNonNull(first.getParent(), "keys have a directory of their own");
        try (Stream<Path> files = Files.list(directory)) {
            files.filter(file -> file.getFileName().toString().matches("ledger-.*\\.skey"))
                    .sorted()
                    .forEach(keys::add);
        } catch (IOException e) {
            throw new UncheckedIOException(directory + " cannot be listed", e);
        }
        return keys;
    }

    /** Where the changes of the ledger's keys are in a data directory, if there were any. */
    public static Path keyChanges(Path data) {
        return data.resolve("keys/ledger-changes.json");
    }

    /** As they are when the checkpointer is started. */
    private Map<String, String> ledgerKeys() {
        Map<String, String> environment = new HashMap<>();
        environment.put(
                "ATTESTREAM_LEDGER_SIGNING_KEY_FILE",
                signingKeys(signingKey(data)).stream().map(Path::toString).collect(Collectors.joining(",")));
        if (Files.exists(keyChanges(data))) {
            environment.put(
                    "ATTESTREAM_LEDGER_KEY_CHANGES_FILE", keyChanges(data).toString());
        }
        return environment;
    }

    static Path controlSecret(Path data) {
        return data.resolve("keys/control.secret");
    }

    private static String newOrigin() {
        return "attestream.local/" + UUID.randomUUID().toString().substring(0, 8);
    }

    private void say(String what) {
        options.progress().accept(what);
    }

    // ---- the children of an earlier life

    /** A launcher that was killed leaves children that are just ending; nobody else may use their files until they are gone. */
    private void endOrphans() throws IOException {
        ClusterFile last = ClusterFile.read(data).orElse(null);
        if (last == null) {
            return;
        }
        ports.putAll(last.ports());
        for (ClusterFile.ProcessEntry entry : last.processes()) {
            entry.find().ifPresent(handle -> endOrphan(entry.name(), handle));
        }
    }

    private void endOrphan(String name, ProcessHandle handle) {
        say("waiting for " + name + " of the last run to end");
        handle.destroy();
        if (!ended(handle)) {
            handle.destroyForcibly();
            if (!ended(handle)) {
                throw new IllegalStateException(
                        "process " + handle.pid() + " (" + name + ") of the last run does not end");
            }
        }
    }

    private static boolean ended(ProcessHandle handle) {
        try {
            handle.onExit().get(ORPHAN_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            return true;
        } catch (java.util.concurrent.TimeoutException e) {
            return false;
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    // ---- the processes

    private ManagedProcess registryProcess() {
        int port = port(REGISTRY);
        List<String> command = new JvmCommand(installation, 256)
                .with(
                        "-XX:TieredStopAtLevel=1",
                        "-Dquarkus.http.host=127.0.0.1",
                        "-Dquarkus.http.port=" + port,
                        "-Dquarkus.management.enabled=false",
                        "-Dapicurio.storage.kind=sql",
                        "-Dapicurio.storage.sql.kind=h2",
                        "-Dapicurio.datasource.url=jdbc:h2:file:" + data.resolve("registry/registry"))
                .jar(installation.registryJar());
        return process(REGISTRY, command, Map.of());
    }

    private ManagedProcess processorsProcess(int number) {
        String name = PROCESSORS + "-" + number;
        Map<String, String> environment = common(PROCESSORS);
        environment.put("ATTESTREAM_ROLES", "admission,sequencer,proofs");
        environment.put("ATTESTREAM_DOUBT_SHOWN_MILLIS", DOUBT_SHOWN_MILLIS);
        environment.put("ATTESTREAM_INSTANCE_ID", name);
        environment.put(
                "ATTESTREAM_STATE_DIRECTORY",
                data.resolve("state").resolve(name).toString());
        environment.put("ATTESTREAM_OBJECTS_LOCATION", data.resolve("objects").toString());
        environment.put("ATTESTREAM_HTTP_HOST", "127.0.0.1");
        environment.put("ATTESTREAM_HTTP_PORT", Integer.toString(port(name)));
        environment.put("ATTESTREAM_ADMISSION_TENANTS", DevIdentityProvider.TENANT);
        environment.put(
                "ATTESTREAM_DOOR_CONTENT_TAG_KEY_FILE",
                data.resolve("keys/content-tag.key").toString());
        List<String> command =
                new JvmCommand(installation, 768).main(installation.processorsLib(), "io.attestream.processors.Main");
        return process(name, command, environment);
    }

    private ManagedProcess checkpointerProcess(String name) {
        Map<String, String> environment = common(CHECKPOINTER);
        environment.put("ATTESTREAM_OBJECTS_LOCATION", data.resolve("objects").toString());
        environment.put("ATTESTREAM_HTTP_HOST", "127.0.0.1");
        environment.put("ATTESTREAM_HTTP_PORT", Integer.toString(port(name)));
        environment.put(
                "ATTESTREAM_CHECKPOINTER_STANDBY",
                Boolean.toString(options.topology().checkpointers() > 1));
        environment.put("ATTESTREAM_PACKS_SIZE_BYTES_MAX", Integer.toString(32 << 20)); // four times that fits the heap
        environment.put("ATTESTREAM_DOUBT_SHOWN_MILLIS", DOUBT_SHOWN_MILLIS);
        List<String> command = new JvmCommand(installation, 512)
                .main(installation.checkpointerLib(), "io.attestream.checkpointer.Main");
        return process(name, command, environment, this::ledgerKeys);
    }

    private ManagedProcess gatewayProcess(int number) {
        String name = GATEWAY + "-" + number;
        Map<String, String> environment = common(GATEWAY);
        environment.put("QUARKUS_HTTP_HOST", "127.0.0.1");
        environment.put("QUARKUS_HTTP_PORT", Integer.toString(port(name)));
        environment.put("QUARKUS_MANAGEMENT_HOST", "127.0.0.1");
        environment.put("QUARKUS_MANAGEMENT_PORT", Integer.toString(port(name + "-management")));
        environment.put("ATTESTREAM_PROOFS_URLS", proofsUrls());
        environment.put("ATTESTREAM_OBJECTS_LOCATION", data.resolve("objects").toString());
        environment.put(
                "ATTESTREAM_DOOR_CONTENT_TAG_KEY_FILE",
                data.resolve("keys/content-tag.key").toString());
        List<String> command = new JvmCommand(installation, 512).jar(installation.gatewayJar());
        return process(name, command, environment);
    }

    /** Also if one of the two was lost: doors refuse to start then. */
    private boolean encryptsPayloads() {
        Path keyFile = data.resolve(PAYLOAD_KEYS_KEY);
        boolean unfinished = Files.exists(keyFile.resolveSibling(keyFile.getFileName() + ".new"));
        return Files.exists(keyFile) || (Files.exists(data.resolve(PAYLOAD_KEYS)) && !unfinished);
    }

    private Map<String, String> common(String kind) {
        LedgerBootstrap.Identity identity = required(ledger);
        Map<String, String> environment = new HashMap<>();
        environment.put("ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS", bootstrapServersFor(kind));
        kafkaConfig(kind).ifPresent(file -> environment.put("ATTESTREAM_KAFKA_CONFIG_FILE", file.toString()));
        environment.put("ATTESTREAM_LEDGER_VERIFIER_KEY", identity.verifierKey());
        environment.put(
                "ATTESTREAM_INTERNAL_SECRET_FILE",
                data.resolve("keys/internal.secret").toString());
        environment.put("ATTESTREAM_DEV", "true");
        if (encryptsPayloads()) {
            environment.put(
                    "ATTESTREAM_PAYLOAD_KEYS_LOCATION",
                    data.resolve(PAYLOAD_KEYS).toString());
            if (!kind.equals(CHECKPOINTER)) {
                environment.put(
                        "ATTESTREAM_PAYLOAD_KEYS_KEY_FILE",
                        data.resolve(PAYLOAD_KEYS_KEY).toString());
            }
        }
        environment.putAll(required(identityProvider).environment());
        environment.put("JWT_MAX_TOKEN_TTL_SECONDS", Long.toString(TOKEN_LIFETIME.toSeconds()));
        environment.put("ATTESTREAM_GENERATION", Integer.toString(generation));
        return environment;
    }

    private ManagedProcess process(String name, List<String> command, Map<String, String> environment) {
        return process(name, command, environment, Map::of);
    }

    /** @param changing what is looked up at every start; other settings of the same name come first */
    private ManagedProcess process(
            String name,
            List<String> command,
            Map<String, String> environment,
            Supplier<Map<String, String>> changing) {
        Map<String, String> all = new HashMap<>(environment);
        String kind = name.replaceAll("-[0-9]+$", "");
        if (options.topology().chaos() && !name.equals(REGISTRY)) {
            all.putAll(FakeClock.environment(data, name));
        }
        all.putAll(options.environment().getOrDefault(kind, Map.of()));
        all.putAll(options.environment().getOrDefault(name, Map.of()));
        return new ManagedProcess(
                name,
                command,
                () -> {
                    Map<String, String> now = new HashMap<>(changing.get());
                    now.putAll(all);
                    return now;
                },
                data.resolve("logs").resolve(name + ".log"));
    }

    private String proofsUrls() {
        List<String> urls = new ArrayList<>();
        for (int i = 0; i < options.processors(); i++) {
            urls.add("http://127.0.0.1:" + port(PROCESSORS + "-" + i));
        }
        return String.join(",", urls);
    }

    /** The service's port: the one it had, if nobody else took it meanwhile. */
    private int port(String name) {
        int port = chosen.computeIfAbsent(name, any -> FreePorts.preferring(ports.getOrDefault(any, 0)));
        ports.put(name, port);
        return port;
    }

    private void writeTokens(DevIdentityProvider identities) throws IOException {
        for (String role : List.of("ingester", "auditor", "admin")) {
            Secrets.replace(ClusterFile.tokenFile(data, role), identities.token("dev-" + role, TOKEN_LIFETIME, role));
        }
    }

    private void writeClusterFile(String origin, String verifierKey, int shards) throws IOException {
        List<ClusterFile.ProcessEntry> entries = new ArrayList<>();
        processes().stream().filter(ManagedProcess::isAlive).forEach(process -> entries.add(process.entry()));
        new ClusterFile(
                        origin,
                        verifierKey,
                        shards,
                        url(GATEWAY + "-0"),
                        url(GATEWAY + "-0-management"),
                        bootstrapServers(),
                        registryApi().toString(),
                        required(identityProvider).jwksUrl().toString(),
                        new HashMap<>(ports),
                        entries,
                        options.topology().chaos(),
                        toxiproxyUrl().map(URI::toString).orElse(null),
                        kafkaConfig(OPERATOR).map(Path::toString).orElse(null))
                .write(data);
    }

    private String url(String name) {
        return "http://127.0.0.1:" + ports.getOrDefault(name, 0);
    }

    // ---- for callers

    /** Waits until a service or the broker is ready, for example after a restart. */
    public void awaitReady(String name) {
        for (LocalBroker broker : brokers) {
            if (name.equals(broker.process().name())) {
                broker.awaitReady();
                return;
            }
        }
        if (name.equals(REGISTRY)) {
            process(name).await("is not ready", READY_TIMEOUT, () -> isReady(REGISTRY));
            return;
        }
        process(name).awaitReady(health(name), READY_TIMEOUT);
    }

    private URI health(String name) {
        return URI.create(
                name.startsWith(GATEWAY) ? url(name + "-management") + "/q/health/ready" : url(name) + "/health/ready");
    }

    /** Whether a service or the registry says now that it is ready, or a broker answers. */
    public boolean isReady(String name) {
        if (name.equals(REGISTRY)) {
            return ManagedProcess.answersOk(URI.create(registryApi() + "/subjects"));
        }
        return brokers.stream()
                .filter(broker -> name.equals(broker.process().name()))
                .findFirst()
                .map(LocalBroker::answers)
                .orElseGet(() -> ManagedProcess.answersOk(health(name)));
    }

    /** How every process is, in the order in which they are started. */
    List<ClusterControl.Condition> conditions() {
        List<ClusterControl.Condition> conditions = new ArrayList<>();
        for (ManagedProcess process : processes()) {
            String name = process.name();
            boolean alive = process.isAlive();
            boolean ready = alive && isReady(name);
            String fenced = alive && !ready && name.startsWith(GATEWAY) ? GatewayHealth.fenced(health(name)) : "";
            conditions.add(0, new ClusterControl.Condition(name, alive, ready, fenced));
        }
        return conditions;
    }

    /**
     * Starts a process again, whatever state it is in, and waits until it is ready.
     *
     * @throws IllegalArgumentException if there is none of this name
     */
    void restart(String name) {
        ManagedProcess process = process(name);
        if (process.isAlive()) {
            if (isReady(name)) {
                process.stop();
            } else {
                process.kill();
            }
        }
        startAgain(name);
    }

    /** New tokens, signed by a new key; those that were given out hold until this is called again. */
    void rotateTokens() throws IOException {
        DevIdentityProvider identities = required(identityProvider);
        identities.rotate();
        writeTokens(identities);
    }

    /** Gateways, processors and checkpointer, by their names. */
    public List<String> services() {
        synchronized (services) {
            return List.copyOf(services.keySet());
        }
    }

    /**
     * Starts a service or the broker after it ended, and waits until it is ready. {@code cluster.json} names the new process,
     * so that the next start finds it if this one leaves it behind.
     */
    public void startAgain(String name) {
        begin(name);
        awaitReady(name);
    }

    /** As {@link #startAgain}, and waits for nothing. */
    public void begin(String name) {
        launch(process(name));
        try {
            ClusterFile last = ClusterFile.read(data).orElseThrow();
            writeClusterFile(last.origin(), last.ledgerKey(), last.shards());
        } catch (IOException e) {
            throw new UncheckedIOException(data + " cannot be told of the new " + name, e);
        }
    }

    /** A service by its name: {@code gateway-0}, {@code processors-0}, {@code checkpointer}, {@code broker}, {@code registry}. */
    public ManagedProcess process(String name) {
        return processes().stream()
                .filter(process -> process.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no process " + name));
    }

    /** All processes, in the order they are stopped in. */
    public List<ManagedProcess> processes() {
        List<ManagedProcess> all = new ArrayList<>(services.values());
        if (registry != null) {
            all.add(registry);
        }
        brokers.forEach(broker -> all.add(broker.process()));
        return all;
    }

    /** The first, or only, broker. */
    public LocalBroker broker() {
        return required(brokers.isEmpty() ? null : brokers.get(0));
    }

    /** Of all brokers. */
    public String bootstrapServers() {
        return brokers.stream().map(LocalBroker::bootstrapServers).collect(Collectors.joining(","));
    }

    private String bootstrapServersFor(String kind) {
        TcpProxy link = links.get(kind);
        return link == null ? bootstrapServers() : "127.0.0.1:" + link.port();
    }

    /** Between a kind of service, {@code gateway}, {@code processors} or {@code checkpointer}, and the broker. */
    public TcpProxy link(String kind) {
        return required(links.get(kind));
    }

    /** Of the REST API that spoils the links; empty if no faults are allowed. */
    public Optional<URI> toxiproxyUrl() {
        return Optional.ofNullable(toxiproxy).map(ToxiproxyServer::url);
    }

    public Path data() {
        return data;
    }

    public LedgerBootstrap.Identity ledger() {
        return required(ledger);
    }

    public DevIdentityProvider identityProvider() {
        return required(identityProvider);
    }

    /** Where processors and checkpointer tell health and metrics, by the name of the {@link #process}. */
    public URI serviceUrl(String name) {
        return URI.create(url(name));
    }

    /** Base URL of a gateway. */
    public URI gatewayUrl(int number) {
        return URI.create(url(GATEWAY + "-" + number));
    }

    /** Base URL of a gateway's health and metrics. */
    public URI managementUrl(int number) {
        return URI.create(url(GATEWAY + "-" + number + "-management"));
    }

    /** Base of the registry's Confluent API. */
    public URI registryApi() {
        return URI.create("http://127.0.0.1:" + ports.getOrDefault(REGISTRY, 0) + "/apis/ccompat/v7");
    }

    /** Stops everything in order: who writes first, the broker last. Does nothing when it was done. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (control != null) {
            control.close();
        }
        for (ManagedProcess process : processes()) {
            say("stopping " + process.name());
            process.stop();
        }
        links.values().forEach(TcpProxy::close);
        if (toxiproxy != null) {
            toxiproxy.close();
        }
        if (identityProvider != null) {
            identityProvider.close();
        }
        try {
            lockChannel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static <T> T required(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("the cluster has not come that far");
        }
        return value;
    }
}
