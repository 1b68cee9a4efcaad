// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagAge;
import io.attestream.operations.lag.PartitionLag;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.schemas.Topics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Where events are between the door and the auditor: of each stage how many came through it, how many wait in front of it, and how
 * old the oldest of these is. What waits for sequencer, publication and proofs is known without Prometheus.
 */
final class StagesPart {
    private final Topics topics;
    private final Limits limits;
    private final PrometheusLook prometheus;
    private final Optional<ConsumerLag.Look> lag;
    private final CheckpointTrail.Trail trail;
    private final Part part = new Part("stages");
    private final List<Map<String, Object>> rows = new ArrayList<>();
    private final List<String> unknown = new ArrayList<>();

    /**
     * From which age on something is wrong, as the objectives have it.
     *
     * @param waitingSeconds of what waits in front of a stage
     * @param checkpointSeconds of a checkpoint as a monitor sees it
     */
    record Limits(double waitingSeconds, double checkpointSeconds) {}

    private StagesPart(
            Topics topics,
            Limits limits,
            PrometheusLook prometheus,
            Optional<ConsumerLag.Look> lag,
            CheckpointTrail.Trail trail) {
        this.topics = topics;
        this.limits = limits;
        this.prometheus = prometheus;
        this.lag = lag;
        this.trail = trail;
    }

    static Part of(
            Topics topics,
            Limits limits,
            PrometheusLook prometheus,
            Optional<ConsumerLag.Look> lag,
            CheckpointTrail.Trail trail) {
        return new StagesPart(topics, limits, prometheus, lag, trail).make();
    }

    /** A stage; members it does not have are not put. */
    private final class Row {
        private final String name;
        private final double limitSeconds;
        private final Map<String, Object> json = new LinkedHashMap<>();
        private State state = State.GOOD;

        /** @param limitSeconds infinite of what no event waits for: there is no first snapshot for an hour */
        Row(String name, String what, double limitSeconds) {
            this.name = name;
            this.limitSeconds = limitSeconds;
            json.put("stage", name);
            json.put("what", what);
        }

        Row count(String unit, OptionalDouble count) {
            json.put("unit", unit);
            return put("count", count);
        }

        Row waiting(OptionalDouble waiting) {
            return put("waiting", waiting);
        }

        Row ageSeconds(OptionalDouble age) {
            if (age.orElse(0) > limitSeconds) {
                state = State.ATTENTION;
                part.found(State.ATTENTION, "stage " + name + " is " + Math.round(age.getAsDouble()) + " s behind");
            }
            return put("ageSeconds", age);
        }

        private Row put(String member, OptionalDouble value) {
            json.put(member, Part.number(value));
            if (value.isEmpty()) {
                state = state.worse(State.UNKNOWN);
                if (Double.isFinite(limitSeconds)) {
                    unknown.add(name + " " + member);
                }
            }
            return this;
        }

        void add() {
            json.put("state", state.word());
            rows.add(json);
        }
    }

    private Part make() {
        Optional<GroupLag> sequencer = lag.flatMap(look -> look.generations().sequencer());
        Optional<GroupLag> proofs = lag.flatMap(look -> look.generations().proofs());
        OptionalDouble sequenced = prometheus.ofAllShards("attestream_sequencer_size");
        OptionalDouble verified = prometheus.ofAllShards("attestream_checkpointer_shard_verified_size");
        OptionalDouble unpublished = unpublished(sequencer);
        double waitingLimit = limits.waitingSeconds();
        row("accepted", "acknowledged by the brokers", waitingLimit)
                .count("records", accepted(sequencer))
                .add();
        row("sequenced", "decided, and given an index", waitingLimit)
                .count("leaves", sequenced)
                .waiting(records(sequencer))
                .ageSeconds(age(sequencer))
                .add();
        row("verified", "decided again by the checkpointer", waitingLimit)
                .count("leaves", verified)
                .waiting(difference(sequenced, verified))
                .add();
        row("published", "archived and in a signed checkpoint, verified here", waitingLimit)
                .count("leaves", published())
                .waiting(unpublished)
                .ageSeconds(unpublishedAge(unpublished))
                .add();
        row("proofs", "can be proved", waitingLimit)
                .waiting(records(proofs))
                .ageSeconds(age(proofs))
                .add();
        row("packed", "in a pack", Double.POSITIVE_INFINITY)
                .waiting(prometheus.largest("attestream_checkpointer_unpacked_leaves"))
                .add();
        row("snapshot", "can be restored without reading all", Double.POSITIVE_INFINITY)
                .ageSeconds(prometheus.smallest("attestream_checkpointer_snapshot_age_seconds"))
                .add();
        row("monitored", "verified by a monitor, from outside", limits.checkpointSeconds())
                .count("epochs", prometheus.largest("attestream_monitor_verified_epochs"))
                .ageSeconds(prometheus.largest("attestream_monitor_checkpoint_age_seconds"))
                .add();
        return part();
    }

