// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.LocalBroker;
import io.attestream.processors.LiveLedger.Reply;
import io.attestream.processors.LiveLedger.Running;
import io.attestream.processors.admission.InboxAcls;
import io.attestream.processors.proofs.PublishedEpochs;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.avro.Head;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.topics.TopicContract;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All three topologies on a real broker: from an inbox to proofs over HTTP. */
class ProofsIT {
    private static final int SHARDS = 2;
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path directory;

    private static LocalBroker broker;

    @BeforeAll
    static void startBroker() {
        broker = LocalBroker.start(directory.resolve("broker"));
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    private static LiveLedger ledger(String prefix) throws IOException {
        return new LiveLedger(broker.bootstrapServers(), prefix, SHARDS, directory);
    }

    @Test
    void admissionDoesNotStartWhereEverybodyMayWriteEverywhere() {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            assertThat(InboxAcls.problem(admin, List.of("any")))
                    .get()
                    .asString()
                    .contains("authorizer.class.name", "attestream acls");
        }
    }

    private static List<ShardHead> heads(LiveLedger live) {
        return IntStream.range(0, SHARDS)
                .mapToObj(shard -> {
                    List<Sealed> deltas = live.sealed(shard);
                    Head head = deltas.get(deltas.size() - 1).getHead();
                    return new ShardHead(
                            shard,
                            new TreeSize(head.getSize()),
                            Hash.of(head.getRoot().bytes()),
                            head.getNextOffset());
                })
                .toList();
    }

