// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.Topics;
import io.attestream.schemas.topics.TopicContract;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Makes a ledger: topics, one genesis record for each shard, and the sequencer's first committed offset. Every step looks
 * first whether it was done, so a run that was cut off is finished by the next, and a run on a finished ledger changes
 * nothing. One at a time: it is an operator's command, not a service.
 */
public final class LedgerInitializer {
    private final Map<String, Object> connection;
    private final Topics topics;
    private final TopicContract contract;
    private final NoteSigner signer;
    private final Beginning beginning;
    private final int generation;
    private final Duration timeout;

    /**
     * @param connection {@code bootstrap.servers} and what else it takes to connect
     * @param signer the ledger's key; its name is the origin
     * @param schemas with the ids the registry gave them
     * @param generation whose group gets its first offset
     */
    public LedgerInitializer(
            Map<String, Object> connection,
            Topics topics,
            TopicContract contract,
            NoteSigner signer,
            Rules rules,
            List<SchemaText> schemas,
            int generation,
            Duration timeout) {
        this(
                connection,
                topics,
                contract,
                signer,
                Beginning.first(contract.shards(), rules, schemas),
                generation,
                timeout);
    }

    /** @param beginning of any incarnation */
    public LedgerInitializer(
            Map<String, Object> connection,
            Topics topics,
            TopicContract contract,
            NoteSigner signer,
            Beginning beginning,
            int generation,
            Duration timeout) {
        this.connection = Map.copyOf(connection);
        this.topics = topics;
        this.contract = contract;
        this.signer = signer;
        this.beginning = beginning;
        this.generation = generation;
        this.timeout = timeout;
    }

    /** What a run came to. */
    public sealed interface Result {
        /** The ledger is complete. {@code written} shards got their genesis record in this run. */
        record Complete(LedgerDefinition ledger, List<Integer> written) implements Result {}

        /** The cluster or what is in the topics does not allow it; nothing was overwritten. */
        record Refused(List<String> reasons) implements Result {}
    }

    /** @throws KafkaException if the cluster cannot be reached */
    public Result run() {
        try (Admin admin = Admin.create(connection)) {
            contract.create(admin);
            List<TopicContract.Violation> violations = contract.check(admin);
            if (!violations.isEmpty()) {
                return new Result.Refused(
                        violations.stream().map(Object::toString).toList());
            }
            return writeGenesis(admin);
        }
    }

    private Result writeGenesis(Admin admin) {
        TopicDescription topic = GenesisReader.describe(admin, topics.events(), timeout)
                .orElseThrow(() -> new KafkaException("topic " + topics.events() + " vanished"));
        String clusterId = GenesisReader.get(admin.describeCluster().clusterId(), timeout);
        Map<Integer, Genesis> present = new TreeMap<>();
        List<String> refusals = new ArrayList<>();
        inspect(admin, topic, clusterId, present, refusals);
        if (!refusals.isEmpty()) {
            return new Result.Refused(refusals);
        }
        List<Integer> missing = new ArrayList<>();
        for (int shard = 0; shard < topic.partitions().size(); shard++) {
            if (!present.containsKey(shard)) {
                missing.add(shard);
            }
        }
        if (!missing.isEmpty() || !beginning.isFirst()) {
            present.values().stream()
                    .filter(genesis -> !beginning.isOf(genesis))
                    .forEach(other -> refusals.add("partition " + other.shard() + " of " + topic.name()
                            + " begins with another genesis, of incarnation " + other.incarnation()
                            + ": finish what was begun, or use a new topic prefix"));
        }
        if (!missing.isEmpty()) {
            refusals.addAll(tracesOfWork(admin, missing));
        }
        if (!refusals.isEmpty()) {
            return new Result.Refused(refusals);
        }
        Beginning begun = beginning.asBegun(present.values());
        write(missing, shard -> genesis(topic, clusterId, shard, begun));
        commitFirstOffsets(admin, topic);
        GenesisReader.Result read = GenesisReader.read(connection, topics, signer.verifier(), timeout);
        if (read instanceof GenesisReader.Result.Ready ready) {
            return new Result.Complete(ready.ledger(), missing);
        }
        return new Result.Refused(List.of("after writing, the ledger does not read back: " + read));
    }

