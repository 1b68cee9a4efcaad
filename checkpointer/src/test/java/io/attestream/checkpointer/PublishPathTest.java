// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** From verified heads to a published epoch, and what a successor makes of a predecessor that died or was paused on the way. */
class PublishPathTest {
    /** The publish path with the signature, which shard notes are not on. */
    private static final EnumSet<PublishStep> EPOCH_STEPS = EnumSet.range(PublishStep.ASSEMBLED, PublishStep.PUBLISHED);

    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    /** Stands for a process that died: nothing after it runs. */
    private static final class Died extends RuntimeException {}

    @Test
    void publishesEpochsThatVerifyAndCanBeRestoredFromTheArchive() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();

        // when
        process.checkpointer.publishNewest();
        scene.grow("more");
        process.read();
        process.checkpointer.publishNewest();

        // then
        assertThat(scene.history().nextEpoch()).isEqualTo(2);
        requireRestorable(scene);
    }

    @Test
    void aClockThatIsSetBackHoldsUpNothing() throws Exception {
        // given: a clock that is ten minutes ahead when the process begins
        Scene scene = new Scene(directory, 2);
        AtomicReference<Clock> machine = new AtomicReference<>(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(10)));
        scene.clock = new Clock() {
            @Override
            public Instant instant() {
                return machine.get().instant();
            }

            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }
        };
        Scene.Instance process = scene.start();
        Thread running = new Thread(() -> {
            try {
                process.checkpointer.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        running.start();
        try {
            await().atMost(SOON).until(() -> scene.history().nextEpoch() == 1);

            // when
            machine.set(Clock.systemUTC());
            scene.grow("more");
            process.read();

            // then
            await().atMost(SOON).until(() -> scene.history().nextEpoch() == 2);
        } finally {
            process.checkpointer.stop();
            running.join(SOON.toMillis());
        }
    }

    @Test
    void publishesNothingWhenNothingIsNew() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        int records = scene.log.committed.size();

        // when
        process.checkpointer.publishNewest();

        // then
        assertThat(scene.log.committed).hasSize(records);
    }

    @Test
    void publishesAnEpochWhenOnlyDuplicatesCame() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        scene.shards.get(0).event("a", "payload a");
        scene.shards.get(0).seal();
        process.read();

        // when
        process.checkpointer.publishNewest();

        // then
        LogRecord.Published last = scene.published().get(1);
        EpochLeaf leaf = EpochLeaf.parse(last.intent().epochLeaf());
        assertThat(leaf.counts()).containsEntry("duplicates", 3L).containsEntry("leaves", 10L);
        assertThat(last.intent().heads().get(0).size())
                .isEqualTo(scene.published().get(0).intent().heads().get(0).size());
    }

    @Test
    void neverWaitsForAShard() throws Exception {
        // given: shard 1 has claims that cannot be verified yet
        Scene scene = new Scene(directory, 2);
        scene.shards.get(1).sequencer.deltas.clear();
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();

        // when
        process.checkpointer.publishNewest();

        // then
        List<ShardHead> heads = scene.published().get(0).intent().heads();
        assertThat(heads.get(0).size()).isEqualTo(new TreeSize(5));
        assertThat(heads.get(1)).isEqualTo(new ShardHead(1, new TreeSize(0), Rfc6962.EMPTY_ROOT, 0));
    }

    @Test
    void signsNothingOnceTopicEventsIsAnotherOne() throws Exception {
        // given: one epoch is published, more was read since
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        scene.grow("of another topic");
        process.read();
        List<LogRecord> before = List.copyOf(scene.log.committed);

        // when
        scene.topicCheck = PublishPathTest::refuse;

        // then
        assertThatThrownBy(process.checkpointer::publishNewest).isInstanceOf(FatalDoubtException.class);
        assertThat(scene.log.committed).isEqualTo(before);
        new Guard(scene.store).requireNoneFrom(1);
    }

    @Test
    void rollsNothingForwardOnceTopicEventsIsAnotherOne() throws Exception {
        // given: an intent that was committed and not signed
        Scene scene = new Scene(directory, 2);
        Scene.Instance first = scene.start((reached, epoch) -> {
            if (reached == PublishStep.INTENT_COMMITTED) {
                throw new Died();
            }
        });
        first.checkpointer.takeUp();
        assertThatThrownBy(first.checkpointer::publishNewest).isInstanceOf(Died.class);
        List<LogRecord> before = List.copyOf(scene.log.committed);

        // when
        scene.topicCheck = PublishPathTest::refuse;

        // then
        Scene.Instance second = scene.start();
        assertThatThrownBy(second.checkpointer::takeUp).isInstanceOf(FatalDoubtException.class);
        assertThat(scene.log.committed).isEqualTo(before);
        new Guard(scene.store).requireNoneFrom(0);
    }

    private static void refuse() {
        throw new FatalDoubtException("topic events was made again");
    }

    // ---- dying at every step

    @ParameterizedTest
    @EnumSource(value = PublishStep.class, names = "SHARD.*", mode = EnumSource.Mode.MATCH_NONE)
    void aSuccessorCompletesWhatWasMeantAfterADeathAtEveryStep(PublishStep step) throws Exception {
        // given: an epoch is published, the next dies at the step
        Scene scene = new Scene(directory, 2);
        Scene.Instance first = scene.start((reached, epoch) -> {
            if (reached == step && epoch == 1) {
                throw new Died();
            }
        });
        first.checkpointer.takeUp();
        first.checkpointer.publishNewest();
        scene.grow("second");
        first.read();
        assertThatThrownBy(first.checkpointer::publishNewest).isInstanceOf(Died.class);
        List<LogRecord> before = List.copyOf(scene.log.committed);

        // when: more arrives before the successor is up
        scene.grow("third");
        Scene.Instance second = scene.start();
        second.checkpointer.takeUp();
        second.checkpointer.publishNewest();

        // then
        requireOneTextForEachSize(scene);
        assertThat(scene.log.committed).startsWith(before.toArray(new LogRecord[0]));
        boolean intentWasCommitted = step.compareTo(PublishStep.INTENT_COMMITTED) >= 0;
        assertThat(scene.history().nextEpoch()).isEqualTo(intentWasCommitted ? 3 : 2);
        assertThat(scene.history().publishedHeads().get(0).size()).isEqualTo(new TreeSize(9));
        if (intentWasCommitted) {
            assertThat(intents(scene, 1)).as("the intent is never rebuilt").hasSize(1);
        }
        requireRestorable(scene);
    }

    @ParameterizedTest
    @EnumSource(value = PublishStep.class, names = "SHARD.*", mode = EnumSource.Mode.MATCH_NONE)
    void aZombiePausedAtEveryStepNeverSignsAnotherText(PublishStep step) throws Exception {
        // given: a checkpointer is paused at the step; while it is, more comes in and a second takes over and publishes
        Scene scene = new Scene(directory, 2);
        Scene.Instance zombie = scene.start((reached, epoch) -> {
            if (reached == step && epoch == 0) {
                scene.grow("meanwhile");
                Scene.Instance second = scene.start();
                takeUp(second);
                second.checkpointer.publishNewest();
            }
        });
        zombie.checkpointer.takeUp();

        // when: it goes on
        if (step == PublishStep.PUBLISHED) {
            zombie.checkpointer.publishNewest();
        } else {
            assertThatThrownBy(zombie.checkpointer::publishNewest).isInstanceOf(FatalDoubtException.class);
        }

        // then
        requireOneTextForEachSize(scene);
        requireRestorable(scene);
        Scene.Instance third = scene.start();
        third.checkpointer.takeUp();
    }

    @ParameterizedTest
    @EnumSource(
            value = PublishStep.class,
            names = {"SHARD_NOTES_SENT", "SHARD_NOTES_PUBLISHED"})
    void aDeathAroundShardNotesLosesNothing(PublishStep step) throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance first = scene.start((reached, epoch) -> {
            if (reached == step) {
                throw new Died();
            }
        });
        assertThatThrownBy(first.checkpointer::run).isInstanceOf(Died.class);

        // when
        scene.grow("second");
        Scene.Instance second = scene.start();
        second.checkpointer.takeUp();
        second.checkpointer.publishNewest();

        // then
        assertThat(scene.history().nextEpoch()).isEqualTo(2);
    }

    // ---- what must be known before signing

    @Test
    void signsNothingWhenTheResultOfTheIntentsCommitIsNotKnown() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Set<PublishStep> reached = new HashSet<>();
        Scene.Instance process = scene.start((step, epoch) -> reached.add(step));
        process.checkpointer.takeUp();
        process.owner.commitFails = true;

        // when
        assertThatThrownBy(process.checkpointer::publishNewest).isInstanceOf(FatalDoubtException.class);

        // then
        assertThat(reached).doesNotContain(PublishStep.GUARDED, PublishStep.SIGNED);
        assertThat(scene.store.list("guard/")).isEmpty();
        assertThat(process.signer.nextEpoch()).isZero();
    }

    @Test
    void refusesToSignWhenTheGuardHoldsAnotherText() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Set<PublishStep> reached = new HashSet<>();
        Scene.Instance process = scene.start((step, epoch) -> {
            reached.add(step);
            if (step == PublishStep.INTENT_COMMITTED) {
                put(scene, ObjectNames.guard(0), "another text");
            }
        });
        process.checkpointer.takeUp();

        // when
        assertThatThrownBy(process.checkpointer::publishNewest)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("holds another text than the intent of epoch 0");

        // then
        assertThat(reached).doesNotContain(PublishStep.SIGNED);
    }

    @Test
    void refusesToStartWhenTheTopicLostAnIntentThatWasGuarded() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        scene.log.committed.clear();

        // then
        assertThatThrownBy(scene.start().checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("topic checkpoints lost records");
    }

    @Test
    void refusesToStartWithoutTheGuardOfThePublishedEpoch() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        Files.delete(directory.resolve(ObjectNames.guard(0)));

        // then
        assertThatThrownBy(scene.start().checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("is missing although epoch 0 was published");
    }

    @Test
    void refusesToRollForwardWithoutTheSegment() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance first = scene.start(dieAt(PublishStep.INTENT_COMMITTED));
        first.checkpointer.takeUp();
        assertThatThrownBy(first.checkpointer::publishNewest).isInstanceOf(Died.class);
        EpochIntent intent = ((LogRecord.Intent) scene.log.committed.get(0)).intent();
        Files.delete(directory.resolve(intent.segment()));

        // then
        assertThatThrownBy(scene.start().checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("is missing although a checkpoint is to be signed");
        assertThat(scene.published()).isEmpty();
    }

    @Test
    void refusesToRollForwardAnIntentWhoseArchiveIsNotWhatTheRecordsSay() throws Exception {
        // given: an intent right in every hash, whose objects are whole, with a time and payloads of nobody's record
        Scene scene = new Scene(directory, 2);
        Scene.Instance first = scene.start(dieAt(PublishStep.INTENT_COMMITTED));
        first.checkpointer.takeUp();
        assertThatThrownBy(first.checkpointer::publishNewest).isInstanceOf(Died.class);
        EpochIntent honest = ((LogRecord.Intent) scene.log.committed.get(0)).intent();
        byte[] payloads = scene.store.get(honest.payloads()).orElseThrow();
        payloads[payloads.length - 1] ^= 1;
        String otherPayloads = ObjectNames.payloads(0, payloads);
        scene.store.putIfAbsent(otherPayloads, payloads);
        byte[] noPayloads = PayloadObject.builder(0).build();
        String empty = ObjectNames.payloads(0, noPayloads);
        scene.store.putIfAbsent(empty, noPayloads);
        String otherTimes = segmentWithOtherTimes(scene, honest.segment());
        String noOutcomes = segmentWithoutOutcomes(scene, honest.segment());

        // then
        Map<String, EpochIntent> forged = Map.of(
                "was archived with another payload", with(honest, honest.segment(), otherPayloads),
                "they hold shards [0, 1] and []", with(honest, honest.segment(), empty),
                "was archived with another kind, offset, time or entry", with(honest, otherTimes, honest.payloads()),
                "other outcomes were archived", with(honest, noOutcomes, honest.payloads()));
        forged.forEach((message, intent) -> {
            scene.log.committed.set(0, new LogRecord.Intent(intent));
            assertThatThrownBy(scene.start().checkpointer::takeUp)
                    .isInstanceOf(FatalDoubtException.class)
                    .hasMessageContaining(message);
            assertThat(scene.published()).isEmpty();
        });
        assertThat(scene.store.list("guard/")).isEmpty();
        scene.log.committed.set(0, new LogRecord.Intent(honest));
        scene.start().checkpointer.takeUp();
        assertThat(scene.published()).hasSize(1);
    }

    private static EpochIntent with(EpochIntent intent, String segment, String payloads) {
        return new EpochIntent(
                intent.epoch(), intent.epochLeaf(), intent.heads(), intent.noteText(), segment, payloads, 1);
    }

    private static String segmentWithOtherTimes(Scene scene, String name) throws Exception {
        Segment segment = Segment.parse(scene.store.get(name).orElseThrow());
        Segment.Builder builder = Segment.builder(segment.epoch());
        for (int shard : segment.shards()) {
            builder.startShard(shard, segment.firstIndex(shard));
            for (LeafRecord leaf : segment.leaves(shard)) {
                builder.add(new LeafRecord(leaf.kind(), leaf.offset(), leaf.timestampMillis() + 1, leaf.entry()));
            }
            segment.outcomes(shard).forEach(builder::add);
        }
        byte[] object = builder.build();
        String other = ObjectNames.segment(segment.epoch(), object);
        scene.store.putIfAbsent(other, object);
        return other;
    }

    private static String segmentWithoutOutcomes(Scene scene, String name) throws Exception {
        Segment segment = Segment.parse(scene.store.get(name).orElseThrow());
        Segment.Builder builder = Segment.builder(segment.epoch());
        for (int shard : segment.shards()) {
            builder.startShard(shard, segment.firstIndex(shard));
            segment.leaves(shard).forEach(builder::add);
        }
        byte[] object = builder.build();
        String other = ObjectNames.segment(segment.epoch(), object);
        scene.store.putIfAbsent(other, object);
        return other;
    }

    @ParameterizedTest
    @CsvSource({"SEGMENT_WRITTEN,segments/", "PAYLOADS_WRITTEN,payloads/"})
    void refusesAnObjectThatReadsBackDifferently(PublishStep written, String objects) throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start((step, epoch) -> {
            if (step == written) {
                flipLastByte(scene, objects);
            }
        });
        process.checkpointer.takeUp();

        // then
        assertThatThrownBy(process.checkpointer::publishNewest)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("has digest");
        assertThat(scene.log.committed).isEmpty();
    }

    // ---- history

    @Test
    void refusesToGoOnWhenEventsWereRewritten() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();

        // when: the same ledger with another history, equally well sealed
        TestShard rewritten = new TestShard(scene.ledger, 1);
        rewritten.event("a", "payload a");
        rewritten.event("b", "payload B");
        rewritten.marker();
        rewritten.event("a", "payload a");
        rewritten.event("b", "another payload");
        rewritten.append(new byte[] {0, 0, 0, 0, 1, 99});
        rewritten.event("c", "payload c");
        rewritten.seal();
        scene.shards.set(1, rewritten);

        // then
        assertThatThrownBy(scene.start().checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("history was rewritten");
    }

    @Test
    void refusesToGoOnWhenPublishedCountsAreNotTheRecomputedOnes() throws Exception {
        // given: an epoch with other counts, otherwise right and signed with the ledger's key
        Scene scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        EpochIntent honest = scene.published().get(0).intent();
        EpochLeaf leaf = EpochLeaf.parse(honest.epochLeaf());
        byte[] lying = new EpochLeaf(0, leaf.time(), Map.of("events", 99L), List.of(), leaf.vectorRoot()).encode();
        CompactRange range = CompactRange.empty();
        range.append(Rfc6962.leafHash(lying));
        String text = new Checkpoint(TestLedger.ORIGIN, range.size(), range.root()).text();
        EpochIntent intent = new EpochIntent(0, lying, honest.heads(), text, honest.segment(), honest.payloads(), 1);
        scene.log.committed.clear();
        scene.log.committed.add(new LogRecord.Intent(intent));
        scene.log.committed.add(new LogRecord.Published(
                intent, SignedNote.sign(text, scene.ledger.key).encode()));

        // then
        assertThatThrownBy(scene.start().checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("was published with counts {events=99}");
    }

    @Test
    void refusesTheKeyOfAnotherLedger() {
        // given
        Scene scene = new Scene(directory, 2);
        NoteSigner other = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());

        // then
        Scene.Instance process = scene.new Instance(StepListener.NONE, SigningKeys.of(other));
        assertThatThrownBy(process.checkpointer::takeUp)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("the ledger is to be signed by");
    }

    @Test
    void stepsComeInTheOrderTheyAreListed() throws Exception {
        // given
        Scene scene = new Scene(directory, 2);
        List<PublishStep> reached = new ArrayList<>();
        Scene.Instance process = scene.start((step, epoch) -> reached.add(step));
        process.checkpointer.takeUp();

        // when
        process.checkpointer.publishNewest();

        // then
        assertThat(reached).containsExactlyElementsOf(EPOCH_STEPS);
    }

    // ---- help

    private static StepListener dieAt(PublishStep step) {
        return (reached, epoch) -> {
            if (reached == step) {
                throw new Died();
            }
        };
    }

    private static void takeUp(Scene.Instance process) {
        try {
            process.checkpointer.takeUp();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void put(Scene scene, String name, String text) {
        try {
            scene.store.putIfAbsent(name, text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void flipLastByte(Scene scene, String objects) {
        try {
            Path file = directory.resolve(scene.store.list(objects).get(0));
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length - 1] ^= 1;
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<LogRecord.Intent> intents(Scene scene, long epoch) {
        return scene.log.committed.stream()
                .filter(LogRecord.Intent.class::isInstance)
                .map(LogRecord.Intent.class::cast)
                .filter(intent -> intent.epoch() == epoch)
                .toList();
    }

    /** Whatever anybody signed, committed or not: one note for each size. */
    private static void requireOneTextForEachSize(Scene scene) {
        Map<Long, String> notes = new HashMap<>();
        for (LogRecord record : scene.log.attempted) {
            if (record instanceof LogRecord.Published published) {
                assertThat(notes.merge(published.epoch(), published.note(), (one, other) -> other))
                        .isEqualTo(published.note());
                String committed = scene.published().stream()
                        .filter(p -> p.epoch() == published.epoch())
                        .map(LogRecord.Published::note)
                        .findFirst()
                        .orElseThrow();
                assertThat(published.note()).isEqualTo(committed);
            }
        }
        scene.history();
    }

    /** Builds every shard's tree from the archive alone, compares with every published head, and misses no record. */
    private static void requireRestorable(Scene scene) throws Exception {
        List<CompactRange> ranges = new ArrayList<>();
        Map<Integer, List<Long>> offsets = new HashMap<>();
        scene.shards.forEach(shard -> ranges.add(CompactRange.empty()));
        for (LogRecord.Published published : scene.published()) {
            Segment segment =
                    Segment.parse(scene.store.get(published.intent().segment()).orElseThrow());
            PayloadObject payloads = PayloadObject.parse(
                    scene.store.get(published.intent().payloads()).orElseThrow());
            for (ShardHead head : published.intent().heads()) {
                CompactRange range = ranges.get(head.shard());
                long index = range.size().value();
                for (var leaf : segment.leaves(head.shard())) {
                    range.append(Rfc6962.leafHash(leaf.entry()));
                    payloads.payload(head.shard(), index++);
                }
                List<Long> accounted = offsets.computeIfAbsent(head.shard(), shard -> new ArrayList<>());
                segment.leaves(head.shard()).forEach(leaf -> accounted.add(leaf.offset()));
                segment.outcomes(head.shard()).forEach(outcome -> accounted.add(outcome.offset()));
                assertThat(accounted)
                        .containsExactlyInAnyOrderElementsOf(scene.shards.get(head.shard()).records.stream()
                                .map(TestShard.Committed::offset)
                                .filter(offset -> offset < head.nextOffset())
                                .toList());
                Hash root = range.root();
                assertThat(root).isEqualTo(head.root());
                assertThat(range.size()).isEqualTo(head.size());
            }
            byte[] guard = scene.store.get(ObjectNames.guard(published.epoch())).orElseThrow();
            assertThat(guard).isEqualTo(GuardObject.encode(published.intent(), scene.ledger.key));
            assertThat(new String(guard, StandardCharsets.UTF_8))
                    .startsWith(published.intent().noteText() + "\n");
        }
    }
}
