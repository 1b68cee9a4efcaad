// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.LocalCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The brokers lost everything: the ledger goes on in an empty cluster, as often as it takes. */
@Tag("restores")
class RestoreKafkaIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration COMMAND = Duration.ofSeconds(90);
    private static final int WINDOW_LEAVES = 256;
    private static final int EVENTS = 400;

    @TempDir
    private Path scratch;

    private LocalCluster cluster;
    private String key = "";
    private Path checkpoint;
    /** Receipts by the events they are of, from every incarnation. */
    private final Map<String, String> receipts = new LinkedHashMap<>();

    private LocalCluster.Options options() {
        return new LocalCluster.Options(
                scratch.resolve("data"),
                2,
                1,
                1,
                new Bootstrap(OptionalLong.of(WINDOW_LEAVES)),
                step -> {},
                Map.of(
                        "checkpointer",
                        Map.of("ATTESTREAM_PACKS_LEAVES_MAX", "256", "ATTESTREAM_PACKS_SEGMENT_GRACE_MILLIS", "1000")),
                false);
    }

    private static LocalCluster.Options restoring(LocalCluster.Options options) {
        return options.withNewGeneration().withBootstrap(new RestoreBootstrap(Optional.empty()));
    }

    @BeforeEach
    void publish() throws Exception {
        cluster = LocalCluster.start(options());
        key = cluster.ledger().verifierKey();
        send("first");
        appendMany("bulk");
        send("last");
        checkpoint = scratch.resolve("kept.checkpoint");
        run("checkpoint", "--data-dir", data(), "--save", checkpoint.toString());
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private void loseKafka() throws IOException {
        cluster.close();
        for (String directory : List.of("kafka", "state")) {
            deleteBelow(scratch.resolve("data").resolve(directory));
        }
    }

    private static void deleteBelow(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder())
                    .filter(path -> !path.equals(directory))
                    .toList()) {
                Files.delete(file);
            }
        }
    }

    /** Every receipt there ever was is proved, and what is known is known. */
    private void requireWhole() throws Exception {
        assertThat(cluster.ledger().verifierKey()).isEqualTo(key);
        for (Map.Entry<String, String> receipt : receipts.entrySet()) {
            assertThat(resolve(receipt.getValue(), scratch.resolve(receipt.getKey() + ".attest.json")))
                    .as(receipt.toString())
                    .isEqualTo("leaf");
        }
        String newest = new ArrayList<>(receipts.keySet()).get(receipts.size() - 1);
        assertThat(resolve(append(event(newest)), scratch.resolve("again.attest.json")))
                .isEqualTo("duplicate");
    }

    /** And auditors find nothing. */
    private void requireAuditable() throws Exception {
        requireWhole();
        for (String id : receipts.keySet()) {
            String bundle = scratch.resolve(id + ".attest.json").toString();
            run("verify", bundle, "--event", event(id).toString(), "--ledger-key", key);
        }
        run("consistency", "--data-dir", data(), checkpoint.toString());
        run("rebuild", "--data-dir", data(), "--checkpoint", checkpoint.toString());
        run("fsck", "--data-dir", data(), "--checkpoint", checkpoint.toString());
        run("fsck", "--data-dir", data(), "--alone", "--checkpoint", checkpoint.toString());
    }

    @Test
    void theLedgerGoesOnThroughLossesOfKafkaAndNewGenerationsBetween() throws Exception {
        // when nobody says that something was lost
        loseKafka();
        assertThatThrownBy(() -> LocalCluster.start(options()))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("has published epochs, the Kafka cluster has no ledger");

        // then it does not begin anew, and goes on when told so
        cluster = LocalCluster.start(restoring(options()));
        requireWhole();
        send("second-incarnation");

        // and a start without a word goes on there
        cluster.close();
        cluster = LocalCluster.start(options());
        requireWhole();

        // and a lost state is made again from where the topic begins
        cluster.close();
        cluster = LocalCluster.start(options().withNewGeneration());
        appendMany("bulk-2");
        send("third-generation");
        requireAuditable();

        // and objects that Kafka never had are not made up
        Script.Ended objects = Script.run(scratch, COMMAND, "restore", "objects", "--data-dir", data());
        assertThat(objects.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(objects.out()).contains("Kafka was lost once");

        // and the next loss is survived too
        loseKafka();
        cluster = LocalCluster.start(restoring(options()));
        send("third-incarnation");
        requireAuditable();
        assertThat(receipts.get("third-incarnation")).startsWith("/v1/receipts/3/");
    }

    @Test
    void aRestoreThatIsKilledIsFinishedByTheNext() throws Exception {
        // given
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        loseKafka();
        try (LocalBroker broker = LocalBroker.start(scratch.resolve("data/kafka"))) {
            // when: killed somewhere on its way, again and again
            for (int kill = 0; kill < 6; kill++) {
                Script restore = Script.start(scratch, restoreKafka(broker, "2"));
                LockSupport.parkNanos(1_000_000L * (700 + random.nextInt(4_500)));
                restore.kill();
            }
            JsonNode restored = restored(broker, "2");

            // then
            assertThat(restored.path("status").asText()).isEqualTo("restored");
            assertThat(restored.path("incarnation").asInt()).isEqualTo(2);

            // and once more changes nothing
            assertThat(restored(broker, "2")).isEqualTo(restored);

            // and another generation, or the topics of a new ledger, are refused
            requireRefused(restoreKafka(broker, "1"), "generation 1 is not new");
            requireRefused(restoreKafka(broker, "3"), "was begun with --generation 2");
            run(
                    "init",
                    "--bootstrap-servers",
                    broker.bootstrapServers(),
                    "--dev",
                    "--shards",
                    "2",
                    "--prefix",
                    "new",
                    "--key-file",
                    scratch.resolve("data/keys/ledger.skey").toString());
            List<String> intoTheNew = new ArrayList<>(List.of(restoreKafka(broker, "9")));
            intoTheNew.addAll(List.of("--prefix", "new"));
            requireRefused(intoTheNew.toArray(String[]::new), "attestream init was run there");
        }
        cluster = LocalCluster.start(options().withNewGeneration());
        requireWhole();
        send("second-incarnation");

        // and into a cluster where a ledger works nothing is restored
        requireRefused(restoreKafka(cluster.broker(), "9"), "a ledger works there already");
        requireAuditable();
    }

    private void requireRefused(String[] command, String why) throws Exception {
        Script.Ended refused = Script.run(scratch, COMMAND, command);
        assertThat(refused.exitCode()).as(refused.out() + refused.err()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(refused.err() + refused.out()).contains(why);
    }

    private String[] restoreKafka(LocalBroker broker, String generation) {
        return new String[] {
            "restore",
            "kafka",
            "--bootstrap-servers",
            broker.bootstrapServers(),
            "--dev",
            "--generation",
            generation,
            "--key-file",
            scratch.resolve("data/keys/ledger.skey").toString(),
            "--objects",
            scratch.resolve("data/objects").toString(),
            "--checkpoint",
            checkpoint.toString(),
            "-o",
            "json"
        };
    }

    private JsonNode restored(LocalBroker broker, String generation) throws Exception {
        return JSON.readTree(run(restoreKafka(broker, generation)).out());
    }

    // ---- commands

    private String data() {
        return scratch.resolve("data").toString();
    }

    private static String line(String id) {
        return """
                {"specversion":"1.0","id":"%s","source":"/it","type":"test","data":{"n":1}}
                """.formatted(id);
    }

    private Path event(String id) throws IOException {
        return Files.writeString(scratch.resolve("event.json"), line(id));
    }

    private void appendMany(String prefix) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < EVENTS; i++) {
            lines.append("{\"specversion\":\"1.0\",\"id\":\"%s-%d\",\"source\":\"/it/%d\",\"type\":\"t\",\"data\":{}}\n"
                    .formatted(prefix, i, i % 16));
        }
        Path file = Files.writeString(scratch.resolve("many.ndjson"), lines);
        run("append", "--data-dir", data(), "-o", "json", file.toString());
    }

    private void send(String id) throws Exception {
        String receipt = append(event(id));
        assertThat(resolve(receipt, scratch.resolve("new.attest.json"))).isEqualTo("leaf");
        receipts.put(id, receipt);
    }

    private String append(Path event) throws Exception {
        JsonNode result = JSON.readTree(run("append", "--data-dir", data(), "-o", "json", event.toString())
                .out());
        return result.at("/results/0/receipt/href").asText();
    }

    private String resolve(String receipt, Path bundle) throws Exception {
        String[] command = {
            "receipt", "--data-dir", data(), receipt, "--wait", "60", "--save", bundle.toString(), "-o", "json"
        };
        return JSON.readTree(run(command).out()).path("status").asText();
    }

    private Script.Ended run(String... arguments) throws Exception {
        Script.Ended ended = Script.run(scratch, COMMAND, arguments);
        assertThat(ended.exitCode())
                .as(String.join(" ", arguments) + "\n" + ended.out() + ended.err())
                .isZero();
        return ended;
    }
}
