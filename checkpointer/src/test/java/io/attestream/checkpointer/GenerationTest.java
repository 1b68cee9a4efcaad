// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.ledger.ShardHead;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The processors' state was lost and made again from the records: the ledger goes on, and nothing is believed. */
class GenerationTest {
    @TempDir
    private Path directory;

    private Scene scene;

    @BeforeEach
    void publishThreeEpochs() throws Exception {
        scene = new Scene(directory, 2);
        publishOf(scene.start(), "second", "third");
    }

    private void publishOf(Scene.Instance process, String... more) throws Exception {
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        for (String tag : more) {
            scene.grow(tag);
            process.read();
            process.checkpointer.publishNewest();
        }
    }

    /** Wherever its deltas end. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 1000})
    void theLogGoesOnUnderAnotherGeneration(int recordsInADelta) throws Exception {
        // given
        List<ShardHead> before = scene.history().publishedHeads();

        // when
        scene.restore(2, recordsInADelta);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        scene.grow("fourth");
        process.read();
        process.checkpointer.publishNewest();

        // then one ledger, whose last epoch is of the new generation
        CheckpointHistory history = scene.history();
        assertThat(history.nextEpoch()).isEqualTo(4);
        assertThat(scene.published())
                .extracting(epoch -> epoch.intent().generation())
                .containsExactly(1, 1, 1, 2);
        for (ShardHead head : history.publishedHeads()) {
            assertThat(head.size().value())
                    .isEqualTo(before.get(head.shard()).size().value() + 2);
        }
        ArchiveCheck check = ArchiveCheck.openAlone(
                scene.ledger.ledger.key(), scene.store, Long.MAX_VALUE, ArchiveCheck.Listener.NONE);
        assertThat(((ArchiveCheck.Result.Checked) check.run()).report().findings())
                .isEmpty();

        // and so again
        scene.restore(3, recordsInADelta + 1);
        Scene.Instance third = scene.start();
        third.checkpointer.takeUp();
        scene.grow("fifth");
        third.read();
        third.checkpointer.publishNewest();
        assertThat(scene.published())
                .extracting(epoch -> epoch.intent().generation())
                .containsExactly(1, 1, 1, 2, 3);
    }

    @Test
    void anOpenIntentOfTheOlderGenerationIsRolledForwardAsItIs() throws Exception {
        // given
        scene.grow("fourth");
        Scene.Instance dying = scene.start((step, epoch) -> {
            if (step == PublishStep.INTENT_COMMITTED) {
                throw new IllegalStateException("dies here");
            }
        });
        dying.checkpointer.takeUp();
        assertThatThrownBy(dying.checkpointer::publishNewest).hasMessage("dies here");

        // when
        scene.restore(2, 4);
        scene.start().checkpointer.takeUp();

        // then
        assertThat(scene.published())
                .extracting(epoch -> epoch.intent().generation())
                .containsExactly(1, 1, 1, 1);
    }

    @Test
    void aProcessOfTheOlderGenerationIsRefusedFromThenOn() throws Exception {
        // given
        scene.restore(2, 3);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        scene.grow("fourth");
        process.read();
        process.checkpointer.publishNewest();

        // then
        CheckpointHistory old = new CheckpointHistory(scene.ledger.ledger, 1);
        assertThatThrownBy(() -> scene.log.committed.forEach(old::accept))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("it is of generation 2, attestream.generation is 1");

        // and what it would write is refused by everybody
        EpochIntent last = scene.published().get(3).intent();
        CheckpointHistory history = scene.history();
        assertThatThrownBy(() -> history.accept(new LogRecord.Intent(new EpochIntent(
                        4, last.epochLeaf(), last.heads(), last.noteText(), last.segment(), last.payloads(), 1))))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("given up");
    }

    // ---- with the state of a published epoch

    /** Whatever was published behind it, and wherever its deltas end. */
    @ParameterizedTest
    @CsvSource({"0,1", "0,1000", "1,2", "1,5", "2,3", "2,1000"})
    void theLogGoesOnFromAPublishedEpoch(long epoch, int recordsInADelta) throws Exception {
        // given
        List<ShardHead> before = scene.history().publishedHeads();

        // when
        scene.restoreFromArchive(2, epoch, recordsInADelta);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        scene.grow("fourth");
        process.read();
        process.checkpointer.publishNewest();

        // then
        assertThat(process.start.orElseThrow().manifest().epoch()).isEqualTo(epoch);
        CheckpointHistory history = scene.history();
        assertThat(scene.published())
                .extracting(published -> published.intent().generation())
                .containsExactly(1, 1, 1, 2);
        for (ShardHead head : history.publishedHeads()) {
            assertThat(head.size().value())
                    .isEqualTo(before.get(head.shard()).size().value() + 2);
        }
        requireNothingFound();

        // and so does one that goes on from a snapshot of its own
        process.takeSnapshot();
        scene.grow("fifth");
        Scene.Instance next = scene.start();
        next.checkpointer.takeUp();
        next.checkpointer.publishNewest();
        assertThat(next.start.orElseThrow().manifest().epoch()).isEqualTo(3);
        assertThat(scene.history().nextEpoch()).isEqualTo(5);
        requireNothingFound();
    }

