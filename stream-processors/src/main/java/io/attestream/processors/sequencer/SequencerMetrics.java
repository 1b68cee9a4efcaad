// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** What the sequencer tells. Every label is there from the start, so that a first rejection is seen as an increase. */
public final class SequencerMetrics {
    private static final List<String> REASONS = List.of(
            Decision.Rejected.UNDECODABLE,
            Decision.Rejected.MISROUTED,
            Decision.Rejected.INVALID_CONTROL,
            Decision.Rejected.ENTRY_TOO_LARGE);

    private final MeterRegistry registry;
    private final Map<String, Counter> leaves = new HashMap<>();
    private final Map<String, Counter> rejected = new HashMap<>();
    private final Counter duplicates;
    private final Map<Integer, AtomicLong> sizes = new ConcurrentHashMap<>();
    private final Map<Integer, AtomicLong> nextOffsets = new ConcurrentHashMap<>();

    public SequencerMetrics(MeterRegistry registry) {
        this.registry = registry;
        for (String kind : List.of("event", "conflict", "genesis", "rules")) {
            leaves.put(kind, registry.counter("attestream.sequencer.leaves", "kind", kind));
        }
        for (String reason : REASONS) {
            rejected.put(reason, registry.counter("attestream.sequencer.rejected", "reason", reason));
        }
        duplicates = registry.counter("attestream.sequencer.duplicates");
    }

    void decided(int shard, Decision decision, ShardState state, String kind) {
        if (decision instanceof Decision.Leaf) {
            required(leaves, kind).increment();
        } else if (decision instanceof Decision.Rejected reject) {
            required(rejected, reject.reason()).increment();
        } else {
            duplicates.increment();
        }
        gauge(sizes, "attestream.sequencer.size", shard).set(state.size());
        gauge(nextOffsets, "attestream.sequencer.next.offset", shard).set(state.nextOffset());
    }

    private AtomicLong gauge(Map<Integer, AtomicLong> gauges, String name, int shard) {
        AtomicLong known = gauges.get(shard);
        if (known != null) {
            return known;
        }
        return gauges.computeIfAbsent(shard, any -> {
            AtomicLong value = new AtomicLong();
            Gauge.builder(name, value, AtomicLong::get)
                    .tag("shard", Integer.toString(shard))
                    .register(registry);
            return value;
        });
    }

    private static Counter required(Map<String, Counter> counters, String label) {
        Counter counter = counters.get(label);
        if (counter == null) {
            throw new IllegalStateException("no counter was registered for " + label);
        }
        return counter;
    }
}
