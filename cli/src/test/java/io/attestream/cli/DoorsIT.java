// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import io.attestream.chaos.ClusterFile;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
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

/** One event through every door and in every form is one leaf, and a program that knows nothing of us can read it. */
@Tag("ledgers")
class DoorsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PAYLOAD = "{\"amount\":12}";
    private static final String STRUCTURED =
            "{\"specversion\":\"1.0\",\"id\":\"one\",\"source\":\"/doors\",\"type\":\"t\",\"datacontenttype\":"
                    + "\"application/json\",\"data\":" + PAYLOAD + "}";

    @TempDir
    private Path scratch;

    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void oneEventInEveryFormIsOneLeafThatOthersCanRead() throws Exception {
        Path data = scratch.resolve("data");
        try (Up up = Up.start(scratch, data)) {
            ClusterFile cluster = up.cluster();
            String token =
                    Files.readString(ClusterFile.tokenFile(data, "ingester")).strip();

            // when
            List<String> receipts = new ArrayList<>();
            receipts.add(post(cluster, token, "application/cloudevents+json", STRUCTURED));
            receipts.add(post(cluster, token, "application/cloudevents-batch+json", "[" + STRUCTURED + "]"));
            receipts.add(post(cluster, token, "application/x-ndjson", STRUCTURED + "\n"));
            receipts.add(postBinary(cluster, token));
            writeToInbox(cluster);

            // then
            Api auditor = new Api(
                    URI.create(cluster.url()),
                    Files.readString(ClusterFile.tokenFile(data, "auditor")).strip());
            await().atMost(60, TimeUnit.SECONDS)
                    .until(() -> counts(auditor).path("duplicates").asLong() == 5);
            assertThat(counts(auditor).path("events").asLong()).isEqualTo(1);
            assertThat(counts(auditor).path("conflicts").asLong()).isZero();
            List<String> statuses = receipts.stream()
                    .map(receipt -> ReceiptCommand.await(auditor, receipt, Duration.ofSeconds(30))
                            .path("status")
                            .asText())
                    .toList();
            assertThat(statuses).containsExactly("leaf", "duplicate", "duplicate", "duplicate");

            // and
            GenericRecord read = readThroughRegistry(cluster, receipts.get(0));
            assertThat(read.getSchema().getFullName()).isEqualTo("io.attestream.schemas.avro.Event");
            assertThat(read.get("tenant")).hasToString("demo");
            assertThat(read.get("attributes").toString()).contains("/doors");
        }
    }

    private static JsonNode counts(Api auditor) {
        Api.Reply reply = auditor.get("/v1/epochs/latest", "application/json");
        return reply.status() == 200 ? reply.json().path("leaf").path("counts") : JSON.missingNode();
    }

    private String post(ClusterFile cluster, String token, String contentType, String body) throws Exception {
        return receipt(request(cluster, token, contentType)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    private String postBinary(ClusterFile cluster, String token) throws Exception {
        return receipt(request(cluster, token, "application/json")
                .header("ce-specversion", "1.0")
                .header("ce-id", "one")
                .header("ce-source", "/doors")
                .header("ce-type", "t")
                .POST(HttpRequest.BodyPublishers.ofString(PAYLOAD))
                .build());
    }

    private static HttpRequest.Builder request(ClusterFile cluster, String token, String contentType) {
        return HttpRequest.newBuilder(URI.create(cluster.url() + "/v1/events"))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", contentType);
    }

    private String receipt(HttpRequest request) throws Exception {
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isIn(202, 207);
        JsonNode answer = JSON.readTree(response.body());
        JsonNode result = answer.has("results") ? answer.path("results").path(0) : answer;
        assertThat(result.path("status").asText()).as(response.body()).isEqualTo("accepted");
        return result.path("receipt").path("href").asText();
    }

    /** Binary and structured. */
    private static void writeToInbox(ClusterFile cluster) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", cluster.bootstrapServers(), "acks", "all");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            ProducerRecord<byte[], byte[]> binary =
                    new ProducerRecord<>("attestream.inbox.demo", null, PAYLOAD.getBytes(StandardCharsets.UTF_8));
            Map.of(
                            "ce_specversion", "1.0",
                            "ce_id", "one",
                            "ce_source", "/doors",
                            "ce_type", "t",
                            "content-type", "application/json")
                    .forEach((name, value) ->
                            binary.headers().add(new RecordHeader(name, value.getBytes(StandardCharsets.UTF_8))));
            producer.send(binary).get(30, TimeUnit.SECONDS);
            ProducerRecord<byte[], byte[]> structured =
                    new ProducerRecord<>("attestream.inbox.demo", null, STRUCTURED.getBytes(StandardCharsets.UTF_8));
            structured.headers().add("content-type", "application/cloudevents+json".getBytes(StandardCharsets.UTF_8));
            producer.send(structured).get(30, TimeUnit.SECONDS);
        }
    }

    /** By Apicurio's own deserializer, which fetches the schema by the id in the record. */
    private static GenericRecord readThroughRegistry(ClusterFile cluster, String receipt) {
        String[] parts = receipt.split("/", -1);
        int shard = Integer.parseInt(parts[4]);
        long offset = Long.parseLong(parts[5]);
        Map<String, Object> config = Map.of(
                "bootstrap.servers", cluster.bootstrapServers(),
                "isolation.level", "read_committed",
                "apicurio.registry.url", cluster.registryUrl().replace("/ccompat/v7", "/registry/v3"));
        try (AvroKafkaDeserializer<GenericRecord> deserializer = new AvroKafkaDeserializer<>();
                KafkaConsumer<byte[], GenericRecord> consumer =
                        new KafkaConsumer<>(config, new ByteArrayDeserializer(), deserializer)) {
            deserializer.configure(config, false);
            TopicPartition partition = new TopicPartition("attestream.events", shard);
            consumer.assign(List.of(partition));
            consumer.seek(partition, offset);
            List<ConsumerRecord<byte[], GenericRecord>> records = new ArrayList<>();
            await().atMost(30, TimeUnit.SECONDS).until(() -> {
                records.addAll(consumer.poll(Duration.ofMillis(200)).records(partition));
                return !records.isEmpty();
            });
            return records.get(0).value();
        }
    }
}
