// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.sequencer;

import io.attestream.proofs.ledger.LedgerOffset;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;

/**
 * What the sequencer tells. Every label is there from the start, so that a first rejection is seen as an increase. Counters
 * count decisions, also those a crash undoes and a restart makes again; positions are the state's own. Thread-safe.
 */
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
    private final Map<Integer, Position> positions = new ConcurrentHashMap<>();

    public SequencerMetrics(MeterRegistry registry) {
        this.registry = registry;
        for (String kind : List.of("event", "conflict", "genesis", "rules")) {
            leaves.put(
                    kind,
                    Counter.builder("attestream.sequencer.leaves")
                            .description("Records that became leaves, by kind")
                            .tag("kind", kind)
                            .register(registry));
        }
        for (String reason : REASONS) {
            rejected.put(
                    reason,
                    Counter.builder("attestream.sequencer.rejected")
                            .description("Records no door would have written, by reason")
                            .tag("reason", reason)
                            .register(registry));
        }
        duplicates = Counter.builder("attestream.sequencer.duplicates")
                .description("Records that repeat a leaf of the window with the same content")
                .register(registry);
    }

    /** Leaves and next offset of each shard this instance works on, by its number. */
    public Map<String, Object> positions() {
        Map<String, Object> all = new TreeMap<>();
        positions.forEach((shard, position) ->
                all.put(Integer.toString(shard), Map.of("size", position.size, "nextOffset", position.nextOffset)));
        return all;
    }

    void decided(Decision decision) {
        if (decision instanceof Decision.Leaf leaf) {
            required(leaves, leaf.kind().word()).increment();
        } else if (decision instanceof Decision.Rejected reject) {
            required(rejected, reject.reason()).increment();
        } else {
            duplicates.increment();
        }
    }

    /** Begins to tell about a shard, until the position is closed. */
    Position open(int shard) {
        Position position = new Position(shard);
        positions.put(shard, position);
        return position;
    }

    /** Where a shard is. Written by its task's thread, read by any. */
    final class Position {
        private final int shard;
        private final List<Meter> meters = new ArrayList<>();
        private volatile long size;
        private volatile long nextOffset;
        private volatile double windowStartMillis = Double.NEGATIVE_INFINITY;

        private Position(int shard) {
            this.shard = shard;
            gauge("attestream.sequencer.size", "leaves", position -> position.size);
            gauge("attestream.sequencer.next.offset", "records accounted for", position -> position.nextOffset);
            gauge(
                    "attestream.sequencer.dedup.window.seconds",
                    "how late a retry may come and still be recognised; infinite while every leaf is remembered",
                    position -> (System.currentTimeMillis() - position.windowStartMillis) / 1000);
        }

        private void gauge(String name, String description, ToDoubleFunction<Position> value) {
            meters.add(Gauge.builder(name, this, value)
                    .description(description)
                    .tag("shard", Integer.toString(shard))
                    .register(registry));
        }

        void at(ShardState state) {
            size = state.size();
            nextOffset = LedgerOffset.kafka(state.nextOffset());
            windowStartMillis = state.windowStartMillis().isPresent()
                    ? state.windowStartMillis().getAsLong()
                    : Double.NEGATIVE_INFINITY;
        }

        /** Another instance tells about the shard from now on. */
        void close() {
            meters.forEach(registry::remove);
            positions.remove(shard, this);
        }
    }

    private static Counter required(Map<String, Counter> counters, String label) {
        Counter counter = counters.get(label);
        if (counter == null) {
            throw new IllegalStateException("no counter was registered for " + label);
        }
        return counter;
    }
}
