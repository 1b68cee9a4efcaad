// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.ManagedProcess;
import io.attestream.processors.proofs.ProofsTopology;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An instance of proofs stands still until another has its shards, and goes on with what it had in hand. */
class ZombieIT {
    private static final int SHARDS = 2;
    private static final int EVENTS = 100_000;
    private static final int RECORDS_BEFORE = 400;

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

    private static ManagedProcess process(LiveLedger live, String instance, String roles, int port) {
        return CrashIT.process(live, live.settings(instance, roles, port));
    }

    private static List<ConsumerRecord<byte[], byte[]>> changelog(LiveLedger live, int shard) {
        return live.records(changelogOf(live), shard);
    }

    private static String changelogOf(LiveLedger live) {
        return live.topics.proofsGroup(1) + "-" + ProofsTopology.SHARD_STORE + "-changelog";
    }

    private static long changelogEnds(LiveLedger live) {
        long end = 0;
        for (int shard = 0; shard < SHARDS; shard++) {
            end += changelog(live, shard).size();
        }
        return end;
    }

    /** What it writes then would be restored by whoever loses its directory: older tiles in place of newer ones. */
    @Test
    void aZombieLeavesNothingOlderInTheChangelog() throws Exception {
        // given a backlog, and an instance that is in the middle of it
        try (LiveLedger live = new LiveLedger(broker.bootstrapServers(), "zombie", SHARDS, directory);
                ManagedProcess sequencer =
                        process(live, "s1", "sequencer", LiveLedger.freePort()).start();
                ManagedProcess zombie = process(live, "p1", "proofs", LiveLedger.freePort());
                ManagedProcess other = process(live, "p2", "proofs", LiveLedger.freePort())) {
            live.grow("id-", EVENTS);
            live.awaitSealed();
            assertThat(sequencer.isAlive()).isTrue();
            zombie.start();
            await("it has begun")
                    .atMost(LiveLedger.PATIENCE)
                    .pollInterval(Duration.ofMillis(20))
                    .ignoreExceptions()
                    .until(() -> live.end(changelogOf(live), 0, "read_uncommitted") > RECORDS_BEFORE);

            // when another takes over, and the first goes on
            zombie.suspend();
            other.start();
            awaitAllTaken(live);
            long before = changelogEnds(live);
            zombie.resume();
            live.grow("later-", 500);
            live.awaitSealed();
            awaitAllTaken(live);
            assertThat(changelogEnds(live)).isGreaterThan(before);

            // then
            for (int shard = 0; shard < SHARDS; shard++) {
                requireNothingGoesBack(changelog(live, shard));
            }
        }
    }

    private static void awaitAllTaken(LiveLedger live) {
        await("everything sealed was taken")
                .atMost(LiveLedger.PATIENCE)
                .pollInterval(Duration.ofMillis(500))
                .until(() -> sizes(live).equals(sealedSizes(live)));
    }

    private static List<Long> sealedSizes(LiveLedger live) {
        List<Long> sizes = new ArrayList<>();
        for (int shard = 0; shard < SHARDS; shard++) {
            sizes.add(live.sealed(shard).stream()
                    .mapToLong(delta -> delta.getHead().getSize())
                    .max()
                    .orElseThrow());
        }
        return sizes;
    }

    /** As the changelog has them at its end, or anywhere before. */
    private static List<Long> sizes(LiveLedger live) {
        List<Long> sizes = new ArrayList<>();
        for (int shard = 0; shard < SHARDS; shard++) {
            sizes.add(changelog(live, shard).stream()
                    .filter(record -> record.key()[0] == 'm')
                    .mapToLong(ZombieIT::size)
                    .max()
                    .orElse(0));
        }
        return sizes;
    }

    private static long size(ConsumerRecord<byte[], byte[]> meta) {
        return ByteBuffer.wrap(meta.value()).getLong();
    }

    private static void requireNothingGoesBack(List<ConsumerRecord<byte[], byte[]>> changelog) {
        Map<String, Integer> lengths = new HashMap<>();
        long size = 0;
        for (ConsumerRecord<byte[], byte[]> record : changelog) {
            String key = HexFormat.of().formatHex(record.key());
            if (record.key()[0] == 't') {
                Integer before = lengths.put(key, record.value().length);
                assertThat(record.value().length)
                        .as("tile %s at offset %d", key, record.offset())
                        .isGreaterThanOrEqualTo(before == null ? 0 : before);
            } else if (record.key()[0] == 'm') {
                assertThat(size(record))
                        .as("size at offset %d", record.offset())
                        .isGreaterThanOrEqualTo(size);
                size = size(record);
            }
        }
        assertThat(size).isPositive();
    }
}