    private void requireNothingFound() throws Exception {
        ArchiveCheck check = ArchiveCheck.openAlone(
                scene.ledger.ledger.key(), scene.store, Long.MAX_VALUE, ArchiveCheck.Listener.NONE);
        assertThat(((ArchiveCheck.Result.Checked) check.run()).report().findings())
                .isEmpty();
    }

    @Test
    void anOpenIntentBehindThatEpochIsRolledForwardAsItIs() throws Exception {
        // given
        scene.grow("fourth");
        Scene.Instance dying = scene.start((step, epoch) -> {
            if (step == PublishStep.INTENT_COMMITTED) {
                throw new IllegalStateException("dies here");
            }
        });
        dying.checkpointer.takeUp();
        assertThatThrownBy(dying.checkpointer::publishNewest).hasMessage("dies here");

        // when
        scene.restoreFromArchive(2, 2, 4);
        scene.start().checkpointer.takeUp();

        // then
        assertThat(scene.published())
                .extracting(epoch -> epoch.intent().generation())
                .containsExactly(1, 1, 1, 1);
    }

    /** The snapshot is of another epoch than the state the sequencer began with. */
    @Test
    void aStaleSnapshotIsNotGoneOnFrom() throws Exception {
        // given
        scene.restoreFromArchive(2, 1, 3);
        for (TestShard shard : scene.shards) {
            shard.restoreFrom(scene.published().get(2).intent().heads().get(shard.shard), 2, 3);
        }
        scene.grow("fourth");

        // then
        assertThatThrownBy(scene::start)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageMatching(".*(sealed delta begins at leaf 9, expected 7|outcome missing for offset 14).*");
    }

    @Test
    void withoutItsSnapshotItIsNotReadFromTheFirstRecord() throws Exception {
        // given
        scene.restoreFromArchive(2, 1, 3);
        scene.snapshotsIgnored = true;

        // then
        assertThatThrownBy(scene::start)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("If this generation began with a snapshot, that is gone");
    }

    /** Between the state it began with and what was published last. */
    @ParameterizedTest
    @ValueSource(strings = {"hash", "offset", "time", "identity"})
    void aFalseLeafBehindThatEpochIsSeen(String what) throws Exception {
        // given
        scene.restoreFromArchive(2, 0, 1000);
        SealedDelta delta = scene.shards.get(0).sequencer.deltas.get(0);
        switch (what) {
            case "hash" -> delta.hashes()[32] ^= 1;
            case "offset" -> delta.offsets()[1]--;
            case "time" -> delta.timestampsMillis()[1]++;
            default -> delta.identityDigests()[17] ^= 1;
        }

        // then
        assertThatThrownBy(() -> scene.start().checkpointer.takeUp())
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("sealed leaf");
    }

    // ---- what is believed

    /** Receipts of old events are answered from what the new generation seals: all of it is held against the records. */
    @ParameterizedTest
    @ValueSource(strings = {"hash", "offset", "time", "identity"})
    void aFalseLeafAmongThoseThatWerePublishedBeforeIsSeen(String what) {
        // given
        scene.restore(2, 1000);
        List<SealedDelta> deltas = scene.shards.get(0).sequencer.deltas;
        SealedDelta delta = deltas.get(0);
        switch (what) {
            case "hash" -> delta.hashes()[32] ^= 1;
            case "offset" -> delta.offsets()[2]--;
            case "time" -> delta.timestampsMillis()[1]++;
            default -> delta.identityDigests()[17] ^= 1;
        }

        // then
        assertThatThrownBy(() -> scene.start().checkpointer.takeUp())
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("sealed leaf");
    }

    /** Its deltas end between the heads that were published. */
    @Test
    void aLeafThatIsLeftOutAmongThoseThatWerePublishedBeforeIsSeen() {
        // given a delta that leaves out its second leaf, with the next offset behind it
        scene.restore(2, 2);
        List<SealedDelta> deltas = scene.shards.get(0).sequencer.deltas;
        SealedDelta first = deltas.get(0);
        deltas.clear();
        deltas.add(new SealedDelta(
                first.shard(),
                first.incarnation(),
                first.generation(),
                first.firstIndex(),
                Arrays.copyOf(first.kinds(), 1),
                Arrays.copyOf(first.hashes(), 32),
                Arrays.copyOf(first.offsets(), 1),
                Arrays.copyOf(first.timestampsMillis(), 1),
                Arrays.copyOf(first.identityDigests(), 16),
                1,
                first.root(),
                first.nextOffset()));

        // then
        assertThatThrownBy(() -> scene.start().checkpointer.takeUp())
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("leaves out offset");
    }

