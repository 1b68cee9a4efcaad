// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.WindowBlock;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A checkpointer that goes on from a snapshot decides and publishes what one that read everything would. */
class SnapshotsTest {
    @TempDir
    private Path directory;

    private Scene scene;
    private Scene.Instance process;

    @BeforeEach
    void publishTwoEpochs() throws Exception {
        scene = new Scene(directory, 2);
        process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        publish(process, "second");
    }

    private void publish(Scene.Instance by, String tag) {
        scene.grow(tag);
        by.read();
        by.checkpointer.publishNewest();
    }

    private Scene.Instance restart() throws InterruptedException {
        Scene.Instance next = scene.start();
        next.checkpointer.takeUp();
        return next;
    }

    private StoredSnapshots stored() {
        return new StoredSnapshots(scene.store, scene.ledger.ledger);
    }

    private static List<String> loggedNames(EpochIntent intent) {
        return EpochObjects.leaf(intent).logged().stream()
                .map(EpochLeaf.Logged::name)
                .toList();
    }

    @Test
    void aSnapshotHoldsEveryShardAtAPublishedEpochAndIsLoggedInTheNext() throws Exception {
        // when
        SnapshotName name = process.takeSnapshot();
        publish(process, "third");
        publish(process, "fourth");

        // then
        Snapshot manifest = stored().manifest(name);
        assertThat(manifest.epoch()).isEqualTo(1);
        assertThat(manifest.heads()).isEqualTo(scene.published().get(1).intent().heads());
        assertThat(loggedNames(scene.published().get(2).intent())).containsExactly(name.name());
        assertThat(loggedNames(scene.published().get(3).intent())).isEmpty();
        assertThat(scene.history().newestSnapshot()).contains(name);
        for (Snapshot.Shard shard : manifest.shards()) {
            ShardSnapshot state = stored().state(shard);
            assertThat(state.range().root()).isEqualTo(shard.head().root());
            assertThat(state.window())
                    .singleElement()
                    .extracting(WindowName::end)
                    .isEqualTo(shard.head().size().value());
        }
    }

    /** The heads after it, the outcomes of records sent again, and all epochs are those of a checkpointer that read everything. */
    @Test
    void aSnapshotRecordsTheTimeOfTheClockWhateverTheSteadyOneBeganWith() throws Exception {
        // given
        scene.steadyAhead = Duration.ofHours(2);
        Scene.Instance ahead = restart();

        // when
        Snapshot manifest = stored().manifest(ahead.takeSnapshot());

        // then
        assertThat(Instant.parse(manifest.time())).isBeforeOrEqualTo(Instant.now());
    }

    @Test
    void goesOnFromASnapshotAsIfItHadReadEverything() throws Exception {
        // given
        process.takeSnapshot();
        publish(process, "third");

        // when
        Scene.Instance next = restart();
        scene.grow("second"); // known since before the snapshot
        next.read();
        next.checkpointer.publishNewest();
        publish(next, "fifth");

        // then
        assertThat(next.start).isPresent();
        CheckpointHistory history = scene.history();
        assertThat(history.nextEpoch()).isEqualTo(5);
        for (ShardHead head : history.publishedHeads()) {
            assertThat(head.size().value())
                    .isEqualTo(scene.shards.get(head.shard()).sequencer.deltas.stream()
                            .mapToLong(SealedDelta::size)
                            .max()
                            .orElseThrow());
        }
        ArchiveCheck check = ArchiveCheck.openAlone(
                scene.ledger.ledger.key(), scene.store, Long.MAX_VALUE, ArchiveCheck.Listener.NONE);
        assertThat(((ArchiveCheck.Result.Checked) check.run()).report().findings())
                .isEmpty();
        // and one that reads everything agrees
        deleteSnapshots();
        assertThat(restart().start).isEmpty();
    }

    private void deleteSnapshots() throws Exception {
        for (String name : scene.store.list(SnapshotName.SNAPSHOTS)) {
            scene.store.delete(name);
        }
    }

