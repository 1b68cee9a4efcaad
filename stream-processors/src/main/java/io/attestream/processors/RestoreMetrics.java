// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyDescription;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * How far restores of stores from their changelogs are: nothing of a shard goes on before its stores are back. By store, of all
 * shards of this process; every store is there from the start. Thread-safe.
 */
final class RestoreMetrics implements StateRestoreListener {
    private final Map<String, Store> stores = new HashMap<>();

    /** Offsets of a changelog from where a restore began to where it ends. */
    private record Progress(long beginOffset, long atOffset, long endOffset) {
        long remaining() {
            return Math.max(0, endOffset - atOffset);
        }
    }

    private record Store(Map<TopicPartition, Progress> running, Counter restored) {
        double sum(ToDoubleFunction<Progress> value) {
            return running.values().stream().mapToDouble(value).sum();
        }
    }

    RestoreMetrics(String role, Topology topology, MeterRegistry registry) {
        for (String name : names(topology)) {
            Store store = new Store(
                    new ConcurrentHashMap<>(),
                    Counter.builder("attestream.processors.restored.records")
                            .description("Records of changelogs that were read back into the store")
                            .tag("role", role)
                            .tag("store", name)
                            .register(registry));
            stores.put(name, store);
            gauge(role, name, "partitions", "Shards whose store is being restored", store, any -> 1, registry);
            gauge(
                    role,
                    name,
                    "size.records",
                    "Records the restores that run have to read, as they began; 0 if none runs",
                    store,
                    progress -> progress.endOffset() - progress.beginOffset(),
                    registry);
            gauge(
                    role,
                    name,
                    "remaining.records",
                    "Records the restores that run have still to read; 0 if none runs",
                    store,
                    Progress::remaining,
                    registry);
        }
    }

    private static void gauge(
            String role,
            String store,
            String what,
            String description,
            Store of,
            ToDoubleFunction<Progress> value,
            MeterRegistry registry) {
        Gauge.builder("attestream.processors.restore." + what, of, s -> s.sum(value))
                .description(description)
                .tag("role", role)
                .tag("store", store)
                .register(registry);
    }

    private static Set<String> names(Topology topology) {
        Set<String> names = new TreeSet<>();
        topology.describe()
                .subtopologies()
                .forEach(part -> part.nodes().stream()
                        .filter(TopologyDescription.Processor.class::isInstance)
                        .forEach(node -> names.addAll(((TopologyDescription.Processor) node).stores())));
        topology.describe()
                .globalStores()
                .forEach(global -> names.addAll(global.processor().stores()));
        return names;
    }

    @Override
    public void onRestoreStart(TopicPartition partition, String storeName, long startingOffset, long endingOffset) {
        of(
                storeName,
                store -> store.running().put(partition, new Progress(startingOffset, startingOffset, endingOffset)));
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String storeName, long batchEndOffset, long numRestored) {
        of(storeName, store -> {
            store.restored().increment((double) numRestored);
            store.running()
                    .computeIfPresent(
                            partition,
                            (any, progress) ->
                                    new Progress(progress.beginOffset(), batchEndOffset + 1, progress.endOffset()));
        });
    }

    @Override
    public void onRestoreEnd(TopicPartition partition, String storeName, long totalRestored) {
        of(storeName, store -> store.running().remove(partition));
    }

    @Override
    public void onRestoreSuspended(TopicPartition partition, String storeName, long totalRestored) {
        of(storeName, store -> store.running().remove(partition));
    }

    /** What cannot be told must not end a restore. */
    private void of(String name, Consumer<Store> change) {
        Store store = stores.get(name);
        if (store != null) {
            change.accept(store);
        }
    }
}
