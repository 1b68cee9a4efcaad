// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.LocalCluster;
import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.envelope.Erasure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole ledger forgets what it was told about somebody, and proves all it proved before. */
@Tag("ledgers")
class ErasureIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration COMMAND = Duration.ofSeconds(120);
    private static final String SECRET = "nobody-is-to-read-this-any-more";

    @TempDir
    private Path scratch;

    @Test
    void whatWasErasedIsGoneEverywhereAndEveryProofHolds() throws Exception {
        PayloadKeysCommand.encryptPayloads(scratch.resolve("data"));
        Map<String, String> packing = Map.of(
                "ATTESTREAM_PACKS_LEAVES_MAX", "256",
                "ATTESTREAM_PACKS_AGE_MILLIS_MAX", "1000",
                "ATTESTREAM_PACKS_SEGMENT_GRACE_MILLIS", "1000");
        try (LocalCluster cluster = LocalCluster.start(options(Map.of("checkpointer", packing)))) {
            // given an event about ann at each door, and more than a pack of others
            Path event = Files.writeString(scratch.resolve("ann.json"), event("ann-1", "ann", SECRET));
            JsonNode receipt = append(event);
            long end = endOfEvents(cluster);
            writeToInbox(cluster);
            await().atMost(60, TimeUnit.SECONDS).until(() -> endOfEvents(cluster) > end);
            Path many = Files.writeString(
                    scratch.resolve("many.ndjson"),
                    IntStream.range(0, 300)
                            .mapToObj(i -> event("m" + i, i % 2 == 0 ? "ann" : "bob", i % 2 == 0 ? SECRET : "of bob"))
                            .collect(Collectors.joining("\n")));
            published(append(many), scratch.resolve("many.attest.json")); // and what is before it
            Path kept = scratch.resolve("kept.attest.json");
            JsonNode leaf = published(receipt, kept);
            verify(kept, "--event", event.toString());
            Path checkpoint = scratch.resolve("kept.checkpoint");
            run("checkpoint", "--data-dir", data(), "--save", checkpoint.toString());
            Api auditor = new Api(
                    cluster.gatewayUrl(0),
                    Files.readString(ClusterFile.tokenFile(scratch.resolve("data"), "auditor"))
                            .strip());
            String path = "/v1/events/0/" + leaf.path("leafIndex").asLong();
            assertThat(payload(auditor, path)).contains(SECRET);
            assertThat(filesWith(SECRET, "objects", "state")).isEmpty();
            assertThat(recordsWith(cluster, SECRET)).isZero();

            // when
            JsonNode erased =
                    JSON.readTree(run("erase", "--data-dir", data(), "--subject", "ann", "--yes", "-o", "json")
                            .out());

            // then it is in the ledger, and nobody gets the payload
            JsonNode key = erased.path("erased").path(0);
            Path erasure = scratch.resolve("erasure.attest.json");
            assertThat(published(key, erasure).path("status").asText()).isEqualTo("leaf");
            String keyId = key.path("keyId").asText();
            verify(
                    erasure,
                    "--event",
                    Files.writeString(
                                    scratch.resolve("erasure.json"), JSON.writeValueAsString(Erasure.attributes(keyId)))
                            .toString());
            JsonNode after = auditor.require(path, "application/json").json();
            assertThat(after.has("payload") || after.has("encryptedPayload")).isFalse();
            assertThat(after.at("/erased/keyId")).isEqualTo(key.path("keyId"));
            assertThat(after.at("/erased/receipt/href")).isEqualTo(key.at("/receipt/href"));

            // and packs are written anew
            AtomicInteger more = new AtomicInteger();
            await().atMost(300, TimeUnit.SECONDS) // each round starts a command
                    .pollInterval(Duration.ofSeconds(1))
                    .until(() -> {
                        append(Files.writeString(
                                scratch.resolve("more.ndjson"),
                                IntStream.range(0, 100)
                                        .mapToObj(i -> event("more-" + more.getAndIncrement(), "bob", "of bob"))
                                        .collect(Collectors.joining("\n"))));
                        return pending().isEmpty();
                    });
            JsonNode checked = fsck(checkpoint);
            assertThat(checked.path("erased").asLong()).isGreaterThanOrEqualTo(152);
            assertThat(checked.path("erasures").asLong()).isEqualTo(1);

            // and every proof holds, and replay from offset 0 gives every root that was published
            verify(kept, "--event", event.toString());
            Path again = scratch.resolve("again.attest.json");
            published(receipt, again);
            verify(again, "--event", event.toString(), "--without-payload"); // nobody has its salt
            run("rebuild", "--data-dir", data(), "--checkpoint", checkpoint.toString());

            // and who sends it again has a duplicate
            Path unused = scratch.resolve("unused.attest.json");
            assertThat(published(append(event), unused).path("status").asText()).isEqualTo("duplicate");

            // and neither what asks again nor what makes objects again from Kafka brings it back
            assertThat(JSON.readTree(run("erase", "--data-dir", data(), "--subject", "ann", "--yes", "-o", "json")
                                    .out())
                            .path("erased")
                            .path(0))
                    .isEqualTo(key);
            Path packs = scratch.resolve("data/objects/payload-packs/00000");
            for (Path pack : list(packs)) {
                Files.delete(pack);
            }
            run("restore", "objects", "--data-dir", data());
            assertThat(list(packs)).isNotEmpty();
            assertThat(fsck(checkpoint).path("erased").asLong()).isGreaterThanOrEqualTo(152);
            assertThat(auditor.require(path, "application/json").json().has("erased"))
                    .isTrue();
            assertThat(filesWith(SECRET, "objects", "state", "payload-keys", "logs"))
                    .isEmpty();
            requireNoPackHas(SECRET);
            assertThat(recordsWith(cluster, SECRET)).isZero();
        }
    }

    /** It may be on a disk that is not mounted: nothing is stored in the clear instead. */
    @Test
    void aClusterWhoseKeysAreLostDoesNotStart() throws Exception {
        // given
        PayloadKeysCommand.encryptPayloads(scratch.resolve("data"));
        Files.move(scratch.resolve("data/payload-keys"), scratch.resolve("elsewhere"));

        // then
        assertThatThrownBy(() -> LocalCluster.start(options(Map.of())).close())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("payload-keys");
    }

    @Test
    void aClusterWhoseKeyFileIsLostDoesNotStart() throws Exception {
        // given
        PayloadKeysCommand.encryptPayloads(scratch.resolve("data"));
        Files.delete(scratch.resolve("data/keys/payload-keys.key"));

        // then
        assertThatThrownBy(() -> LocalCluster.start(options(Map.of())).close())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("payload-keys.key");
    }

    private LocalCluster.Options options(Map<String, Map<String, String>> environment) {
        return new LocalCluster.Options(
                scratch.resolve("data"),
                1,
                1,
                1,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {},
                environment,
                false);
    }

    private static String event(String id, String subject, String data) {
        return "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/erasure\",\"type\":\"test\",\"subject\":\""
                + subject + "\",\"datacontenttype\":\"application/json\",\"data\":{\"text\":\"" + data + "\"}}";
    }

    private static void writeToInbox(LocalCluster cluster) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", cluster.bootstrapServers(), "acks", "all");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                    "attestream.inbox.demo",
                    null,
                    event("inbox-1", "ann", SECRET).getBytes(StandardCharsets.UTF_8));
            record.headers()
                    .add(new RecordHeader(
                            "content-type", "application/cloudevents+json".getBytes(StandardCharsets.UTF_8)));
            producer.send(record).get(30, TimeUnit.SECONDS);
        }
    }

    private JsonNode append(Path events) throws Exception {
        return JSON.readTree(run("append", "--data-dir", data(), "-o", "json", events.toString())
                        .out())
                .at("/results/0");
    }

    private JsonNode published(JsonNode accepted, Path bundle) throws Exception {
        String href = accepted.at("/receipt/href").asText();
        return JSON.readTree(
                run("receipt", "--data-dir", data(), href, "--wait", "60", "--save", bundle.toString(), "-o", "json")
                        .out());
    }

    private void verify(Path bundle, String... more) throws Exception {
        String key = ClusterFile.read(scratch.resolve("data")).orElseThrow().ledgerKey();
        List<String> arguments = new ArrayList<>(List.of("verify", bundle.toString(), "--ledger-key", key));
        arguments.addAll(List.of(more));
        run(arguments.toArray(String[]::new));
    }

    private static String payload(Api api, String path) throws Exception {
        return new String(
                api.require(path, "application/json").json().path("payload").binaryValue(), StandardCharsets.UTF_8);
    }

    private JsonNode fsck(Path checkpoint) throws Exception {
        JsonNode checked =
                JSON.readTree(run("fsck", "--data-dir", data(), "--checkpoint", checkpoint.toString(), "-o", "json")
                        .out());
        assertThat(checked.path("status").asText()).isEqualTo("good");
        return checked;
    }

    private List<Path> pending() throws Exception {
        Path pending = scratch.resolve("data/payload-keys/pending");
        return Files.isDirectory(pending) ? list(pending) : List.of();
    }

    private static List<Path> list(Path directory) throws Exception {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> !file.getFileName().toString().startsWith(".tmp-"))
                    .toList();
        }
    }

    private static long endOfEvents(LocalCluster cluster) {
        TopicPartition partition = new TopicPartition("attestream.events", 0);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", cluster.bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            return consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
        }
    }

    /** Records of topic events that have the text anywhere. */
    private static long recordsWith(LocalCluster cluster, String text) {
        TopicPartition partition = new TopicPartition("attestream.events", 0);
        Map<String, Object> config = Map.of("bootstrap.servers", cluster.bootstrapServers());
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
            AtomicLong found = new AtomicLong();
            await().atMost(60, TimeUnit.SECONDS).until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> {
                    if (new String(record.value(), StandardCharsets.ISO_8859_1).contains(text)) {
                        found.incrementAndGet();
                    }
                });
                return consumer.position(partition) >= end;
            });
            assertThat(end).isGreaterThan(300);
            return found.get();
        }
    }

    /** Files under parts of the data directory that have the text anywhere. */
    private List<Path> filesWith(String text, String... parts) throws Exception {
        List<Path> found = new ArrayList<>();
        for (String part : parts) {
            Files.walkFileTree(scratch.resolve("data").resolve(part), new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    try {
                        if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(text)) {
                            found.add(file);
                        }
                    } catch (NoSuchFileException e) {
                        // It went meanwhile: the cluster runs.
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                    if (e instanceof NoSuchFileException) {
                        return FileVisitResult.CONTINUE;
                    }
                    throw e;
                }
            });
        }
        return found;
    }

    /** Packs are compressed: nobody finds a text in their files. */
    private void requireNoPackHas(String text) throws Exception {
        ObjectStore objects = new DirectoryObjectStore(scratch.resolve("data/objects"));
        long erased = 0;
        for (String object : objects.list(PackName.PACKS)) {
            PackName name = PackName.parse(object);
            PayloadPack pack = PayloadPack.open(objects, name, new ZstdBlocks()).orElseThrow();
            for (long index = name.first(); index < name.end(); index++) {
                Payload payload = pack.block(index).payload(index);
                erased += payload instanceof Payload.Erased ? 1 : 0;
                if (payload instanceof Payload.Plain plain) {
                    assertThat(new String(plain.data(), StandardCharsets.UTF_8)).doesNotContain(text);
                }
            }
        }
        assertThat(erased).isPositive();
    }

    private String data() {
        return scratch.resolve("data").toString();
    }

    private Script.Ended run(String... arguments) throws Exception {
        Script.Ended ended = Script.run(scratch, COMMAND, Map.of(), arguments);
        assertThat(ended.exitCode())
                .as(Arrays.toString(arguments) + "\n" + ended.out() + ended.err())
                .isZero();
        return ended;
    }
}