    @Test
    void aSnapshotOfASnapshotIsThatOfOneWhoReadEverything() throws Exception {
        // given
        process.takeSnapshot();
        publish(process, "third");
        Scene.Instance resumed = restart();
        publish(resumed, "fourth");
        List<ShardSnapshot> own = states(resumed.takeSnapshot());

        // when
        deleteSnapshots();
        List<ShardSnapshot> whole = states(restart().takeSnapshot());

        // then
        for (int shard = 0; shard < 2; shard++) {
            assertThat(own.get(shard).head()).isEqualTo(whole.get(shard).head());
            assertThat(own.get(shard).frontier()).isEqualTo(whole.get(shard).frontier());
            assertThat(own.get(shard).counts()).isEqualTo(whole.get(shard).counts());
            assertThat(own.get(shard).controls())
                    .containsExactlyElementsOf(whole.get(shard).controls());
            assertThat(own.get(shard).window()).isEqualTo(whole.get(shard).window());
            assertThat(own.get(shard).windowFirst()).isEqualTo(whole.get(shard).windowFirst());
            assertThat(own.get(shard).sealedOffset()).isEqualTo(whole.get(shard).sealedOffset());
            assertThat(own.get(shard).outcomesOffset())
                    .isEqualTo(whole.get(shard).outcomesOffset());
        }
    }

    private List<ShardSnapshot> states(SnapshotName name) throws Exception {
        List<ShardSnapshot> states = new ArrayList<>();
        for (Snapshot.Shard shard : stored().manifest(name).shards()) {
            states.add(stored().state(shard));
        }
        return states;
    }

    /** A window that got smaller and larger again: what fell out of it is not remembered, whatever the window is now. */
    @Test
    void remembersExactlyWhatTheWindowsHistoryLeft() throws Exception {
        // given a window of 1024 leaves, of 256 for a moment, and of 1024 again
        TestShard shard = scene.shards.get(0);
        shard.append(scene.ledger.rulesValue(0, 2, 1024));
        for (int i = 0; i < 300; i++) {
            shard.event("many-" + i, "payload");
        }
        shard.append(scene.ledger.rulesValue(0, 3, 256));
        shard.append(scene.ledger.rulesValue(0, 4, 1024));
        shard.seal();
        process.read();
        process.checkpointer.publishNewest();

        // when
        SnapshotName name = process.takeSnapshot();
        ShardSnapshot state = states(name).get(0);
        ShardDecider resumed = ShardDecider.resumed(
                0,
                scene.ledger.ledger,
                1,
                stored().load(name, stored().manifest(name)).shards().get(0));
        ShardDecider whole = new ShardDecider(0, scene.ledger.ledger, 1);
        shard.records.forEach(record -> whole.decide(record.offset(), record.timestampMillis(), record.value()));

        // then the last 256 leaves of that moment
        long size = state.head().size().value();
        assertThat(state.windowFirst()).isEqualTo(size - 256);
        for (long back : new long[] {300, 256, 255, 254, 100, 3}) {
            TestShard.Committed sentBefore = shard.records.get((int) Math.max(1, shard.records.size() - back));
            assertThat(decision(resumed, 10_000 - back, sentBefore.value()))
                    .as("sent again, %s records back", back)
                    .isEqualTo(decision(whole, 10_000 - back, sentBefore.value()));
        }
        assertThat(decision(resumed, 20_000, shard.records.get(1).value())).startsWith("leaf");
        assertThat(decision(
                        resumed,
                        20_001,
                        shard.records.get(shard.records.size() - 100).value()))
                .startsWith("WithoutLeaf");

        // and one who goes on from there still forgets the same
        publish(process, "after");
        Scene.Instance next = restart();
        publish(next, "later");
        assertThat(next.start).isPresent();
        assertThat(states(next.takeSnapshot()).get(0).windowFirst()).isEqualTo(size - 256);
        publish(next, "later still");
        Scene.Instance last = restart();
        publish(last, "at the end");
        assertThat(states(last.takeSnapshot()).get(0).windowFirst()).isEqualTo(size - 256);
    }

