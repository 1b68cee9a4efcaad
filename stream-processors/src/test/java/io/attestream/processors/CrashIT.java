// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.ManagedProcess;
import io.attestream.processors.sequencer.Replay;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.Sealed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
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
    private static final int KILLS = Integer.getInteger("attestream.kills", 3);

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
        private final List<Written> written = new ArrayList<>();
        private final Thread thread;

        Load(LiveLedger live, long seed) {
            Random random = new Random(seed);
            thread = new Thread(() -> {
                for (int i = 0; !stop.get(); i++) {
                    int shard = i % SHARDS;
                    // A third are retries, most of them of what came just before; few have other content.
                    int back = random.nextInt(3) == 0 ? 1 + random.nextInt(random.nextBoolean() ? 40 : 400) : 0;
                    String content = back > 0 && random.nextInt(10) == 0 ? "other" : "content";
                    Replay.Sent sent = new Replay.Sent("id-" + Math.max(0, i / SHARDS - back), content);
                    written.add(new Written(shard, sent, live.writeEvent(shard, sent.id(), sent.content())));
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
            written.forEach(one -> one.at().join());
        }

        /** What was written to a shard, by offset. */
        SortedMap<Long, Replay.Sent> sent(int shard) {
            SortedMap<Long, Replay.Sent> sent = new TreeMap<>();
            written.stream()
                    .filter(one -> one.shard() == shard)
                    .forEach(one -> sent.put(one.at().join().offset(), one.sent()));
            return sent;
        }
    }

    private record Written(int shard, Replay.Sent sent, CompletableFuture<RecordMetadata> at) {}

    static ManagedProcess process(LiveLedger live, String instance, int port) {
        return process(live, live.settings(instance, "sequencer", port));
    }

    static ManagedProcess process(LiveLedger live, Map<String, String> settings) {
        Path home = Path.of(System.getProperty("attestream.home"));
        String instance = settings.get("attestream.instance-id");
        Map<String, String> environment = new HashMap<>(Map.of("ENV", "dev", "AUTH_POLICY", "dev"));
        settings.forEach((name, value) ->
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

    /** Waits until the instance at this port sequences so many shards. */
    private static void awaitShards(LiveLedger live, int port, int shards) {
        Awaitility.await("instance at port " + port + " has " + shards + " shards")
                .atMost(LiveLedger.PATIENCE)
                .pollInterval(Duration.ofMillis(200))
                .ignoreExceptions()
                .until(() -> Pattern.compile("\"\\d+\":\\{\"(size|nextOffset)\"")
                                .matcher(live.get(port, "/health/ready").body())
                                .results()
                                .count()
                        == shards);
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

    private static void requireExactlyOnce(LiveLedger live, Load load) {
        live.awaitSealed();
        for (int shard = 0; shard < SHARDS; shard++) {
            List<Sealed> deltas = live.sealed(shard);
            Replay.requireEqual(
                    live.ledger, shard, live.records(live.topics.events(), shard), deltas, live.outcomes(shard));
            Replay.requireAsSent(live.ledger.rules.dedupWindowLeaves(), load.sent(shard), deltas, live.outcomes(shard));
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
            Load load = new Load(live, seed);
            try (load) {
                for (int kill = 0; kill < KILLS; kill++) {
                    awaitProgress(live);
                    process.restart();
                }
                awaitProgress(live);
                process.stop();
                process.start();
                awaitProgress(live);
            }

            // then
            requireExactlyOnce(live, load);
            assertThat(live.get(port, "/health/ready").body()).contains("\"status\":\"UP\"");
        }
    }

    @Test
    void anotherInstanceTakesOverTheShardsOfAKilledOne() throws Exception {
        System.out.println("seed " + seed);
        // given
        List<Integer> ports = List.of(LiveLedger.freePort(), LiveLedger.freePort());
        try (LiveLedger live = new LiveLedger(broker.bootstrapServers(), "takeover", SHARDS, directory);
                ManagedProcess one = process(live, "p1", ports.get(0)).start();
                ManagedProcess two = process(live, "p2", ports.get(1)).start()) {
            // when
            Load load = new Load(live, seed);
            try (load) {
                awaitShards(live, ports.get(0), 1);
                awaitShards(live, ports.get(1), 1);
                awaitProgress(live);
                one.kill();
                awaitShards(live, ports.get(1), SHARDS);
                awaitProgress(live);
                one.start();
                awaitShards(live, ports.get(0), 1);
                awaitProgress(live);
                two.kill();
                awaitShards(live, ports.get(0), SHARDS);
                awaitProgress(live);
            }

            // then
            requireExactlyOnce(live, load);
        }
    }

    @Test
    void whatNoDoorWouldWriteGetsAnOutcomeWithItsReasonAndTheShardGoesOn() throws Exception {
        // given
        try (LiveLedger live = new LiveLedger(broker.bootstrapServers(), "rejected", SHARDS, directory);
                ManagedProcess ignored =
                        process(live, "p3", LiveLedger.freePort()).start()) {
            long before = live.writeEvent(0, "before", "content").join().offset();

            // when
            long undecodable = live.write(0, new byte[] {7}).join().offset();
            byte[] ofShard1 = live.ledger.eventValue(1, "elsewhere", "content");
            long misrouted = live.write(0, ofShard1).join().offset();
            long next = live.writeEvent(0, "next", "content").join().offset();
            live.awaitSealed();

            // then
            assertThat(live.outcomes(0))
                    .extracting(Outcome::getOffset, Outcome::getKind, Outcome::getReason)
                    .containsExactly(
                            tuple(undecodable, OutcomeKind.REJECTED, "undecodable"),
                            tuple(misrouted, OutcomeKind.REJECTED, "misrouted"));
            assertThat(live.sealed(0).stream().flatMap(delta -> delta.getOffsets().stream()))
                    .containsExactly(0L, before, next);
        }
    }
}
