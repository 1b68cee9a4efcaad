// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.checkpointer.OutcomeClaim.Kind;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.LedgerInitializer;
import io.attestream.schemas.topics.TopicContract;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A ledger on a real broker, its doors and an honest little sequencer driven by the test. */
final class KafkaLedger implements AutoCloseable {
    final String bootstrapServers;
    final TestLedger ledger;
    final Topics topics;
    final Path directory;
    private final KafkaClients clients;
    private final KafkaProducer<byte[], byte[]> door;
    private final KafkaProducer<byte[], byte[]> sequencerProducer;
    private final KafkaConsumer<byte[], byte[]> sequencerConsumer;
    private final List<TestSequencer> sequencers = new ArrayList<>();
    private final Map<Integer, Integer> writtenDeltas = new HashMap<>();
    private final Map<Integer, Integer> writtenOutcomes = new HashMap<>();
    private int names;

    KafkaLedger(String bootstrapServers, String prefix, int shards, Path directory) throws Exception {
        this.bootstrapServers = bootstrapServers;
        this.ledger = new TestLedger(shards);
        this.topics = new Topics(prefix);
        this.directory = directory;
        this.clients = new KafkaClients(bootstrapServers);
        Files.createDirectories(directory.resolve("objects"));
        writeKey(ledger.key);
        initialize(shards);
        Map<String, Object> config = clients.common();
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        door = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
        sequencerProducer = clients.transactionalWriter(prefix + ".test-sequencer");
        sequencerProducer.initTransactions();
        sequencerConsumer = clients.reader(1 << 20);
        List<TopicPartition> partitions = new ArrayList<>();
        for (int shard = 0; shard < shards; shard++) {
            sequencers.add(new TestSequencer(shard));
            partitions.add(new TopicPartition(topics.events(), shard));
        }
        sequencerConsumer.assign(partitions);
        sequencerConsumer.seekToBeginning(partitions);
    }