    private static String decision(ShardDecider decider, long offset, byte[] value) {
        ShardDecider.Verdict verdict = decider.decide(offset, 1_700_000_000_000L, value);
        Decision decision = ((ShardDecider.Decided) verdict).decision();
        return decision instanceof Decision.Leaf leaf
                ? "leaf " + leaf.index() + " " + leaf.kind()
                : decision.toString();
    }

    @Test
    void fullBlocksAreWrittenOnceAndThoseOutOfTheWindowAreForgotten() {
        // given
        ShardWindow window = new ShardWindow(0, scene.ledger.key.verifier());
        List<ShardWindow.Block> blocks = new ArrayList<>();
        Decision.Leaf genesis = leaf(0, EntryKind.GENESIS, genesisEntry());
        window.add(genesis).ifPresent(blocks::add);

        // when
        for (long index = 1; index < 2 * WindowBlock.LEAVES_MAX + 3; index++) {
            window.add(leaf(index, EntryKind.EVENT, new byte[0])).ifPresent(blocks::add);
        }

        // then
        assertThat(blocks)
                .extracting(block -> block.name().first(), block -> block.name().end())
                .containsExactly(tuple(0L, 65_536L), tuple(65_536L, 131_072L));
        assertThat(window.size()).isEqualTo(131_075);
        assertThat(window.first()).isEqualTo(131_075 - 256);
        assertThat(window.fullBlocks())
                .singleElement()
                .extracting(WindowName::first)
                .isEqualTo(65_536L);
        assertThat(window.openBlock().orElseThrow().name().first()).isEqualTo(131_072);
    }

    private byte[] genesisEntry() {
        return ControlRecord.ofValue(scene.ledger.genesisValue(0));
    }

    private static Decision.Leaf leaf(long index, EntryKind kind, byte[] entry) {
        return new Decision.Leaf(
                index,
                index,
                kind,
                1,
                entry,
                new byte[32],
                new byte[16],
                new byte[16],
                new Payload.Plain(new byte[16], new byte[16], new byte[0]));
    }

    /** Where to read on is known to the batch, not to the record. */
    @Test
    void stepsOverClaimsFromBeforeTheSnapshotOnce() throws Exception {
        // given
        process.takeSnapshot();
        publish(process, "third");

        // when
        scene.claimsReadAgain = 1_000;
        Scene.Instance next = restart();
        publish(next, "fourth");

        // then
        assertThat(scene.history().nextEpoch()).isEqualTo(4);
        SealedDelta old = scene.shards.get(0).sequencer.deltas.get(0);
        assertThatThrownBy(() -> next.backlog.feed(0, replica -> replica.onSealed(old)))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("sealed delta begins at leaf 0");
        OutcomeClaim outcome = scene.shards.get(0).sequencer.outcomes.get(0);
        assertThatThrownBy(() -> next.backlog.feed(0, replica -> replica.onOutcome(outcome)))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("expected none");
    }

    /** Full blocks are shared by all snapshots: one that rotted must not stand in the way of making it again. */
    @Test
    void aDamagedFullBlockIsReplacedWhenItIsMadeAgain() throws Exception {
        // given a shard with a full block
        TestShard shard = scene.shards.get(0);
        for (int i = 0; i < WindowBlock.LEAVES_MAX; i++) {
            shard.event("full-" + i, "p");
        }
        shard.seal();
        process.read();
        while (process.checkpointer.publishNewest()) {
            process.read();
        }
        process.takeSnapshot();
        publish(process, "third");
        String full = scene.store.list(WindowName.WINDOWS).stream()
                .filter(name -> name.contains("-00000000000000065536-"))
                .findFirst()
                .orElseThrow();
        byte[] good = scene.store.get(full).orElseThrow();
        flip(full);

        // then one that cannot be gone on from is not left there
        List<String> before = scene.store.list(SnapshotName.SNAPSHOTS);
        assertThatThrownBy(process::takeSnapshot).hasMessageContaining(full);
        assertThat(scene.store.list(SnapshotName.SNAPSHOTS)).isEqualTo(before);

        // when
        Scene.Instance next = restart();

        // then
        assertThat(next.start).isEmpty();
        assertThat(scene.store.get(full)).contains(good);
        publish(next, "fourth");
        next.takeSnapshot();

        // and out of packs by a process that runs, when they have its leaves
        next.packer.round();
        publish(next, "fifth");
        flip(full);
        next.takeSnapshot();
        assertThat(scene.store.get(full)).contains(good);
    }

