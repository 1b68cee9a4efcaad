// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.LocalCluster;
import io.attestream.chaos.LocalCluster.Topology;
import io.attestream.schemas.Topics;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Follows the runbooks of what is lost, and of what cannot be undone, each on a cluster of its own. */
@Tag("restores")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class RunbooksOfLossIT {
    private static final int EVENTS = 324;

    @TempDir
    private Path scratch;

    private Path data;
    private OnCall onCall;

    @BeforeEach
    void prepare() {
        data = scratch.resolve("data");
        onCall = new OnCall(scratch, data);
    }

    @AfterEach
    void stop() throws Exception {
        onCall.close();
    }

    /** @return the epoch by which all samples are published */
    private NewestEpoch startWithSamplesPublished() throws Exception {
        onCall.follow(List.of("./attestream up --data-dir " + data));
        sendSamples();
        return awaitRecords(EVENTS);
    }

    private void sendSamples() throws Exception {
        onCall.follow(List.of("./attestream append --data-dir " + data + " samples/github-webhooks.ndjson"));
    }

    /** Until so many are published, genesis records among them or not. */
    private NewestEpoch awaitRecords(long records) throws Exception {
        Api api = onCall.api("auditor");
        int genesisRecords = onCall.cluster().shards();
        await().atMost(60, TimeUnit.SECONDS).until(() -> NewestEpoch.fetch(api).records() >= records + genesisRecords);
        return NewestEpoch.fetch(api);
    }

    /** All that was sent before is sent again, and nothing is added. */
    private void requireNothingLost(NewestEpoch before) throws Exception {
        NewestEpoch now = NewestEpoch.fetch(onCall.api("auditor"));
        sendSamples();
        NewestEpoch after = awaitRecords(now.records() - onCall.cluster().shards() + EVENTS);
        assertThat(after.eventLeaves()).isEqualTo(before.eventLeaves());
    }

    private void delete(String... names) throws IOException {
        for (String name : names) {
            DrillCluster.deleteBelow(data.resolve(name));
        }
    }

    @Test
    void aLostRegionIsLeftAsItsPageSays() throws Exception {
        // given
        NewestEpoch before = startWithSamplesPublished();
        onCall.follow(
                List.of("./attestream checkpoint --data-dir " + data + " --save " + data.resolve("kept.checkpoint")));
        onCall.kill(data);
        await().atMost(60, TimeUnit.SECONDS)
                .until(() -> Up.livingProcesses(data).isEmpty());
        loseAllBut("objects", "keys", "kept.checkpoint");

        // when
        onCall.follow("RegionLoss", "Diagnosis");
        onCall.follow("RegionLoss", "Mitigation");

        // then
        onCall.follow("RegionLoss", "Verification");
        requireNothingLost(before);
    }

    private void loseAllBut(String... names) throws IOException {
        try (Stream<Path> files = Files.list(data)) {
            for (Path file : files.toList()) {
                if (!Set.of(names).contains(file.getFileName().toString())) {
                    if (Files.isDirectory(file)) {
                        DrillCluster.deleteBelow(file);
                    }
                    Files.delete(file);
                }
            }
        }
    }

    @Test
    void lostObjectsAndLostStateAreRestoredAsTheirPageSays() throws Exception {
        // given
        List<List<String>> mitigation = onCall.blocks("Restore", "Mitigation");
        NewestEpoch before = startWithSamplesPublished();

        // when all objects are lost
        onCall.signal("KILL", "checkpointer");
        delete("objects");
        onCall.follow("Restore", "Diagnosis");
        onCall.follow(mitigation.get(0));

        // then
        onCall.follow("Restore", "Verification");
        requireNothingLost(before);

        // when the processors' state is lost
        for (int generation : List.of(1, 2)) {
            onCall.stop(data);
            delete("state");
            onCall.follow(mitigation.get(generation));

            // then
            onCall.follow("Restore", "Verification");
            requireNothingLost(before);
        }
        onCall.follow(mitigation.get(3));
        assertThat(data.resolve("as-of-epoch-1/log/checkpoint")).exists();
        assertThat(mitigation).hasSize(4);
    }

    @Test
    void partitionsThatWereAddedStopEverythingAndTheLedgerGoesOnAsItsPageSays() throws Exception {
        // given
        List<List<String>> mitigation = onCall.blocks("AddingPartitions", "Mitigation");
        NewestEpoch before = startWithSamplesPublished();
        int shards = onCall.cluster().shards();

        // when
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", onCall.cluster().bootstrapServers()))) {
            admin.createPartitions(
                            Map.of(new Topics(Topics.DEFAULT_PREFIX).events(), NewPartitions.increaseTo(shards + 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }

        // then nothing is accepted, each says why, and a start is refused
        String why = "genesis was made for " + shards;
        for (String name : List.of("gateway-0", "processors-0")) {
            await(name).atMost(60, TimeUnit.SECONDS).until(() -> !onCall.isReady(name));
            await(name)
                    .atMost(60, TimeUnit.SECONDS)
                    .until(() -> Files.readString(data.resolve("logs/" + name + ".log"))
                            .contains(why));
        }
        Api.Reply refused = onCall.api("ingester").get("/v1/checkpoint", "text/plain");
        assertThat(refused.status()).isEqualTo(503);
        onCall.stop(data);
        Script.Ended start = Script.run(scratch, Duration.ofMinutes(2), "up", "--data-dir", data.toString());
        assertThat(start.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(start.err()).contains("attestream.events: partitions is " + (shards + 1) + ", must be " + shards);

        // when
        onCall.follow(mitigation.get(3));

        // then
        onCall.follow("AddingPartitions", "Verification");
        requireNothingLost(before);
        assertThat(mitigation).hasSize(4);
    }

    @Test
    void moreIsTakenInByMoreProcessorsOrByALedgerOfMoreShardsAsItsPageSays() throws Exception {
        // given
        List<List<String>> mitigation = onCall.blocks("AddingPartitions", "Mitigation");
        NewestEpoch before = startWithSamplesPublished();
        onCall.follow("AddingPartitions", "Diagnosis");
        onCall.stop(data);

        // when
        onCall.follow(mitigation.get(0));

        // then
        assertThat(onCall.isReady("processors-1")).isTrue();
        onCall.follow("AddingPartitions", "Verification");
        requireNothingLost(before);

        // when
        List<String> newLedger = mitigation.get(1);
        onCall.follow(newLedger.subList(0, 1));
        onCall.stop(data);
        onCall.follow(newLedger.subList(1, newLedger.size()));
        onCall.follow(mitigation.get(2));

        // then
        Path second = scratch.resolve("data-2");
        OnCall there = new OnCall(scratch, second);
        assertThat(there.cluster().shards()).isEqualTo(8);
        Api api = there.api("auditor");
        await().atMost(60, TimeUnit.SECONDS).until(() -> NewestEpoch.fetch(api).eventLeaves() == 1);
    }

    @ParameterizedTest
    @CsvSource({"KafkaPartitionsUnderReplicated, 1", "KafkaPartitionsOffline, 2"})
    void lostBrokersAreBackAsTheirPageSays(String alert, int lost) throws Exception {
        // given
        LocalCluster.Options options = new LocalCluster.Options(
                data,
                2,
                1,
                1,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                step -> {},
                Map.of("processors", Map.of("ATTESTREAM_DEV", "false")), // changelogs are replicated
                false,
                new Topology(3, false));
        try (LocalCluster cluster = LocalCluster.start(options)) {
            sendSamples();
            NewestEpoch before = awaitRecords(EVENTS);

            // when
            List<String> brokers = List.of("broker-3", "broker-2").subList(0, lost);
            for (String broker : brokers) {
                onCall.signal("KILL", broker);
            }
            for (String broker : brokers) {
                await(broker).atMost(60, TimeUnit.SECONDS).until(() -> !onCall.isReady(broker));
            }
            if (lost == 1) {
                await().atMost(90, TimeUnit.SECONDS).until(() -> underReplicated(cluster) > 0);
                onCall.follow(alert, "Diagnosis");
            }
            onCall.follow(alert, "Mitigation");

            // then
            for (String broker : brokers) {
                assertThat(onCall.isReady(broker)).as(broker).isTrue();
            }
            await().atMost(90, TimeUnit.SECONDS).until(() -> underReplicated(cluster) == 0);
            onCall.follow(alert, "Verification");
            requireNothingLost(before);
        }
    }

    /** As the alert sees it; −1 if it is not known. */
    private static double underReplicated(LocalCluster cluster) {
        String name = "attestream_kafka_partitions{state=\"under_replicated\"";
        URI management = cluster.managementUrl(0);
        return new Api(management, null)
                .get("/q/metrics", "text/plain")
                .text()
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .findFirst()
                .orElse(-1);
    }
}
