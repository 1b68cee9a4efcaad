// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.access.AuthSettings;
import io.attestream.access.Start;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Rules;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.LedgerInitializer;
import io.attestream.schemas.topics.TopicContract;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;

/** A ledger on a real broker: what its doors write, what its processors make of it, and the processors themselves. */
final class LiveLedger implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    final TestLedger ledger;
    final Topics topics;
    final Path directory;
    final String secret = Base64.getEncoder().encodeToString(new byte[32]);
    final Admin admin;
    private final String bootstrapServers;
    private final KafkaProducer<byte[], byte[]> door;
    private final List<Running> running = new ArrayList<>();

    LiveLedger(String bootstrapServers, String prefix, int shards, Path directory) throws IOException {
        this.bootstrapServers = bootstrapServers;
        this.ledger = new TestLedger(shards, 256);
        this.topics = new Topics(prefix);
        this.directory = Files.createDirectories(directory.resolve(prefix));
        Files.writeString(this.directory.resolve("secret"), secret);
        this.admin = Admin.create(connection());
        this.door = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers, "acks", "all", "linger.ms", "2"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        initialize();
    }

    Map<String, Object> connection() {
        return Map.of("bootstrap.servers", bootstrapServers);
    }

    LedgerInitializer.Result initialize() {
        Rules rules = ledger.rules;
        LedgerInitializer.Result result = new LedgerInitializer(
                        connection(),
                        topics,
                        new TopicContract(topics, ledger.shards, rules.maxPayloadBytes(), true),
                        ledger.key,
                        rules,
                        TestLedger.SCHEMAS,
                        1,
                        Duration.ofSeconds(30))
                .run();
        assertThat(result).isInstanceOf(LedgerInitializer.Result.Complete.class);
        return result;
    }

    LedgerDefinition definition() {
        return ((LedgerInitializer.Result.Complete) initialize()).ledger();
    }

    // ---- doors

    CompletableFuture<RecordMetadata> write(int shard, byte[] value) {
        CompletableFuture<RecordMetadata> written = new CompletableFuture<>();
        door.send(new ProducerRecord<>(topics.events(), shard, null, value), (metadata, failure) -> {
            if (failure == null) {
                written.complete(metadata);
            } else {
                written.completeExceptionally(failure);
            }
        });
        return written;
    }

    CompletableFuture<RecordMetadata> writeEvent(int shard, String id, String content) {
        return write(shard, ledger.eventValue(shard, id, content));
    }

    /** Writes so many new events to every shard and waits for the acknowledgements. */
    void grow(String idPrefix, int eventsPerShard) {
        List<CompletableFuture<RecordMetadata>> all = new ArrayList<>();
        for (int i = 0; i < eventsPerShard; i++) {
            for (int shard = 0; shard < ledger.shards; shard++) {
                all.add(writeEvent(shard, idPrefix + i, "content"));
            }
        }
        all.forEach(CompletableFuture::join);
    }

    // ---- topics

    /** All committed records of a partition. */
    List<ConsumerRecord<byte[], byte[]>> records(String topic, int partition) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        Map<String, Object> config = new HashMap<>(connection());
        config.put("isolation.level", "read_committed");
        TopicPartition at = new TopicPartition(topic, partition);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(at));
            consumer.seekToBeginning(List.of(at));
            long end = consumer.endOffsets(List.of(at)).get(at);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (consumer.position(at) < end) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException(at + " could not be read to its end within " + PATIENCE);
                }
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
        }
        return records;
    }

    long eventsEnd(int shard) {
        return records(topics.events(), shard).stream()
                .mapToLong(record -> record.offset() + 1)
                .max()
                .orElse(0);
    }

    List<Sealed> sealed(int shard) {
        WireDecoder<Sealed> decoder = new WireDecoder<>(Sealed.class, SchemaTexts.SEALED, TestLedger.BOOK);
        return records(topics.sealed(), shard).stream()
                .map(record -> ((WireResult.Decoded<Sealed>) decoder.decode(record.value())).value())
                .toList();
    }

    List<Outcome> outcomes(int shard) {
        WireDecoder<Outcome> decoder = new WireDecoder<>(Outcome.class, SchemaTexts.OUTCOME, TestLedger.BOOK);
        return records(topics.outcomes(), shard).stream()
                .map(record -> ((WireResult.Decoded<Outcome>) decoder.decode(record.value())).value())
                .toList();
    }

    /** Waits until the newest heads account for every committed record, and all outcomes can be read. */
    void awaitSealed() {
        for (int shard = 0; shard < ledger.shards; shard++) {
            int at = shard;
            Awaitility.await("shard " + shard + " is sealed up to its end")
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        List<Sealed> deltas = sealed(at);
                        return !deltas.isEmpty()
                                && deltas.get(deltas.size() - 1).getHead().getNextOffset() == eventsEnd(at);
                    });
            // A transaction that a killed process left open may hide outcomes and no delta, until the broker aborts it.
            Awaitility.await("no transaction is open in outcomes of shard " + shard)
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> end(topics.outcomes(), at, "read_committed")
                            == end(topics.outcomes(), at, "read_uncommitted"));
        }
    }

    long end(String topic, int partition, String isolation) {
        Map<String, Object> config = new HashMap<>(connection());
        config.put("isolation.level", isolation);
        TopicPartition at = new TopicPartition(topic, partition);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            return consumer.endOffsets(List.of(at)).get(at);
        }
    }

    // ---- processors

    Map<String, String> settings(String instance, String roles, int port) {
        Map<String, String> settings = new HashMap<>();
        settings.put("attestream.kafka.bootstrap-servers", bootstrapServers);
        settings.put("attestream.topics.prefix", topics.prefix());
        settings.put("attestream.roles", roles);
        settings.put("attestream.instance-id", instance);
        settings.put("attestream.dev", "true");
        settings.put("attestream.doubt-shown-millis", "0");
        settings.put("attestream.ledger.verifier-key", ledger.key.verifier().vkey());
        settings.put("attestream.state.directory", stateDirectory(instance).toString());
        settings.put(
                "attestream.internal.secret-file", directory.resolve("secret").toString());
        settings.put(
                "attestream.door.content-tag-key-file",
                directory.resolve("secret").toString());
        settings.put("attestream.http.port", Integer.toString(port));
        return settings;
    }

    Path stateDirectory(String instance) {
        return directory.resolve("state-" + instance);
    }

    static ProcessorsConfig config(Map<String, String> settings) {
        return ProcessorsConfigs.load(
                new SmallRyeConfigBuilder().withSources(new PropertiesConfigSource(settings, "test", 100)));
    }

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Processors in this JVM. */
    final class Running implements AutoCloseable {
        final int port;
        private final Processors processors;
        private final CompletableFuture<Void> end;

        private Running(Map<String, String> settings) {
            port = Integer.parseInt(settings.get("attestream.http.port"));
            processors = new Processors(
                    config(settings), connection(), new Start.Policy(new AuthSettings.Dev(), "dev", List.of()));
            end = CompletableFuture.runAsync(
                    () -> {
                        try {
                            processors.run();
                        } catch (IOException | InterruptedException | InvalidFormat e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    task -> {
                        Thread thread = new Thread(task, "processors");
                        thread.setDaemon(true);
                        thread.start();
                    });
        }

        Running awaitReady() {
            Awaitility.await("processors are ready")
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> end.isDone() || get(port, "/health/ready").status() == 200);
            if (end.isDone()) {
                end.join();
            }
            return this;
        }

        /** Waits until it ends by itself, and tells why. */
        String awaitRefusal() throws Exception {
            try {
                end.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                throw new AssertionError("it was not refused");
            } catch (ExecutionException e) {
                assertThat(e.getCause()).isExactlyInstanceOf(IntegrityException.class);
                return e.getCause().getMessage();
            }
        }

        void stop() {
            processors.stop();
        }

        @Override
        public void close() {
            processors.stop();
            end.exceptionally(failure -> null).join();
        }
    }

    Running run(String instance, String roles) {
        return run(settings(instance, roles, freePort()));
    }

    Running run(Map<String, String> settings) {
        Running processors = new Running(settings);
        running.add(processors);
        return processors;
    }

    /** What a query was answered; status 0 if nobody did. */
    record Reply(int status, String body) {}

    /** Asks with the internal secret. */
    Reply get(int port, String path) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("Authorization", "Bearer " + secret)
                .timeout(Duration.ofSeconds(10))
                .build();
        try {
            HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
            return new Reply(response.statusCode(), response.body());
        } catch (IOException e) {
            return new Reply(0, "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        running.forEach(Running::close);
        door.close();
        admin.close();
    }
}
