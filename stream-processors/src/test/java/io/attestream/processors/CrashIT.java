// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.ManagedProcess;
import io.attestream.processors.sequencer.Replay;
import io.attestream.schemas.avro.Sealed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes, killed at random moments while events and retries of events come in. */
class CrashIT {
    private static final int SHARDS = 2;

    @TempDir
    private static Path directory;

    private static LocalBroker broker;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @BeforeAll
    static void startBroker() {
        broker = LocalBroker.start(directory.resolve("broker"));
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    /** Writes new events and retries of recent and older ones until told to stop. */
    private static final class Load implements AutoCloseable {
        private final AtomicBoolean stop = new AtomicBoolean();
        private final List<CompletableFuture<RecordMetadata>> acknowledged = new ArrayList<>();
        private final Thread thread;

        Load(LiveLedger live, long seed) {
            Random random = new Random(seed);
            thread = new Thread(() -> {
                for (int i = 0; !stop.get(); i++) {
                    int shard = i % SHARDS;
                    // A third are retries, most of them of what came just before; few have other content.
                    int back = random.nextInt(3) == 0 ? 1 + random.nextInt(random.nextBoolean() ? 40 : 400) : 0;
                    String content = back > 0 && random.nextInt(10) == 0 ? "other" : "content";
                    acknowledged.add(live.writeEvent(shard, "id-" + Math.max(0, i / SHARDS - back), content));
                    if (i % 20 == 0) {
                        LockSupport.parkNanos(5_000_000);
                    }
                }
            });
            thread.start();
        }

        @Override
        public void close() throws InterruptedException {
            stop.set(true);
            thread.join();
            acknowledged.forEach(CompletableFuture::join);
        }
    }

    static ManagedProcess process(LiveLedger live, String instance, int port) {
        Path home = Path.of(System.getProperty("attestream.home"));
        Map<String, String> environment = new HashMap<>();
        live.settings(instance, "sequencer", port)
                .forEach((name, value) ->
                        environment.put(name.replaceAll("[^a-z0-9]", "_").toUpperCase(Locale.ROOT), value));
        return new ManagedProcess(
                instance,
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-javaagent:" + home.resolve("chaos/target/agent/child-agent.jar"),
                        "-cp",
                        home.resolve("stream-processors/target/app/lib") + "/*",
                        "io.attestream.processors.Main"),
                environment,
                live.directory.resolve(instance + ".log"));
    }

    private void awaitProgress(LiveLedger live) {
        List<Integer> before = deltas(live);
        Awaitility.await("every shard goes on, seed " + seed)
                .atMost(LiveLedger.PATIENCE)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> {
                    List<Integer> now = deltas(live);
                    return IntStream.range(0, SHARDS).allMatch(shard -> now.get(shard) > before.get(shard));
                });
        // Somewhere in the course of a few commits.
        LockSupport.parkNanos(random.nextInt(400_000_000));
    }

    private static List<Integer> deltas(LiveLedger live) {
        return IntStream.range(0, SHARDS)
                .mapToObj(shard -> live.records(live.topics.sealed(), shard).size())
                .toList();
    }

    private static void requireExactlyOnce(LiveLedger live) {
        live.awaitSealed();
        for (int shard = 0; shard < SHARDS; shard++) {
            List<Sealed> deltas = live.sealed(shard);
            Replay.requireEqual(
                    live.ledger, shard, live.records(live.topics.events(), shard), deltas, live.outcomes(shard));
            assertThat(live.outcomes(shard)).as("retries were recognised").isNotEmpty();
            assertThat(deltas).isNotEmpty();
        }
    }

    @Test
    void killedAgainAndAgainItMakesNoGapAndNoDouble() throws Exception {
        System.out.println("seed " + seed);
        // given
        int port = LiveLedger.freePort();
        try (LiveLedger live = new LiveLedger(broker.bootstrapServers(), "crash", SHARDS, directory);
                ManagedProcess process = process(live, "p0", port).start()) {
            // when
            try (Load ignored = new Load(live, seed)) {
                for (int kill = 0; kill < 3; kill++) {
                    awaitProgress(live);
                    process.restart();
                }
                awaitProgress(live);
                process.stop();
                process.start();
                awaitProgress(live);
            }

            // then
            requireExactlyOnce(live);
            assertThat(live.get(port, "/health/ready").body()).contains("\"status\":\"UP\"");
        }
    }

    @Test
    void anotherInstanceTakesOverTheShardsOfAKilledOne() throws Exception {
        System.out.println("seed " + seed);
        // given
        try (LiveLedger live = new LiveLedger(broker.bootstrapServers(), "takeover", SHARDS, directory);
                ManagedProcess one = process(live, "p1", LiveLedger.freePort()).start();
                ManagedProcess two = process(live, "p2", LiveLedger.freePort()).start()) {
            // when
            try (Load ignored = new Load(live, seed)) {
                awaitProgress(live);
                one.kill();
                awaitProgress(live);
                one.start();
                awaitProgress(live);
                two.kill();
                awaitProgress(live);
            }

            // then
            requireExactlyOnce(live);
        }
    }
}
