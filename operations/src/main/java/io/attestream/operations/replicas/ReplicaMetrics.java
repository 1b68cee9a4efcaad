// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.replicas;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** {@code attestream_kafka_partitions}, by state; no value as long as the brokers do not answer. Thread-safe. */
public final class ReplicaMetrics {
    private volatile @Nullable ReplicaHealth health;

    public ReplicaMetrics(MeterRegistry registry) {
        register(registry, "whole", ReplicaHealth::whole);
        register(registry, "under_replicated", ReplicaHealth::underReplicated);
        register(registry, "offline", ReplicaHealth::offline);
    }

    private void register(MeterRegistry registry, String state, ToIntFunction<ReplicaHealth> count) {
        Gauge.builder("attestream.kafka.partitions", this, metrics -> {
                    ReplicaHealth now = metrics.health;
                    return now == null ? Double.NaN : count.applyAsInt(now);
                })
                .description("Partitions of the ledger's topics, of group offsets and of transactions, by how they are"
                        + " replicated; no value if the brokers do not say")
                .tag("state", state)
                .register(registry);
    }

    public void set(ReplicaHealth seen) {
        health = seen;
    }

    /** The brokers did not answer: what was seen last is not how it is now. */
    public void clear() {
        health = null;
    }
}
