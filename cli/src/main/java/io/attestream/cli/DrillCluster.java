// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.LedgerBootstrap;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.ArchiveRestore;
import io.attestream.checkpointer.ArchiveRestorePoint;
import io.attestream.objects.ObjectStores;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The isolated cluster of a drill, and what is done to it. */
final class DrillCluster implements AutoCloseable {
    static final String PROCESSORS = "processors-0";
    static final String CHECKPOINTER = "checkpointer";

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final long POLL_NANOS = 100_000_000;
    private static final Topics TOPICS = new Topics(Topics.DEFAULT_PREFIX);

    /** So that there is something in packs, and segments have gone. */
    private static final Map<String, String> SMALL_PACKS =
            Map.of("ATTESTREAM_PACKS_LEAVES_MAX", "256", "ATTESTREAM_PACKS_SEGMENT_GRACE_MILLIS", "1000");

    private final LocalCluster.Options options;
    /** The load asks from a thread of its own. */
    private volatile LocalCluster cluster;

    /** By role; the files are written anew while the cluster is replaced. */
    private final Map<String, String> tokens = new ConcurrentHashMap<>();

    private int generation = 1;
    /** Group offsets before they were deleted. */
    private Map<TopicPartition, OffsetAndMetadata> offsets = Map.of();

    private List<String> changelogs = List.of();

    private DrillCluster(LocalCluster.Options options) {
        this.options = options;
        this.cluster = LocalCluster.start(options);
    }

    static DrillCluster start(Path data, int shards, Consumer<String> progress) {
        return new DrillCluster(new LocalCluster.Options(
                data,
                shards,
                1,
                1,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                progress,
                Map.of(CHECKPOINTER, SMALL_PACKS),
                false));
    }

    /** With two instances of processors, snapshots all the time, and packs that go after a second. */
    static DrillCluster startForFaults(Path data, LocalCluster.Topology topology, Consumer<String> progress) {
        Map<String, String> checkpointer = new HashMap<>(SMALL_PACKS);
        checkpointer.put("ATTESTREAM_SNAPSHOTS_INTERVAL_MILLIS", "2000");
        return startWithTwoProcessors(data, topology, Map.of(CHECKPOINTER, checkpointer), progress);
    }

    /** With two instances of processors, and what users have by default but for these settings. */
    static DrillCluster startWithTwoProcessors(
            Path data,
            LocalCluster.Topology topology,
            Map<String, Map<String, String>> settings,
            Consumer<String> progress) {
        Map<String, Map<String, String>> all = new HashMap<>(settings);
        if (topology.brokers() > 1) {
            // Changelogs are to be there when a broker is not.
            Map<String, String> processors = new HashMap<>(settings.getOrDefault("processors", Map.of()));
            processors.put("ATTESTREAM_DEV", "false");
            all.put("processors", processors);
        }
        return new DrillCluster(new LocalCluster.Options(
                data,
                2,
                2,
                1,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                progress,
                Map.copyOf(all),
                false,
                topology));
    }

    LocalCluster local() {
        return cluster;
    }

    // ---- what there is

    Path data() {
        return options.data();
    }

    int shards() {
        return options.shards();
    }

    int generation() {
        return generation;
    }

    String vkey() {
        return cluster.ledger().verifierKey();
    }

    String bootstrapServers() {
        return cluster.bootstrapServers();
    }

    Topics topics() {
        return TOPICS;
    }

    Path objects() {
        return data().resolve("objects");
    }

    /** Where a ledger is restored to that is only read. */
    Path restored() {
        return data().resolve("restored");
    }

    Api api(String role) {
        String token = tokens.computeIfAbsent(
                role,
                any -> LocalFiles.readText(ClusterFile.tokenFile(data(), any)).strip());
        return new Api(cluster.gatewayUrl(0), token);
    }

    LedgerDefinition definition() {
        GenesisReader.Result result = GenesisReader.read(
                Map.of("bootstrap.servers", bootstrapServers()), TOPICS, Connection.parseKey(vkey()), PATIENCE);
        if (result instanceof GenesisReader.Result.Ready ready) {
            return ready.ledger();
        }
        throw new IllegalStateException("the drill's ledger cannot be read: " + result);
    }

    /** Objects below a prefix of their names. */
    int countObjects(String prefix) {
        return listObjects(prefix).size();
    }

    List<String> listObjects(String prefix) {
        try {
            return ObjectStores.openForWriting(objects().toString()).list(prefix);
        } catch (IOException e) {
            throw new UncheckedIOException("the objects below " + prefix + " cannot be listed", e);
        }
    }

