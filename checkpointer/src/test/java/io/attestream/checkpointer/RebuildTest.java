// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a rebuild says of topics that hold, that were cut, and that cannot be read. */
@Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RebuildTest {
    private static final Topics TOPICS = new Topics("rebuilt");
    private static final TopicPartition CHECKPOINTS = new TopicPartition(TOPICS.checkpoints(), 0);

    private final Map<TopicPartition, List<TestShard.Committed>> records = new HashMap<>();
    /** Where brokers say a partition ends, if that is not after its last record. */
    private final Map<TopicPartition, Long> ends = new HashMap<>();

    /** What the consumer of topic {@code events} says when it is first asked for records. */
    private Optional<KafkaException> failure = Optional.empty();

    private Rebuild.Reading reading = Rebuild.Reading.DECODED;
    private UnaryOperator<Rebuild> how = UnaryOperator.identity();
    /** What topic checkpoints has when it is read again. */
    private UnaryOperator<List<TestShard.Committed>> secondReading = UnaryOperator.identity();

    private int readings;
    private Scene scene;

    @BeforeEach
    void publishTwoEpochs(@TempDir Path directory) throws Exception {
        scene = new Scene(directory, 2);
        Scene.Instance checkpointer = scene.start();
        checkpointer.checkpointer.takeUp();
        checkpointer.checkpointer.publishNewest();
        scene.grow("more");
        checkpointer.read();
        checkpointer.checkpointer.publishNewest();
        for (TestShard shard : scene.shards) {
            records.put(new TopicPartition(TOPICS.events(), shard.shard), new ArrayList<>(shard.records));
        }
        CheckpointRecords codec = new CheckpointRecords(TestSchemas.BOOK);
        List<TestShard.Committed> log = new ArrayList<>();
        scene.log.committed.forEach(record -> log.add(new TestShard.Committed(log.size(), 0, codec.encode(record))));
        records.put(CHECKPOINTS, log);
    }

    @ParameterizedTest
    @EnumSource(Rebuild.Reading.class)
    void whatHoldsIsTheSame(Rebuild.Reading asked) throws Exception {
        reading = asked;
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Same.class,
                        same -> assertThat(same.epochs()).isEqualTo(2));
    }

    @Test
    void oneShardBehindTheOtherAndHeadByHeadItIsTheSame() throws Exception {
        // given
        Rebuild.Result atOnce = rebuild(Optional.empty());

        // when
        how = rebuild -> rebuild.oneByOne().withHeadsMax(1);

        // then
        assertThat(rebuild(Optional.empty())).isEqualTo(atOnce).isInstanceOf(Rebuild.Result.Same.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void headByHeadADifferenceInAnyShardIsFound(int shard) throws Exception {
        // given
        how = rebuild -> rebuild.oneByOne().withHeadsMax(1);
        TopicPartition events = new TopicPartition(TOPICS.events(), shard);
        int last = records.get(events).size() - 1;
        TestShard.Committed record = records.get(events).get(last);
        byte[] other = scene.ledger.eventValue(shard, "a", "payload A");
        records.get(events).set(last, new TestShard.Committed(record.offset(), record.timestampMillis(), other));

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Different.class,
                        different ->
                                assertThat(different.detail()).contains("shard " + shard + ": the head published"));
    }

    /** Heads may be read when the records they are of were read already. */
    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void aHeadThatTheRecordsBeforeItDoNotGiveIsADifference(int headsMax) throws Exception {
        // given: another root at the position of the head before
        how = rebuild -> rebuild.oneByOne().withHeadsMax(headsMax);
        ShardRebuild shard = new ShardRebuild(0, new ShardDecider(0, scene.ledger.ledger, 1), Rebuild.Listener.NONE);
        assertThatThrownBy(() -> shard.expect(new ShardHead(0, new TreeSize(1), Rfc6962.EMPTY_ROOT, 0)))
                .isInstanceOf(FatalDoubtException.class);

        // when: as above, in the topic
        secondReading = records -> {
            CheckpointRecords codec = new CheckpointRecords(TestSchemas.BOOK);
            List<TestShard.Committed> others = new ArrayList<>(records);
            LogRecord.Published last = (LogRecord.Published) scene.log.committed.get(scene.log.committed.size() - 1);
            EpochIntent intent = last.intent();
            List<ShardHead> heads = new ArrayList<>(intent.heads());
            ShardHead before = scene.published().get(0).intent().heads().get(0);
            heads.set(0, new ShardHead(0, before.size(), Rfc6962.EMPTY_ROOT, before.nextOffset()));
            EpochIntent other = new EpochIntent(
                    intent.epoch(),
                    intent.epochLeaf(),
                    heads,
                    intent.noteText(),
                    intent.segment(),
                    intent.payloads(),
                    intent.generation());
            others.set(
                    others.size() - 1,
                    new TestShard.Committed(
                            others.size() - 1, 0, codec.encode(new LogRecord.Published(other, last.note()))));
            return others;
        };

        // then
        assertThat(rebuild(Optional.empty())).isInstanceOf(Rebuild.Result.Different.class);
    }

    @Test
    void aTopicThatIsCutBetweenItsReadingsLeavesItUndecided() throws Exception {
        // given: a damaged record that only the last epoch covers
        aRecordOfShardOneIsDamaged();
        secondReading = records -> records.subList(0, records.size() - 2);

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail()).contains("other epochs than a moment ago"));
    }

    private void aRecordOfShardOneIsDamaged() throws Exception {
        TopicPartition events = new TopicPartition(TOPICS.events(), 1);
        int last = records.get(events).size() - 1;
        TestShard.Committed record = records.get(events).get(last);
        byte[] other = scene.ledger.eventValue(1, "a", "payload A");
        records.get(events).set(last, new TestShard.Committed(record.offset(), record.timestampMillis(), other));
    }

    @Test
    void damageInOneShardDoesNotHideThatInAnother() throws Exception {
        // given
        how = Rebuild::oneByOne;
        for (int shard = 0; shard < 2; shard++) {
            TopicPartition events = new TopicPartition(TOPICS.events(), shard);
            TestShard.Committed record = records.get(events).get(1);
            byte[] other = scene.ledger.eventValue(shard, "other", "payload A");
            records.get(events).set(1, new TestShard.Committed(record.offset(), record.timestampMillis(), other));
        }

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Different.class,
                        different -> assertThat(different.detail())
                                .contains("shard 0: ")
                                .contains("shard 1: "));
    }

    @Test
    void damageInOneShardIsToldThoughAnotherCannotBeDecided() throws Exception {
        // given: the topic is cut when it is read for the second shard
        how = Rebuild::oneByOne;
        TopicPartition events = new TopicPartition(TOPICS.events(), 0);
        TestShard.Committed record = records.get(events).get(1);
        byte[] other = scene.ledger.eventValue(0, "other", "payload A");
        records.get(events).set(1, new TestShard.Committed(record.offset(), record.timestampMillis(), other));
        secondReading = log -> readings < 3 ? log : log.subList(0, log.size() - 2);

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Different.class,
                        different -> assertThat(different.detail()).contains("shard 0: "));
    }

    @Test
    void whatIsPublishedMeanwhileIsForTheNextTime() throws Exception {
        // given: the last epoch comes between the readings
        List<TestShard.Committed> all = records.get(CHECKPOINTS);
        records.put(CHECKPOINTS, all.subList(0, all.size() - 2));
        secondReading = before -> all;

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Same.class,
                        same -> assertThat(same.epochs()).isEqualTo(1));
    }

    @Test
    void whereNothingWasPublishedNothingIsTheSame() throws Exception {
        // given
        records.put(CHECKPOINTS, List.of());

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail()).contains("nothing was published"));
    }

    @Test
    void aKeptCheckpointMustBeAmongThosePublished() throws Exception {
        // given
        Checkpoint first = published(0);
        Checkpoint last = published(1);
        Checkpoint rewritten = new Checkpoint(TestLedger.ORIGIN, first.size(), Rfc6962.EMPTY_ROOT);
        Checkpoint ofAnEpochMore = new Checkpoint(TestLedger.ORIGIN, new TreeSize(3), Rfc6962.EMPTY_ROOT);

        // then
        assertThat(rebuild(Optional.of(first))).isInstanceOf(Rebuild.Result.Same.class);
        assertThat(rebuild(Optional.of(last))).isInstanceOf(Rebuild.Result.Same.class);
        for (Checkpoint other : List.of(rewritten, ofAnEpochMore)) {
            assertThat(rebuild(Optional.of(other)))
                    .isInstanceOfSatisfying(
                            Rebuild.Result.Different.class,
                            different -> assertThat(different.detail())
                                    .contains("kept checkpoint of size " + other.size())
                                    .contains("not among the 2 published"));
        }
    }

    @Test
    void aTopicThatWasCutHoldsByItselfButNotAgainstAKeptCheckpoint() throws Exception {
        // given: the last epoch's intent and publication are gone, or all of them are
        Checkpoint last = published(1);
        List<TestShard.Committed> log = records.get(CHECKPOINTS);
        records.put(CHECKPOINTS, log.subList(0, log.size() - 2));
        assertThat(rebuild(Optional.empty())).isInstanceOf(Rebuild.Result.Same.class);

        // then
        assertThat(rebuild(Optional.of(last))).isInstanceOf(Rebuild.Result.Different.class);
        records.put(CHECKPOINTS, List.of());
        assertThat(rebuild(Optional.of(last))).isInstanceOf(Rebuild.Result.Different.class);
    }

    @ParameterizedTest
    @EnumSource(Rebuild.Reading.class)
    void aRecordThatIsServedDifferentlyMakesADifference(Rebuild.Reading asked) throws Exception {
        // given: one byte of one event's content
        reading = asked;
        TopicPartition events = new TopicPartition(TOPICS.events(), 1);
        TestShard.Committed first = records.get(events).get(1);
        byte[] other = scene.ledger.eventValue(1, "a", "payload A");
        records.get(events).set(1, new TestShard.Committed(first.offset(), first.timestampMillis(), other));

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Different.class,
                        different -> assertThat(different.detail()).contains("shard 1: the head published"));
    }

    @Test
    void recordsTheBrokersSayTheyLostMakeADifference() throws Exception {
        // given
        TopicPartition events = new TopicPartition(TOPICS.events(), 1);
        records.get(events).remove(records.get(events).size() - 1);

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Different.class,
                        different -> assertThat(different.detail())
                                .contains(
                                        events + " ends at offset 11, a head was published up to 12: it lost records"));
    }

    @Test
    void recordsThatNeverComeLeaveItUndecided() throws Exception {
        // given: the brokers say they have it
        TopicPartition events = new TopicPartition(TOPICS.events(), 1);
        records.get(events).remove(records.get(events).size() - 1);
        ends.put(events, 12L);

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail())
                                .contains(TOPICS.events())
                                .contains("partition 1 was read to offset 11, a head was published up to 12"));
    }

    @Test
    void checkpointsThatNeverComeLeaveItUndecidedAndStopTheCheckpointer() throws Exception {
        // given
        ends.put(CHECKPOINTS, 100L);
        CheckpointRecords codec = new CheckpointRecords(TestSchemas.BOOK);

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Undecided.class,
                        undecided -> assertThat(undecided.detail())
                                .contains(TOPICS.checkpoints())
                                .contains("was read to offset 4 of 100"));
        assertThatThrownBy(() -> KafkaCheckpointLog.readToEnd(
                        reader(), TOPICS.checkpoints(), codec, record -> {}, Duration.ofMillis(50)))
                .isInstanceOf(TimeoutException.class);
    }

    /** So consumers name a batch that is none: they cannot go past it, and others could not either. */
    @Test
    void aBatchThatCannotBeReadMakesADifference() throws Exception {
        // given
        failure = Optional.of(new KafkaException(
                "Received exception when fetching the next record from rebuilt.events-1",
                new CorruptRecordException("checksum")));

        // then
        assertThat(rebuild(Optional.empty()))
                .isInstanceOfSatisfying(
                        Rebuild.Result.Different.class,
                        different -> assertThat(different.detail())
                                .contains("topic " + TOPICS.events() + " is damaged: Received exception")
                                .endsWith(": checksum"));
    }

    /** It says nothing of the records. */
    @Test
    void brokersThatRefuseOrDoNotAnswerLeaveItUndecided() throws Exception {
        for (KafkaException other :
                List.of(new TimeoutException("no answer"), new TopicAuthorizationException("not yours"))) {
            // given
            failure = Optional.of(other);

            // then
            assertThat(rebuild(Optional.empty()))
                    .isInstanceOfSatisfying(
                            Rebuild.Result.Undecided.class,
                            undecided -> assertThat(undecided.detail())
                                    .contains("topic " + TOPICS.events() + " cannot be read: " + other.getMessage()));
        }
    }

    private Checkpoint published(int epoch) throws Exception {
        return Checkpoint.parse(scene.published().get(epoch).intent().noteText());
    }

    private Rebuild.Result rebuild(Optional<Checkpoint> kept) throws InterruptedException {
        LedgerDefinition definition = new LedgerDefinition(
                TestLedger.ORIGIN,
                scene.ledger.key.verifier(),
                List.of(scene.ledger.genesis(0), scene.ledger.genesis(1)),
                TestSchemas.BOOK);
        return how.apply(new Rebuild(
                        this::reader, TOPICS, definition, reading, Rebuild.Listener.NONE, Duration.ofMillis(50)))
                .run(1, kept);
    }

    /** Has all records of what it is assigned to first. */
    private Consumer<byte[], byte[]> reader() {
        return new MockConsumer<>("none") {
            private boolean assigned;

            @Override
            public synchronized void assign(Collection<TopicPartition> partitions) {
                super.assign(partitions);
                if (!assigned) {
                    assigned = true;
                    partitions.forEach(this::serve);
                    if (!partitions.contains(CHECKPOINTS)) {
                        failure.ifPresent(this::setPollException);
                    }
                }
            }

            private void serve(TopicPartition partition) {
                boolean again = partition.equals(CHECKPOINTS) && ++readings > 1;
                List<TestShard.Committed> all =
                        again ? secondReading.apply(records.get(partition)) : records.get(partition);
                all.forEach(record -> addRecord(TestShard.read(partition, record)));
                long end = all.isEmpty() ? 0 : all.get(all.size() - 1).offset() + 1;
                updateBeginningOffsets(Map.of(partition, 0L));
                updateEndOffsets(Map.of(partition, ends.getOrDefault(partition, end)));
            }
        };
    }
}
