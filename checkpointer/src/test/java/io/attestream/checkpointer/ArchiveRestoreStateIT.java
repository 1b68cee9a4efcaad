// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.chaos.LocalBroker;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.Topics;
import io.attestream.schemas.connection.KafkaConnection;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.topics.TopicContract;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A generation begins with the state of a published epoch, or nothing of it does. On a real broker; each test has topics of its own. */
class ArchiveRestoreStateIT {
    private static final int SHARDS = 2;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir
    private static Path brokerDirectory;

    private static LocalBroker broker;
    private static Admin admin;

    @TempDir
    private Path directory;

    private final Topics topics = new Topics("begun" + NUMBER.incrementAndGet());
    /** Generations whose processors' state was written. */
    private final List<Integer> written = new ArrayList<>();

    private Scene scene;

    @BeforeAll
    static void startBroker() {
        broker = LocalBroker.start(brokerDirectory);
        admin = Admin.create(connection());
    }

    @AfterAll
    static void stopBroker() {
        admin.close();
        broker.close();
    }

    private static Map<String, Object> connection() {
        return Map.of("bootstrap.servers", broker.bootstrapServers());
    }

    @BeforeEach
    void publishThreeEpochs() throws Exception {
        new TopicContract(topics, SHARDS, TestLedger.rules().maxPayloadBytes(), true).create(admin);
        scene = new Scene(directory, SHARDS);
        publish("first", "second", "third");
    }

    private void publish(String... more) throws Exception {
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        for (String tag : more) {
            scene.grow(tag);
            process.read();
            process.checkpointer.publishNewest();
        }
    }

    private void writeTopics() throws Exception {
        writeTopics(0);
    }

    /** @param lost records of the last partition of {@code events}, from its end */
    private void writeTopics(int lost) throws Exception {
        writeCheckpoints();
        try (Producer<byte[], byte[]> producer = producer()) {
            for (TestShard shard : scene.shards) {
                long end = shard.endOffset() - (shard.shard == SHARDS - 1 ? lost : 0);
                for (long offset = 0; offset < end; offset++) {
                    producer.send(new ProducerRecord<>(topics.events(), shard.shard, null, new byte[] {1}))
                            .get(30, TimeUnit.SECONDS);
                }
            }
        }
    }

    private void writeCheckpoints() throws Exception {
        CheckpointRecords codec = new CheckpointRecords(TestSchemas.BOOK);
        try (Producer<byte[], byte[]> producer = producer()) {
            for (LogRecord record : scene.log.committed) {
                producer.send(new ProducerRecord<>(topics.checkpoints(), 0, null, codec.encode(record)))
                        .get(30, TimeUnit.SECONDS);
            }
        }
    }