    /** There is none for it: behind the last one that was published there is a duplicate. */
    @Test
    void aLeafTooManyAmongThoseThatWerePublishedBeforeIsSeen() {
        // given a delta with a leaf more, which ends in front of the last published head
        scene.restore(2, 1_000);
        List<SealedDelta> deltas = scene.shards.get(0).sequencer.deltas;
        SealedDelta honest = deltas.remove(0);
        int leaves = honest.leaves();
        deltas.add(new SealedDelta(
                honest.shard(),
                honest.incarnation(),
                honest.generation(),
                honest.firstIndex(),
                Arrays.copyOf(honest.kinds(), leaves + 1),
                Arrays.copyOf(honest.hashes(), 32 * (leaves + 1)),
                Arrays.copyOf(honest.offsets(), leaves + 1),
                Arrays.copyOf(honest.timestampsMillis(), leaves + 1),
                Arrays.copyOf(honest.identityDigests(), 16 * (leaves + 1)),
                leaves + 1,
                honest.root(),
                honest.nextOffset() - 1));

        // then
        assertThatThrownBy(() -> scene.start().checkpointer.takeUp())
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining(
                        "sealed leaf " + leaves + " below next offset " + (honest.nextOffset() - 1) + " is none");
    }

    /** Its deltas may go past that head: what went on from there could not follow them. */
    @Test
    void noSnapshotIsTakenAtAHeadTheNewGenerationHasNotSealed() throws Exception {
        // given: of one shard nothing is sealed yet, of the other an epoch was published
        scene.restore(2, 1_000);
        List<SealedDelta> deltas = scene.shards.get(0).sequencer.deltas;
        List<SealedDelta> late = List.copyOf(deltas);
        deltas.clear();
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        scene.shards.get(1).event("fourth", "payload");
        scene.shards.get(1).seal();
        process.read();
        process.checkpointer.publishNewest();
        assertThat(scene.published().get(3).intent().generation()).isEqualTo(2);

        // when
        process.snapshots.request();
        process.checkpointer.takeSnapshotIfDue();
        process.snapshots.finishNext();

        // then
        assertThat(process.snapshots.ready()).isEmpty();

        // and when it comes
        deltas.addAll(late);
        process.read();
        assertThat(process.takeSnapshot().epoch()).isEqualTo(3);
    }

    /** Of the same leaves, without the duplicate behind them. */
    @Test
    void aHeadBehindTheOneMetLastIsRefused() {
        // given
        scene.restore(2, 3);
        TestShard shard = scene.shards.get(0);
        ShardReplica replica = shard.replica(1 << 30);
        shard.feedEvents(replica);
        ShardHead last = scene.published().get(2).intent().heads().get(0);
        assertThat(replica.recomputed(last)).isPresent();

        // then
        assertThatThrownBy(() -> replica.recomputed(new ShardHead(0, last.size(), last.root(), last.nextOffset() - 1)))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("lies behind what was recomputed");
    }

    @Test
    void nothingIsOverdueBeforeTheNewSequencerCouldHaveCome() {
        // given: records were read, nothing of the new generation was
        scene.restore(2, 3);
        TestShard shard = scene.shards.get(0);
        ShardReplica replica = shard.replica(1 << 30);
        shard.feedEvents(replica);
        ShardHead head = scene.published().get(0).intent().heads().get(0);

        // when
        assertThat(replica.recomputed(head)).isPresent();

        // then
        replica.requireNothingOverdue(0, true, true);
        replica.requireNothingOverdue(10 * ShardReplica.OVERDUE_MILLIS, true, true);
    }

    @Test
    void aFalseOutcomeAmongThoseOfBeforeIsSeen() {
        // given
        scene.restore(2, 3);
        scene.shards.get(0).sequencer.outcomes.remove(0);

        // then
        assertThatThrownBy(() -> scene.start().checkpointer.takeUp())
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("outcome missing");
    }

    @Test
    void recordsThatAreNotThoseThatWerePublishedAreRefused() {
        // given: a record was taken out before everything was sequenced again
        scene.shards.get(1).records.remove(2);
        scene.restore(2, 3);

        // then
        assertThatThrownBy(() -> scene.start().checkpointer.takeUp())
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("history was rewritten");
    }

    @Test
    void aSequencerThatIsBehindIsWaitedFor() throws Exception {
        // given: it has sealed nothing of what was published
        scene.restore(2, 3);
        List<SealedDelta> deltas = scene.shards.get(0).sequencer.deltas;
        List<SealedDelta> late = List.copyOf(deltas);
        deltas.clear();
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        assertThat(process.checkpointer.publishNewest()).isFalse();

        // when it comes
        deltas.addAll(late);
        scene.grow("fourth");
        process.read();
        process.checkpointer.publishNewest();

        // then
        assertThat(scene.published()).hasSize(4);
        assertThat(scene.history().publishedHeads().get(0).size().value())
                .isEqualTo(
                        scene.published().get(2).intent().heads().get(0).size().value() + 2);
    }
}