    /** What there is of the processors' state. */
    String describeStateDirectories() {
        Path state = data().resolve("state");
        try (Stream<Path> files = Files.list(state)) {
            long left = files.count();
            return left == 0 ? "there is no state in " + state : state + " has " + left + " directories";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether there is a broker. */
    String describeBroker() {
        URI broker = URI.create("kafka://" + bootstrapServers());
        try (Socket socket = new Socket(broker.getHost(), broker.getPort())) {
            return "a broker answers at " + socket.getRemoteSocketAddress();
        } catch (IOException e) {
            return "no broker answers at " + bootstrapServers() + ": " + e.getMessage();
        }
    }

    Map<TopicPartition, OffsetAndMetadata> groupOffsets() {
        return admin(admin -> admin.listConsumerGroupOffsets(TOPICS.sequencerGroup(generation))
                .partitionsToOffsetAndMetadata());
    }

    List<String> changelogs() {
        String group = TOPICS.sequencerGroup(generation) + "-";
        return admin(admin -> admin.listTopics().names()).stream()
                .filter(name -> name.startsWith(group) && name.endsWith("-changelog"))
                .sorted()
                .toList();
    }

    // ---- what is lost

    void kill(String process) {
        cluster.process(process).kill();
    }

    void deleteStateDirectories() {
        deleteBelow(data().resolve("state"));
    }

    void deleteSnapshots() {
        listObjects("snapshots/").stream().map(objects()::resolve).forEach(DrillCluster::delete);
    }

    void deleteObjects() {
        deleteBelow(objects());
    }

    /** Nothing of the cluster is left but its objects and what its processes had logged. */
    void loseAllButObjects() {
        lose("kafka", "state", "registry", "keys");
    }

    void loseKafka() {
        lose("kafka", "state");
    }

    private void lose(String... directories) {
        cluster.processes().forEach(ManagedProcess::kill);
        for (String directory : directories) {
            deleteBelow(data().resolve(directory));
        }
    }

    void deleteChangelogs() {
        changelogs = changelogs();
        deleteTopics(changelogs);
    }

    private void deleteTopics(List<String> names) {
        admin(admin -> admin.deleteTopics(names).all());
        await(
                "topics are gone",
                () -> admin(admin -> admin.listTopics().names()).stream().noneMatch(names::contains));
    }

    void deleteGroup() {
        offsets = groupOffsets();
        emptyGroup();
        admin(admin -> admin.deleteConsumerGroups(List.of(TOPICS.sequencerGroup(generation)))
                .all());
    }

    /** A static member that was killed is one until its session ends. */
    private void emptyGroup() {
        admin(admin -> admin.removeMembersFromConsumerGroup(
                        TOPICS.sequencerGroup(generation), new RemoveMembersFromConsumerGroupOptions())
                .all());
    }

    static void deleteBelow(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder())
                    .filter(path -> !path.equals(directory))
                    .toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(directory + " cannot be emptied", e);
        }
    }

    // ---- what is spoilt

    void createEmptyChangelogs() {
        endIfItRuns(PROCESSORS);
        admin(admin -> admin.createTopics(changelogs.stream()
                        .map(name ->
                                new NewTopic(name, shards(), (short) 1).configs(Map.of("cleanup.policy", "compact")))
                        .toList())
                .all());
    }

    void shiftGroupOffsets(long by) {
        endIfItRuns(PROCESSORS);
        Map<TopicPartition, OffsetAndMetadata> shifted = new HashMap<>();
        offsets.forEach((partition, offset) ->
                shifted.put(partition, new OffsetAndMetadata(offset.offset() + (partition.partition() == 0 ? by : 0))));
        emptyGroup();
        admin(admin -> admin.alterConsumerGroupOffsets(TOPICS.sequencerGroup(generation), shifted)
                .all());
    }

    private void endIfItRuns(String process) {
        if (cluster.process(process).isAlive()) {
            cluster.process(process).stop();
        }
    }

    /** Of the newest segment: a pack may take the place of an older one meanwhile. */
    void flipABitOfASegment() {
        List<String> names = listObjects("segments/");
        flipABit(objects().resolve(names.get(names.size() - 1)));
    }

    /** What the store has of this epoch and those behind it, below these prefixes, is gone. */
    void forgetFromEpoch(long epoch, List<String> prefixes) {
        for (String prefix : prefixes) {
            listObjects(prefix).stream()
                    .filter(name -> Long.parseLong(name.replaceAll("\\D", "")) >= epoch)
                    .map(objects()::resolve)
                    .forEach(DrillCluster::delete);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be deleted", e);
        }
    }

