// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.Installation;
import io.attestream.chaos.JvmCommand;
import io.attestream.chaos.LocalBroker;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.LedgerInitializer;
import io.attestream.schemas.topics.TopicContract;
import io.attestream.schemas.wire.ConfluentWire;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The packaged gateway as a process, on a real broker: what a 2xx is worth when things die. */
class GatewayIT {
    private static final int SHARDS = 2;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Topics TOPICS = new Topics("it");

    @TempDir
    static Path directory;

    private static LocalBroker broker;
    private static IdentityProvider issuer;
    private static NoteSigner signer;
    private static LedgerDefinition ledger;

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private Process gateway;
    private Path log;
    private int port;
    private int managementPort;

    @BeforeAll
    static void makeTheLedger() throws IOException {
        issuer = new IdentityProvider();
        Files.createDirectory(directory.resolve("objects"));
        broker = LocalBroker.start(directory.resolve("kafka"));
        signer = NoteSigner.generate("ledger.test/it", new SecureRandom());
        byte[] tagKey = new byte[32];
        Files.writeString(directory.resolve("tag.key"), Base64.getEncoder().encodeToString(tagKey));
        Files.writeString(directory.resolve("internal.secret"), "a-secret-that-is-long-enough");
        List<SchemaText> schemas = new ArrayList<>();
        SchemaTexts.current()
                .forEach((name, schema) -> schemas.add(
                        new SchemaText(name, schemas.size() + 1, SchemaTexts.fingerprint(schema), schema.toString())));
        Rules rules = Rules.initial(List.of(schemas.get(0).fingerprint()));
        ledger = initialize(TOPICS, rules, schemas);
    }

    private static LedgerDefinition initialize(Topics topics, Rules rules, List<SchemaText> schemas) {
        LedgerInitializer.Result result = new LedgerInitializer(
                        Map.of("bootstrap.servers", broker.bootstrapServers()),
                        topics,
                        new TopicContract(topics, SHARDS, rules.maxPayloadBytes(), true),
                        signer,
                        rules,
                        schemas,
                        1,
                        Duration.ofSeconds(30))
                .run();
        return ((LedgerInitializer.Result.Complete) result).ledger();
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
        issuer.close();
    }

    @AfterEach
    void stopGateway() throws InterruptedException {
        if (gateway != null && gateway.isAlive()) {
            gateway.destroy();
            if (!gateway.waitFor(40, TimeUnit.SECONDS)) {
                gateway.destroyForcibly().waitFor();
            }
        }
    }