    /** Replay needs no payload, and neither does what is remembered. */
    @Test
    void theTagOfALeafWithoutAPayloadIsRemembered() {
        // given
        byte[] tag = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
        ShardWindow window = new ShardWindow(0, scene.ledger.key.verifier());

        // when
        window.add(new Decision.Leaf(
                0, 0, EntryKind.CONFLICT, 1, new byte[0], new byte[32], new byte[16], tag, new Payload.None()));

        // then
        byte[] block = window.openBlock().orElseThrow().object();
        assertThat(java.util.Arrays.copyOfRange(block, block.length - 16, block.length))
                .isEqualTo(tag);
    }

    // ---- what is not to be gone on from

    @ParameterizedTest
    @ValueSource(strings = {SnapshotName.SNAPSHOTS, SnapshotName.SHARD_SNAPSHOTS, WindowName.WINDOWS})
    void aDamagedSnapshotIsPassedOverForAnOlderOneAndThatForNone(String prefix) throws Exception {
        // given
        SnapshotName older = process.takeSnapshot();
        publish(process, "third");
        SnapshotName newer = process.takeSnapshot();
        publish(process, "fourth");

        // when
        assertThat(restart().start.orElseThrow().name()).isEqualTo(newer);
        flip(last(prefix));

        // then
        assertThat(restart().start.orElseThrow().name()).isEqualTo(older);
        for (String name : scene.store.list(prefix)) {
            scene.store.delete(name);
        }
        assertThat(restart().start).isEmpty();
    }

    private String last(String prefix) throws Exception {
        List<String> names = new ArrayList<>(scene.store.list(prefix));
        Collections.sort(names);
        return names.get(names.size() - 1);
    }

    private void flip(String name) throws Exception {
        byte[] object = scene.store.get(name).orElseThrow();
        object[object.length - 10] ^= 1;
        scene.store.replace(name, object);
    }

    @Test
    void aSnapshotThatAnotherKeySignedIsNone() throws Exception {
        // given
        SnapshotName own = process.takeSnapshot();
        SignedNote note = SignedNote.parse(scene.store.get(own.name()).orElseThrow());
        NoteSigner stranger = NoteSigner.generate(Snapshot.keyName(TestLedger.ORIGIN), new SecureRandom());
        byte[] forged = SignedNote.sign(note.text(), stranger).encode().getBytes(StandardCharsets.UTF_8);

        // when
        scene.store.delete(own.name());
        scene.store.putIfAbsent(SnapshotName.of(1, forged).name(), forged);

        // then
        assertThat(restart().start).isEmpty();
    }

    /** A digest in a name is what an epoch logs: another object under it is another snapshot. */
    @Test
    void aSnapshotUnderAnotherNameIsNone() throws Exception {
        // given
        SnapshotName own = process.takeSnapshot();
        byte[] manifest = scene.store.get(own.name()).orElseThrow();

        // when
        scene.store.delete(own.name());
        scene.store.putIfAbsent(new SnapshotName(1, Rfc6962.EMPTY_ROOT).name(), manifest);

        // then
        assertThat(restart().start).isEmpty();
    }

