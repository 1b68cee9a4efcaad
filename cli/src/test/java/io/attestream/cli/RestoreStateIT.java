// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.ManagedProcess;
import io.attestream.schemas.Topics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
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
