// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.S3Server;
import io.attestream.chaos.S3Server.Fault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole ledger with its object store behind the protocol of S3. */
@Tag("restores")
class ObjectStoreIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration COMMAND = Duration.ofSeconds(90);
    private static final Map<String, String> CREDENTIALS =
            Map.of("AWS_ACCESS_KEY_ID", "id", "AWS_SECRET_ACCESS_KEY", "secret", "AWS_EC2_METADATA_DISABLED", "true");

    @TempDir
    private static Path scratch;

    private static S3Server server;
    private static LocalCluster cluster;

    @BeforeAll
    static void startCluster() throws Exception {
        server = S3Server.start();
        Map<String, String> environment = new HashMap<>(CREDENTIALS);
        environment.put("ATTESTREAM_OBJECTS_LOCATION", location());
        Map<String, String> packing = new HashMap<>(environment);
        packing.put("ATTESTREAM_PACKS_LEAVES_MAX", "256");
        packing.put("ATTESTREAM_PACKS_SEGMENT_GRACE_MILLIS", "1000");
        cluster = LocalCluster.start(new LocalCluster.Options(
                scratch.resolve("data"),
                2,
                1,
                1,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {},
                Map.of("checkpointer", packing, "gateway", environment, "processors", environment),
                false));
    }

    @AfterAll
    static void stop() {
        cluster.close();
        server.close();
    }

    private static String location() {
        return "s3://bucket/ledger?region=eu-central-1&endpoint=" + server.endpoint();
    }

    @Test
    void proofsComeOutOfABucketAlsoWhenItsServerFailsNowAndThen() throws Exception {
        // given a server that is unavailable at first, and loses the first answer to each write of a segment
        Set<String> lost = ConcurrentHashMap.newKeySet();
        server.faults((method, key, number) -> {
            if (number <= 2) {
                return Fault.UNAVAILABLE;
            }
            return method.equals("PUT") && key.contains("/segments/") && lost.add(key) ? Fault.ANSWER_LOST : Fault.NONE;
        });
        Path event = Files.writeString(scratch.resolve("event.json"), """
                {"specversion":"1.0","id":"in-a-bucket","source":"/it","type":"test","data":{"n":1}}
                """);

        // when
        String receipt = JSON.readTree(run("append", "--data-dir", data(), "-o", "json", event.toString())
                        .out())
                .at("/results/0/receipt/href")
                .asText();
        Path bundle = scratch.resolve("event.attest.json");
        JsonNode published = JSON.readTree(
                run("receipt", "--data-dir", data(), receipt, "--wait", "60", "--save", bundle.toString(), "-o", "json")
                        .out());

        // then
        assertThat(published.path("status").asText()).isEqualTo("leaf");
        run(
                "verify",
                bundle.toString(),
                "--event",
                event.toString(),
                "--ledger-key",
                cluster.ledger().verifierKey());
        assertThat(server.objects().keySet()).anyMatch(key -> key.startsWith("bucket/ledger/segments/"));
        assertThat(scratch.resolve("data/objects")).isEmptyDirectory();

        assertThat(lost).isNotEmpty();

        // and what is in the bucket is checked like a directory, and damage is found
        run("fsck", "--data-dir", data(), "--objects", location());
        run(
                "fsck",
                "--alone",
                "--objects",
                location(),
                "--ledger-key",
                cluster.ledger().verifierKey());
        String segment = server.objects().keySet().stream()
                .filter(key -> key.startsWith("bucket/ledger/segments/"))
                .reduce((first, second) -> second)
                .orElseThrow();
        byte[] good = server.objects().get(segment);
        server.objects().computeIfPresent(segment, (key, bytes) -> {
            byte[] damaged = bytes.clone();
            damaged[damaged.length - 1] ^= 1;
            return damaged;
        });
        Script.Ended damaged =
                Script.run(scratch, COMMAND, CREDENTIALS, "fsck", "--data-dir", data(), "--objects", location());
        assertThat(damaged.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(damaged.out()).contains("DAMAGED").contains(segment.substring("bucket/ledger/".length()));
        server.objects().put(segment, good);
    }

    @Test
    void proofsOfOldLeavesComeOutOfPacksAndSegmentsGo() throws Exception {
        // given more events of one shard than two packs hold, in several epochs; those before them stay with the other
        // shard
        Set<String> before = segments();
        Path first = Files.writeString(scratch.resolve("first.json"), event(0));
        String receipt = JSON.readTree(run("append", "--data-dir", data(), "-o", "json", first.toString())
                        .out())
                .at("/results/0/receipt/href")
                .asText();
        run("receipt", "--data-dir", data(), receipt, "--wait", "60");
        Set<String> early = segments();
        early.removeAll(before);
        assertThat(early).isNotEmpty();
        for (int batch = 0; batch < 3; batch++) {
            Path events = scratch.resolve("batch-" + batch + ".ndjson");
            Files.writeString(
                    events,
                    IntStream.range(1 + 200 * batch, 201 + 200 * batch)
                            .mapToObj(ObjectStoreIT::event)
                            .collect(Collectors.joining("\n")));
            run("append", "--data-dir", data(), events.toString());
        }

        // when the packs are logged, by an epoch that something new makes
        AtomicInteger more = new AtomicInteger(1_000);
        await().atMost(60, TimeUnit.SECONDS).pollInterval(Duration.ofSeconds(1)).until(() -> {
            Path next = Files.writeString(scratch.resolve("next.json"), event(more.getAndIncrement()));
            run("append", "--data-dir", data(), next.toString());
            return segments().stream().noneMatch(early::contains);
        });

        // then, also when the proof stores have let go of what is in packs
        assertThat(server.objects().keySet()).anyMatch(key -> key.startsWith("bucket/ledger/packs/"));
        Path log = scratch.resolve("data/logs/processors-0.log");
        await().atMost(60, TimeUnit.SECONDS).until(() -> Files.readString(log).contains("come from packs now"));
        Path bundle = scratch.resolve("packed.attest.json");
        run("receipt", "--data-dir", data(), receipt, "--save", bundle.toString());
        run(
                "verify",
                bundle.toString(),
                "--event",
                first.toString(),
                "--ledger-key",
                cluster.ledger().verifierKey());
        run("fsck", "--data-dir", data(), "--objects", location());

        // and the ledger as it was at an epoch comes out of the bucket alone
        Path past = scratch.resolve("past");
        run(
                "restore",
                "point-in-time",
                "--epoch",
                "1",
                "--into",
                past.toString(),
                "--objects",
                location(),
                "--ledger-key",
                cluster.ledger().verifierKey());
        assertThat(past.resolve("log/checkpoint")).content().contains("\n2\n");

        // and what the bucket loses comes back from Kafka
        Map<String, byte[]> packs = new TreeMap<>(server.objects());
        packs.keySet().removeIf(key -> !key.startsWith("bucket/ledger/packs/"));
        server.objects().keySet().removeIf(key -> key.matches("bucket/ledger/(payload-)?packs/.*"));
        Script.Ended lost =
                Script.run(scratch, COMMAND, CREDENTIALS, "fsck", "--data-dir", data(), "--objects", location());
        assertThat(lost.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        run("restore", "objects", "--data-dir", data(), "--objects", location());
        assertThat(server.objects()).containsAllEntriesOf(packs);
        run("fsck", "--data-dir", data(), "--objects", location());
    }

    @Test
    void aSnapshotIsTakenOnDemandVerifiedWithoutKafkaAndGoneOnFrom() throws Exception {
        // given
        publishOne("before the snapshot");

        // when
        run("snapshots", "create", "--data-dir", data());
        JsonNode taken = snapshots("list", "--data-dir", data(), "--objects", location());

        // then
        assertThat(taken.at("/snapshots/0/problem").asText()).isEmpty();
        assertThat(taken.at("/snapshots/0/leaves").asLong()).isPositive();

        // and a checkpointer that is killed goes on from it
        cluster.process("checkpointer").kill();
        cluster.startAgain("checkpointer");
        publishOne("after the snapshot");
        assertThat(Files.readString(scratch.resolve("data/logs/checkpointer.log")))
                .contains("going on from snapshot");
        JsonNode logged = snapshots(
                "verify",
                "--objects",
                location(),
                "--ledger-key",
                cluster.ledger().verifierKey());
        assertThat(logged.at("/snapshots/0/loggedEpoch").asLong())
                .isGreaterThan(logged.at("/snapshots/0/epoch").asLong());
        run("fsck", "--data-dir", data(), "--objects", location());

        // and a flipped bit in it is found, and named
        String window = server.objects().keySet().stream()
                .filter(key -> key.startsWith("bucket/ledger/windows/"))
                .reduce((first, second) -> second)
                .orElseThrow();
        byte[] good = server.objects().get(window);
        byte[] damaged = good.clone();
        damaged[30] ^= 1;
        server.objects().put(window, damaged);
        String name = window.substring("bucket/ledger/".length());
        for (List<String> check : List.of(List.of("snapshots", "verify"), List.of("fsck"))) {
            List<String> arguments = new ArrayList<>(check);
            arguments.addAll(List.of("--data-dir", data(), "--objects", location()));
            Script.Ended found = Script.run(scratch, COMMAND, CREDENTIALS, arguments.toArray(new String[0]));
            assertThat(found.exitCode()).isEqualTo(ExitCode.VERIFICATION_FAILED);
            assertThat(found.out()).contains("DAMAGED").contains(name);
        }
        server.objects().put(window, good);
    }

    private static JsonNode snapshots(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("snapshots"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("-o", "json"));
        return JSON.readTree(run(all.toArray(new String[0])).out());
    }

    private static void publishOne(String id) throws Exception {
        Path event = Files.writeString(
                scratch.resolve("one.json"),
                "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/one\",\"type\":\"test\"}");
        String receipt = JSON.readTree(run("append", "--data-dir", data(), "-o", "json", event.toString())
                        .out())
                .at("/results/0/receipt/href")
                .asText();
        run("receipt", "--data-dir", data(), receipt, "--wait", "60");
    }

    private static Set<String> segments() {
        return server.objects().keySet().stream()
                .filter(key -> key.startsWith("bucket/ledger/segments/"))
                .collect(Collectors.toSet());
    }

    private static String event(int id) {
        return "{\"specversion\":\"1.0\",\"id\":\"packed-" + id
                + "\",\"source\":\"/packs\",\"type\":\"test\",\"data\":{\"n\":" + id + "}}";
    }

    private static String data() {
        return scratch.resolve("data").toString();
    }

    private static Script.Ended run(String... arguments) throws Exception {
        Script.Ended ended = Script.run(scratch, COMMAND, CREDENTIALS, arguments);
        assertThat(ended.exitCode())
                .as(String.join(" ", arguments) + "\n" + ended.out() + ended.err())
                .isZero();
        return ended;
    }
}
