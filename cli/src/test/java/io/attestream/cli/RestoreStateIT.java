// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import io.attestream.schemas.Topics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A part of the processors' state is lost: they refuse to go on, and a new generation takes the ledger up where it was. */
@Tag("restores")
class RestoreStateIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration COMMAND = Duration.ofSeconds(90);
    private static final Topics TOPICS = new Topics(Topics.DEFAULT_PREFIX);

    @TempDir
    private Path scratch;

    private LocalCluster cluster;

    private LocalCluster.Options options() {
        return new LocalCluster.Options(
                scratch.resolve("data"),
                2,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {});
    }

    /** Which part was lost makes no difference: nothing of the old generation is used. */
    @Test
    void theLedgerGoesOnInANewGenerationAndOldReceiptsStillResolve() throws Exception {
        // given a ledger with an event, its receipt and a kept checkpoint
        cluster = LocalCluster.start(options());
        try {
            String key = cluster.ledger().verifierKey();
            Path event = event("before");
            String receipt = append(event);
            Path bundle = scratch.resolve("before.attest.json");
            assertThat(resolve(receipt, bundle)).isEqualTo("leaf");
            Path checkpoint = scratch.resolve("before.checkpoint");
            run("checkpoint", "--data-dir", data(), "--save", checkpoint.toString());

            // when
            ManagedProcess processors = cluster.process("processors-0");
            processors.stop();
            loseChangelogs();
            processors.start();

            // then they refuse by themselves
            await().atMost(COMMAND).until(() -> !processors.isAlive());
            cluster.close();

            // and in a new generation the same ledger goes on
            cluster = LocalCluster.start(options().withNewGeneration());
            assertThat(cluster.ledger().verifierKey()).isEqualTo(key);
            Path again = scratch.resolve("again.attest.json");
            assertThat(resolve(receipt, again)).isEqualTo("leaf");
            run("verify", again.toString(), "--event", event.toString(), "--ledger-key", key);
            run("verify", bundle.toString(), "--event", event.toString(), "--ledger-key", key);
            assertThat(resolve(append(event), again)).isEqualTo("duplicate");
            Path fresh = event("after");
            assertThat(resolve(append(fresh), scratch.resolve("after.attest.json")))
                    .isEqualTo("leaf");
            run("consistency", "--data-dir", data(), checkpoint.toString());
            run("monitor", "--data-dir", data(), "--once");
            run("rebuild", "--data-dir", data(), "--checkpoint", checkpoint.toString());
            run("fsck", "--data-dir", data(), "--checkpoint", checkpoint.toString());

            // and it began once
            assertThat(run("restore", "state", "--data-dir", data(), "--generation", "2")
                            .out())
                    .contains("already begun");
            Script.Ended first =
                    Script.run(scratch, COMMAND, "restore", "state", "--data-dir", data(), "--generation", "1");
            assertThat(first.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(first.err()).contains("is the ledger's first");

            // and a start without a word stays in it
            cluster.close();
            cluster = LocalCluster.start(options());
            assertThat(resolve(append(event), again)).isEqualTo("duplicate");
        } finally {
            cluster.close();
        }
    }

    /** Up to the epoch published last nothing is sequenced again; a run that is killed is finished by the next. */
    @Test
    void theLedgerGoesOnWithAStateOutOfTheArchive() throws Exception {
        // given
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        cluster = LocalCluster.start(options());
        String key = cluster.ledger().verifierKey();
        Path event = event("before");
        Path checkpoint = scratch.resolve("before.checkpoint");
        try {
            String receipt = append(event);
            for (int i = 0; i < 5; i++) {
                resolve(append(event("more-" + i)), scratch.resolve("more.attest.json"));
            }
            run("checkpoint", "--data-dir", data(), "--save", checkpoint.toString());
            cluster.close();

            // when
            try (LocalBroker broker = LocalBroker.start(scratch.resolve("data/kafka"))) {
                requireRefusals(broker, key, checkpoint);
                for (int kill = 0; kill < 4; kill++) {
                    Script restore = Script.start(scratch, fromArchive(broker, key));
                    LockSupport.parkNanos(1_000_000L * (700 + random.nextInt(3_000)));
                    restore.kill();
                }
                String done = run(fromArchive(broker, key, "--checkpoint", checkpoint.toString()))
                        .out();
                assertThat(done).containsAnyOf("\"begun\"", "already-begun");
                assertThat(run(fromArchive(broker, key)).out()).contains("already-begun");
            }
            cluster = LocalCluster.start(options().withNewGeneration());

            // then
            Path again = scratch.resolve("again.attest.json");
            assertThat(resolve(receipt, again)).isEqualTo("leaf");
            run("verify", again.toString(), "--event", event.toString(), "--ledger-key", key);
            assertThat(resolve(append(event), again)).isEqualTo("duplicate");
            assertThat(resolve(append(event("after")), scratch.resolve("after.attest.json")))
                    .isEqualTo("leaf");
            run("rebuild", "--data-dir", data(), "--checkpoint", checkpoint.toString());
            run("fsck", "--data-dir", data(), "--checkpoint", checkpoint.toString());
            assertThat(Files.readString(scratch.resolve("data/logs/checkpointer.log")))
                    .contains("going on from snapshot");

            // and so again, by a restart of the local cluster
            cluster.close();
            cluster = LocalCluster.start(options()
                    .withNewGeneration()
                    .withBootstrap(new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES))
                            .fromArchive(OptionalLong.empty())));
            assertThat(resolve(append(event), again)).isEqualTo("duplicate");
            assertThat(resolve(append(event("later")), scratch.resolve("later.attest.json")))
                    .isEqualTo("leaf");
            run("fsck", "--data-dir", data(), "--checkpoint", checkpoint.toString());
        } finally {
            cluster.close();
        }
    }

    private void requireRefusals(LocalBroker broker, String key, Path checkpoint) throws Exception {
        // another key
        Path other = scratch.resolve("other.skey");
        run("keys", "generate", "--origin", "attestream.local/other", "--key-file", other.toString());
        List<String> command = new ArrayList<>(List.of(fromArchive(broker, key)));
        command.set(command.indexOf("--key-file") + 1, other.toString());
        requireRefused(command.toArray(String[]::new), "the key is not that of the ledger");

        // a checkpoint the archive does not have, an epoch nobody published
        requireRefused(fromArchive(broker, key, "--epoch", "99999"), "has no epoch 99999");

        // an object that is damaged, by name
        Path segment = newest("segments");
        byte[] good = Files.readAllBytes(segment);
        byte[] bad = good.clone();
        bad[bad.length / 2] ^= 1;
        Files.write(segment, bad);
        requireRefused(
                fromArchive(broker, key),
                scratch.resolve("data/objects").relativize(segment) + ": expected the digest in its name");
        Files.write(segment, good);

        // a store that is shorter than what was published; an earlier epoch only when told so
        Path epoch = newest("epochs");
        byte[] last = Files.readAllBytes(epoch);
        Files.delete(epoch);
        requireRefused(fromArchive(broker, key), "the object store is shorter than what was published");
        long number = Long.parseLong(epoch.getFileName().toString().replace(".epoch", ""));
        String earlier = Long.toString(number - 1);
        List<String> third = new ArrayList<>(List.of(fromArchive(broker, key, "--epoch", earlier)));
        third.set(third.indexOf("--generation") + 1, "3");
        assertThat(run(third.toArray(String[]::new)).out())
                .contains("\"begun\"")
                .contains("\"epoch\":" + earlier);
        Files.write(epoch, last);
    }

    private Path newest(String directory) throws Exception {
        try (Stream<Path> files = Files.walk(scratch.resolve("data/objects").resolve(directory))) {
            return files.filter(Files::isRegularFile)
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
        }
    }

    private void requireRefused(String[] command, String why) throws Exception {
        Script.Ended refused = Script.run(scratch, COMMAND, command);
        assertThat(refused.exitCode()).as(refused.out() + refused.err()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        assertThat(refused.err() + refused.out()).contains(why);
    }

    private String[] fromArchive(LocalBroker broker, String key, String... more) {
        List<String> command = new ArrayList<>(List.of(
                "restore",
                "state",
                "--from-archive",
                "--bootstrap-servers",
                broker.bootstrapServers(),
                "--dev",
                "--generation",
                "2",
                "--ledger-key",
                key,
                "--key-file",
                scratch.resolve("data/keys/ledger.skey").toString(),
                "--objects",
                scratch.resolve("data/objects").toString(),
                "-o",
                "json"));
        command.addAll(List.of(more));
        return command.toArray(String[]::new);
    }

    private void loseChangelogs() throws Exception {
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", cluster.broker().bootstrapServers()))) {
            List<String> changelogs = admin.listTopics().names().get(30, TimeUnit.SECONDS).stream()
                    .filter(name -> name.startsWith(TOPICS.sequencerGroup(1) + "-") && name.endsWith("-changelog"))
                    .toList();
            assertThat(changelogs).isNotEmpty();
            admin.deleteTopics(changelogs).all().get(30, TimeUnit.SECONDS);
        }
    }

    private String data() {
        return scratch.resolve("data").toString();
    }

    private Path event(String id) throws Exception {
        return Files.writeString(scratch.resolve(id + ".json"), """
                {"specversion":"1.0","id":"%s","source":"/it","type":"test","data":{"n":1}}
                """.formatted(id));
    }

    private String append(Path event) throws Exception {
        JsonNode result = JSON.readTree(run("append", "--data-dir", data(), "-o", "json", event.toString())
                .out());
        return result.at("/results/0/receipt/href").asText();
    }

    private String resolve(String receipt, Path bundle) throws Exception {
        return JSON.readTree(run(
                                "receipt",
                                "--data-dir",
                                data(),
                                receipt,
                                "--wait",
                                "60",
                                "--save",
                                bundle.toString(),
                                "-o",
                                "json")
                        .out())
                .path("status")
                .asText();
    }

    private Script.Ended run(String... arguments) throws Exception {
        Script.Ended ended = Script.run(scratch, COMMAND, arguments);
        assertThat(ended.exitCode())
                .as(String.join(" ", arguments) + "\n" + ended.out() + ended.err())
                .isZero();
        return ended;
    }
}
