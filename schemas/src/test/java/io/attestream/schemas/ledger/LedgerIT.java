// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.LocalBroker;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.Topics;
import io.attestream.schemas.topics.TopicContract;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Making ledgers, and reading back what they are, on a real broker. Each test has topics of its own. */
class LedgerIT {
    private static final int SHARDS = 3;
    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final NoteSigner SIGNER = NoteSigner.generate("example.com/log", new SecureRandom());
    private static final NoteSigner OTHER = NoteSigner.generate("example.com/log", new SecureRandom());
    private static final List<SchemaText> SCHEMAS = SchemaRegistrar.withoutRegistry();
    private static final Rules RULES = Rules.initial(List.of(SCHEMAS.get(0).fingerprint()));
    private static final AtomicInteger LEDGERS = new AtomicInteger();

    @TempDir
    private static Path directory;

    private static LocalBroker broker;
    private static Map<String, Object> connection;
    private static Admin admin;

    private final Topics topics = new Topics("ledger" + LEDGERS.incrementAndGet());

    @BeforeAll
    static void start() {
        broker = LocalBroker.start(directory);
        connection = Map.of("bootstrap.servers", broker.bootstrapServers());
        admin = Admin.create(connection);
    }

    @AfterAll
    static void stop() {
        admin.close();
        broker.close();
    }

    private TopicContract contract() {
        return new TopicContract(topics, SHARDS, RULES.maxPayloadBytes(), true);
    }

    private LedgerInitializer init(NoteSigner signer, Rules rules, List<SchemaText> schemas) {
        return new LedgerInitializer(connection, topics, contract(), signer, rules, schemas, 1, TIMEOUT);
    }

    private LedgerInitializer.Result.Complete complete() {
        LedgerInitializer.Result result = init(SIGNER, RULES, SCHEMAS).run();
        assertThat(result).isInstanceOf(LedgerInitializer.Result.Complete.class);
        return (LedgerInitializer.Result.Complete) result;
    }

    private String refusal(LedgerInitializer.Result result) {
        assertThat(result).isInstanceOf(LedgerInitializer.Result.Refused.class);
        return ((LedgerInitializer.Result.Refused) result).reasons().toString();
    }

    private GenesisReader.Result read(NoteSigner signer) {
        return GenesisReader.read(connection, topics, signer.verifier(), TIMEOUT);
    }

    private String readRefusal(NoteSigner signer) {
        GenesisReader.Result result = read(signer);
        assertThat(result).isInstanceOf(GenesisReader.Result.Refused.class);
        return ((GenesisReader.Result.Refused) result).reason();
    }

    private List<Long> ends() throws Exception {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        for (int shard = 0; shard < SHARDS; shard++) {
            latest.put(new TopicPartition(topics.events(), shard), OffsetSpec.latest());
        }
        var offsets = admin.listOffsets(latest);
        return List.of(
                offsets.partitionResult(new TopicPartition(topics.events(), 0))
                        .get()
                        .offset(),
                offsets.partitionResult(new TopicPartition(topics.events(), 1))
                        .get()
                        .offset(),
                offsets.partitionResult(new TopicPartition(topics.events(), 2))
                        .get()
                        .offset());
    }

    private Map<TopicPartition, OffsetAndMetadata> groupOffsets() throws Exception {
        return groupOffsets(1);
    }

    private Map<TopicPartition, OffsetAndMetadata> groupOffsets(int generation) throws Exception {
        return admin.listConsumerGroupOffsets(topics.sequencerGroup(generation))
                .partitionsToOffsetAndMetadata()
                .get(20, TimeUnit.SECONDS);
    }

    private void write(String topic, int partition, byte[] value) throws Exception {
        try (Producer<byte[], byte[]> producer = producer(Map.of())) {
            producer.send(new ProducerRecord<>(topic, partition, null, value)).get(20, TimeUnit.SECONDS);
        }
    }

    private static Producer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(connection);
        config.putAll(more);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private Genesis genesis(int shard) throws Exception {
        return genesis(shard, clusterId(), topicId(), SHARDS, RULES, SCHEMAS, 1);
    }

    private Genesis genesis(
            int shard,
            String clusterId,
            String topicId,
            int partitions,
            Rules rules,
            List<SchemaText> schemas,
            int incarnation) {
        return new Genesis(
                SIGNER.keyName(),
                SIGNER.verifier().vkey(),
                shard,
                incarnation,
                clusterId,
                topics.events(),
                topicId,
                partitions,
                rules,
                schemas,
                incarnation == 1 ? Optional.empty() : Optional.of(new Prior(0, TreeSize.ZERO, List.of())));
    }

