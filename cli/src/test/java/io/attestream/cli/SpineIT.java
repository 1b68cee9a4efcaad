// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import io.attestream.checkpointer.Rebuild;
import io.attestream.checkpointer.monitor.HttpCheckpointSource;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorResult;
import io.attestream.checkpointer.monitor.MonitorState;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.EventResult;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The whole spine as real processes under load, and something dies. After each: every acknowledged event is exactly one leaf,
 * the trees built again from offset 0 are the published ones, and a monitor outside finds every transition good.
 */
class SpineIT {
    /** Receipts and proofs eight readers get in a second, at least. */
    private static final int PROOFS_PER_SECOND_MIN = 20;

    /** Of more events than these, so many are proved, chosen at random; that each is one leaf the rebuild says of all. */
    private static final int PROOFS_MAX = Integer.getInteger("attestream.proofs", 1_000);

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int KILLS = Integer.getInteger("attestream.kills", 3);
    private static final int PRODUCERS = 3;
    private static final int EVENTS_BETWEEN = 100;
    /** So often that it is killed before, in and after snapshots and packs, and begins from what it finds then. */
    private static final Map<String, String> CHECKPOINTER = Map.of(
            "ATTESTREAM_SNAPSHOTS_INTERVAL_MILLIS", "4000",
            "ATTESTREAM_SNAPSHOTS_KEPT", "2",
            "ATTESTREAM_PACKS_AGE_MILLIS_MAX", "3000");

    private static final int SHARDS = 4;
    private static final int TERMINATED = 128 + 15;
    private static final Set<Integer> ALL_SHARDS =
            IntStream.range(0, SHARDS).boxed().collect(Collectors.toSet());
    private static final List<String> SERVICES =
            List.of("processors-0", "processors-1", "checkpointer", "gateway-0", "gateway-1");

    @TempDir
    private static Path scratch;

    private static LocalCluster cluster;
    private static String ingesterToken;
    private static Api auditor;
    private static Monitor monitor;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private final Map<String, Long> pids = new HashMap<>();
    private long monitoredBefore;
    private Producers producers;
    private CheckpointWatch watch;

    @BeforeAll
    static void startCluster() throws Exception {
        cluster = LocalCluster.start(new LocalCluster.Options(
                scratch.resolve("data"),
                SHARDS,
                2,
                2,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {},
                Map.of("checkpointer", CHECKPOINTER),
                false));
        ingesterToken = token("ingester");
        auditor = new Api(cluster.gatewayUrl(0), token("auditor"));
        NoteVerifier key = key();
        monitor = new Monitor(
                key.keyName(),
                key,
                new HttpCheckpointSource(auditor.base(), auditor.token()),
                MonitorState.initial(key.keyName(), key));
    }

    @AfterAll
    static void stopCluster() throws IOException {
        cluster.close();
        assertThat(cluster.processes()).noneMatch(ManagedProcess::isAlive);
        assertThat(Up.livingProcesses(scratch.resolve("data"))).isEmpty();
    }

    private static String token(String role) throws IOException {
        return Files.readString(ClusterFile.tokenFile(cluster.data(), role)).strip();
    }

    private static NoteVerifier key() throws Exception {
        return NoteVerifier.parse(cluster.ledger().verifierKey());
    }

    @BeforeEach
    void startProducers(TestInfo test) throws Exception {
        System.out.println("seed " + seed);
        SERVICES.forEach(cluster::startAgain);
        cluster.processes().forEach(process -> pids.put(process.name(), process.pid()));
        monitoredBefore = monitor.state().ledgerSize().value();
        List<URI> gateways = List.of(cluster.gatewayUrl(0), cluster.gatewayUrl(1));
        watch = new CheckpointWatch(
                key(),
                gateways.stream()
                        .map(gateway -> new Api(gateway, auditor.token().orElseThrow()))
                        .toList());
        String prefix = Integer.toHexString(test.getDisplayName().hashCode()) + "-";
        producers = new Producers(gateways, ingesterToken, prefix).start(PRODUCERS);
        awaitMoreAcknowledged();
    }

    @AfterEach
    void onlyWhatTheTestEndedHasEnded() throws IOException {
        producers.close();
        watch.close();
        assertThat(cluster.processes()).allSatisfy(process -> {
            assertThat(process.isAlive()).as(process.name() + " lives").isTrue();
            assertThat(process.pid()).as(process.name()).isEqualTo(pids.get(process.name()));
        });
        assertThat(Up.livingProcesses(cluster.data()))
                .as("the next start would find every process")
                .containsExactlyInAnyOrderElementsOf(pids.keySet());
    }

    private void awaitMoreAcknowledged() {
        int before = producers.acknowledgedCount();
        await("events are acknowledged")
                .atMost(PATIENCE)
                .until(() -> producers.acknowledgedCount() >= before + EVENTS_BETWEEN);
    }

