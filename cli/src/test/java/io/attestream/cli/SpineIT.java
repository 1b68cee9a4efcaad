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
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int PRODUCERS = 4;
    private static final int EVENTS_BETWEEN = 100;
    private static final int KILLED = 128 + 9;
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
    private Producers producers;

    @BeforeAll
    static void startCluster() throws Exception {
        cluster = LocalCluster.start(new LocalCluster.Options(
                scratch.resolve("data"),
                4,
                2,
                2,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {},
                Map.of()));
        ingesterToken = token("ingester");
        auditor = new Api(cluster.gatewayUrl(0), token("auditor"));
        NoteVerifier key = key();
        monitor = new Monitor(
                key.keyName(),
                key,
                new HttpCheckpointSource(auditor.base(), auditor.token()),
                MonitorState.initial(key.keyName(), key.vkey()));
    }

    @AfterAll
    static void stopCluster() throws IOException {
        cluster.close();
        assertThat(Up.livingProcesses(scratch.resolve("data"))).isEmpty();
    }

    private static String token(String role) throws IOException {
        return Files.readString(ClusterFile.tokenFile(cluster.data(), role)).strip();
    }

    private static NoteVerifier key() throws Exception {
        return NoteVerifier.parse(cluster.ledger().verifierKey());
    }

    @BeforeEach
    void startProducers(TestInfo test) {
        System.out.println("seed " + seed);
        SERVICES.forEach(SpineIT::startAgain);
        List<URI> gateways = List.of(cluster.gatewayUrl(0), cluster.gatewayUrl(1));
        String prefix = Integer.toHexString(test.getDisplayName().hashCode()) + "-";
        producers = new Producers(gateways, ingesterToken, prefix).start(PRODUCERS);
        awaitMoreAcknowledged();
    }

    @AfterEach
    void stopProducers() {
        producers.close();
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

    private static void startAgain(String name) {
        cluster.process(name).start();
        cluster.awaitReady(name);
    }

    // ---- what must hold afterwards

    private void requireAllAccountedFor() throws Exception {
        producers.close();
        Map<String, String> acknowledged = producers.acknowledged();
        System.out.printf("%d events acknowledged, %d sends repeated%n", acknowledged.size(), producers.retries());
        assertThat(producers.broken()).isEmpty();
        assertThat(acknowledged).isNotEmpty();
        requireReceipts(acknowledged);
        requireOneLeafEach(acknowledged);
        requireMonitored();
    }

    /** Every receipt comes to a leaf, or to a duplicate of one. */
    private static void requireReceipts(Map<String, String> acknowledged) throws Exception {
        ExecutorService readers = Executors.newFixedThreadPool(8);
        try {
            List<Future<String>> statuses = new ArrayList<>();
            for (String href : acknowledged.values()) {
                statuses.add(readers.submit(() -> ReceiptCommand.await(auditor, href, PATIENCE)
                        .path("status")
                        .asText()));
            }
            for (Future<String> status : statuses) {
                assertThat(status.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isIn("leaf", "duplicate");
            }
        } finally {
            readers.shutdownNow();
        }
    }

    /** By a second build of all trees from offset 0. */
    private static void requireOneLeafEach(Map<String, String> acknowledged) throws Exception {
        Map<String, Integer> leaves = new ConcurrentHashMap<>();
        Rebuild.Result result = rebuild(new Rebuild.Listener() {
            @Override
            public void leaf(int shard, long index, byte[] entry) {
                JsonNode leaf = read(entry);
                if (leaf.path("kind").asText().equals("event")) {
                    leaves.merge(leaf.path("event").path("id").asText(), 1, Integer::sum);
                }
            }
        });
        assertThat(result).isInstanceOf(Rebuild.Result.Same.class);
        assertThat(leaves).containsKeys(acknowledged.keySet().toArray(String[]::new));
        assertThat(leaves.values()).containsOnly(1);
    }

    private static Rebuild.Result rebuild(Rebuild.Listener listener) throws Exception {
        String servers = cluster.broker().bootstrapServers();
        Topics topics = new Topics(Topics.DEFAULT_PREFIX);
        GenesisReader.Result genesis =
                GenesisReader.read(Map.of("bootstrap.servers", servers), topics, key(), Duration.ofSeconds(30));
        LedgerDefinition ledger = ((GenesisReader.Result.Ready) genesis).ledger();
        return new Rebuild(servers, topics, ledger, 1, listener).run(2);
    }

    private static JsonNode read(byte[] json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void requireMonitored() {
        await("the monitor has seen everything").atMost(PATIENCE).until(() -> {
            MonitorResult result = monitor.check();
            assertThat(result).isNotInstanceOf(MonitorResult.Violation.class);
            return result instanceof MonitorResult.Ok ok && ok.newEpochs() == 0;
        });
    }

    // ---- what dies

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void processorsKilledAtRandomMomentsLoseAndDoubleNothing(int instances) throws Exception {
        // given
        if (instances == 1) {
            cluster.process("processors-1").stop();
        }

        // when
        for (int kill = 0; kill < 3; kill++) {
            awaitRandomMoment();
            String victim = "processors-" + random.nextInt(instances);
            cluster.process(victim).kill();
            awaitRandomMoment();
            startAgain(victim);
        }
        startAgain("processors-1");
        awaitMoreAcknowledged();

        // then
        requireAllAccountedFor();
    }

    @Test
    void aCheckpointerKilledAtRandomMomentsPublishesOneHistory() throws Exception {
        for (int kill = 0; kill < 3; kill++) {
            // when
            awaitRandomMoment();
            cluster.process("checkpointer").kill();
            startAgain("checkpointer");

            // then
            requireMonitored();
        }
        requireAllAccountedFor();
    }

    @Test
    void aBrokerKilledUnderLoadLosesNothingThatWasAcknowledged() throws Exception {
        // when
        cluster.broker().kill();
        await("the gateways say that they cannot take events")
                .atMost(PATIENCE)
                .until(() -> producers.unavailable() > 0);
        cluster.broker().restart();

        // then: everything recovers by itself, but what doubts, which its supervisor starts again
        awaitWithSupervision();
        requireAllAccountedFor();
    }

    private void awaitWithSupervision() {
        int before = producers.acknowledgedCount();
        await("events are acknowledged again").atMost(PATIENCE).until(() -> {
            cluster.processes().forEach(ManagedProcess::start);
            return producers.acknowledgedCount() >= before + EVENTS_BETWEEN;
        });
        await("everything is ready").atMost(PATIENCE).until(() -> {
            cluster.processes().forEach(ManagedProcess::start);
            return cluster.processes().stream().allMatch(ManagedProcess::isAlive);
        });
        SERVICES.forEach(SpineIT::startAgain);
    }

    @Test
    void aGatewayToldToStopAnswersWhatItTook() throws Exception {
        // when
        for (int stop = 0; stop < 2; stop++) {
            awaitRandomMoment();
            cluster.process("gateway-1").stop();
            assertThat(cluster.process("gateway-1").exitCode())
                    .as("it ended by itself, in time")
                    .isNotEqualTo(KILLED);
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
        List<String> statuses = hrefs.stream()
                .map(href -> ReceiptCommand.await(auditor, href, PATIENCE)
                        .path("status")
                        .asText())
                .toList();
        assertThat(statuses).filteredOn("leaf"::equals).hasSize(1);
        assertThat(statuses).filteredOn("duplicate"::equals).hasSize(63);
        requireAllAccountedFor();
    }

    @Test
    void otherContentIsAConflictLeafToWhichTheSecondAnswerLeads() throws Exception {
        // when
        String event = Producers.event("twice-" + seed);
        JsonNode first = sendAndAwait(event);
        JsonNode second = sendAndAwait(event.replace("\"data\":{", "\"data\":{\"changed\":true,"));
        JsonNode third = sendAndAwait(event);

        // then
        assertThat(first.path("status").asText()).isEqualTo("leaf");
        assertThat(second.path("status").asText()).isEqualTo("conflict");
        assertThat(second.has("bundle")).isTrue();
        assertThat(second.path("leafIndex").asLong())
                .isGreaterThan(first.path("leafIndex").asLong());
        assertThat(third.path("status").asText()).isEqualTo("duplicate");
        requireAllAccountedFor();
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