    private void writeGenesis(int shard, Genesis genesis) throws Exception {
        write(topics.events(), shard, ControlRecord.toValue(ControlRecord.sign(genesis, SIGNER)));
    }

    private static String clusterId() throws Exception {
        return admin.describeCluster().clusterId().get(20, TimeUnit.SECONDS);
    }

    private String topicId() throws Exception {
        return admin.describeTopics(List.of(topics.events()))
                .allTopicNames()
                .get(20, TimeUnit.SECONDS)
                .get(topics.events())
                .topicId()
                .toString();
    }

    @Test
    void aFreshLedgerIsCompleteAndReadsBack() throws Exception {
        // when
        LedgerInitializer.Result.Complete complete = complete();

        // then
        assertThat(complete.written()).containsExactly(0, 1, 2);
        LedgerDefinition ledger = ((GenesisReader.Result.Ready) read(SIGNER)).ledger();
        assertThat(ledger.origin()).isEqualTo("example.com/log");
        assertThat(ledger.shardOrigin(2)).isEqualTo("example.com/log/shard/2");
        assertThat(ledger.shards()).isEqualTo(SHARDS);
        assertThat(ledger.incarnation()).isEqualTo(1);
        assertThat(ledger.clusterId()).isEqualTo(clusterId());
        assertThat(ledger.topicId()).isEqualTo(topicId());
        assertThat(ledger.genesis()).extracting(Genesis::shard).containsExactly(0, 1, 2);
        assertThat(ledger.genesis())
                .allSatisfy(genesis -> assertThat(genesis.rules()).isEqualTo(RULES));
        assertThat(ledger.schemas().currentId(SchemaTexts.EVENT)).isEqualTo(1);
        assertThat(ends()).containsExactly(1L, 1L, 1L);
        assertThat(groupOffsets().values())
                .hasSize(SHARDS)
                .allSatisfy(offset -> assertThat(offset.offset()).isZero());
    }

    @Test
    void aSecondRunChangesNothing() throws Exception {
        // given
        complete();
        admin.alterConsumerGroupOffsets(
                        topics.sequencerGroup(1),
                        Map.of(new TopicPartition(topics.events(), 1), new OffsetAndMetadata(1)))
                .all()
                .get(20, TimeUnit.SECONDS);
        Map<TopicPartition, OffsetAndMetadata> before = groupOffsets();

        // when
        LedgerInitializer.Result.Complete second = complete();

        // then
        assertThat(second.written()).isEmpty();
        assertThat(ends()).containsExactly(1L, 1L, 1L);
        assertThat(groupOffsets()).isEqualTo(before);
    }

    @Test
    void aRunThatDiedBetweenTwoShardsIsFinishedAsItWasBegun() throws Exception {
        // given
        contract().create(admin);
        writeGenesis(1, genesis(1));
        assertThat(read(SIGNER)).isInstanceOf(GenesisReader.Result.NotReady.class);

        // when: the registry now numbers differently, and the operator asks for other rules
        List<SchemaText> renumbered = SCHEMAS.stream()
                .map(text -> new SchemaText(text.name(), text.id() + 10, text.fingerprint(), text.text()))
                .toList();
        LedgerInitializer.Result result =
                init(SIGNER, RULES.withDedupWindowLeaves(256), renumbered).run();

        // then
        assertThat(result).isInstanceOf(LedgerInitializer.Result.Complete.class);
        LedgerInitializer.Result.Complete complete = (LedgerInitializer.Result.Complete) result;
        assertThat(complete.written()).containsExactly(0, 2);
        assertThat(complete.ledger().genesis()).extracting(Genesis::rules).containsOnly(RULES);
        assertThat(complete.ledger().schemas().texts()).isEqualTo(SCHEMAS);
        assertThat(ends()).containsExactly(1L, 1L, 1L);
        assertThat(groupOffsets()).hasSize(SHARDS);
    }

    @Test
    void aRunThatDiedBeforeTheGroupsOffsetsIsFinished() throws Exception {
        // given
        complete();
        admin.deleteConsumerGroups(List.of(topics.sequencerGroup(1))).all().get(20, TimeUnit.SECONDS);

        // when
        complete();

        // then
        assertThat(groupOffsets()).hasSize(SHARDS);
    }

