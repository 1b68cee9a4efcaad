// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import io.attestream.schemas.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * Lets the processors begin a new life: a group of its own, whose sequencer begins at the first record of every shard, or behind a
 * state that is made for it. What the processors kept before is not touched and not used: neither lost nor mixed state can do harm
 * any more.
 */
public final class NewGeneration {
    private final Map<String, Object> connection;
    private final Topics topics;
    private final LedgerDefinition ledger;
    private final Duration timeout;

    /** @param connection {@code bootstrap.servers} and what else it takes to connect */
    public NewGeneration(Map<String, Object> connection, Topics topics, LedgerDefinition ledger, Duration timeout) {
        this.connection = Map.copyOf(connection);
        this.topics = topics;
        this.ledger = ledger;
        this.timeout = timeout;
    }

    /** What a run came to. */
    public sealed interface Result {
        /** Its sequencer has its positions. */
        record Begun() implements Result {}

        /** It was begun before, and has positions of its own; nothing was changed. */
        record AlreadyBegun() implements Result {}

        /** Nothing was changed. */
        record Refused(String reason) implements Result {}
    }

    private record Made(String kind, State state) {}

    /** Whether its sequencer has positions. */
    public boolean isBegun(int generation) {
        try (Admin admin = Admin.create(connection)) {
            return offsetsOf(admin, topics.sequencerGroup(generation)).keySet().containsAll(partitions());
        }
    }

    /** Makes what a sequencer is to begin with, before it has a position; the same again in the next run if one was cut off. */
    public interface State {
        /** At which offsets of topic {@code events} it goes on behind it, in shard order. */
        List<Long> make();
    }

    /**
     * @param generation at least 2; no processors of it may run yet
     * @throws KafkaException if the cluster cannot be reached
     */
    public Result begin(int generation) throws InterruptedException {
        return begin(generation, Optional.empty());
    }

    /**
     * As {@link #begin(int)}, with a state to begin with.
     *
     * @param kind of state, in a word: a run that was cut off is finished by one of the same kind only
     */
    public Result begin(int generation, String kind, State state) throws InterruptedException {
        return begin(generation, Optional.of(new Made(kind, state)));
    }

    private Result begin(int generation, Optional<Made> state) throws InterruptedException {
        if (generation < 2) {
            return new Result.Refused("generation " + generation + " is the ledger's first: init begins it");
        }
        try (EventsTopic events = new EventsTopic(connection, topics.events(), ledger, timeout);
                Admin admin = Admin.create(connection)) {
            Optional<String> refusal = events.difference().or(() -> whatWasLost(admin));
            return refusal.isPresent() ? new Result.Refused(refusal.get()) : begin(admin, generation, state);
        }
    }

    private Result begin(Admin admin, int generation, Optional<Made> state) {
        String group = topics.sequencerGroup(generation);
        String marker = topics.restoringGroup(generation);
        Map<TopicPartition, OffsetAndMetadata> begun = offsetsOf(admin, group);
        if (begun.keySet().containsAll(partitions())) {
            if (!offsetsOf(admin, marker).isEmpty()) {
                GenesisReader.get(admin.deleteConsumerGroups(List.of(marker)).all(), timeout);
            }
            return new Result.AlreadyBegun();
        }
        List<String> traces = GenesisReader.get(admin.listTopics().names(), timeout).stream()
                .filter(name -> name.startsWith(group + "-"))
                .sorted()
                .toList();
        Set<String> kinds = new TreeSet<>();
        offsetsOf(admin, marker).values().forEach(offset -> kinds.add(offset.metadata()));
        boolean wasBeingMade = state.isPresent() && !kinds.isEmpty();
        if (!kinds.isEmpty() && !kinds.equals(state.map(Made::kind).map(Set::of).orElse(Set.of()))) {
            return new Result.Refused("generation " + generation + " was being made with a state of another kind ("
                    + kinds + "): finish that, or begin generation " + (generation + 1));
        }
        if (!begun.isEmpty() || (!traces.isEmpty() && !wasBeingMade)) {
            return new Result.Refused("generation " + generation + " was begun and lost its positions (its offsets are "
                    + begun + ", its topics " + traces + "): begin generation " + (generation + 1));
        }
        Map<TopicPartition, OffsetAndMetadata> first = new HashMap<>();
        partitions().forEach(partition -> first.put(partition, new OffsetAndMetadata(0)));
        if (state.isPresent()) {
            Map<TopicPartition, OffsetAndMetadata> mark = new HashMap<>();
            first.keySet()
                    .forEach(at ->
                            mark.put(at, new OffsetAndMetadata(0, state.get().kind())));
            GenesisReader.get(admin.alterConsumerGroupOffsets(marker, mark).all(), timeout);
            List<Long> offsets = state.get().state().make();
            first.replaceAll((partition, any) -> new OffsetAndMetadata(offsets.get(partition.partition())));
        }
        GenesisReader.get(admin.alterConsumerGroupOffsets(group, first).all(), timeout);
        if (state.isPresent()) {
            GenesisReader.get(admin.deleteConsumerGroups(List.of(marker)).all(), timeout);
        }
        return new Result.Begun();
    }

    private Map<TopicPartition, OffsetAndMetadata> offsetsOf(Admin admin, String group) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>(
                GenesisReader.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(), timeout));
        offsets.values().removeIf(Objects::isNull);
        return offsets;
    }

    /** Without its first records a shard's tree cannot be built again from topic events. */
    private Optional<String> whatWasLost(Admin admin) {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        partitions().forEach(partition -> asked.put(partition, OffsetSpec.earliest()));
        Map<TopicPartition, ListOffsetsResult.ListOffsetsResultInfo> first =
                GenesisReader.get(admin.listOffsets(asked).all(), timeout);
        Map<Integer, Long> lost = new TreeMap<>();
        first.forEach((partition, offset) -> {
            if (offset.offset() > 0) {
                lost.put(partition.partition(), offset.offset());
            }
        });
        return lost.isEmpty()
                ? Optional.empty()
                : Optional.of("topic " + topics.events() + " begins behind its first records (first offsets by shard: "
                        + lost + "): they were deleted. Restore them");
    }

    private List<TopicPartition> partitions() {
        return IntStream.range(0, ledger.shards())
                .mapToObj(shard -> new TopicPartition(topics.events(), shard))
                .toList();
    }
}