    /** Well-formed, and about a head that is right: only the digest tells. */
    @Test
    void aShardWhoseStateWasEditedIsNotGoneOnFrom() throws Exception {
        // given
        SnapshotName name = process.takeSnapshot();
        String state = stored().manifest(name).shards().get(0).name();
        String text = new String(scene.store.get(state).orElseThrow(), StandardCharsets.UTF_8);
        String edited = text.replaceFirst("\"sealedOffset\":[0-9]+", "\"sealedOffset\":77");
        assertThat(edited).isNotEqualTo(text);

        // when
        scene.store.replace(state, edited.getBytes(StandardCharsets.UTF_8));

        // then
        assertThat(restart().start).isEmpty();
    }

    @Test
    void refusesToGoOnWhenTheTopicEndsBeforeTheSnapshot() throws Exception {
        // given
        process.takeSnapshot();
        List<LogRecord> records = new ArrayList<>(scene.log.committed);
        scene.log.committed.clear();
        for (LogRecord record : records) {
            if (record.epoch() == 0) {
                scene.log.committed.add(record);
            }
        }
        for (String name : scene.store.list(ObjectNames.GUARDS)) {
            if (name.contains("00001")) {
                scene.store.delete(name);
            }
        }

        // then
        assertThatThrownBy(this::restart)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("there is a snapshot of epoch 1")
                .hasMessageContaining("lost records");
    }

    @Test
    void aSnapshotOfAnOlderGenerationIsNotGoneOnFrom() throws Exception {
        // given
        process.takeSnapshot();
        publish(process, "third");

        // when
        scene.restore(2, 3);

        // then
        assertThat(restart().start).isEmpty();
    }

    /** Not everything below it need have been claimed again and held against the records. */
    @Test
    void takesNoSnapshotAtAHeadThatAnOlderGenerationPublished() throws Exception {
        // given
        scene.restore(2, 1000);
        Scene.Instance behind = scene.start();
        behind.checkpointer.takeUp();

        // when
        behind.snapshots.request();
        behind.checkpointer.takeSnapshotIfDue();
        behind.snapshots.finishNext();

        // then it is taken at the first epoch of its own
        assertThat(behind.snapshots.ready()).isEmpty();
        publish(behind, "third");
        behind.checkpointer.takeSnapshotIfDue();
        behind.snapshots.finishNext();
        publish(behind, "fourth");
        assertThat(scene.history().newestSnapshot()).isPresent();
        Scene.Instance next = restart();
        assertThat(next.start).isPresent();
        publish(next, "fifth");
    }

    // ---- the signer

    @Test
    void theSignerSignsNoSnapshotOfAnythingElseThanItSignedLast() throws Exception {
        // given
        SnapshotName name = process.takeSnapshot();
        Snapshot honest = stored().manifest(name);
        List<ShardSnapshot> states = states(name);

        // then
        assertThat(process.signer.signSnapshot(honest, states).text()).isEqualTo(honest.text());
        refused(with(honest, 0, honest.heads()), states);
        List<ShardHead> swapped = new ArrayList<>(honest.heads());
        ShardHead head = swapped.get(0);
        swapped.set(0, new ShardHead(0, head.size(), head.root(), head.nextOffset() + 1));
        refused(with(honest, 1, swapped), states);
        refused(honest, List.of(states.get(0), states.get(0)));
        refused(
                new Snapshot(
                        honest.origin(),
                        1,
                        List.of(Rfc6962.EMPTY_ROOT),
                        honest.incarnation(),
                        honest.generation(),
                        honest.time(),
                        honest.shards()),
                states);
        refused(honest, List.of(states.get(0)));
        ShardSnapshot last = states.get(1);
        ShardHead lastHead = last.head();
        ShardHead moved = new ShardHead(1, lastHead.size(), lastHead.root(), lastHead.nextOffset() + 1);
        refused(honest, List.of(states.get(0), with(last, moved, last.frontier(), last.counts())));
        List<Hash> frontier = new ArrayList<>(last.frontier());
        frontier.set(0, Rfc6962.EMPTY_ROOT);
        refused(honest, List.of(states.get(0), with(last, lastHead, frontier, last.counts())));
        refused(honest, List.of(states.get(0), with(last, lastHead, last.frontier(), Map.of("events", 1L))));
    }

