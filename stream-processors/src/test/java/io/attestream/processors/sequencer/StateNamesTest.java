// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.processors.TestLedger;
import io.attestream.processors.proofs.ProofsTopology;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyDescription;
import org.junit.jupiter.api.Test;

/**
 * Directories and changelogs are found by the number of the sub-topology and the name of the store. A store that gets another one
 * begins empty, beside what it held: such a change is for a new generation only, so that nobody goes on without state.
 */
class StateNamesTest {
    private final TestLedger ledger = new TestLedger(1, 256);

    /** Nothing is processed here. */
    private static final Fence NOT_ASKED = new Fence() {
        @Override
        public byte[] changelogs() {
            throw new UnsupportedOperationException();
        }

        @Override
        public OptionalLong committed(int shard) {
            throw new UnsupportedOperationException();
        }

        @Override
        public OptionalLong firstRecord(int shard, long from, long to) {
            throw new UnsupportedOperationException();
        }
    };

    @Test
    void storesKeepTheirNamesAndTheirSubTopology() {
        Set<String> names = new TreeSet<>();
        names.addAll(names(
                "sequencer",
                SequencerTopology.build(
                        TestLedger.TOPICS,
                        ledger.definition(),
                        1,
                        NOT_ASKED,
                        new SequencerMetrics(new SimpleMeterRegistry()))));
        names.addAll(
                names("proofs", ProofsTopology.build(TestLedger.TOPICS, ledger.definition(), 1, Optional.empty())));

        assertThat(names)
                .as("stores that another version of this program left in directories and changelogs")
                .containsExactly(
                        "proofs 0 shard-proofs-store",
                        "proofs global ledger-proofs-store-2",
                        "sequencer 0 edge",
                        "sequencer 0 rules",
                        "sequencer 0 window");
    }

    private static Set<String> names(String role, Topology topology) {
        Set<String> names = new TreeSet<>();
        TopologyDescription description = topology.describe();
        for (TopologyDescription.Subtopology sub : description.subtopologies()) {
            for (TopologyDescription.Node node : sub.nodes()) {
                if (node instanceof TopologyDescription.Processor processor) {
                    processor.stores().forEach(store -> names.add(role + " " + sub.id() + " " + store));
                }
            }
        }
        for (TopologyDescription.GlobalStore store : description.globalStores()) {
            store.processor().stores().forEach(name -> names.add(role + " global " + name));
        }
        return names;
    }
}
