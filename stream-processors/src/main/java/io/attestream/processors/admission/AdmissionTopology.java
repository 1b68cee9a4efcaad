// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.admission;

import io.attestream.proofs.entry.Routing;
import io.attestream.schemas.Topics;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.attestream.schemas.door.EventFactory;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.WallclockTimestampExtractor;

/**
 * The admission topology: inboxes in, events out, refusals aside. Without state and at-least-once: a repeat after a crash is a
 * duplicate for the sequencer, while a transaction left open by a crash would stop every reader of {@code events}.
 */
public final class AdmissionTopology {
    public static final String INBOX_SOURCE = "inbox-source";
    public static final String ADMISSION = "admission";
    public static final String EVENTS_SINK = "events-sink";
    public static final String INBOX_OUTCOMES_SINK = "inbox-outcomes-sink";

    private AdmissionTopology() {}

    /** @param tenants whose inboxes are read, at least one; the topics must exist */
    public static Topology build(
            Topics topics,
            Collection<String> tenants,
            LedgerDefinition ledger,
            CloudEventReader reader,
            EventFactory factory,
            AdmissionMetrics metrics) {
        Topology topology = new Topology();
        topology.addSource(
                AutoOffsetReset.earliest(),
                INBOX_SOURCE,
                // A producer's own timestamp may be -1, which the default extractor would fail on at every restart.
                new WallclockTimestampExtractor(),
                Serdes.ByteArray().deserializer(),
                Serdes.ByteArray().deserializer(),
                tenants.stream().map(topics::inbox).toArray(String[]::new));
        topology.addProcessor(
                ADMISSION, () -> new AdmissionProcessor(topics, ledger, reader, factory, metrics), INBOX_SOURCE);
        topology.addSink(
                EVENTS_SINK,
                topics.events(),
                Serdes.ByteArray().serializer(),
                Serdes.ByteArray().serializer(),
                BY_KEY,
                ADMISSION);
        topology.addSink(
                INBOX_OUTCOMES_SINK,
                topics.inboxOutcomes(),
                Serdes.ByteArray().serializer(),
                Serdes.ByteArray().serializer(),
                ADMISSION);
        return topology;
    }

    private static final StreamPartitioner<byte[], byte[]> BY_KEY =
            (topic, key, value, partitions) -> Optional.of(Set.of(Routing.shard(key, partitions)));
}