    private static ShardSnapshot with(
            ShardSnapshot state, ShardHead head, List<Hash> frontier, Map<String, Long> counts) {
        return new ShardSnapshot(
                head,
                frontier,
                counts,
                state.controls(),
                state.windowFirst(),
                state.window(),
                state.sealedOffset(),
                state.outcomesOffset(),
                state.leafSizeBytes());
    }

    private void refused(Snapshot snapshot, List<ShardSnapshot> states) {
        assertThatThrownBy(() -> process.signer.signSnapshot(snapshot, states))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("signer: refuses a snapshot");
    }

    private static Snapshot with(Snapshot honest, long epoch, List<ShardHead> heads) {
        List<Snapshot.Shard> shards = new ArrayList<>();
        heads.forEach(head -> shards.add(
                new Snapshot.Shard(head, honest.shards().get(head.shard()).name())));
        return new Snapshot(
                honest.origin(),
                epoch,
                honest.ledgerFrontier(),
                honest.incarnation(),
                honest.generation(),
                honest.time(),
                shards);
    }

    // ---- logging and removing

    @Test
    void aSnapshotWhoseTakerDiedIsLoggedByTheNext() throws Exception {
        // given
        SnapshotName name = process.takeSnapshot();

        // when
        publish(restart(), "third");

        // then
        assertThat(loggedNames(scene.published().get(2).intent())).containsExactly(name.name());
    }

    @Test
    void anIntentThatLogsASnapshotIsRolledForwardEvenIfTheSnapshotIsGone() throws Exception {
        // given
        SnapshotName name = process.takeSnapshot();
        Scene.Instance dying = scene.start((step, epoch) -> {
            if (step == PublishStep.INTENT_COMMITTED) {
                throw new IllegalStateException("dies here");
            }
        });
        dying.checkpointer.takeUp();
        scene.grow("third");
        dying.read();
        assertThatThrownBy(dying.checkpointer::publishNewest).hasMessage("dies here");

        // when
        scene.store.delete(name.name());
        publish(restart(), "fourth");

        // then
        assertThat(loggedNames(scene.published().get(2).intent())).containsExactly(name.name());
        assertThat(scene.history().nextEpoch()).isEqualTo(4);
    }

    @Test
    void historyRefusesALoggedSnapshotThatIsNotOfAnEpochBeforeOrNotNewer() throws Exception {
        // given
        process.takeSnapshot();
        publish(process, "third");
        EpochIntent last = scene.published().get(2).intent();

        // then
        assertThat(loggedNames(last)).hasSize(1);
        assertThatThrownBy(() -> historyWith(new SnapshotName(3, Rfc6962.EMPTY_ROOT)))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("of no published epoch behind the last snapshot");
        assertThatThrownBy(() -> historyWith(new SnapshotName(1, Rfc6962.EMPTY_ROOT)))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("of no published epoch behind the last snapshot");
    }

    @Test
    void historyRefusesASnapshotThatIsLoggedWithAnotherDigestThanItsNameHas() throws Exception {
        process.takeSnapshot();
        publish(process, "third");
        SnapshotName name = new SnapshotName(2, Rfc6962.EMPTY_ROOT);
        historyWith(name);
        assertThatThrownBy(() -> historyWith(new EpochLeaf.Logged(name.name(), Rfc6962.leafHash(new byte[0]))))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("another digest than its name has");
    }

    private void historyWith(SnapshotName logged) throws Exception {
        historyWith(new EpochLeaf.Logged(logged.name(), logged.digest()));
    }

    private void historyWith(EpochLeaf.Logged logged) throws Exception {
        CheckpointHistory history = scene.history();
        EpochAssembler.Epoch epoch = new EpochAssembler(scene.ledger.ledger)
                .assemble(
                        history.ledgerRange(),
                        new Backlog.Content(
                                history.publishedHeads().stream()
                                        .map(head -> new VerifiedHead(head, Counts.NONE))
                                        .toList(),
                                List.of(),
                                false),
                        List.of(logged),
                        0);
        EpochIntent last = scene.published().get(2).intent();
        history.accept(new LogRecord.Intent(
                new EpochIntent(3, epoch.leaf(), epoch.heads(), epoch.noteText(), last.segment(), last.payloads(), 1)));
    }

