// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The sequencer's topology: one source, one processor, three stores, two sinks. */
public final class SequencerTopology {
    public static final String EVENTS_SOURCE = "events-source";
    public static final String SEQUENCER = "sequencer";
    public static final String SEALED_SINK = "sealed-sink";
    public static final String OUTCOMES_SINK = "outcomes-sink";

    /** One edge record a shard. */
    public static final String EDGE_STORE = "edge";
    /** Tiles of the dedup window; overwrites itself. */
    public static final String WINDOW_STORE = "window";
    /** The control record in force. */
    public static final String RULES_STORE = "rules";

    public static final List<String> STORES = List.of(EDGE_STORE, WINDOW_STORE, RULES_STORE);

    static final byte[] EDGE_KEY = {'e'};
    static final byte[] CONTROL_KEY = {'c'};

    /**
     * Settings of all changelogs. By default a changelog keeps a segment of 1 GiB for 7 days before it is compacted, and a
     * restart replays all of it; so segments are small and closed early.
     */
    public static final Map<String, String> CHANGELOG = Map.of(
            "segment.bytes", Integer.toString(16 << 20),
            "segment.ms", "600000",
            "max.compaction.lag.ms", "600000",
            "min.cleanable.dirty.ratio", "0.1");

    private SequencerTopology() {}

    public static Topology build(
            Topics topics, LedgerDefinition ledger, int generation, Fence fence, SequencerMetrics metrics) {
        EdgeWrites edgeWrites = new EdgeWrites();
        Topology topology = new Topology();
        topology.addSource(
                EVENTS_SOURCE, Serdes.Bytes().deserializer(), Serdes.ByteArray().deserializer(), topics.events());
        topology.addProcessor(
                SEQUENCER, () -> new SequencerProcessor(ledger, generation, fence, edgeWrites, metrics), EVENTS_SOURCE);
        topology.addStateStore(store(edgeWrites.supplier(EDGE_STORE)).withCachingEnabled(), SEQUENCER);
        topology.addStateStore(store(Stores.persistentKeyValueStore(WINDOW_STORE)), SEQUENCER);
        topology.addStateStore(store(Stores.persistentKeyValueStore(RULES_STORE)), SEQUENCER);
        topology.addSink(
                SEALED_SINK,
                topics.sealed(),
                Serdes.ByteArray().serializer(),
                Serdes.ByteArray().serializer(),
                BY_SHARD,
                SEQUENCER);
        topology.addSink(
                OUTCOMES_SINK,
                topics.outcomes(),
                Serdes.ByteArray().serializer(),
                Serdes.ByteArray().serializer(),
                BY_SHARD,
                SEQUENCER);
        return topology;
    }

    /** Not cached: caching is for a key that changes with every event, so that a commit writes it once. */
    private static StoreBuilder<KeyValueStore<byte[], byte[]>> store(KeyValueBytesStoreSupplier supplier) {
        return Stores.keyValueStoreBuilder(supplier, Serdes.ByteArray(), Serdes.ByteArray())
                .withCachingDisabled()
                .withLoggingEnabled(CHANGELOG);
    }

    /** Key of everything a shard's task forwards: its number. */
    static byte[] shardKey(int shard) {
        return ByteBuffer.allocate(4).putInt(shard).array();
    }

    /** Output partition = shard, so that no output partition is shared and an order is kept. */
    private static final StreamPartitioner<byte[], byte[]> BY_SHARD = (topic, key, value, partitions) ->
            Optional.of(Set.of(ByteBuffer.wrap(key).getInt()));
}