    private void inspect(
            Admin admin,
            TopicDescription topic,
            String clusterId,
            Map<Integer, Genesis> present,
            List<String> refusals) {
        Map<Integer, byte[]> first;
        try (Consumer<byte[], byte[]> consumer = GenesisReader.consumer(connection)) {
            first = GenesisReader.firstValues(admin, consumer, topic, timeout);
        }
        Map<TopicPartition, Long> ends = GenesisReader.ends(admin, topic, IsolationLevel.READ_UNCOMMITTED, timeout);
        for (int shard = 0; shard < topic.partitions().size(); shard++) {
            String where = "partition " + shard + " of " + topic.name();
            byte[] value = first.get(shard);
            if (value == null) {
                if (ends.getOrDefault(new TopicPartition(topic.name(), shard), 0L) > 0) {
                    refusals.add(where + " holds records of a transaction that is still open: end whoever writes there,"
                            + " and use a new topic prefix");
                }
                continue;
            }
            Optional<Genesis> genesis = ours(value, shard, topic, clusterId);
            if (genesis.isPresent()) {
                present.put(shard, genesis.get());
            } else {
                refusals.add(where + " does not begin with the genesis of this ledger: use a new topic prefix, or the"
                        + " ledger's own key");
            }
        }
    }

    private Optional<Genesis> ours(byte[] value, int shard, TopicDescription topic, String clusterId) {
        try {
            if (ControlRecord.isControlValue(value)
                    && ControlRecord.read(ControlRecord.ofValue(value), signer.verifier()) instanceof Genesis genesis
                    && GenesisReader.problemOf(genesis, topic, clusterId, shard, signer.verifier())
                            .isEmpty()) {
                return Optional.of(genesis);
            }
            return Optional.empty();
        } catch (InvalidFormat e) {
            return Optional.empty();
        }
    }

    private void write(List<Integer> shards, IntFunction<Genesis> genesis) {
        if (shards.isEmpty()) {
            return;
        }
        Map<String, Object> config = new HashMap<>(connection);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 60_000);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 30_000L);
        try (Producer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int shard : shards) {
                byte[] value = ControlRecord.toValue(ControlRecord.sign(genesis.apply(shard), signer));
                RecordMetadata written = await(producer, new ProducerRecord<>(topics.events(), shard, null, value));
                if (written.offset() != 0) {
                    throw new KafkaException("genesis of shard " + shard + " got offset " + written.offset()
                            + ": something else was written first; use a new topic prefix");
                }
            }
        }
    }

    private Genesis genesis(TopicDescription topic, String clusterId, int shard, Beginning begun) {
        return new Genesis(
                signer.keyName(),
                signer.verifier().vkey(),
                shard,
                begun.incarnation(),
                clusterId,
                topic.name(),
                topic.topicId().toString(),
                topic.partitions().size(),
                begun.shards().get(shard).rules(),
                begun.schemas(),
                begun.shards().get(shard).prior());
    }

    private RecordMetadata await(Producer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record) {
        try {
            return producer.send(record).get(90, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new KafkaException("genesis could not be written: " + e.getMessage(), e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaException("genesis was not acknowledged in time: run init again", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        }
    }

    /** The sequencer never resets offsets, so it needs one to begin with; a group that has offsets is left alone. */
    private void commitFirstOffsets(Admin admin, TopicDescription topic) {
        String group = topics.sequencerGroup(generation);
        Map<TopicPartition, OffsetAndMetadata> present =
                GenesisReader.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(), timeout);
        boolean any = present.values().stream().anyMatch(offset -> offset != null);
        if (any || isSequenced(admin)) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> first = new HashMap<>();
        for (int shard = 0; shard < topic.partitions().size(); shard++) {
            first.put(new TopicPartition(topic.name(), shard), new OffsetAndMetadata(0));
        }
        GenesisReader.get(admin.alterConsumerGroupOffsets(group, first).all(), timeout);
    }

    /**
     * A ledger that lacks a genesis record has never worked. If this one has, its events were lost: new genesis records would
     * open the doors, and nothing they acknowledge would become a leaf.
     */
    private List<String> tracesOfWork(Admin admin, List<Integer> missing) {
        List<String> traces = new ArrayList<>();
        // A later incarnation has what was published before it.
        List<String> ofWork = beginning.isFirst()
                ? List.of(topics.sealed(), topics.checkpoints())
                : List.of(topics.sealed(), topics.outcomes());
        for (String topic : ofWork) {
            if (GenesisReader.holdsRecords(admin, topic, timeout)) {
                traces.add("topic " + topic + " holds records, but partitions " + missing + " of " + topics.events()
                        + " have no genesis: the events of that ledger were lost, or their topic was recreated. Restore"
                        + " them, or begin another ledger with a new topic prefix");
            }
        }
        return traces;
    }

    /** Whether the sequencer ever worked here: then missing group offsets were lost, and giving new ones would fork the tree. */
    private boolean isSequenced(Admin admin) {
        return GenesisReader.holdsRecords(admin, topics.sealed(), timeout);
    }
}