    /** New offsets for a sequencer that has worked would fork its tree. */
    @Test
    void offsetsThatWereLostLaterAreNotMadeUp() throws Exception {
        // given
        complete();
        write(topics.sealed(), 0, new byte[] {1});
        admin.deleteConsumerGroups(List.of(topics.sequencerGroup(1))).all().get(20, TimeUnit.SECONDS);

        // when
        complete();

        // then
        assertThat(groupOffsets()).isEmpty();
    }

    /** New genesis records would open the doors on a ledger whose sequencer and checkpointer know another past. */
    @Test
    void aLedgerWhoseEventsWereLostIsNotBegunAgain() throws Exception {
        for (String topic : List.of(topics.sealed(), topics.checkpoints())) {
            // given a ledger that has worked
            complete();
            write(topic, 0, new byte[] {1});

            // when its events are lost, and init is run
            admin.deleteTopics(List.of(topics.events())).all().get(20, TimeUnit.SECONDS);
            await().untilAsserted(() -> assertThat(admin.listTopics().names().get(20, TimeUnit.SECONDS))
                    .doesNotContain(topics.events()));
            String refusal = refusal(init(SIGNER, RULES, SCHEMAS).run());

            // then it says what is left of the ledger, and writes nothing
            assertThat(refusal).contains(topic, "no genesis", "topic prefix");
            assertThat(ends()).containsExactly(0L, 0L, 0L);
            admin.deleteTopics(List.of(topic, topics.events())).all().get(20, TimeUnit.SECONDS);
            await().untilAsserted(() -> assertThat(admin.listTopics().names().get(20, TimeUnit.SECONDS))
                    .doesNotContain(topic, topics.events()));
        }
    }

    @Test
    void aPartitionWithAForeignFirstRecordIsRefusedAndNothingIsWritten() throws Exception {
        // given
        contract().create(admin);
        write(topics.events(), 2, "foreign".getBytes(StandardCharsets.UTF_8));

        // when
        String refusal = refusal(init(SIGNER, RULES, SCHEMAS).run());

        // then
        assertThat(refusal).contains("partition 2").doesNotContain("partition 0");
        assertThat(ends()).containsExactly(0L, 0L, 1L);
        assertThat(groupOffsets()).isEmpty();
    }

    @Test
    void aPartitionWithOurGenesisOfAnEarlierTopicIsRefusedAndNothingIsWritten() throws Exception {
        // given
        contract().create(admin);
        writeGenesis(0, genesis(0, clusterId(), "earlier-topic", SHARDS, RULES, SCHEMAS, 1));

        // when
        String refusal = refusal(init(SIGNER, RULES, SCHEMAS).run());

        // then
        assertThat(refusal).contains("partition 0");
        assertThat(ends()).containsExactly(1L, 0L, 0L);
    }

    @Test
    void aLedgerOfAnotherKeyIsRefused() throws Exception {
        // given
        complete();

        // then
        assertThat(refusal(init(OTHER, RULES, SCHEMAS).run())).contains("partition 0", "partition 1", "partition 2");
        assertThat(readRefusal(OTHER))
                .contains("signature")
                .contains(OTHER.verifier().vkey());
        assertThat(ends()).containsExactly(1L, 1L, 1L);
    }

    @Test
    void aPartitionWithAnOpenTransactionIsRefused() throws Exception {
        // given
        contract().create(admin);
        try (Producer<byte[], byte[]> foreign =
                producer(Map.of(ProducerConfig.TRANSACTIONAL_ID_CONFIG, topics.prefix()))) {
            foreign.initTransactions();
            foreign.beginTransaction();
            foreign.send(new ProducerRecord<>(topics.events(), 1, null, new byte[] {1}))
                    .get(20, TimeUnit.SECONDS);

            // when
            String refusal = refusal(init(SIGNER, RULES, SCHEMAS).run());

            // then
            assertThat(refusal).contains("partition 1", "transaction");
            foreign.abortTransaction();
        }

        // then: what is left of it is no genesis either, and is not waited for
        assertThat(refusal(init(SIGNER, RULES, SCHEMAS).run())).contains("partition 1");
        assertThat(ends()).containsExactly(0L, 2L, 0L);
    }

