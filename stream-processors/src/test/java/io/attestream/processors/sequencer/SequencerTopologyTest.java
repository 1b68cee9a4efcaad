// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.processors.IntegrityException;
import io.attestream.processors.TestLedger;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Properties;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SequencerTopologyTest {
    /** What the cluster would say. */
    private static final class SetFence implements Fence {
        OptionalLong committed = OptionalLong.of(0);
        OptionalLong firstRecord = OptionalLong.empty();

        @Override
        public byte[] changelogs() {
            return new byte[32];
        }

        @Override
        public OptionalLong committed(int shard) {
            return committed;
        }

        @Override
        public OptionalLong firstRecord(int shard, long from, long to) {
            return firstRecord;
        }
    }

    @TempDir
    private Path directory;

    private final TestLedger ledger = new TestLedger(1, 256);
    private final SetFence fence = new SetFence();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final SequencerMetrics metrics = new SequencerMetrics(registry);
    private @Nullable TopologyTestDriver driver;

    @BeforeEach
    void start() {
        driver = new TopologyTestDriver(topology(), TestLedger.driverSettings("sequencer", directory));
    }

    private Topology topology() {
        return SequencerTopology.build(TestLedger.TOPICS, ledger.definition(), 1, fence, metrics);
    }

    @AfterEach
    void stop() {
        if (driver != null) {
            driver.close();
            driver = null;
        }
    }

    private TestInputTopic<byte[], byte[]> events() {
        return driver.createInputTopic(
                TestLedger.TOPICS.events(), new ByteArraySerializer(), new ByteArraySerializer());
    }

    private <T extends SpecificRecord> List<T> read(String topic, Class<T> type, String schema) {
        TestOutputTopic<byte[], byte[]> output =
                driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        WireDecoder<T> decoder = new WireDecoder<>(type, schema, TestLedger.BOOK);
        return output.readValuesToList().stream()
                .map(value -> ((WireResult.Decoded<T>) decoder.decode(value)).value())
                .toList();
    }

    private List<Sealed> sealed() {
        return read(TestLedger.TOPICS.sealed(), Sealed.class, SchemaTexts.SEALED);
    }

    private List<Outcome> outcomes() {
        return read(TestLedger.TOPICS.outcomes(), Outcome.class, SchemaTexts.OUTCOME);
    }

    @Test
    void namesEverythingByConstants() {
        assertThat(topology().describe().toString())
                .contains("Source: events-source (topics: [test.events])")
                .contains("Processor: sequencer (stores: [edge, rules, window])")
                .contains("Sink: sealed-sink (topic: test.sealed)")
                .contains("Sink: outcomes-sink (topic: test.outcomes)");
    }

    @Test
    void sealsWhatIsNewWhenTimeGoesOn() {
        // given
        TestInputTopic<byte[], byte[]> events = events();
        events.pipeInput(ledger.genesisValue(0));
        events.pipeInput(ledger.eventValue(0, "a", "x"));
        assertThat(sealed()).isEmpty();

        // when
        driver.advanceWallClockTime(Duration.ofMillis(50));

        // then
        assertThat(sealed()).singleElement().satisfies(delta -> {
            assertThat(delta.getOffsets()).containsExactly(0L, 1L);
            assertThat(delta.getGeneration()).isEqualTo(1);
            assertThat(delta.getIncarnation()).isEqualTo(1);
        });
        driver.advanceWallClockTime(Duration.ofMillis(500));
        assertThat(sealed()).as("nothing new, nothing written").isEmpty();
    }

    @Test
    void sealsAFullTileAtOnce() {
        // given
        TestInputTopic<byte[], byte[]> events = events();
        events.pipeInput(ledger.genesisValue(0));

        // when
        for (int i = 1; i < 256; i++) {
            events.pipeInput(ledger.eventValue(0, "id-" + i, "x"));
        }

        // then
        assertThat(sealed())
                .singleElement()
                .extracting(delta -> delta.getOffsets().size())
                .isEqualTo(256);
    }

    @Test
    void writesAnOutcomeForWhatIsNoLeaf() {
        // given
        TestInputTopic<byte[], byte[]> events = events();
        events.pipeInput(ledger.genesisValue(0));
        events.pipeInput(ledger.eventValue(0, "a", "x"));

        // when
        events.pipeInput(ledger.eventValue(0, "a", "x"));
        events.pipeInput(new byte[] {7});

        // then
        assertThat(outcomes())
                .extracting(Object::toString)
                .satisfiesExactly(
                        duplicate -> assertThat(duplicate).contains("DUPLICATE").contains("\"reference\": 1"),
                        rejected -> assertThat(rejected).contains("REJECTED").contains("undecodable"));
        assertThat(registry.counter("attestream.sequencer.duplicates").count()).isEqualTo(1);
        assertThat(registry.counter("attestream.sequencer.rejected", "reason", "undecodable")
                        .count())
                .isEqualTo(1);
    }

    @Test
    void tellsWhereEachShardIs() {
        // given
        events().pipeInput(ledger.genesisValue(0));

        // when
        driver.advanceWallClockTime(Duration.ofMillis(50));

        // then
        assertThat(metrics.positions()).isEqualTo(Map.of("0", Map.of("size", 1L, "nextOffset", 1L)));
        assertThat(registry.get("attestream.sequencer.dedup.window.seconds")
                        .tag("shard", "0")
                        .gauge()
                        .value())
                .isInfinite();
        stop();
        assertThat(metrics.positions()).as("another instance tells now").isEmpty();
    }

    @Test
    void refusesToStartWithoutACommittedOffset() {
        fence.committed = OptionalLong.empty();
        requireRefusedAtStart("no committed offset");
    }

    @Test
    void refusesToStartBehindARecordItHasNotAccountedFor() {
        fence.committed = OptionalLong.of(500);
        fence.firstRecord = OptionalLong.of(0);
        requireRefusedAtStart("the state was lost while the group's offsets survived");
    }

    @Test
    void startsBehindTransactionMarkers() {
        // given
        stop();
        fence.committed = OptionalLong.of(3);

        // when
        start();
        events().pipeInput(ledger.genesisValue(0));

        // then
        driver.advanceWallClockTime(Duration.ofMillis(50));
        assertThat(sealed()).hasSize(1);
    }

    /** However little the cache in front of the edge store holds: a put may write itself out. */
    @ParameterizedTest
    @ValueSource(longs = {1, 100_000, 16 << 20})
    void theChangelogHasTheEdgeOfEveryCommittedRecord(long cacheBytes) {
        // given
        stop();
        Properties settings = TestLedger.driverSettings("sequencer", directory);
        settings.put("statestore.cache.max.bytes", cacheBytes);
        driver = new TopologyTestDriver(topology(), settings);
        TestInputTopic<byte[], byte[]> events = events();
        TestOutputTopic<byte[], byte[]> changelog = driver.createOutputTopic(
                "sequencer-edge-changelog", new ByteArrayDeserializer(), new ByteArrayDeserializer());

        for (int offset = 0; offset < 20; offset++) {
            // when
            events.pipeInput(offset == 0 ? ledger.genesisValue(0) : ledger.eventValue(0, "id-" + offset, "x"));

            // then
            List<byte[]> edges = changelog.readValuesToList();
            assertThat(edges).as("offset %d", offset).isNotEmpty();
            assertThat(Edge.of(edges.get(edges.size() - 1)).nextOffset()).isEqualTo(offset + 1);
        }
    }

    private void requireRefusedAtStart(String why) {
        stop();
        assertThatThrownBy(this::start)
                .hasRootCauseInstanceOf(IntegrityException.class)
                .rootCause()
                .hasMessageContaining(why);
    }
}
