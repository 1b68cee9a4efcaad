// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The proofs topology: for each shard a store of tiles and lookups, fed by what the sequencer committed; and on every instance
 * the published epochs, fed by the checkpoints topic, so that each can say which sizes are published.
 */
public final class ProofsTopology {
    public static final String SEALED_SOURCE = "sealed-source";
    public static final String OUTCOMES_SOURCE = "outcomes-source";
    public static final String SHARD_PROOFS = "shard-proofs";
    public static final String CHECKPOINTS_SOURCE = "checkpoints-source";
    public static final String LEDGER_PROOFS = "ledger-proofs";

    /** Tiles, offsets and outcomes of a shard. */
    public static final String SHARD_STORE = "shard-proofs-store";
    /**
     * Epochs, packs, notes and tiles of the ledger log; whole on every instance. The number is that of what is put there: another
     * one reads topic {@code checkpoints} again from the first record.
     */
    public static final String LEDGER_STORE = "ledger-proofs-store-2";

    /** Settings of the changelog. */
    public static final Map<String, String> CHANGELOG = Map.of(
            "segment.bytes", Integer.toString(16 << 20),
            "segment.ms", "600000",
            "max.compaction.lag.ms", "600000",
            "min.cleanable.dirty.ratio", "0.1");

    private ProofsTopology() {}

    /** @param packs by which the shards' stores let go of what is in packs; without it they keep all */
    public static Topology build(Topics topics, LedgerDefinition ledger, int generation, Optional<PackLoader> packs) {
        Topology topology = new Topology();
        topology.addSource(
                SEALED_SOURCE, Serdes.Bytes().deserializer(), Serdes.ByteArray().deserializer(), topics.sealed());
        topology.addSource(
                OUTCOMES_SOURCE,
                Serdes.Bytes().deserializer(),
                Serdes.ByteArray().deserializer(),
                topics.outcomes());
        topology.addProcessor(
                SHARD_PROOFS,
                () -> new ShardProofsProcessor(topics, ledger, generation, packs),
                SEALED_SOURCE,
                OUTCOMES_SOURCE);
        topology.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(SHARD_STORE), Serdes.Bytes(), Serdes.ByteArray())
                        .withCachingEnabled()
                        .withLoggingEnabled(CHANGELOG),
                SHARD_PROOFS);
        StoreBuilder<KeyValueStore<Bytes, byte[]>> ledgerStore = Stores.keyValueStoreBuilder(
                        Stores.persistentKeyValueStore(LEDGER_STORE), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingDisabled()
                .withLoggingDisabled();
        topology.addGlobalStore(
                ledgerStore,
                CHECKPOINTS_SOURCE,
                Serdes.Bytes().deserializer(),
                Serdes.ByteArray().deserializer(),
                topics.checkpoints(),
                LEDGER_PROOFS,
                () -> new LedgerProofsProcessor(ledger, generation));
        return topology;
    }
}