    private void awaitRandomMoment() {
        int events = producers.acknowledgedCount() + random.nextInt(EVENTS_BETWEEN);
        await("a random moment")
                .atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .until(() -> producers.acknowledgedCount() >= events);
    }

    private void startAgain(String name) {
        cluster.startAgain(name);
        pids.put(name, cluster.process(name).pid());
    }

    private static void stop(String name) {
        ManagedProcess process = cluster.process(name);
        assertThat(process.isAlive()).as(name + " lives").isTrue();
        process.stop();
        assertThat(process.exitCode()).as(name + " ended by itself, in time").isIn(0, TERMINATED);
    }

    /** One of the first instances that has shards to work on; after a takeover one may have none for a while. */
    private String awaitWorker(int instances) {
        List<String> workers = new ArrayList<>();
        await("an instance has shards").atMost(PATIENCE).until(() -> {
            for (int i = 0; i < instances; i++) {
                if (!shardsOf("processors-" + i).isEmpty()) {
                    workers.add("processors-" + i);
                }
            }
            return !workers.isEmpty();
        });
        return workers.get(random.nextInt(workers.size()));
    }

    private static Set<Integer> shardsOf(String processors) throws IOException {
        int port = ClusterFile.read(cluster.data()).orElseThrow().ports().get(processors);
        Api instance = new Api(URI.create("http://127.0.0.1:" + port), null);
        Set<Integer> shards = new HashSet<>();
        for (JsonNode check :
                instance.get("/health/ready", "application/json").json().path("checks")) {
            check.at("/data/shards").fieldNames().forEachRemaining(shard -> shards.add(Integer.parseInt(shard)));
        }
        return shards;
    }

