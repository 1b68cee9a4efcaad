// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.operations.kafka.KafkaMeters;
import io.attestream.processors.proofs.ProofsTopology;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.Topology;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an application tells, and that it does not tell everything. */
class ApplicationMetricsTest {
    private static final String STORE = ProofsTopology.SHARD_STORE;

    @TempDir
    private Path directory;

    private final MeterRegistry registry = new SimpleMeterRegistry();

    private static Topology topology() {
        return ProofsTopology.build(TestLedger.TOPICS, new TestLedger(2, 256).definition(), 1, Optional.empty());
    }

    private Application application() {
        return new Application(
                "proofs", topology(), TestLedger.driverSettings("metrics", directory), Map::of, registry, why -> {});
    }

    /** Kafka may rename one with any version, and a dashboard would be empty. */
    @Test
    void everyChosenMetricOfKafkaIsThereFromTheStartAndNoOther() {
        // given
        registry.config().meterFilter(KafkaMeters.filter());

        // when
        try (Application unstarted = application()) {
            assertThat(unstarted.streams()).isNotNull();
            Set<String> exported = registry.getMeters().stream()
                    .map(meter -> meter.getId().getName())
                    .filter(name -> name.startsWith("kafka."))
                    .collect(Collectors.toSet());

            // then
            assertThat(exported).isEqualTo(KafkaMeters.chosen());
        }
    }

    @Test
    void noMetricOfKafkaIsOfATaskStoreTopicOrPartition() {
        // given
        registry.config().meterFilter(KafkaMeters.filter());

        // when
        try (Application unstarted = application()) {
            assertThat(unstarted.streams()).isNotNull();

            // then
            assertThat(registry.getMeters())
                    .filteredOn(meter -> meter.getId().getName().startsWith("kafka."))
                    .hasSizeLessThan(60)
                    .allSatisfy(meter -> assertThat(meter.getId().getTags())
                            .extracting("key")
                            .isSubsetOf("client.id", "kafka.version", "thread.id"));
        }
    }

    @Test
    void tellsTheStateItIsInAndTheOthersFromTheStart() {
        try (Application unstarted = application()) {
            assertThat(unstarted.health().up()).isFalse();
            assertThat(value("attestream.processors.state", "state", "created")).isEqualTo(1);
            for (String other : List.of("running", "rebalancing", "error", "pending_error", "not_running")) {
                assertThat(value("attestream.processors.state", "state", other))
                        .as(other)
                        .isZero();
            }
            assertThat(value("attestream.processors.threads.replaced", "role", "proofs"))
                    .isZero();
        }
    }

    @Test
    void tellsHowFarARestoreIs() {
        // given
        RestoreMetrics restores = new RestoreMetrics("proofs", topology(), registry);
        TopicPartition first = new TopicPartition("changelog", 0);
        TopicPartition second = new TopicPartition("changelog", 1);
        assertThat(value("attestream.processors.restore.partitions", "store", STORE))
                .isZero();

        // when
        restores.onRestoreStart(first, STORE, 100, 1100);
        restores.onRestoreStart(second, STORE, 0, 50);
        restores.onBatchRestored(first, STORE, 399, 290);

        // then
        assertThat(value("attestream.processors.restore.partitions", "store", STORE))
                .isEqualTo(2);
        assertThat(value("attestream.processors.restore.size.records", "store", STORE))
                .isEqualTo(1050);
        assertThat(value("attestream.processors.restore.remaining.records", "store", STORE))
                .isEqualTo(750);
        assertThat(value("attestream.processors.restored.records", "store", STORE))
                .isEqualTo(290);

        // and when one ends and the other is given to somebody else
        restores.onRestoreEnd(first, STORE, 990);
        restores.onRestoreSuspended(second, STORE, 0);
        assertThat(value("attestream.processors.restore.partitions", "store", STORE))
                .isZero();
        assertThat(value("attestream.processors.restore.remaining.records", "store", STORE))
                .isZero();
    }

    @Test
    void allStoresAreThereFromTheStartAlsoThatOfAllShards() {
        assertThat(new RestoreMetrics("proofs", topology(), registry)).isNotNull();
        assertThat(registry.find("attestream.processors.restore.partitions").meters())
                .extracting(meter -> meter.getId().getTag("store"))
                .containsExactlyInAnyOrder(STORE, ProofsTopology.LEDGER_STORE);
    }

    private double value(String name, String tag, String of) {
        Meter meter = registry.get(name).tag(tag, of).meter();
        return meter.measure().iterator().next().getValue();
    }
}