    @Test
    void aClusterThatBreaksTheContractIsRefused() {
        TopicContract production = new TopicContract(topics, SHARDS, RULES.maxPayloadBytes(), true);
        production.create(admin);
        LedgerInitializer strict = new LedgerInitializer(
                connection,
                topics,
                new TopicContract(topics, SHARDS + 1, RULES.maxPayloadBytes(), true),
                SIGNER,
                RULES,
                SCHEMAS,
                1,
                TIMEOUT);
        assertThat(refusal(strict.run())).contains("partitions is 3, must be 4");
    }

    @Test
    void readingSaysWhatIsMissing() throws Exception {
        assertThat(read(SIGNER))
                .isInstanceOfSatisfying(
                        GenesisReader.Result.NotReady.class,
                        notReady -> assertThat(notReady.reason()).contains(topics.events(), "attestream init"));
        contract().create(admin);
        writeGenesis(0, genesis(0));
        assertThat(read(SIGNER))
                .isInstanceOfSatisfying(
                        GenesisReader.Result.NotReady.class,
                        notReady -> assertThat(notReady.reason()).contains("shard 1"));
    }

    @Test
    void aGenesisOfAnotherClusterIsRefused() throws Exception {
        contract().create(admin);
        writeGenesis(0, genesis(0, "another-cluster", topicId(), SHARDS, RULES, SCHEMAS, 1));
        writeGenesis(1, genesis(1));
        writeGenesis(2, genesis(2));
        assertThat(readRefusal(SIGNER)).contains("partition 0", "another-cluster", clusterId());
    }

    @Test
    void aGenesisOfAnEarlierTopicOfThatNameIsRefused() throws Exception {
        contract().create(admin);
        for (int shard = 0; shard < SHARDS; shard++) {
            writeGenesis(shard, genesis(shard, clusterId(), "earlier-topic", SHARDS, RULES, SCHEMAS, 1));
        }
        assertThat(readRefusal(SIGNER)).contains("earlier-topic", topicId(), "recreated");
    }

    @Test
    void aTopicThatGrewIsRefused() throws Exception {
        complete();
        admin.createPartitions(Map.of(topics.events(), NewPartitions.increaseTo(SHARDS + 1)))
                .all()
                .get(20, TimeUnit.SECONDS);
        assertThat(readRefusal(SIGNER)).contains("made for 3 partitions", "has 4");
    }

    @Test
    void aGenesisInTheWrongPartitionIsRefused() throws Exception {
        contract().create(admin);
        writeGenesis(0, genesis(0));
        writeGenesis(1, genesis(2));
        writeGenesis(2, genesis(1));
        assertThat(readRefusal(SIGNER)).contains("partition 1", "genesis of shard 2");
    }

    @Test
    void shardsThatDisagreeAreRefused() throws Exception {
        contract().create(admin);
        writeGenesis(0, genesis(0));
        writeGenesis(1, genesis(1, clusterId(), topicId(), SHARDS, RULES, SCHEMAS, 2));
        writeGenesis(2, genesis(2));
        assertThat(readRefusal(SIGNER)).contains("shard 1", "incarnation");
    }

    @Test
    void shardsWithOtherSchemasAreRefused() throws Exception {
        contract().create(admin);
        writeGenesis(0, genesis(0));
        writeGenesis(1, genesis(1));
        writeGenesis(2, genesis(2, clusterId(), topicId(), SHARDS, RULES, SCHEMAS.subList(0, 3), 1));
        assertThat(readRefusal(SIGNER)).contains("shard 2", "schemas");
    }

    @Test
    void aFirstRecordThatIsNoGenesisIsRefused() throws Exception {
        contract().create(admin);
        write(topics.events(), 0, new byte[] {1, '{', '}'});
        writeGenesis(1, genesis(1));
        writeGenesis(2, genesis(2));
        assertThat(readRefusal(SIGNER)).contains("partition 0");
    }

    /** Retention or somebody's hand took the beginning away. */
    @Test
    void aLedgerWithoutItsBeginningIsRefused() throws Exception {
        complete();
        writeGenesis(1, genesis(1));
        admin.deleteRecords(Map.of(new TopicPartition(topics.events(), 1), RecordsToDelete.beforeOffset(1)))
                .all()
                .get(20, TimeUnit.SECONDS);
        assertThat(readRefusal(SIGNER)).contains("partition 1", "not a genesis record");
        admin.deleteRecords(Map.of(new TopicPartition(topics.events(), 1), RecordsToDelete.beforeOffset(2)))
                .all()
                .get(20, TimeUnit.SECONDS);
        assertThat(readRefusal(SIGNER)).contains("partition 1", "not a genesis record");
    }