    private Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>(issuer.environment());
        environment.put("AUTH_POLICY", "jwks_rbac");
        environment.put("QUARKUS_HTTP_PORT", Integer.toString(port));
        environment.put("QUARKUS_MANAGEMENT_PORT", Integer.toString(managementPort));
        environment.put("ATTESTREAM_DEV", "true");
        environment.put("ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS", broker.bootstrapServers());
        environment.put("ATTESTREAM_TOPICS_PREFIX", TOPICS.prefix());
        environment.put("ATTESTREAM_LEDGER_VERIFIER_KEY", signer.verifier().vkey());
        environment.put(
                "ATTESTREAM_INTERNAL_SECRET_FILE",
                directory.resolve("internal.secret").toString());
        environment.put("ATTESTREAM_PROOFS_URLS", "http://127.0.0.1:1");
        environment.put(
                "ATTESTREAM_OBJECTS_LOCATION", directory.resolve("objects").toString());
        environment.put(
                "ATTESTREAM_DOOR_CONTENT_TAG_KEY_FILE",
                directory.resolve("tag.key").toString());
        environment.put("ATTESTREAM_PRODUCER_DELIVERY_TIMEOUT", "4s");
        environment.put("ATTESTREAM_PRODUCER_REQUEST_TIMEOUT", "2s");
        return environment;
    }

    private void launch(Map<String, String> changes) throws IOException {
        port = freePort();
        managementPort = freePort();
        Installation installation = Installation.find();
        log = Files.createTempFile(directory, "gateway", ".txt");
        // With the agent: a gateway must not outlive this JVM, however it ends.
        ProcessBuilder builder = new ProcessBuilder(new JvmCommand(installation, 512)
                        .with("-XX:TieredStopAtLevel=1")
                        .jar(installation.gatewayJar()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment());
        builder.environment().putAll(changes);
        gateway = builder.start();
    }

    private void launchAndAwaitReady() throws IOException {
        launch(Map.of());
        await().atMost(PATIENCE).until(this::isReady);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private boolean isReady() {
        try {
            return http.send(
                                    HttpRequest.newBuilder(URI.create(
                                                    "http://127.0.0.1:" + managementPort + "/q/health/ready"))
                                            .timeout(Duration.ofSeconds(10))
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode()
                    == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private HttpResponse<String> append(String id, String token) throws IOException {
        String event = "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/it/" + id.hashCode() % 8
                + "\",\"type\":\"t\",\"data\":\"" + id + "\"}";
        try {
            return http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/events"))
                            .timeout(Duration.ofSeconds(30))
                            .header("Authorization", "Bearer " + token)
                            .header("Content-Type", "application/cloudevents+json")
                            // A connection of its own: one that ends was not an idle one, it was dropped.
                            .header("Connection", "close")
                            .POST(HttpRequest.BodyPublishers.ofString(event))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** Ids by partition and offset, as the topic holds them. */
    private static Map<String, String> idsInTheLog() {
        return idsInTheLog(TOPICS);
    }

    private static Map<String, String> idsInTheLog(Topics topics) {
        Map<String, String> ids = new HashMap<>();
        WireDecoder<Event> decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, ledger.schemas());
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", broker.bootstrapServers(), "auto.offset.reset", "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions =
                    List.of(new TopicPartition(topics.events(), 0), new TopicPartition(topics.events(), 1));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    if (decoder.decode(record.value()) instanceof WireResult.Decoded<Event> decoded) {
                        ids.put(
                                record.partition() + "/" + record.offset(),
                                decoded.value().getAttributes().get("id").toString());
                    }
                }
            }
        }
        return ids;
    }

    private static String place(HttpResponse<String> answer) {
        try {
            JsonNode receipt =
                    JSON.readTree(answer.body()).path("results").get(0).path("receipt");
            return receipt.path("shard").asInt() + "/" + receipt.path("offset").asLong();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatWasAnswered202IsInTheLogAtItsReceipt() throws Exception {
        // given
        launchAndAwaitReady();
        String token = issuer.token("acme", "ingester");

        for (int i = 0; i < 5; i++) {
            // when
            HttpResponse<String> answer = append("first-" + i, token);

            // then: at the moment of the answer
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
            assertThat(idsInTheLog()).containsEntry(place(answer), "first-" + i);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void compressesWithTheNativeLibrary() throws Exception {
        // when
        launchAndAwaitReady();

        // then
        Path maps = Path.of("/proc", Long.toString(gateway.pid()), "maps");
        assertThat(Files.readString(maps, StandardCharsets.ISO_8859_1)).contains("liblz4-java");
    }

    @Test
    void aBrokerThatDiesNeverMakesA2xxThatIsNotInTheLog() throws Exception {
        // given
        launchAndAwaitReady();
        Load load = new Load("kill");
        await().atMost(PATIENCE).until(() -> load.accepted.size() > 50);

        // when
        broker.kill();

        // then: told as our trouble, in time
        await().atMost(PATIENCE).until(() -> load.statuses.containsKey(504) && load.statuses.containsKey(503));
        await().atMost(PATIENCE).until(() -> !isReady());

        // when
        broker.restart();

        // then: it goes on by itself
        int before = load.accepted.size();
        await().atMost(PATIENCE).until(() -> load.accepted.size() > before + 50);
        await().atMost(PATIENCE).until(this::isReady);
        load.stop();
        assertThat(load.statuses.keySet()).isSubsetOf(202, 503, 504);
        assertThat(load.withoutRetryAfter).hasValue(0);
        assertThat(idsInTheLog()).containsAllEntriesOf(load.accepted);
    }

    @Test
    void aStopAnswersWhatIsInFlightAndLosesNothing() throws Exception {
        // given
        launchAndAwaitReady();
        Load load = new Load("stop", false);
        await().atMost(PATIENCE).until(() -> load.accepted.size() > 50);

        // when
        gateway.destroy();

        // then
        assertThat(gateway.waitFor(40, TimeUnit.SECONDS)).isTrue();
        load.stop();
        assertThat(load.statuses.keySet()).isSubsetOf(202, 503);
        assertThat(load.withoutRetryAfter).hasValue(0);
        assertThat(idsInTheLog()).containsAllEntriesOf(load.accepted);
    }

    @Test
    void aStopEndsAStreamWithTheResultsThatWereStillOut() throws Exception {
        // given: lines that were read, and brokers that do not answer
        launchAndAwaitReady();
        List<String> results = new ArrayList<>();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            BufferedReader in = openStream(socket);
            sendChunk(socket, line("out-0"));
            String read = in.readLine();
            while (!read.contains("\"id\":\"out-0\"")) {
                read = in.readLine();
            }
            broker.process().suspend();
            try {
                sendChunk(
                        socket,
                        IntStream.rangeClosed(1, 20)
                                .mapToObj(i -> line("out-" + i))
                                .collect(Collectors.joining()));
                await().atMost(PATIENCE).until(() -> !isReady());

                // when
                gateway.destroy();
                await().atMost(PATIENCE).until(this::isListeningNoMore);
            } finally {
                broker.process().resume();
            }

            // then: one for each line, and a proper end
            in.lines()
                    .takeWhile(line -> !line.equals("0"))
                    .filter(line -> line.startsWith("{"))
                    .forEach(results::add);
            assertThat(gateway.waitFor(40, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(results).hasSize(20).allMatch(result -> result.contains("\"status\":\"accepted\""));
        assertThat(idsInTheLog().values())
                .containsAll(
                        IntStream.rangeClosed(0, 20).mapToObj(i -> "out-" + i).toList());
    }

    @Test
    void aStopAnswersAClientWhoseBodyIsOnItsWay() throws Exception {
        // given
        launchAndAwaitReady();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            String head = head("application/cloudevents+json") + "Content-Length: 500\r\nExpect: 100-continue\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            assertThat(in.readLine()).contains(" 100 ");
            assertThat(in.readLine()).isEmpty();
            socket.getOutputStream().write("{\"spec".getBytes(StandardCharsets.US_ASCII));

            // when
            gateway.destroy();

            // then
            assertThat(in.lines().takeWhile(line -> !line.isEmpty()))
                    .anyMatch(line -> line.startsWith("HTTP/1.1 503"))
                    .anyMatch(line -> line.equalsIgnoreCase("Retry-After: 1"));
            assertThat(gateway.waitFor(40, TimeUnit.SECONDS)).isTrue();
        }
    }

    private boolean isListeningNoMore() throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return false;
        } catch (ConnectException e) {
            return true;
        }
    }

    private static String line(String id) {
        return "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/it\",\"type\":\"t\"}\n";
    }

    private String head(String contentType) {
        return "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                + issuer.token("acme", "ingester") + "\r\nContent-Type: " + contentType + "\r\n";
    }

    private BufferedReader openStream(Socket socket) throws IOException {
        String head = head("application/x-ndjson") + "Transfer-Encoding: chunked\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    private static void sendChunk(Socket socket, String text) throws IOException {
        String chunk = Integer.toHexString(text.length()) + "\r\n" + text + "\r\n";
        socket.getOutputStream().write(chunk.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void aStopEndsAStreamWithTheResultsOfWhatWasRead() throws Exception {
        // given
        launchAndAwaitReady();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            BufferedReader in = openStream(socket);
            sendChunk(socket, line("streamed") + "{\"half");
            String line = in.readLine();
            while (!line.startsWith("{")) {
                line = in.readLine();
            }
            assertThat(line).contains("\"accepted\"").contains("\"streamed\"");

            // when
            long begun = System.nanoTime();
            gateway.destroy();

            // then
            assertThat(in.lines()).contains("0").noneMatch(rest -> rest.contains("\"index\":1"));
            assertThat(gateway.waitFor(40, TimeUnit.SECONDS)).isTrue();
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(15));
        }
        assertThat(idsInTheLog()).containsValue("streamed");
    }

    @Test
    void aStopAnswersThoseWhoWaitForPublication() throws Exception {
        // given: nobody tells of publication here
        launchAndAwaitReady();
        String event = "{\"specversion\":\"1.0\",\"id\":\"waiting\",\"source\":\"/it\",\"type\":\"t\"}";
        CompletableFuture<HttpResponse<String>> answer = http.sendAsync(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/events"))
                        .timeout(Duration.ofSeconds(40))
                        .header("Authorization", "Bearer " + issuer.token("acme", "ingester"))
                        .header("Content-Type", "application/cloudevents+json")
                        .header("Prefer", "wait=30")
                        .POST(HttpRequest.BodyPublishers.ofString(event))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        await().atMost(PATIENCE).until(() -> idsInTheLog().containsValue("waiting"));

        // when
        gateway.destroy();

        // then
        assertThat(answer.get(20, TimeUnit.SECONDS).statusCode()).isEqualTo(202);
        assertThat(gateway.waitFor(40, TimeUnit.SECONDS)).isTrue();
    }

    /** Clients that append one event after the other and note what they were told. */
    private final class Load {
        final Map<String, String> accepted = new ConcurrentHashMap<>();
        final Map<Integer, Integer> statuses = new ConcurrentHashMap<>();
        final AtomicInteger withoutRetryAfter = new AtomicInteger();
        private final Queue<IOException> dropped = new ConcurrentLinkedQueue<>();
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final ExecutorService clients = Executors.newFixedThreadPool(4);
        private final AtomicReference<Throwable> bug = new AtomicReference<>();

        private final boolean backOff;

        Load(String name) {
            this(name, true);
        }

        /** @param backOff whether clients wait as long as they are told */
        Load(String name, boolean backOff) {
            this.backOff = backOff;
            String token = issuer.token("acme", "ingester");
            for (int client = 0; client < 4; client++) {
                String prefix = name + "-" + client + "-";
                clients.execute(() -> {
                    for (int i = 0; !stopped.get(); i++) {
                        one(prefix + i, token);
                    }
                });
            }
        }

        private void one(String id, String token) {
            try {
                HttpResponse<String> answer = append(id, token);
                statuses.merge(answer.statusCode(), 1, Integer::sum);
                if (answer.statusCode() == 202) {
                    accepted.put(place(answer), id);
                } else if (answer.headers().firstValue("Retry-After").isEmpty() && gateway.isAlive()) {
                    withoutRetryAfter.incrementAndGet();
                }
                long wait = backOff
                        ? answer.headers().firstValueAsLong("Retry-After").orElse(0)
                        : 0;
                LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(wait));
            } catch (ConnectException e) {
                // Refused: nothing was taken, so nothing was promised.
                stopped.compareAndSet(false, !gateway.isAlive());
            } catch (IOException e) {
                dropped.add(e);
            } catch (RuntimeException e) {
                bug.set(e);
                stopped.set(true);
            }
        }

        void stop() throws InterruptedException {
            stopped.set(true);
            clients.shutdown();
            assertThat(clients.awaitTermination(40, TimeUnit.SECONDS)).isTrue();
            assertThat(bug.get()).isNull();
            assertThat(dropped).as("connections that ended without an answer").isEmpty();
            assertThat(accepted).isNotEmpty();
        }
    }

    @Test
    void policyDevTakesEventsWithoutAToken() throws Exception {
        // given
        launch(Map.of("AUTH_POLICY", "dev"));
        await().atMost(PATIENCE).until(this::isReady);

        // when
        HttpResponse<String> answer = append("dev-1", "not-looked-at");

        // then
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        assertThat(idsInTheLog()).containsEntry(place(answer), "dev-1");
        assertThat(Files.readString(log)).contains("no tokens are checked");
    }

    @Test
    void acceptsNothingMoreOnceTheTopicWasMadeAgain() throws Exception {
        // given
        Topics topics = new Topics("remade");
        Rules rules = ledger.genesis().get(0).rules();
        initialize(topics, rules, ledger.schemas().texts());
        launch(Map.of("ATTESTREAM_TOPICS_PREFIX", topics.prefix()));
        await().atMost(PATIENCE).until(this::isReady);
        Load load = new Load("remade");
        await().atMost(PATIENCE).until(() -> load.accepted.size() > 50);

        // when
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            admin.deleteTopics(List.of(topics.events())).all().get(30, TimeUnit.SECONDS);
            await().atMost(PATIENCE)
                    .until(() -> !admin.listTopics().names().get().contains(topics.events()));
            new TopicContract(topics, SHARDS, rules.maxPayloadBytes(), true).create(admin);
        }

        // then
        await().atMost(PATIENCE).until(() -> Files.readString(log).contains("deleted and made again"));
        assertThat(append("after", issuer.token("acme", "ingester")).statusCode())
                .isEqualTo(503);
        assertThat(isReady()).isFalse();
        load.stop();
        assertThat(load.statuses.keySet()).isSubsetOf(202, 503, 504);
        assertThat(load.withoutRetryAfter).hasValue(0);
        // What was in flight may have landed there; nobody was told that it is kept.
        assertThat(idsInTheLog(topics).entrySet()).doesNotContainAnyElementsOf(load.accepted.entrySet());
    }

    /** The sequencer and the checkpointer stop at it: what would be acknowledged now would never be published. */
    @Test
    void acceptsNothingMoreOnceTheTopicHasMorePartitions() throws Exception {
        // given
        Topics topics = new Topics("grown");
        initialize(topics, ledger.genesis().get(0).rules(), ledger.schemas().texts());
        launch(Map.of("ATTESTREAM_TOPICS_PREFIX", topics.prefix()));
        await().atMost(PATIENCE).until(this::isReady);
        Load load = new Load("grown");
        await().atMost(PATIENCE).until(() -> load.accepted.size() > 50);

        // when
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            admin.createPartitions(Map.of(topics.events(), NewPartitions.increaseTo(SHARDS + 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }

        // then
        await().atMost(PATIENCE)
                .until(() -> Files.readString(log).contains("genesis was made for " + SHARDS + ": keys go to other"));
        assertThat(append("after", issuer.token("acme", "ingester")).statusCode())
                .isEqualTo(503);
        assertThat(isReady()).isFalse();
        load.stop();
        assertThat(load.statuses.keySet()).isSubsetOf(202, 503, 504);
        assertThat(load.withoutRetryAfter).hasValue(0);
        assertThat(idsInTheLog(topics)).containsAllEntriesOf(load.accepted);
    }

    /** As after a leader that was not in sync: the same topic with its genesis records, and not all that was acknowledged. */
    @Test
    void aTopicThatEndsBeforeWhatWasPublishedIsRefusedHoweverOftenTheGatewayIsStarted() throws Exception {
        // given
        Topics topics = new Topics("shortened");
        initialize(topics, ledger.genesis().get(0).rules(), ledger.schemas().texts());
        publish(topics, 1, 1_000);

        // when
        launch(Map.of("ATTESTREAM_TOPICS_PREFIX", topics.prefix()));

        // then
        await().atMost(PATIENCE).until(() -> Files.readString(log).contains("went back behind its known end"));
        await().atMost(PATIENCE).until(() -> Files.readString(log).contains("Listening on"));
        assertThat(append("never", issuer.token("acme", "ingester")).statusCode())
                .isEqualTo(503);
        assertThat(management("/q/health/ready")).containsPattern("\"fenced\": *true");
        // Goes on counting, so that a monitor that came late sees it too.
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(management("/q/metrics"))
                        .containsPattern("(?m)^attestream_ledger_went_back_total ([2-9]|[1-9][0-9]+)\\."));
    }

    /** Says on topic {@code checkpoints} that each shard is published up to an offset. */
    private static void publish(Topics topics, long... nextOffsets) throws Exception {
        List<ByteBuffer> heads = new ArrayList<>();
        for (int shard = 0; shard < nextOffsets.length; shard++) {
            heads.add(ByteBuffer.wrap(
                    new ShardHead(shard, new TreeSize(0), Rfc6962.EMPTY_ROOT, nextOffsets[shard]).encode()));
        }
        Published published = Published.newBuilder()
                .setEpoch(0)
                .setEpochLeaf(ByteBuffer.allocate(0))
                .setHeads(heads)
                .setNote("")
                .setSegment("")
                .setPayloads("")
                .setGeneration(1)
                .build();
        byte[] record = new ConfluentWire<>(CheckpointRecord.class, SchemaTexts.CHECKPOINT_RECORD, ledger.schemas())
                .encode(CheckpointRecord.newBuilder().setBody(published).build());
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topics.checkpoints(), 0, new byte[0], record))
                    .get(30, TimeUnit.SECONDS);
        }
    }

    private String management(String path) throws Exception {
        return http.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + managementPort + path))
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    @Test
    void aTopicWhoseEventsExpireOrCarryTheirWritersTimeIsRefusedAtTheStart() throws Exception {
        // given
        Topics topics = new Topics("altered");
        initialize(topics, ledger.genesis().get(0).rules(), ledger.schemas().texts());
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            Map<String, String> settings = Map.of("retention.ms", "86400000", "message.timestamp.type", "CreateTime");
            List<AlterConfigOp> changes = settings.entrySet().stream()
                    .map(setting -> new AlterConfigOp(
                            new ConfigEntry(setting.getKey(), setting.getValue()), AlterConfigOp.OpType.SET))
                    .toList();
            admin.incrementalAlterConfigs(
                            Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topics.events()), changes))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }

        // when
        launch(Map.of("ATTESTREAM_TOPICS_PREFIX", topics.prefix()));

        // then
        await().atMost(PATIENCE).until(() -> Files.readString(log).contains("ledger refused"));
        await().atMost(PATIENCE).until(() -> Files.readString(log).contains("Listening on"));
        assertThat(Files.readString(log))
                .contains("altered.events: retention.ms is 86400000, must be -1")
                .contains("altered.events: message.timestamp.type is CreateTime, must be LogAppendTime");
        assertThat(append("never", issuer.token("acme", "ingester")).statusCode())
                .isEqualTo(503);
        assertThat(isReady()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"AUTH_POLICY=dev,ENV=prod", "JWT_ISSUER=,JWT_AUDIENCE=", "ATTESTREAM_LEDGER_VERIFIER_KEY=junk"})
    void aRefusedStartExitsWith1SaysWhyAndNeverListens(String changes) throws Exception {
        // given
        Map<String, String> environment = new HashMap<>();
        for (String change : changes.split(",", -1)) {
            environment.put(change.substring(0, change.indexOf('=')), change.substring(change.indexOf('=') + 1));
        }

        // when
        launch(environment);

        // then
        assertThat(gateway.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String output = Files.readString(log);
        assertThat(gateway.exitValue()).as(output).isEqualTo(1);
        assertThat(output).contains("refusing to start").doesNotContain("Listening on");
        Set<String> named =
                changes.startsWith("ATTESTREAM") ? Set.of("attestream.ledger.verifier-key") : environment.keySet();
        named.stream()
                .filter(name -> !name.equals("ENV"))
                .forEach(name -> assertThat(output).contains(name));
    }
}
