// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.kafka;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.config.MeterFilterReply;
import java.util.Set;

/**
 * Which of Kafka's own metrics are exported. Its clients have hundreds, and Kafka Streams some of every task, store and RocksDB
 * property: a process with eight shards would export thousands of series nobody looks at. Those that are left are of a client or
 * a thread, never of a task, store, topic, partition or broker, so that their number does not grow with shards or data; what is
 * of a partition is consumer lag, which is measured apart.
 */
public final class KafkaMeters {
    private static final String KAFKA = "kafka.";

    /** By Micrometer's names. */
    private static final Set<String> CHOSEN = Set.of(
            // Rebalances: work stands still in them.
            "kafka.consumer.coordinator.assigned.partitions",
            "kafka.consumer.coordinator.rebalance.total",
            "kafka.consumer.coordinator.failed.rebalance.total",
            "kafka.consumer.coordinator.last.rebalance.seconds.ago",
            "kafka.consumer.coordinator.last.heartbeat.seconds.ago",
            // Brokers: are they reached, how fast do they answer?
            "kafka.consumer.connection.count",
            "kafka.consumer.fetch.manager.fetch.total",
            "kafka.consumer.fetch.manager.fetch.latency.avg",
            "kafka.producer.connection.count",
            "kafka.producer.request.latency.avg",
            "kafka.producer.record.send.total",
            "kafka.producer.record.error.total",
            "kafka.producer.record.retry.total",
            "kafka.producer.buffer.available.bytes",
            "kafka.producer.waiting.threads",
            // Threads of Kafka Streams: do they live, and what do they spend their time on?
            "kafka.stream.alive.stream.threads",
            "kafka.stream.failed.stream.threads",
            "kafka.stream.thread.process.total",
            "kafka.stream.thread.commit.total",
            "kafka.stream.thread.commit.latency.avg",
            "kafka.stream.thread.poll.ratio",
            "kafka.stream.thread.process.ratio",
            "kafka.stream.thread.commit.ratio");

    private KafkaMeters() {}

    /** Lets pass all meters that are not Kafka's, and the chosen ones of Kafka. */
    public static MeterFilter filter() {
        return new MeterFilter() {
            @Override
            public MeterFilterReply accept(Meter.Id id) {
                return !id.getName().startsWith(KAFKA) || CHOSEN.contains(id.getName())
                        ? MeterFilterReply.NEUTRAL
                        : MeterFilterReply.DENY;
            }
        };
    }

    /** Names of the chosen ones, as Micrometer has them. */
    public static Set<String> chosen() {
        return CHOSEN;
    }
}