    /** Waits until something new of each of these shards is sealed and committed: whoever has them works. */
    private static void awaitSealed(Set<Integer> shards) {
        String sealed = new Topics(Topics.DEFAULT_PREFIX).sealed();
        List<TopicPartition> partitions =
                shards.stream().map(shard -> new TopicPartition(sealed, shard)).toList();
        Map<String, Object> committedOnly =
                Map.of("bootstrap.servers", cluster.broker().bootstrapServers(), "isolation.level", "read_committed");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(committedOnly, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position);
            Set<Integer> standing = new HashSet<>(shards);
            await("shards " + shards + " go on").atMost(PATIENCE).until(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(delta -> standing.remove(delta.partition()));
                return standing.isEmpty();
            });
        }
    }

    // ---- what must hold afterwards

    private Trees requireAllAccountedFor() throws Exception {
        producers.close();
        watch.close();
        Map<String, String> acknowledged = producers.acknowledged();
        System.out.printf("%d events acknowledged, %d sends repeated%n", acknowledged.size(), producers.retries());
        assertThat(producers.broken()).isEmpty();
        assertThat(acknowledged).isNotEmpty();
        Map<String, Leaf> proven = requireProven(sample(acknowledged));
        requireMonitoredTo(Math.max(monitoredBefore + 1, watch.largest()));
        watch.requireOneHistory(monitor.state());
        Trees trees = rebuild();
        Map<String, Leaf> leaves = trees.events();
        assertThat(leaves).as("one leaf each, where its proof says").containsAllEntriesOf(proven);
        assertThat(leaves.keySet().containsAll(acknowledged.keySet()))
                .as("every acknowledged event is a leaf")
                .isTrue();
        return trees;
    }

    private Map<String, String> sample(Map<String, String> acknowledged) {
        List<String> ids = new ArrayList<>(acknowledged.keySet());
        Collections.sort(ids);
        Collections.shuffle(ids, random);
        return ids.stream().limit(PROOFS_MAX).collect(Collectors.toMap(id -> id, acknowledged::get));
    }

    /** Every receipt comes to a leaf that holds what was sent, or to a duplicate of one: shown offline by its bundle. */
    private static Map<String, Leaf> requireProven(Map<String, String> acknowledged) throws Exception {
        ExecutorService readers = Executors.newFixedThreadPool(8);
        try {
            Map<String, Future<Leaf>> answers = new HashMap<>();
            acknowledged.forEach((id, href) -> answers.put(
                    id,
                    readers.submit(() -> proven(Producers.event(id), ReceiptCommand.await(auditor, href, PATIENCE)))));
            Map<String, Leaf> leaves = new HashMap<>();
            // Whichever is asked for first may be the last to be read: there is a limit for all, not for each.
            long patienceSeconds = PATIENCE.toSeconds() + acknowledged.size() / PROOFS_PER_SECOND_MIN;
            long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(patienceSeconds);
            for (Map.Entry<String, Future<Leaf>> answer : answers.entrySet()) {
                long leftNanos = deadlineNanos - System.nanoTime();
                leaves.put(answer.getKey(), answer.getValue().get(leftNanos, TimeUnit.NANOSECONDS));
            }
            return leaves;
        } finally {
            readers.shutdownNow();
        }
    }

    private static Leaf proven(String event, JsonNode receipt) throws Exception {
        assertThat(receipt.path("status").asText()).isIn("leaf", "duplicate");
        ProofBundle bundle = ProofBundle.parse(receipt.path("bundle").toString().getBytes(StandardCharsets.UTF_8));
        CloudEvent sent = ((EventResult.Accepted) Events.read(event.getBytes(StandardCharsets.UTF_8))).event();
        BundleReport report = new BundleVerifier(key())
                .expectingShards(SHARDS)
                .verify(bundle, new EventToCheck(sent.attributes(), sent.payload()));
        assertThat(report.ok()).as(report.toString()).isTrue();
        Leaf leaf = new Leaf(
                ShardHead.parse(bundle.head()).shard(), bundle.leafIndex().value());
        assertThat(leaf)
                .isEqualTo(new Leaf(
                        receipt.path("shard").asInt(), receipt.path("leafIndex").asLong()));
        return leaf;
    }

    private record Leaf(int shard, long index) {}

    /** What a second build of all trees from offset 0 goes through. */
    private static final class Trees implements Rebuild.Listener {
        private final Map<String, List<Leaf>> events = new ConcurrentHashMap<>();
        /** By the leaf each refers to. */
        private final Map<Leaf, List<Leaf>> conflicts = new ConcurrentHashMap<>();

        private final Map<Integer, Long> sizes = new ConcurrentHashMap<>();
        private final Queue<String> gaps = new ConcurrentLinkedQueue<>();

        @Override
        public void leaf(int shard, long index, byte[] entry) {
            if (index != sizes.merge(shard, 1L, Long::sum) - 1) {
                gaps.add("shard " + shard + " at " + index);
            }
            JsonNode read = read(entry);
            Leaf leaf = new Leaf(shard, index);
            if (read.path("kind").asText().equals("event")) {
                add(events, read.path("event").path("id").asText(), leaf);
            } else if (read.path("kind").asText().equals("conflict")) {
                add(conflicts, new Leaf(shard, read.at("/ref/index").asLong()), leaf);
            }
        }

        private static <K> void add(Map<K, List<Leaf>> map, K key, Leaf leaf) {
            map.computeIfAbsent(key, any -> new CopyOnWriteArrayList<>()).add(leaf);
        }

        /** The leaf of each id; one with several fails. */
        Map<String, Leaf> events() {
            assertThat(events.values()).allSatisfy(leaves -> assertThat(leaves).hasSize(1));
            return events.entrySet().stream()
                    .collect(Collectors.toMap(
                            Map.Entry::getKey, event -> event.getValue().get(0)));
        }
    }

    private static Trees rebuild() throws Exception {
        String servers = cluster.broker().bootstrapServers();
        Topics topics = new Topics(Topics.DEFAULT_PREFIX);
        GenesisReader.Result genesis =
                GenesisReader.read(Map.of("bootstrap.servers", servers), topics, key(), Duration.ofSeconds(30));
        LedgerDefinition ledger = ((GenesisReader.Result.Ready) genesis).ledger();
        Trees trees = new Trees();
        assertThat(new Rebuild(KafkaConnection.of(servers), topics, ledger, Rebuild.Reading.DECODED, trees).run(2))
                .isInstanceOf(Rebuild.Result.Same.class);
        assertThat(trees.gaps).isEmpty();
        return trees;
    }

    private static JsonNode read(byte[] json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A monitor finds every transition good, up to at least this size: a log that stands still is not good. */
    private static void requireMonitoredTo(long size) {
        await("the monitor has verified " + size + " epochs").atMost(PATIENCE).until(() -> {
            MonitorResult result = monitor.check();
            assertThat(result).isNotInstanceOf(MonitorResult.Violation.class);
            return result instanceof MonitorResult.Ok ok && ok.size().value() >= size;
        });
    }

    // ---- what dies

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void processorsKilledAtRandomMomentsLoseAndDoubleNothing(int instances) throws Exception {
        // given
        if (instances == 1) {
            stop("processors-1");
            awaitSealed(ALL_SHARDS);
        }

        // when: it dies while it works, and comes back before its shards are given away, or after
        for (int kill = 0; kill < KILLS; kill++) {
            String victim = awaitWorker(instances);
            Set<Integer> shards = shardsOf(victim);
            awaitSealed(shards);
            awaitRandomMoment();
            cluster.process(victim).kill();
            if (instances > 1 && kill == 0) {
                awaitSealed(shards);
            } else {
                awaitRandomMoment();
            }
            startAgain(victim);
        }
        startAgain("processors-1");
        awaitSealed(ALL_SHARDS);

        // then
        requireAllAccountedFor();
    }

    @Test
    void aCheckpointerKilledAtRandomMomentsPublishesOneHistory() throws Exception {
        for (int kill = 0; kill < KILLS; kill++) {
            // when
            awaitRandomMoment();
            cluster.process("checkpointer").kill();
            startAgain("checkpointer");

            // then
            requireMonitoredTo(watch.largest() + 1);
        }
        requireAllAccountedFor();
        watch.requireNoFall();
    }

    @Test
    void aBrokerKilledUnderLoadLosesNothingThatWasAcknowledged() throws Exception {
        // when
        int unavailableBefore = producers.unavailable();
        cluster.broker().kill();
        await("the gateways say that they cannot take events")
                .atMost(PATIENCE)
                .until(() -> producers.unavailable() > unavailableBefore);
        startAgain("broker");

        // then: everything recovers by itself, but what doubts, which its supervisor starts again
        long published = watch.largest();
        int acknowledged = producers.acknowledgedCount();
        await("events are acknowledged and published again").atMost(PATIENCE).until(() -> {
            supervise();
            return producers.acknowledgedCount() >= acknowledged + EVENTS_BETWEEN && watch.largest() > published;
        });
        SERVICES.forEach(cluster::awaitReady);
        awaitSealed(ALL_SHARDS);
        requireAllAccountedFor();
    }

    /** The checkpointer ends by design when it cannot know whether a commit came through. Nothing else may. */
    private void supervise() {
        if (!cluster.process("checkpointer").isAlive()) {
            startAgain("checkpointer");
        }
    }

    @Test
    void aGatewayToldToStopAnswersWhatItTook() throws Exception {
        // when
        for (int times = 0; times < 2; times++) {
            awaitRandomMoment();
            stop("gateway-1");
            awaitRandomMoment();
            startAgain("gateway-1");
        }

        // then
        requireAllAccountedFor();
    }

    // ---- one id many times

    @Test
    void aRetryStormOfOneIdThroughTwoGatewaysIsOneLeaf() throws Exception {
        // when
        String id = "storm-" + seed;
        List<String> hrefs = inParallel(64, sender -> {
            HttpResponse<String> answer = producers.post(cluster.gatewayUrl(sender % 2), Producers.event(id));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
            return Producers.receipt(answer);
        });

        // then
        assertThat(hrefs).doesNotHaveDuplicates();
        List<String> statuses = new ArrayList<>();
        Set<Leaf> leaves = new HashSet<>();
        for (String href : hrefs) {
            JsonNode receipt = ReceiptCommand.await(auditor, href, PATIENCE);
            statuses.add(receipt.path("status").asText());
            leaves.add(proven(Producers.event(id), receipt));
        }
        assertThat(statuses).filteredOn("leaf"::equals).hasSize(1);
        assertThat(statuses).filteredOn("duplicate"::equals).hasSize(63);
        assertThat(leaves).containsExactly(requireAllAccountedFor().events().get(id));
    }

    @Test
    void otherContentIsAConflictLeafToWhichTheSecondAnswerLeads() throws Exception {
        // when
        String id = "twice-" + seed;
        String event = Producers.event(id);
        JsonNode first = sendAndAwait(event);
        JsonNode second = sendAndAwait(event.replace("\"data\":{", "\"data\":{\"changed\":true,"));
        JsonNode third = sendAndAwait(event);

        // then
        assertThat(first.path("status").asText()).isEqualTo("leaf");
        assertThat(third.path("status").asText()).isEqualTo("duplicate");
        Leaf leaf = proven(event, first);
        assertThat(proven(event, third)).isEqualTo(leaf);
        assertThat(second.path("status").asText()).isEqualTo("conflict");
        assertThat(second.path("ref").asLong()).isEqualTo(leaf.index());
        Leaf conflict =
                new Leaf(second.path("shard").asInt(), second.path("leafIndex").asLong());
        Trees trees = requireAllAccountedFor();
        assertThat(trees.events()).containsEntry(id, leaf);
        assertThat(trees.conflicts.get(leaf)).containsExactly(conflict);
    }

    private JsonNode sendAndAwait(String event) throws Exception {
        HttpResponse<String> answer = producers.post(cluster.gatewayUrl(1), event);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        return ReceiptCommand.await(auditor, Producers.receipt(answer), PATIENCE);
    }

    private interface Sender {
        String send(int number) throws Exception;
    }

    private static List<String> inParallel(int senders, Sender sender) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(senders);
        try {
            List<Callable<String>> tasks = IntStream.range(0, senders)
                    .mapToObj(number -> (Callable<String>) () -> sender.send(number))
                    .toList();
            List<String> results = new ArrayList<>();
            for (Future<String> future : executor.invokeAll(tasks, PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                results.add(future.get());
            }
            return results;
        } finally {
            executor.shutdownNow();
        }
    }
}