    // ---- a new generation

    private NewGeneration newGeneration(LedgerDefinition ledger) {
        return new NewGeneration(connection, topics, ledger, TIMEOUT);
    }

    private static void refused(NewGeneration.Result result, String why) {
        assertThat(result)
                .isInstanceOfSatisfying(
                        NewGeneration.Result.Refused.class,
                        refused -> assertThat(refused.reason()).contains(why));
    }

    /** What one way has made is not what another goes on from. */
    @Test
    void aGenerationThatWasBegunInOneWayIsNotFinishedInAnother() throws Exception {
        // given a run that was cut off while it made the state
        NewGeneration generation = newGeneration(complete().ledger());
        assertThatThrownBy(() -> generation.begin(2, "archive", () -> {
                    throw new IllegalStateException("cut off");
                }))
                .hasMessage("cut off");

        // then
        refused(generation.begin(2), "was being made with a state of another kind ([archive])");
        refused(
                generation.begin(2, "seam", () -> List.of(1L, 1L, 1L)),
                "was being made with a state of another kind ([archive])");
        assertThat(groupOffsets(2)).isEmpty();
        assertThat(generation.isBegun(2)).isFalse();

        // when it is finished as it was begun
        NewGeneration.Result result = generation.begin(2, "archive", () -> List.of(1L, 1L, 1L));

        // then
        assertThat(result).isInstanceOf(NewGeneration.Result.Begun.class);
        assertThat(groupOffsets(2).values())
                .hasSize(SHARDS)
                .allSatisfy(offset -> assertThat(offset.offset()).isEqualTo(1));
        assertThat(generation.begin(2)).isInstanceOf(NewGeneration.Result.AlreadyBegun.class);
        assertThat(generation.isBegun(2)).isTrue();
    }

    /** It has sequenced: from its first record on it would do so again, beside the state it kept. */
    @Test
    void aGenerationThatLostItsPositionsIsNotBegunAgain() throws Exception {
        // given a changelog of one, and of another a part of its positions
        NewGeneration generation = newGeneration(complete().ledger());
        String changelog = topics.sequencerGroup(2) + "-shard-changelog";
        admin.createTopics(List.of(new NewTopic(changelog, 1, (short) 1))).all().get(20, TimeUnit.SECONDS);
        admin.alterConsumerGroupOffsets(
                        topics.sequencerGroup(3),
                        Map.of(new TopicPartition(topics.events(), 1), new OffsetAndMetadata(1)))
                .all()
                .get(20, TimeUnit.SECONDS);

        // then
        refused(generation.begin(2), "was begun and lost its positions");
        refused(generation.begin(2, "archive", () -> List.of(1L, 1L, 1L)), "begin generation 3");
        refused(generation.begin(3), "was begun and lost its positions");
        assertThat(groupOffsets(2)).isEmpty();
        assertThat(generation.begin(4)).isInstanceOf(NewGeneration.Result.Begun.class);
        refused(generation.begin(1), "is the ledger's first");
    }

    @Test
    void aGenerationIsNotBegunBehindRecordsThatWereDeleted() throws Exception {
        // given
        LedgerDefinition ledger = complete().ledger();
        admin.deleteRecords(Map.of(new TopicPartition(topics.events(), 1), RecordsToDelete.beforeOffset(1)))
                .all()
                .get(20, TimeUnit.SECONDS);

        // then
        refused(newGeneration(ledger).begin(2), "begins behind its first records (first offsets by shard: {1=1})");
        assertThat(groupOffsets(2)).isEmpty();
    }

    @Test
    void aGenerationIsNotBegunOnATopicThatWasMadeAgain() throws Exception {
        // given
        LedgerDefinition ledger = complete().ledger();
        String before = topicId();
        admin.deleteTopics(List.of(topics.events())).all().get(20, TimeUnit.SECONDS);
        await().ignoreExceptions().until(() -> {
            contract().create(admin);
            return !topicId().equals(before);
        });

        // then
        refused(newGeneration(ledger).begin(2), "it was deleted and made again");
        assertThat(groupOffsets(2)).isEmpty();
    }
}