    @Test
    void whoAsksAgainAndAgainDrivesNoOlderSnapshotsOut() throws Exception {
        // given
        scene.onDemandIntervalMillis = 3_600_000;
        Scene.Instance keeper = restart();
        SnapshotName first = keeper.takeSnapshot();
        publish(keeper, "third");

        // when
        keeper.snapshots.request();
        keeper.checkpointer.takeSnapshotIfDue();
        keeper.snapshots.finishNext();

        // then
        assertThat(stored().names()).containsExactly(first);
    }

    @Test
    void onlyTheNewestSnapshotsAndWhatTheyNeedAreKept() throws Exception {
        // given
        scene.snapshotsKept = 2;
        Scene.Instance keeper = restart();
        for (String tag : List.of("third", "fourth", "fifth", "sixth")) {
            publish(keeper, tag);
            keeper.takeSnapshot();
        }
        publish(keeper, "seventh");

        // then
        assertThat(scene.store.list(SnapshotName.SNAPSHOTS)).hasSize(2);
        assertThat(scene.store.list(SnapshotName.SHARD_SNAPSHOTS)).hasSize(4);
        assertThat(scene.store.list(WindowName.WINDOWS)).hasSize(4);
        StoredSnapshots stored = stored();
        for (SnapshotName name : stored.names()) {
            assertThat(stored.load(name, stored.manifest(name)).shards()).hasSize(2);
        }
        publish(restart(), "eighth");

        // and topics of claims go no further than the oldest that is kept
        assertThat(scene.trimmed).hasSize(3);
        SnapshotName oldest = stored.names().get(1);
        assertThat(scene.trimmed.get(2))
                .extracting(ShardSnapshot::sealedOffset)
                .isEqualTo(
                        states(oldest).stream().map(ShardSnapshot::sealedOffset).toList());
    }

    /** A checkpointer of the generation that is given up may still run: the next one has nothing else to begin with. */
    @Test
    void whatALaterGenerationBeginsWithIsNotRemoved() throws Exception {
        // given
        scene.snapshotsKept = 2;
        Scene.Instance keeper = restart();
        publish(keeper, "third");
        long epoch = scene.history().nextEpoch() - 1;
        SnapshotName beginning = new Seam.Maker(
                        scene.store, scene.ledger.ledger, scene.ledger.keys(), scene.readArchive(epoch))
                .make(1, 2, 1_700_000_000_000L);
        int trimmed = scene.trimmed.size();

        // when
        for (String tag : List.of("fourth", "fifth", "sixth", "seventh")) {
            publish(keeper, tag);
            keeper.takeSnapshot();
        }

        // then
        assertThat(stored().newest(1, 2).orElseThrow().name()).isEqualTo(beginning);
        assertThat(scene.trimmed).as("topics it goes on from").hasSize(trimmed);
    }

    /** Else a few objects somebody put there would have the good ones removed, and topics trimmed too far. */
    @Test
    void whatIsNoSnapshotTakesThePlaceOfNone() throws Exception {
        // given
        scene.snapshotsKept = 2;
        Scene.Instance keeper = restart();
        publish(keeper, "third");
        SnapshotName first = keeper.takeSnapshot();
        publish(keeper, "fourth");
        scene.store.putIfAbsent(SnapshotName.of(1_000_000, new byte[] {7}).name(), new byte[] {7});

        // when
        SnapshotName second = keeper.takeSnapshot();

        // then
        assertThat(scene.store.list(SnapshotName.SNAPSHOTS)).contains(first.name(), second.name());
        assertThat(scene.trimmed).hasSize(1);
        assertThat(scene.trimmed.get(0))
                .extracting(ShardSnapshot::sealedOffset)
                .isEqualTo(
                        states(first).stream().map(ShardSnapshot::sealedOffset).toList());
    }
}