    private static Producer<byte[], byte[]> producer() {
        return new KafkaProducer<>(connection(), new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Whose genesis records were made for the topics there are. */
    private LedgerDefinition ledger() throws Exception {
        Uuid topicId = admin.describeTopics(List.of(topics.events()))
                .allTopicNames()
                .get(30, TimeUnit.SECONDS)
                .get(topics.events())
                .topicId();
        String clusterId = admin.describeCluster().clusterId().get(30, TimeUnit.SECONDS);
        List<Genesis> genesis = IntStream.range(0, SHARDS)
                .mapToObj(shard -> new Genesis(
                        TestLedger.ORIGIN,
                        scene.ledger.key.verifier().vkey(),
                        shard,
                        clusterId,
                        topics.events(),
                        topicId.toString(),
                        SHARDS,
                        TestLedger.rules(),
                        TestLedger.schemas()))
                .toList();
        return new LedgerDefinition(TestLedger.ORIGIN, scene.ledger.key.verifier(), genesis, TestSchemas.BOOK);
    }

    private final class States implements ArchiveRestoreStates.States {
        @Override
        public void leaf(int shard, LeafRecord leaf) {}

        @Override
        public void outcome(int shard, OutcomeRecord outcome) {}

        @Override
        public void pack(PackName pack) {}

        @Override
        public void write(
                ArchiveRestoreStates.Result.Read archive, int incarnation, int generation, Uuid eventsTopicId) {
            written.add(generation);
        }
    }

    private ArchiveRestoreState.Result run(int generation) throws Exception {
        return run(generation, OptionalLong.empty());
    }

    private ArchiveRestoreState.Result run(int generation, OptionalLong epoch) throws Exception {
        return run(generation, scene.ledger.key, ledger(), epoch, Optional.empty());
    }

    private ArchiveRestoreState.Result run(
            int generation, NoteSigner key, LedgerDefinition ledger, OptionalLong epoch, Optional<Checkpoint> kept)
            throws Exception {
        ArchiveRestoreKafka.Target target =
                new ArchiveRestoreKafka.Target(KafkaConnection.of(broker.bootstrapServers()), topics, generation, true);
        return new ArchiveRestoreState(
                        target, ledger, List.of(key), scene.store, shards -> new States(), ArchiveCheck.Listener.NONE)
                .run(epoch, kept);
    }

    private Map<TopicPartition, OffsetAndMetadata> positions(int generation) throws Exception {
        return admin.listConsumerGroupOffsets(topics.sequencerGroup(generation))
                .partitionsToOffsetAndMetadata()
                .get(30, TimeUnit.SECONDS);
    }

    /** Nothing can be started with it, and nothing was made for it. */
    private void requireRefused(int generation, ArchiveRestoreState.Result result, String why) throws Exception {
        assertThat(result)
                .isInstanceOfSatisfying(
                        ArchiveRestoreState.Result.Refused.class,
                        refused -> assertThat(refused.reasons())
                                .anySatisfy(reason -> assertThat(reason).contains(why)));
        assertThat(positions(generation)).isEmpty();
        assertThat(written).doesNotContain(generation);
    }

    @Test
    void beginsOnceBehindTheEpochPublishedLast() throws Exception {
        // given
        writeTopics();

        // when
        ArchiveRestoreState.Result result = run(2);

        // then
        List<ShardHead> heads = scene.history().publishedHeads();
        long leaves = heads.stream().mapToLong(head -> head.size().value()).sum();
        assertThat(result).isEqualTo(new ArchiveRestoreState.Result.Begun(2, 2, leaves));
        assertThat(written).containsExactly(2);
        Map<TopicPartition, OffsetAndMetadata> positions = positions(2);
        for (ShardHead head : heads) {
            assertThat(positions
                            .get(new TopicPartition(topics.events(), head.shard()))
                            .offset())
                    .isEqualTo(head.nextOffset());
        }

        // and again it changes nothing
        assertThat(run(2)).isEqualTo(new ArchiveRestoreState.Result.AlreadyBegun(2));
        assertThat(run(1)).isEqualTo(new ArchiveRestoreState.Result.AlreadyBegun(1));
        assertThat(written).containsExactly(2);
        assertThat(positions(2)).isEqualTo(positions);
    }

    @Test
    void refusesAKeyThatIsNotTheLedgers() throws Exception {
        writeTopics();
        NoteSigner other = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
        requireRefused(
                2,
                run(2, other, ledger(), OptionalLong.empty(), Optional.empty()),
                "the key is not that of the ledger");
    }

    @Test
    void refusesAnEpochNobodyPublished() throws Exception {
        writeTopics();
        requireRefused(2, run(2, OptionalLong.of(3)), "has no epoch 3, but 3 of them");
    }

    @Test
    void refusesAKeptCheckpointThatWasNotPublished() throws Exception {
        writeTopics();
        Checkpoint kept = new Checkpoint(TestLedger.ORIGIN, new TreeSize(3), Rfc6962.EMPTY_ROOT);
        requireRefused(
                2,
                run(2, scene.ledger.key, ledger(), OptionalLong.empty(), Optional.of(kept)),
                "the kept checkpoint of size 3 is not among the 3 published");
    }

    /** What a run leaves that was cut off in front of the positions. */
    @Test
    void refusesAnEarlierEpochThanThatOfTheSnapshotOfARunThatWasCutOff() throws Exception {
        // given
        writeTopics();
        new Seam.Maker(scene.store, scene.ledger.ledger, scene.ledger.keys(), scene.readArchive(2)).make(1, 2, 1);

        // then
        requireRefused(2, run(2, OptionalLong.of(1)), "which was begun with epoch 2: begin with that epoch");
        assertThat(run(3, OptionalLong.of(1))).isInstanceOf(ArchiveRestoreState.Result.Begun.class);
        assertThat(run(2)).isInstanceOf(ArchiveRestoreState.Result.Begun.class);
    }

    /** Positions at the old epoch would sequence again what it published. */
    @Test
    void refusesAGenerationThatHasPublishedAndLostItsPositions() throws Exception {
        // given
        scene.restoreFromArchive(2, 2, 1_000);
        publish("fourth");
        writeTopics();
        assertThat(scene.published().get(3).intent().generation()).isEqualTo(2);

        // then
        requireRefused(2, run(2), "generation 2 has published and lost its positions: begin generation 3");
        requireRefused(1, run(1), "generation 1 is not new: epoch 3 was published from generation 2");
        assertThat(run(3)).isInstanceOf(ArchiveRestoreState.Result.Begun.class);
    }

    @Test
    void refusesATopicThatEndsBeforeTheState() throws Exception {
        // given
        long next = scene.history().publishedHeads().get(1).nextOffset();
        writeTopics((int) (scene.shards.get(1).endOffset() - next) + 1);

        // then
        requireRefused(
                2,
                run(2),
                "partition 1 of topic " + topics.events() + " ends at offset " + (next - 1)
                        + ", published is up to offset " + next);
        assertThat(scene.store.list(SnapshotName.SNAPSHOTS)).isEmpty();
    }

    @Test
    void refusesAnArchiveInWhichAnythingIsDamaged() throws Exception {
        // given
        writeTopics();
        String payloads = scene.published().get(1).intent().payloads();
        byte[] object = scene.store.get(payloads).orElseThrow();
        object[object.length - 1] ^= 1;
        scene.store.replace(payloads, object);

        // then
        requireRefused(2, run(2), "object " + payloads + ": expected the digest in its name");
        assertThat(scene.store.list(SnapshotName.SNAPSHOTS)).isEmpty();
    }

    @Test
    void refusesAStoreThatIsShorterThanWhatWasPublished() throws Exception {
        writeTopics();
        scene.store.delete(ObjectNames.epoch(2));
        requireRefused(2, run(2), "object " + ObjectNames.epoch(2) + " is missing");
        assertThat(run(2, OptionalLong.of(1))).isInstanceOf(ArchiveRestoreState.Result.Begun.class);
    }

    /** Both logs hold by themselves, and the key signed both. */
    @Test
    void refusesAStoreThatHasAnotherLogThanTheTopic() throws Exception {
        // given: the last epoch is published once more, from other records
        List<LogRecord> other = List.copyOf(scene.log.committed);
        scene.log
                .committed
                .subList(scene.log.committed.size() - 2, scene.log.committed.size())
                .clear();
        for (String prefix : List.of(ObjectNames.GUARDS, ObjectNames.EPOCHS)) {
            List<String> names = scene.store.list(prefix);
            scene.store.delete(names.get(names.size() - 1));
        }
        publish("another");
        scene.log.committed.clear();
        scene.log.committed.addAll(other);
        writeTopics();

        // then
        requireRefused(2, run(2), "object " + ObjectNames.epoch(2) + " is another epoch than topic");
    }

    /** Its records are in no topic there is. */
    @Test
    void refusesAnEpochOfAnIncarnationThatIsGone() throws Exception {
        // given
        scene.loseKafka(2);
        publish("later");
        writeCheckpoints();

        // then
        requireRefused(
                3,
                run(3, scene.ledger.key, scene.definition(), OptionalLong.of(1), Optional.empty()),
                "epoch 1 is of an earlier incarnation of topic " + topics.events());
    }
}
