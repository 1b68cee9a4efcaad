// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.door;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.entry.Routing;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;

/** Auditors route without Kafka's code, producers with it: both must come to the same shard. */
class RoutingTest {
    @Test
    void routesLikeKafkasDefaultPartitioner() {
        long seed = System.nanoTime();
        System.out.println("RoutingTest.routesLikeKafkasDefaultPartitioner seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            byte[] key = new byte[random.nextInt(70)];
            random.nextBytes(key);
            int shards = 1 + random.nextInt(64);
            assertThat(Routing.shard(key, shards))
                    .isEqualTo(BuiltInPartitioner.partitionForKey(key, shards))
                    .isEqualTo(Utils.toPositive(Utils.murmur2(key)) % shards);
        }
    }

    @Test
    void keyIsTenantSourceAndPartitionKeyApartByZeroBytes() {
        assertThat(new String(Routing.key("acme", "/ü", null), StandardCharsets.UTF_8))
                .isEqualTo("acme\0/ü");
        assertThat(new String(Routing.key("acme", "/ü", "k"), StandardCharsets.UTF_8))
                .isEqualTo("acme\0/ü\0k");
    }
}
