// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.checkpointer.OutcomeClaim.Kind;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
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
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
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
    /** What the sequencer of each shard has read. */
    private final List<List<byte[]>> decidedValues = new ArrayList<>();

    private final Map<Integer, Integer> writtenDeltas = new HashMap<>();
    private final Map<Integer, Integer> writtenOutcomes = new HashMap<>();
    private final TopicContract contract;
    private int names;

    KafkaLedger(String bootstrapServers, String prefix, int shards, Path directory) throws Exception {
        this.bootstrapServers = bootstrapServers;
        this.ledger = new TestLedger(shards);
        this.topics = new Topics(prefix);
        this.directory = directory;
        this.clients = new KafkaClients(KafkaConnection.of(bootstrapServers));
        Files.createDirectories(directory.resolve("objects"));
        writeKey(ledger.key);
        contract = new TopicContract(topics, shards, TestLedger.rules().maxPayloadBytes(), true);
        initialize();
        Map<String, Object> config = clients.common();
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        door = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
        // Longer than any test keeps one open.
        sequencerProducer = clients.transactionalWriter(prefix + ".test-sequencer", 120_000);
        sequencerProducer.initTransactions();
        sequencerConsumer = clients.reader(1 << 20);
        List<TopicPartition> partitions = new ArrayList<>();
        for (int shard = 0; shard < shards; shard++) {
            sequencers.add(new TestSequencer(shard));
            decidedValues.add(new ArrayList<>());
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

    private void initialize() {
        LedgerInitializer.Result result = new LedgerInitializer(
                        clients.common(),
                        topics,
                        contract,
                        ledger.key,
                        TestLedger.rules(),
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
        addEvents();
        sequence();
    }

    private void addEvents() throws Exception {
        for (int shard = 0; shard < ledger.shards; shard++) {
            String id = "id-" + names++;
            event(shard, id, "payload");
            event(shard, id + "-b", "payload");
            event(shard, id, "payload");
            event(shard, id, "another payload");
        }
    }

    /** As {@link #grow}, with something else said of it than what came of it. */
    void grow(UnaryOperator<SealedDelta> lie) throws Exception {
        addEvents();
        sequence(lie);
    }

    /** As {@link #grow}, with what came of shard 0 in a transaction that stays open until {@link #abort}. */
    void growHalfCommitted() throws Exception {
        addEvents();
        decide();
        sequencerProducer.beginTransaction();
        int deltas = writtenDeltas.get(0);
        int outcomes = writtenOutcomes.get(0);
        claim(sequencerProducer, sequencers.get(0), UnaryOperator.identity());
        // Not committed is not said.
        writtenDeltas.put(0, deltas);
        writtenOutcomes.put(0, outcomes);
        for (TestSequencer sequencer : sequencers.subList(1, ledger.shards)) {
            claim(door, sequencer, UnaryOperator.identity());
        }
    }

    /** Takes back what {@link #growHalfCommitted} said of shard 0; the next sequencing says it again. */
    void abort() {
        sequencerProducer.abortTransaction();
    }

    void event(int shard, String id, String payload) throws ExecutionException, InterruptedException {
        byte[] value = ledger.eventValue(shard, id, payload);
        door.send(new ProducerRecord<>(topics.events(), shard, null, value)).get();
    }

    /** Reads what was committed to events since the last time, and commits deltas and outcomes for it. */
    void sequence() throws ExecutionException, InterruptedException {
        sequence(UnaryOperator.identity());
    }

    private void sequence(UnaryOperator<SealedDelta> lie) throws ExecutionException, InterruptedException {
        decide();
        sequencerProducer.beginTransaction();
        for (TestSequencer sequencer : sequencers) {
            claim(sequencerProducer, sequencer, lie);
        }
        sequencerProducer.commitTransaction();
    }

    private void decide() {
        Map<TopicPartition, Long> ends = sequencerConsumer.endOffsets(sequencerConsumer.assignment());
        while (ends.entrySet().stream().anyMatch(end -> sequencerConsumer.position(end.getKey()) < end.getValue())) {
            for (ConsumerRecord<byte[], byte[]> record : sequencerConsumer.poll(Duration.ofMillis(100))) {
                decidedValues.get(record.partition()).add(record.value());
                sequencers.get(record.partition()).process(record.offset(), record.timestamp(), record.value());
            }
        }
        sequencers.forEach(TestSequencer::seal);
    }

    /** Writes what a sequencer has to say and has not said yet. */
    private void claim(KafkaProducer<byte[], byte[]> producer, TestSequencer sequencer, UnaryOperator<SealedDelta> lie)
            throws ExecutionException, InterruptedException {
        int shard = sequencer.shard;
        for (OutcomeClaim claim :
                sequencer.outcomes.subList(writtenOutcomes.getOrDefault(shard, 0), sequencer.outcomes.size())) {
            send(producer, topics.outcomes(), shard, TestSchemas.encode(claim));
        }
        for (SealedDelta delta :
                sequencer.deltas.subList(writtenDeltas.getOrDefault(shard, 0), sequencer.deltas.size())) {
            send(producer, topics.sealed(), shard, TestSchemas.encode(lie.apply(delta)));
        }
        writtenOutcomes.put(shard, sequencer.outcomes.size());
        writtenDeltas.put(shard, sequencer.deltas.size());
    }

    /** A claim no honest sequencer would make. */
    void lie(int shard, long offset) throws ExecutionException, InterruptedException {
        OutcomeClaim claim = new OutcomeClaim(shard, 1, 1, offset, Kind.DUPLICATE, OptionalLong.of(0), "");
        sequencerProducer.beginTransaction();
        send(sequencerProducer, topics.outcomes(), shard, TestSchemas.encode(claim));
        sequencerProducer.commitTransaction();
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, String topic, int shard, byte[] value)
            throws ExecutionException, InterruptedException {
        producer.send(new ProducerRecord<>(topic, shard, null, value)).get();
    }

    /** Publishes an epoch with these heads: intent, publication and signature as they must be, whatever the heads are. */
    void publish(List<ShardHead> heads) {
        List<VerifiedHead> claimed =
                heads.stream().map(head -> new VerifiedHead(head, Counts.NONE)).toList();
        EpochAssembler.Epoch epoch = new EpochAssembler(ledger.ledger)
                .assemble(history().ledgerRange(), new Backlog.Content(claimed, List.of(), false), List.of(), 0);
        EpochIntent intent =
                new EpochIntent(epoch.number(), epoch.leaf(), heads, epoch.noteText(), "segment", "payloads", 1);
        String note = SignedNote.sign(intent.noteText(), ledger.key).encode();
        CheckpointRecords codec = new CheckpointRecords(TestSchemas.BOOK);
        try (KafkaCheckpointLog log =
                KafkaCheckpointLog.open(clients, topics.checkpoints(), topics.checkpointerTransactionalId(), codec)) {
            log.stage(new LogRecord.Intent(intent));
            log.commit();
            log.stage(new LogRecord.Published(intent, note));
            log.commit();
        }
    }

    /** Deletes topic events and makes it again with the same records, and an event more in every shard. */
    void makeEventsAgain() throws Exception {
        try (Admin admin = Admin.create(clients.common());
                KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(clients.common(), new ByteArraySerializer(), new ByteArraySerializer())) {
            Uuid before = topicId(admin);
            admin.deleteTopics(List.of(topics.events())).all().get(30, TimeUnit.SECONDS);
            await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> {
                contract.create(admin);
                return !topicId(admin).equals(before);
            });
            for (int shard = 0; shard < ledger.shards; shard++) {
                for (byte[] value : decidedValues.get(shard)) {
                    send(producer, topics.events(), shard, value);
                }
                send(producer, topics.events(), shard, ledger.eventValue(shard, "again", "payload"));
            }
        }
    }

    private Uuid topicId(Admin admin) throws Exception {
        return admin.describeTopics(List.of(topics.events()))
                .allTopicNames()
                .get(30, TimeUnit.SECONDS)
                .get(topics.events())
                .topicId();
    }

    /** Hashes of all leaves the sequencer found in a shard. */
    List<Hash> leaves(int shard) {
        List<Hash> leaves = new ArrayList<>();
        for (SealedDelta delta : sequencers.get(shard).deltas) {
            for (int i = 0; i < delta.leaves(); i++) {
                leaves.add(Hash.of(delta.hashes(), 32 * i));
            }
        }
        return leaves;
    }

    /** The same with one of them changed. */
    List<Hash> leavesRewritten(int shard, int rewritten) {
        List<Hash> leaves = leaves(shard);
        leaves.set(rewritten, Rfc6962.leafHash(new byte[] {1}));
        return leaves;
    }

    /** A shard's newest head as the sequencer says it, over these leaves instead of its own. */
    ShardHead head(int shard, List<Hash> leaves) {
        List<SealedDelta> deltas = sequencers.get(shard).deltas;
        CompactRange range = CompactRange.empty();
        leaves.forEach(range::append);
        return new ShardHead(
                shard, range.size(), range.root(), deltas.get(deltas.size() - 1).nextOffset());
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
        return new Rebuild(
                        KafkaConnection.of(bootstrapServers),
                        topics,
                        definition,
                        Rebuild.Reading.DECODED,
                        Rebuild.Listener.NONE)
                .run(2);
    }

    /** The topic verified from its first record on. */
    CheckpointHistory history() {
        CheckpointHistory history = new CheckpointHistory(ledger.ledger);
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
        return Map.ofEntries(
                Map.entry("ATTESTREAM_KAFKA_BOOTSTRAP_SERVERS", bootstrapServers),
                Map.entry("ATTESTREAM_TOPICS_PREFIX", topics.prefix()),
                Map.entry("ATTESTREAM_DEV", "true"),
                Map.entry("ATTESTREAM_DOUBT_SHOWN_MILLIS", "0"),
                Map.entry(
                        "ATTESTREAM_LEDGER_VERIFIER_KEY", ledger.key.verifier().vkey()),
                Map.entry(
                        "ATTESTREAM_LEDGER_SIGNING_KEY_FILE",
                        directory.resolve("ledger.skey").toString()),
                Map.entry(
                        "ATTESTREAM_OBJECTS_LOCATION",
                        directory.resolve("objects").toString()),
                Map.entry("ATTESTREAM_HTTP_PORT", Integer.toString(httpPort)),
                Map.entry("ATTESTREAM_CHECKPOINTER_INTERVAL_MILLIS", "100"),
                Map.entry("ATTESTREAM_CHECKPOINTER_SHARD_NOTES_INTERVAL_MILLIS", "100"),
                Map.entry("ATTESTREAM_CHECKPOINTER_SCRUB_INTERVAL_MILLIS", "200"));
    }

    @Override
    public void close() {
        door.close();
        sequencerProducer.close();
        sequencerConsumer.close();
    }
}