    private Row row(String name, String what, double limitSeconds) {
        return new Row(name, what, limitSeconds);
    }

    private Part part() {
        part.put("maxSeconds", limits.waitingSeconds()).put("stages", rows);
        if (!prometheus.isKnown()) {
            part.found(State.UNKNOWN, prometheus.reason());
        } else if (!unknown.isEmpty()) {
            part.found(State.UNKNOWN, "nobody told: " + String.join(", ", unknown));
        }
        if (lag.isEmpty()) {
            part.found(State.UNKNOWN, "the brokers do not answer");
        }
        return part;
    }

    private static OptionalDouble count(long records) {
        return OptionalDouble.of((double) records);
    }

    private static OptionalDouble records(Optional<GroupLag> group) {
        return group.isPresent() && group.get().records().isPresent()
                ? count(group.get().records().getAsLong())
                : OptionalDouble.empty();
    }

    private static OptionalDouble age(Optional<GroupLag> group) {
        return group.isPresent() && group.get().age() instanceof LagAge.Known known
                ? OptionalDouble.of(known.seconds())
                : OptionalDouble.empty();
    }

    private List<PartitionLag> ofEvents(Optional<GroupLag> sequencer) {
        return sequencer.stream()
                .flatMap(group -> group.partitions().stream())
                .filter(partition -> partition.topic().equals(topics.events()) && partition.isEndKnown())
                .toList();
    }

    private OptionalDouble accepted(Optional<GroupLag> sequencer) {
        List<PartitionLag> partitions = ofEvents(sequencer);
        return partitions.isEmpty()
                ? OptionalDouble.empty()
                : count(partitions.stream().mapToLong(PartitionLag::endOffset).sum());
    }

    private OptionalDouble published() {
        return trail.heads().isEmpty()
                ? OptionalDouble.empty()
                : count(trail.heads().stream()
                        .mapToLong(head -> head.size().value())
                        .sum());
    }

    /** Records behind those that the heads of the newest checkpoint account for. */
    private OptionalDouble unpublished(Optional<GroupLag> sequencer) {
        Map<Integer, Long> ends = new LinkedHashMap<>();
        ofEvents(sequencer).forEach(partition -> ends.put(partition.partition(), partition.endOffset()));
        if (trail.heads().isEmpty() || ends.size() != trail.heads().size()) {
            return OptionalDouble.empty();
        }
        long waiting = 0;
        for (ShardHead head : trail.heads()) {
            waiting += Math.max(0, ends.getOrDefault(head.shard(), 0L) - LedgerOffset.kafka(head.nextOffset()));
        }
        return count(waiting);
    }

    /** Without Prometheus known only if nothing waits. */
    private OptionalDouble unpublishedAge(OptionalDouble unpublished) {
        return unpublished.isPresent() && unpublished.getAsDouble() == 0
                ? OptionalDouble.of(0)
                : prometheus.largest("attestream_checkpointer_oldest_unpublished_age_seconds");
    }

    private static OptionalDouble difference(OptionalDouble before, OptionalDouble behind) {
        return before.isEmpty() || behind.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(Math.max(0, before.getAsDouble() - behind.getAsDouble()));
    }
}