    /** As by {@code attestream init} on the empty cluster. */
    void makeANewLedger() {
        cluster.close();
        cluster = LocalCluster.start(
                options.withBootstrap(new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)).anyhow()));
    }

    /** Of the oldest pack, which an epoch has logged. */
    void flipABitOfAPack() {
        flipABit(objects().resolve(listObjects("packs/").get(0)));
    }

    /** @param file below {@link #restored()}, of more than 100 bytes; not in what says how long its first entry is */
    void flipABitOfARestored(String file) {
        flipABit(restored().resolve(file), 100);
    }

    static void flipABit(Path file) {
        flipABit(file, (int) (file.toFile().length() / 2));
    }

    private static void flipABit(Path file, int at) {
        // Nothing but this byte: somebody may be reading.
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ 1)).rewind();
            channel.write(one, at);
        } catch (IOException e) {
            throw new UncheckedIOException("no bit of " + file + " can be flipped", e);
        }
    }

    /** The files below a directory of {@link #restored()}, by their paths in it, sorted. */
    List<String> restoredFiles(String directory) {
        try (Stream<Path> files = Files.walk(restored().resolve(directory))) {
            return files.filter(Files::isRegularFile)
                    .map(file -> restored().relativize(file).toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- how it comes back

    /** Starts a process that has to end by itself, and returns the end of its log. */
    String startExpectingRefusal(String process) {
        ManagedProcess refusing = cluster.process(process);
        refusing.start();
        await(process + " refuses", () -> !refusing.isAlive());
        return refusing.logTail();
    }

    /** Starts everything as if nothing had happened, which has to end by itself, and returns what it says. */
    String startAllExpectingRefusal() {
        cluster.close();
        try {
            cluster = LocalCluster.start(options);
        } catch (CliException e) {
            return String.valueOf(e.getMessage());
        }
        throw new IllegalStateException("the cluster started as if nothing had been lost");
    }

    /** @throws IllegalStateException if it is refused, or a service ends instead of becoming ready */
    void restoreKafka(Checkpoint kept) {
        cluster.close();
        generation++;
        try {
            cluster = LocalCluster.start(
                    options.withNewGeneration().withBootstrap(new RestoreBootstrap(Optional.of(kept))));
        } catch (CliException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
        tokens.clear();
    }

    /** @throws IllegalStateException with the end of its log if it ends instead of becoming ready */
    void startAgain(String process) {
        cluster.startAgain(process);
    }

    void beginNewGeneration() {
        cluster.close();
        generation++;
        cluster = LocalCluster.start(options.withNewGeneration());
        tokens.clear();
    }

    /**
     * Begins it with the state of the epoch published last.
     *
     * @param spoil run once it has begun, before any service is started
     * @throws IllegalStateException if it is refused, or a service ends instead of becoming ready
     */
    void beginNewGenerationFromArchive(Consumer<LedgerBootstrap.Environment> spoil) {
        cluster.close();
        generation++;
        Bootstrap bootstrap =
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)).fromArchive(OptionalLong.empty());
        try {
            cluster = LocalCluster.start(options.withNewGeneration().withBootstrap(environment -> {
                LedgerBootstrap.Identity identity = bootstrap.prepare(environment);
                spoil.accept(environment);
                return identity;
            }));
        } catch (CliException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
        tokens.clear();
    }

    /** The window of the sequencer lost what it remembered of full tiles: their records are deleted from its changelog. */
    void truncateWindowChangelog(LedgerBootstrap.Environment environment) {
        String changelog = TOPICS.sequencerGroup(environment.generation()) + "-window-changelog";
        Map<String, Object> connection = Map.of("bootstrap.servers", environment.bootstrapServers());
        try (Producer<byte[], byte[]> producer =
                new KafkaProducer<>(connection, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int shard = 0; shard < shards(); shard++) {
                byte[] firstTile = new byte[Integer.BYTES];
                var unused = producer.send(new ProducerRecord<>(changelog, shard, firstTile, null));
            }
        }
    }

    void restoreObjects() {
        ArchiveRestore.Result result;
        try {
            result = ArchiveRestore.open(
                            KafkaConnection.of(bootstrapServers()),
                            TOPICS,
                            definition(),
                            ObjectStores.openForWriting(objects().toString()),
                            ArchiveRestore.Listener.NONE)
                    .run();
        } catch (IOException e) {
            throw new UncheckedIOException("the object store cannot be used", e);
        }
        if (!(result instanceof ArchiveRestore.Result.Restored)) {
            throw new IllegalStateException("the objects were not restored: " + result);
        }
    }

    /** Into {@link #restored()}. */
    void restorePointInTime(long epoch) {
        try {
            ArchiveRestorePoint.Result result = new ArchiveRestorePoint(
                            Connection.parseKey(vkey()),
                            ObjectStores.open(objects().toString()),
                            epoch,
                            restored(),
                            Optional.empty(),
                            ArchiveCheck.Listener.NONE)
                    .run();
            if (result instanceof ArchiveRestorePoint.Result.Refused refused) {
                throw new IllegalStateException("refused: " + DrillChecks.first(refused.findings(), refused.found()));
            }
            if (result instanceof ArchiveRestorePoint.Result.Undecided undecided) {
                throw new IllegalStateException("nothing was restored: " + undecided.detail());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the object store cannot be used", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Processes that do not run, and what each said last. */
    List<String> ended() {
        return cluster.processes().stream()
                .filter(process -> !process.isAlive())
                .map(process -> process.name() + ": " + process.logTail())
                .toList();
    }

    @Override
    public void close() {
        cluster.close();
    }

    // ---- the broker

    private interface AdminCall<T> {
        KafkaFuture<T> call(Admin admin);
    }

    private <T> T admin(AdminCall<T> call) {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()))) {
            return call.call(admin).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the drill's broker did not do what was asked: " + e.getMessage(), e);
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("not within " + PATIENCE.toSeconds() + " s: " + what);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