    /** Publishes as the checkpointer does, in a transaction. */
    private static void write(LiveLedger live, List<byte[]> values, boolean commit) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        broker.bootstrapServers(),
                        "transactional.id",
                        live.topics.checkpointerTransactionalId()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            values.forEach(
                    value -> producer.send(new ProducerRecord<>(live.topics.checkpoints(), 0, new byte[0], value)));
            producer.flush();
            if (commit) {
                producer.commitTransaction();
            } else {
                producer.abortTransaction();
            }
        }
    }

    private static JsonNode json(Reply reply) throws IOException {
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return JSON.readTree(reply.body());
    }

    private static List<Hash> path(JsonNode answer) throws Exception {
        List<Hash> path = new ArrayList<>();
        for (JsonNode hash : answer.path("path")) {
            path.add(Hash.ofBase64(hash.asText()));
        }
        return path;
    }

    private static void awaitPublished(LiveLedger live, Running processors, long epochs) {
        Awaitility.await("epoch " + (epochs - 1) + " can be asked for")
                .atMost(LiveLedger.PATIENCE)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> live.get(processors.port, "/internal/v1/ledger/epochs/" + (epochs - 1))
                                .status()
                        == 200);
    }

    private static void requireProofs(LiveLedger live, int port, List<ShardHead> heads) throws Exception {
        for (ShardHead head : heads) {
            String shard = "/internal/v1/shards/" + head.shard();
            for (long index : List.of(0L, head.size().value() / 2, head.size().value() - 1)) {
                JsonNode answer = json(live.get(port, shard + "/inclusion?index=" + index + "&size=" + head.size()));
                assertThat(Proofs.verifyInclusion(
                                new LeafIndex(index),
                                head.size(),
                                Hash.ofBase64(answer.path("leafHash").asText()),
                                path(answer),
                                head.root()))
                        .isTrue();
                JsonNode covering =
                        json(live.get(port, "/internal/v1/ledger/covering?shard=" + head.shard() + "&index=" + index));
                assertThat(covering.path("note").asText()).startsWith(TestLedger.ORIGIN + "\n");
            }
        }
    }

    @Test
    void answersAfterARestartAndAfterLosingItsDiskWhatItAnsweredBefore() throws Exception {
        try (LiveLedger live = ledger("proofs")) {
            // given: an epoch that was never committed, then the real one
            live.grow("id-", 300);
            PublishedEpochs epochs = new PublishedEpochs(live.ledger);
            List<ShardHead> heads;
            try (Running processors = live.run("p0", "sequencer,proofs").awaitReady()) {
                live.awaitSealed();
                heads = heads(live);
                List<ShardHead> never = List.of(heads.get(0), heads.get(0));
                write(live, new PublishedEpochs(live.ledger).publish(never), false);
                write(live, epochs.publish(heads), true);
                awaitPublished(live, processors, 1);

                // when, then
                requireProofs(live, processors.port, heads);
                assertThat(json(live.get(processors.port, "/internal/v1/shards/0/offsets/0"))
                                .path("kind")
                                .asText())
                        .isEqualTo("genesis");
                assertThat(live.get(processors.port, "/internal/v1/shards/0/inclusion?index=0&size=7")
                                .body())
                        .isEqualTo("{\"reason\":\"size-not-published\"}");
            }
            try (Running restarted = live.run("p0", "sequencer,proofs").awaitReady()) {
                requireProofs(live, restarted.port, heads);
            }
            try (Running elsewhere = live.run("p9", "proofs").awaitReady()) {
                requireProofs(live, elsewhere.port, heads);
            }
        }
    }

    @Test
    void goesOnAnsweringWhenTheOwnerOfAShardGoes() throws Exception {
        try (LiveLedger live = ledger("moves")) {
            // given: a second instance whose standby copies can answer
            live.grow("id-", 100);
            PublishedEpochs epochs = new PublishedEpochs(live.ledger);
            Running one = live.run("p1", "sequencer,proofs").awaitReady();
            live.awaitSealed();
            List<ShardHead> heads = heads(live);
            write(live, epochs.publish(heads), true);
            awaitPublished(live, one, 1);
            try (Running two = live.run("p2", "proofs").awaitReady()) {
                Awaitility.await("the second instance has copies of all shards")
                        .atMost(LiveLedger.PATIENCE)
                        .pollInterval(Duration.ofMillis(200))
                        .until(() -> heads.stream()
                                .allMatch(head ->
                                        live.get(two.port, inclusion(head)).status() == 200));
                List<String> before = heads.stream()
                        .map(head -> live.get(two.port, inclusion(head)).body())
                        .toList();

                // when: asked all the time while the other one goes and its shards are taken over
                CompletableFuture<Void> closing = CompletableFuture.runAsync(one::close);
                int asked = 0;
                long untilNanos = System.nanoTime() + Duration.ofSeconds(12).toNanos();
                while (System.nanoTime() < untilNanos) {
                    for (ShardHead head : heads) {
                        Reply reply = live.get(two.port, inclusion(head));
                        // then
                        assertThat(reply).isEqualTo(new Reply(200, before.get(head.shard())));
                        asked++;
                    }
                }
                closing.join();
                assertThat(asked).isGreaterThan(50);
            }
        }
    }

    private static String inclusion(ShardHead head) {
        return "/internal/v1/shards/" + head.shard() + "/inclusion?index=1&size=" + head.size();
    }

    @Test
    void takesEventsFromAnInboxAndRefusesBadOnesWithoutATraceInTheLedger() throws Exception {
        try (LiveLedger live = ledger("door")) {
            // given
            new TopicContract(live.topics, SHARDS, 1 << 20, true).createInboxes(live.admin, List.of("acme"));
            Map<String, String> settings = live.settings("p3", "admission,sequencer,proofs", LiveLedger.freePort());
            settings.put("attestream.admission.tenants", "acme");
            Running processors = live.run(settings).awaitReady();

            // when: two good ones of which one is sent twice, and in other content; and bad ones between
            try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                    Map.of("bootstrap.servers", broker.bootstrapServers(), "max.request.size", 2 << 20),
                    new ByteArraySerializer(),
                    new ByteArraySerializer())) {
                String inbox = live.topics.inbox("acme");
                producer.send(event(inbox, "1", "one"));
                producer.send(new ProducerRecord<>(inbox, new byte[] {1, 2, 3}));
                producer.send(event(inbox, "1", "one"));
                producer.send(event(inbox, "\u0007", "bad"));
                producer.send(event(inbox, "1", "other"));
                producer.send(event(inbox, "2", "x".repeat((1 << 20) + 1)));
                producer.send(event(inbox, "2", "x".repeat(1 << 20)));
            }

            // then
            Awaitility.await("both doors' topics have everything")
                    .atMost(LiveLedger.PATIENCE)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> written(live) == 4
                            && live.records(live.topics.inboxOutcomes(), 0).size() == 3);
            live.awaitSealed();
            assertThat(live.records(live.topics.inboxOutcomes(), 0).stream()
                            .map(ConsumerRecord::value)
                            .map(value -> new String(value, StandardCharsets.UTF_8)))
                    .satisfiesExactly(
                            outcome -> assertThat(outcome).contains("\"offset\":1", "\"missing\""),
                            outcome -> assertThat(outcome).contains("\"offset\":3", "\"field\":\"id\""),
                            outcome -> assertThat(outcome).contains("\"offset\":5", "\"too-large\""));
            long leaves =
                    heads(live).stream().mapToLong(head -> head.size().value()).sum();
            assertThat(leaves).as("genesis each, two events, one conflict").isEqualTo(SHARDS + 3);
            assertThat(live.get(processors.port, "/metrics").body())
                    .contains("attestream_admission_accepted_total 4.0")
                    .contains("attestream_admission_refused_total{code=\"too-large\"} 1.0")
                    .contains("attestream_sequencer_duplicates_total 1.0")
                    .contains("attestream_sequencer_leaves_total{kind=\"conflict\"} 1.0");
        }
    }

    private static int written(LiveLedger live) {
        return IntStream.range(0, SHARDS)
                .map(shard -> live.records(live.topics.events(), shard).size() - 1)
                .sum();
    }

    private static ProducerRecord<byte[], byte[]> event(String inbox, String id, String data) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(inbox, data.getBytes(StandardCharsets.UTF_8));
        Map.of("ce_specversion", "1.0", "ce_type", "t", "ce_source", "/s", "ce_id", id)
                .forEach((name, value) ->
                        record.headers().add(new RecordHeader(name, value.getBytes(StandardCharsets.UTF_8))));
        return record;
    }

    @Test
    void refusesToStartOnCheckpointsItCannotRead() throws Exception {
        try (LiveLedger live = ledger("unreadable")) {
            write(live, List.of(new byte[] {9}), true);
            assertThat(live.run("p5", "proofs").awaitRefusal()).contains("proofs: ", "cannot be read");
        }
    }

    @Test
    void refusesATenantWithoutAnInbox() throws Exception {
        try (LiveLedger live = ledger("noinbox")) {
            Map<String, String> settings = live.settings("p4", "admission", LiveLedger.freePort());
            settings.put("attestream.admission.tenants", "acme");
            assertThat(live.run(settings).awaitRefusal()).contains("noinbox.inbox.acme");
        }
    }
}