    private void writeKey(NoteSigner key) throws Exception {
        Path file = Files.createFile(
                directory.resolve("ledger.skey"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, key.skey());
    }

    private void initialize(int shards) {
        Rules rules = TestLedger.rules();
        LedgerInitializer.Result result = new LedgerInitializer(
                        clients.common(),
                        topics,
                        new TopicContract(topics, shards, rules.maxPayloadBytes(), true),
                        ledger.key,
                        rules,
                        TestLedger.schemas(),
                        1,
                        Duration.ofSeconds(30))
                .run();
        if (!(result instanceof LedgerInitializer.Result.Complete)) {
            throw new IllegalStateException("no ledger: " + result);
        }
    }

    /** Writes some new events, a retry and a conflict to every shard, and has them sequenced. */
    void grow() throws Exception {
        for (int shard = 0; shard < ledger.shards; shard++) {
            String id = "id-" + names++;
            event(shard, id, "payload");
            event(shard, id + "-b", "payload");
            event(shard, id, "payload");
            event(shard, id, "another payload");
        }
        sequence();
    }

    void event(int shard, String id, String payload) throws ExecutionException, InterruptedException {
        byte[] value = ledger.eventValue(shard, id, payload);
        door.send(new ProducerRecord<>(topics.events(), shard, null, value)).get();
    }

    /** Reads what was committed to events since the last time, and commits deltas and outcomes for it. */
    void sequence() throws ExecutionException, InterruptedException {
        Map<TopicPartition, Long> ends = sequencerConsumer.endOffsets(sequencerConsumer.assignment());
        while (ends.entrySet().stream().anyMatch(end -> sequencerConsumer.position(end.getKey()) < end.getValue())) {
            for (ConsumerRecord<byte[], byte[]> record : sequencerConsumer.poll(Duration.ofMillis(100))) {
                sequencers.get(record.partition()).process(record.offset(), record.timestamp(), record.value());
            }
        }
        sequencerProducer.beginTransaction();
        for (TestSequencer sequencer : sequencers) {
            sequencer.seal();
            int shard = sequencer.shard;
            for (OutcomeClaim claim :
                    sequencer.outcomes.subList(writtenOutcomes.getOrDefault(shard, 0), sequencer.outcomes.size())) {
                send(topics.outcomes(), shard, TestSchemas.encode(claim));
            }
            for (SealedDelta delta :
                    sequencer.deltas.subList(writtenDeltas.getOrDefault(shard, 0), sequencer.deltas.size())) {
                send(topics.sealed(), shard, TestSchemas.encode(delta));
            }
            writtenOutcomes.put(shard, sequencer.outcomes.size());
            writtenDeltas.put(shard, sequencer.deltas.size());
        }
        sequencerProducer.commitTransaction();
    }

    /** A claim no honest sequencer would make. */
    void lie(int shard, long offset) throws ExecutionException, InterruptedException {
        OutcomeClaim claim = new OutcomeClaim(shard, 1, 1, offset, Kind.DUPLICATE, OptionalLong.of(0), "");
        sequencerProducer.beginTransaction();
        send(topics.outcomes(), shard, TestSchemas.encode(claim));
        sequencerProducer.commitTransaction();
    }

    private void send(String topic, int shard, byte[] value) throws ExecutionException, InterruptedException {
        sequencerProducer.send(new ProducerRecord<>(topic, shard, null, value)).get();
    }

    /** Leaves of each shard, as the sequencer counts them. */
    List<Long> sizes() {
        return sequencers.stream()
                .map(sequencer ->
                        sequencer.deltas.get(sequencer.deltas.size() - 1).size())
                .toList();
    }

    /** Everything committed to the topic checkpoints, read without taking it over. */
    List<LogRecord> log() {
        CheckpointRecords codec = new CheckpointRecords(TestSchemas.BOOK);
        List<LogRecord> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = clients.reader(1 << 20)) {
            TopicPartition partition = new TopicPartition(topics.checkpoints(), 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
            while (consumer.position(partition) < end) {
                consumer.poll(Duration.ofMillis(100)).forEach(r -> {
                    // Kafka Streams leaves records without a key out when it restores a global store.
                    assertThat(r.key()).as("key of checkpoints@%d", r.offset()).isNotNull();
                    records.add(codec.decode(r.offset(), r.value()));
                });
            }
        }
        return records;
    }

    /** All trees built again from offset 0. */
    Rebuild.Result rebuild() throws Exception {
        NoteVerifier key = ledger.key.verifier();
        GenesisReader.Result read = GenesisReader.read(clients.common(), topics, key, Duration.ofSeconds(30));
        LedgerDefinition definition = ((GenesisReader.Result.Ready) read).ledger();
        return new Rebuild(bootstrapServers, topics, definition, 1, Rebuild.Listener.NONE).run(2);
    }

    /** The topic verified from its first record on. */
    CheckpointHistory history() {
        CheckpointHistory history = new CheckpointHistory(ledger.ledger, 1);
        log().forEach(history::accept);
        return history;
    }

    List<Long> publishedSizes() {
        return history().publishedHeads().stream()
                .map(head -> head.size().value())
                .toList();
    }

    /** Settings of a checkpointer of this ledger, as environment variables. */
    Map<String, String> settings(int httpPort) {
        return Map.of(
                "ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS", bootstrapServers,
                "ATTESTREAM_TOPICS_PREFIX", topics.prefix(),
                "ATTESTREAM_DEV", "true",
                "ATTESTREAM_LEDGER_VERIFIER_KEY", ledger.key.verifier().vkey(),
                "ATTESTREAM_LEDGER_SIGNING_KEY_FILE",
                        directory.resolve("ledger.skey").toString(),
                "ATTESTREAM_OBJECTS_DIRECTORY", directory.resolve("objects").toString(),
                "ATTESTREAM_HTTP_PORT", Integer.toString(httpPort),
                "ATTESTREAM_CHECKPOINTER_INTERVAL_MILLIS", "100",
                "ATTESTREAM_CHECKPOINTER_SHARD_NOTES_INTERVAL_MILLIS", "100");
    }

    @Override
    public void close() {
        door.close();
        sequencerProducer.close();
        sequencerConsumer.close();
    }
}
