// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.control.Prior;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The brokers are gone, and the ledger goes on from the object store. */
class LostKafkaTest {
    private static final int SHARDS = 2;

    @TempDir
    private Path directory;

    private Scene scene;

    @BeforeEach
    void publish() throws Exception {
        scene = new Scene(directory, SHARDS);
        scene.packLimits = new Unpacked.Limits(256, Long.MAX_VALUE, Long.MAX_VALUE);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        for (int round = 0; round < 4; round++) {
            scene.growBy("round-" + round, 90);
            process.read();
            process.checkpointer.publishNewest();
            process.packer.round();
        }
    }

    private Scene.Instance started() throws InterruptedException {
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        return process;
    }

    private List<ShardHead> heads() {
        return scene.history().publishedHeads();
    }

    private ArchiveCheck.Report check() throws InterruptedException {
        ArchiveCheck.Result result = new ArchiveCheck(
                        scene.store,
                        scene.ledger.ledger,
                        "topic checkpoints",
                        reader -> List.copyOf(scene.log.committed).forEach(reader),
                        new ArchiveCheck.Pace(Long.MAX_VALUE),
                        ArchiveCheck.Listener.NONE)
                .run();
        return ((ArchiveCheck.Result.Checked) result).report();
    }

    @Test
    void theLedgerGoesOnUnderItsOldHeads() throws Exception {
        // given: what is acknowledged here is not published
        List<ShardHead> published = heads();
        scene.growBy("lost", 5);

        // when
        scene.loseKafka(2);
        Scene.Instance process = started();

        // then: one leaf more, the genesis, in the offsets behind those there were
        for (ShardHead head : heads()) {
            ShardHead before = published.get(head.shard());
            assertThat(head.size().value()).isEqualTo(before.size().value() + 1);
            assertThat(head.nextOffset()).isEqualTo(LedgerOffset.of(2, 1));
        }
        // and what was published is remembered, what was lost is new
        scene.growBy("round-3", 90);
        scene.growBy("lost", 5);
        process.read();
        process.checkpointer.publishNewest();
        for (ShardHead head : heads()) {
            ShardHead before = published.get(head.shard());
            assertThat(head.size().value()).isEqualTo(before.size().value() + 1 + 5);
        }
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void packsReachFromOneIncarnationIntoTheNext() throws Exception {
        // given
        scene.loseKafka(2);
        Scene.Instance process = started();

        // when
        for (int round = 0; round < 6; round++) {
            scene.growBy("later-" + round, 90);
            process.read();
            process.checkpointer.publishNewest();
            process.packer.round();
        }

        // then
        long before = heads().get(0).size().value();
        assertThat(scene.store.list("packs/")).hasSizeGreaterThan(4);
        assertThat(scene.history().newestPack(0).orElseThrow().end()).isBetween(512L, before);
        assertThat(check().findings()).isEmpty();
    }

    /** What a checkpointer remembers, and what the archive gives, is the same. */
    @Test
    void theStateOutOfTheArchiveIsThatOfASnapshot() throws Exception {
        // given
        Scene.Instance process = started();
        scene.growBy("more", 3);
        process.read();
        process.checkpointer.publishNewest();
        SnapshotName name = process.takeSnapshot();
        StoredSnapshots stored = new StoredSnapshots(scene.store, scene.ledger.ledger);
        StoredSnapshots.Stored snapshot = stored.load(name, stored.manifest(name));
        for (String block : scene.store.list("windows/")) {
            scene.store.delete(block);
        }

        // when
        ArchiveRestoreStates.Result.Read read = scene.readArchive(name.epoch());

        // then
        for (int shard = 0; shard < SHARDS; shard++) {
            ShardSnapshot expected = snapshot.shards().get(shard).state();
            ShardSnapshot actual = read.shards().get(shard);
            assertThat(actual.head()).isEqualTo(expected.head());
            assertThat(actual.frontier()).isEqualTo(expected.frontier());
            assertThat(actual.counts()).isEqualTo(expected.counts());
            assertThat(actual.windowFirst()).isEqualTo(expected.windowFirst());
            assertThat(actual.controls()).containsExactlyElementsOf(expected.controls());
            assertThat(actual.window()).isEqualTo(expected.window());
            for (WindowName block : actual.window()) {
                assertThat(read.blocks().read(block).name()).isEqualTo(block);
            }
        }
    }

    /** Where a shard stands still at the end of a pack, segments of the others go. */
    @Test
    void aShardThatStandsStillAtTheEndOfItsPackIsKnown() throws Exception {
        // given
        Scene.Instance process = started();
        TestShard still = scene.shards.get(1);
        for (int i = 0; still.sequencer.seal().size() % 256 != 0; i++) {
            still.event("up-to-the-end-" + i, "payload");
        }
        int epochs = scene.published().size();
        for (int round = 0; round < 8; round++) {
            for (int i = 0; i < 90; i++) {
                scene.shards.get(0).event("on-" + round + "-" + i, "payload");
            }
            scene.shards.get(0).seal();
            process.read();
            process.checkpointer.publishNewest();
            process.packer.round();
        }
        ShardHead head = heads().get(1);
        assertThat(scene.history().newestPack(1).orElseThrow().end())
                .isEqualTo(head.size().value());
        List<String> segments = scene.store.list(ObjectNames.SEGMENTS);
        assertThat(scene.published())
                .as("of epochs in which it stood still segments went")
                .anyMatch(published -> published.epoch() > epochs
                        && !segments.contains(published.intent().segment()));

        // when
        ArchiveRestoreStates.Result.Read read =
                scene.readArchive(scene.published().size() - 1);

        // then
        long accounted = read.shards().stream()
                .mapToLong(shard -> shard.counts().get("leaves")
                        + shard.counts().get("duplicates")
                        + shard.counts().get("rejected"))
                .sum();
        assertThat(accounted)
                .isEqualTo(scene.shards.stream()
                        .mapToLong(shard -> shard.records.size())
                        .sum());
    }

    @Test
    void handsEveryLeafAndOutcomeOverInItsOrder() throws Exception {
        // given
        List<List<Long>> offsets = List.of(new ArrayList<>(), new ArrayList<>());
        List<PackName> packs = new ArrayList<>();
        ArchiveRestoreStates.Taker taker = new ArchiveRestoreStates.Taker() {
            @Override
            public void leaf(int shard, LeafRecord leaf) {
                offsets.get(shard).add(leaf.offset());
            }

            @Override
            public void outcome(int shard, OutcomeRecord outcome) {
                offsets.get(shard).add(outcome.offset());
            }

            @Override
            public void pack(PackName pack) {
                packs.add(pack);
            }
        };

        // when
        new ArchiveRestoreStates(scene.ledger.ledger.key(), scene.store, taker, ArchiveCheck.Listener.NONE)
                .run(scene.published().size() - 1, Optional.empty());

        // then
        for (ShardHead head : heads()) {
            assertThat(offsets.get(head.shard()))
                    .containsExactlyInAnyOrderElementsOf(scene.shards.get(head.shard()).records.stream()
                            .map(TestShard.Committed::offset)
                            .filter(offset -> offset < head.nextOffset())
                            .toList());
        }
        assertThat(packs).hasSize(SHARDS);
    }

    @Test
    void whatItGoesOnFromIsKeptBesideAllOtherSnapshots() throws Exception {
        // given
        scene.snapshotsKept = 1;
        scene.loseKafka(2);
        Scene.Instance process = started();

        // when
        for (int round = 0; round < 4; round++) {
            scene.growBy("later-" + round, 200);
            process.read();
            process.checkpointer.publishNewest();
            process.takeSnapshot();
            process.checkpointer.publishNewest();
        }

        // then
        assertThat(scene.store.list(SnapshotName.SNAPSHOTS)).hasSize(2);
        scene.snapshotsIgnored = true;
        Scene.Instance again = scene.start();
        again.checkpointer.takeUp();
        assertThat(again.start.orElseThrow().manifest().incarnation()).isEqualTo(2);
        assertThat(again.start.orElseThrow().manifest().heads())
                .allMatch(head -> LedgerOffset.incarnation(head.nextOffset()) == 1);
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void aNewGenerationBeginsWhereTheTopicDoes() throws Exception {
        // given
        scene.loseKafka(2);
        Scene.Instance process = started();
        scene.growBy("later", 40);
        process.read();
        process.checkpointer.publishNewest();
        List<ShardHead> published = heads();

        // when
        scene.restore(3, 7);
        Scene.Instance again = scene.start();
        again.checkpointer.takeUp();
        scene.growBy("last", 3);
        again.read();
        again.checkpointer.publishNewest();

        // then
        assertThat(again.start.orElseThrow().manifest().generation()).isEqualTo(2);
        for (ShardHead head : heads()) {
            assertThat(head.size().value())
                    .isEqualTo(published.get(head.shard()).size().value() + 3);
        }
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void noIncarnationIsBegunTwiceAlsoIfNothingOfItWasPublished() throws Exception {
        // given
        scene.loseKafka(2);

        // when
        scene.loseKafka(3);
        started();

        // then
        assertThat(heads()).allMatch(head -> LedgerOffset.incarnation(head.nextOffset()) == 3);
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void isLostASecondTime() throws Exception {
        // given
        scene.loseKafka(2);
        Scene.Instance process = started();
        scene.growBy("second", 100);
        process.read();
        process.checkpointer.publishNewest();
        process.packer.round();
        process.checkpointer.publishNewest();

        // when
        scene.loseKafka(3);
        process = started();
        scene.growBy("second", 100);
        process.read();
        process.checkpointer.publishNewest();

        // then
        assertThat(heads()).allMatch(head -> LedgerOffset.incarnation(head.nextOffset()) == 3);
        assertThat(check().findings()).isEmpty();
    }

    // ---- an epoch that was about to be published

    @ParameterizedTest
    @EnumSource(
            value = PublishStep.class,
            names = {"GUARDED", "SIGNED"})
    void anEpochThatMayHaveBeenSignedIsFinishedAsItWasBegun(PublishStep last) throws Exception {
        // given
        int epoch = scene.published().size();
        String signed = dieAt(last);

        // when
        Ledger ledger = scene.ledger.ledger;
        OpenEpoch open = new OpenEpoch(scene.store, scene.ledger.key.verifier(), scene.ledger.keys());
        EpochIntent intent = open.behind(epoch - 1).orElseThrow();
        open.finish(intent, ledger, ranges(epoch - 1));

        // then
        LogRecord.Published finished = new StoredEpochs(scene.store).get(epoch).orElseThrow();
        assertThat(finished.epoch()).isEqualTo(epoch);
        if (!signed.isEmpty()) {
            assertThat(finished.note()).isEqualTo(signed);
        }
        assertThat(open.behind(epoch)).isEmpty();
        scene.loseKafka(2);
        started();
        assertThat(check().findings()).isEmpty();
    }

    /** @return the note that was signed; empty if it did not come to that */
    private String dieAt(PublishStep last) throws InterruptedException {
        List<String> signed = new ArrayList<>();
        Scene.Instance process = scene.start(new StepListener() {
            @Override
            public void reached(PublishStep step, long epoch) {
                if (step == last) {
                    throw new DiedException();
                }
            }

            @Override
            public void signed(long epoch, String note) {
                signed.add(note);
            }
        });
        process.checkpointer.takeUp();
        scene.growBy("open", 7);
        process.read();
        assertThatThrownBy(process.checkpointer::publishNewest).isInstanceOf(DiedException.class);
        return signed.isEmpty() ? "" : signed.get(0);
    }

    private static final class DiedException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private List<CompactRange> ranges(long epoch) throws InterruptedException {
        return scene.readArchive(epoch).shards().stream()
                .map(ShardSnapshot::range)
                .toList();
    }

    @Test
    void refusesAStoreThatLostEpochs() throws Exception {
        // given
        int last = scene.published().size() - 1;
        for (int epoch = last - 1; epoch <= last; epoch++) {
            scene.store.delete(ObjectNames.epoch(epoch));
        }

        // when / then
        assertThatThrownBy(() ->
                        new OpenEpoch(scene.store, scene.ledger.key.verifier(), scene.ledger.keys()).behind(last - 2))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining(ObjectNames.guard(last))
                .hasMessageContaining("it lost epochs that were published");
    }

    /** With their guards: what else there is tells of them. */
    @ParameterizedTest
    @ValueSource(strings = {"segments/", "payloads/", "packs/", "snapshots/"})
    void refusesAStoreThatHasObjectsOfALongerLog(String left) throws Exception {
        // given
        Scene.Instance process = started();
        process.takeSnapshot();
        process.checkpointer.publishNewest();
        List<ShardHead> early = scene.published().get(0).intent().heads();
        new ArchiveFloor(scene.store).require(scene.published().size() - 1, heads());

        // when: nothing but the newest of these is left
        for (String prefix : List.of("segments/", "payloads/", "packs/", "snapshots/")) {
            for (String name : scene.store.list(prefix)) {
                if (!prefix.equals(left)) {
                    scene.store.delete(name);
                }
            }
        }

        // then
        assertThatThrownBy(() -> new ArchiveFloor(scene.store).require(0, early))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("the object store has " + left)
                .hasMessageContaining("it lost epochs that were published");
    }

    @Test
    void refusesTheGuardThatSomebodyWithoutTheKeyWrote() throws Exception {
        // given
        int epoch = scene.published().size();
        dieAt(PublishStep.GUARDED);
        EpochIntent intent = new OpenEpoch(scene.store, scene.ledger.key.verifier(), scene.ledger.keys())
                .behind(epoch - 1)
                .orElseThrow();
        NoteSigner other = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());
        scene.store.replace(ObjectNames.guard(epoch), GuardObject.encode(intent, other));

        // when / then
        assertThatThrownBy(() ->
                        new OpenEpoch(scene.store, scene.ledger.key.verifier(), scene.ledger.keys()).behind(epoch - 1))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("is not signed by " + TestLedger.ORIGIN + "/intent");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 20, 90, 150, 300})
    void aGuardThatWasCutIsNoBug(int length) throws Exception {
        // given
        int epoch = scene.published().size();
        dieAt(PublishStep.GUARDED);
        byte[] guard = scene.store.get(ObjectNames.guard(epoch)).orElseThrow();
        scene.store.replace(ObjectNames.guard(epoch), Arrays.copyOf(guard, length));

        // when / then
        assertThatThrownBy(() ->
                        new OpenEpoch(scene.store, scene.ledger.key.verifier(), scene.ledger.keys()).behind(epoch - 1))
                .isInstanceOf(FatalDoubtException.class);
    }

    // ---- whoever else is at it

    @Test
    void aCheckpointerOfTheLostClusterThatIsAliveStopsOnceTheNextIncarnationBegan() throws Exception {
        // given
        Scene.Instance alive = started();
        List<TestShard.Committed> before = List.copyOf(scene.shards.get(0).records);
        scene.shards.get(0).event("still-there", "payload");
        scene.shards.get(0).seal();
        alive.read();

        // when
        scene.loseKafka(2);

        // then
        assertThatThrownBy(alive.checkpointer::publishNewest).isInstanceOf(FatalDoubtException.class);
        assertThat(before).isNotEmpty();
        started();
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void theNextIncarnationDoesNotBeginWhereSomebodyPublishedMeanwhile() throws Exception {
        // given
        ArchiveRestoreStates.Result.Read archive =
                scene.readArchive(scene.published().size() - 1);
        Seam.Maker maker = new Seam.Maker(scene.store, scene.ledger.ledger, scene.ledger.keys(), archive);
        SnapshotName seam = maker.make(2, 2, 1);
        scene.grow("meanwhile");
        started();

        // when / then
        assertThatThrownBy(() -> new SeamEpoch(scene.store, scene.ledger.ledger, scene.ledger.keys())
                        .publish(archive.shards(), seam, 2, 1))
                .isInstanceOf(FatalDoubtException.class);
    }

    @Test
    void anIncarnationIsClaimedOnce() throws Exception {
        // given
        Incarnations incarnations = new Incarnations(scene.store, scene.ledger.ledger.key());
        Incarnations.Claim first = incarnations.claim(1, 2, 3, "cluster", "topic", scene.ledger.keys());
        Incarnations.Claim second = incarnations.claim(1, 2, 3, "cluster", "another", scene.ledger.keys());

        // then
        assertThat(first.incarnation()).isEqualTo(2);
        assertThat(second.incarnation()).isEqualTo(3);
        assertThat(incarnations.of("topic")).contains(first);
        assertThat(incarnations.of("another")).contains(second);
        assertThat(incarnations.of("none")).isEmpty();
        assertThatThrownBy(() -> incarnations.claim(32, 2, 3, "cluster", "more", scene.ledger.keys()))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("the last there can be");

        // and one that rotted still takes its number
        scene.store.replace("incarnations/03.claim", "rotten".getBytes(StandardCharsets.UTF_8));
        assertThat(incarnations.of("another")).isEmpty();
        assertThat(incarnations
                        .claim(1, 2, 3, "cluster", "more", scene.ledger.keys())
                        .incarnation())
                .isEqualTo(4);
    }

    @Test
    void ofTwoRestoresAtOnceOneClaimsAnIncarnation() throws Exception {
        // given another one that claims the number after this one looked for it
        NoteSigner key = scene.ledger.key;
        ObjectStore raced = (ObjectStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ObjectStore.class}, (proxy, method, arguments) -> {
                    Object answer = method.invoke(scene.store, arguments);
                    if (method.getName().equals("list") && arguments[0].equals("incarnations/")) {
                        new Incarnations(scene.store, key.verifier())
                                .claim(1, 2, 3, "other-cluster", "theirs", SigningKeys.of(key));
                    }
                    return answer;
                });

        // when / then
        assertThatThrownBy(() ->
                        new Incarnations(raced, key.verifier()).claim(1, 2, 3, "cluster", "ours", SigningKeys.of(key)))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("incarnations/02.claim was made just now: another restore runs");
        Incarnations claims = new Incarnations(scene.store, key.verifier());
        assertThat(claims.of("theirs").orElseThrow().incarnation()).isEqualTo(2);
        assertThat(claims.of("ours")).isEmpty();
    }

    @Test
    void readsTheTopicThatReplacedTheLostOneFromItsFirstRecord() throws Exception {
        // given
        scene.loseKafka(2);

        // when
        ShardReplica replica = scene.shards.get(0).resumed(scene.findSeam().orElseThrow());

        // then
        assertThat(replica.decidedTo()).isEqualTo(LedgerOffset.first(2));
        assertThat(replica.resumePoint().sealedOffset()).isZero();
        assertThat(replica.resumePoint().outcomesOffset()).isZero();
    }

    @Test
    void goesOnFromNoSnapshotOfAnotherTreeThanGenesisNames() throws Exception {
        // given
        scene.loseKafka(2);
        LedgerDefinition made = scene.definition();
        Prior prior = made.genesis().get(0).prior().orElseThrow();
        CompactRange other = CompactRange.empty();
        for (long leaf = 0; leaf < prior.size().value(); leaf++) {
            other.append(prior.frontier().get(0));
        }
        Prior sameSize = new Prior(prior.epoch(), other.size(), other.hashes());

        // when
        LedgerDefinition another = new LedgerDefinition(
                made.origin(),
                made.key(),
                List.of(
                        scene.ledger.laterGenesis(0, 2, sameSize),
                        made.genesis().get(1)),
                made.schemas());

        // then
        assertThatThrownBy(() -> Seam.find(scene.store, scene.ledger.ledger, another))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("no whole snapshot of it that its genesis names");
    }

    /** Whether packs have its leaves or not. */
    @Test
    void aFullWindowBlockThatIsGoneIsMadeAgain() throws Exception {
        // given
        scene.packLimits = new Unpacked.Limits(PackName.LEAVES_MAX, Long.MAX_VALUE, Long.MAX_VALUE);
        Scene.Instance process = started();
        TestShard shard = scene.shards.get(0);
        shard.append(scene.ledger.rulesValue(0, 2, 1 << 17));
        for (int i = 0; i < 66_000; i++) {
            shard.event("full-" + i, "p");
        }
        shard.seal();
        process.read();
        process.checkpointer.publishNewest();
        List<String> blocks = scene.store.list("windows/");
        assertThat(blocks).hasSize(1);
        long epoch = scene.published().size() - 1;

        for (boolean packed : new boolean[] {false, true}) {
            // when
            if (packed) {
                while (scene.history().newestPack(0).orElseThrow().end() < 65_536) {
                    process.packer.round();
                    shard.event("one-more-" + scene.published().size(), "p");
                    shard.seal();
                    process.read();
                    process.checkpointer.publishNewest();
                }
                epoch = scene.published().size() - 1;
            }
            scene.store.delete(blocks.get(0));
            ArchiveRestoreStates.Result.Read read = scene.readArchive(epoch);

            // then
            assertThat(scene.store.list("windows/")).contains(blocks.get(0));
            WindowName name = read.shards().get(0).window().get(0);
            assertThat(name.name()).isEqualTo(blocks.get(0));
            assertThat(read.blocks().read(name).row(65_535)).isNotNull();
        }
    }

    @Test
    void aLifeThatWasGivenUpIsNotTakenUpAgain() throws Exception {
        // given
        scene.loseKafka(2);
        LedgerDefinition second = scene.definition();
        Incarnations incarnations = new Incarnations(scene.store, scene.ledger.ledger.key());
        SeamEpoch seamEpoch = new SeamEpoch(scene.store, scene.ledger.ledger, scene.ledger.keys());
        incarnations.requireNewest(second, seamEpoch);

        // and one that was claimed, and of which nothing came
        incarnations.claim(2, 3, scene.published().size() - 1, "cluster", "never-came", scene.ledger.keys());
        scene.store.putIfAbsent("incarnations/99.claim", new byte[] {1});
        incarnations.requireNewest(second, seamEpoch);

        // when
        scene.loseKafka(3);

        // then
        assertThatThrownBy(() -> incarnations.requireNewest(second, seamEpoch))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("incarnation 4 of topic events was begun");
        LedgerDefinition newest = scene.definition();
        assertThat(newest.incarnation()).isEqualTo(4);

        // and a claim of the newest that names another topic
        assertThatThrownBy(() -> incarnations.requireNewest(newest, seamEpoch))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("names topic id topic-id-3, the topic has id topic-id-4");

        // but genesis says what a lost claim did
        scene.store.delete("incarnations/04.claim");
        incarnations.requireNewest(newest, seamEpoch);
    }

    @Test
    void whatItGoesOnFromIsMadeAgainWhenItIsLost() throws Exception {
        // given
        scene.loseKafka(2);
        started();
        for (String prefix : List.of("snapshots/", "shard-snapshots/", "windows/")) {
            for (String name : scene.store.list(prefix)) {
                scene.store.delete(name);
            }
        }
        assertThatThrownBy(() -> scene.findSeam()).isInstanceOf(FatalDoubtException.class);

        // when
        Seam.makeAgain(scene.store, scene.ledger.ledger, scene.definition(), scene.ledger.keys(), 1);

        // then
        assertThat(scene.findSeam()).isPresent();

        // and when a part of it rotted
        String part = scene.store.list(SnapshotName.SHARD_SNAPSHOTS).get(0);
        byte[] object = scene.store.get(part).orElseThrow();
        object[object.length / 2] ^= 1;
        scene.store.replace(part, object);
        assertThatThrownBy(() -> scene.findSeam()).isInstanceOf(FatalDoubtException.class);
        Seam.makeAgain(scene.store, scene.ledger.ledger, scene.definition(), scene.ledger.keys(), 2);
        assertThat(scene.findSeam()).isPresent();
        started();
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void refusesTheOpenEpochOfAnOlderVersionWhichSaysNotWhatItCovers() throws Exception {
        // given
        int epoch = scene.published().size();
        dieAt(PublishStep.GUARDED);
        Path guard = directory.resolve(ObjectNames.guard(epoch));
        String text = Files.readString(guard);
        Files.writeString(guard, text.substring(0, text.indexOf("\n\n") + 1));

        // when / then
        assertThatThrownBy(() ->
                        new OpenEpoch(scene.store, scene.ledger.key.verifier(), scene.ledger.keys()).behind(epoch - 1))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("older versions");
    }

    @Test
    void refusesAnOpenEpochThatDoesNotExtendTheLast() throws Exception {
        // given
        int epoch = scene.published().size();
        dieAt(PublishStep.GUARDED);
        OpenEpoch open = new OpenEpoch(scene.store, scene.ledger.key.verifier(), scene.ledger.keys());
        EpochIntent intent = open.behind(epoch - 1).orElseThrow();
        List<CompactRange> wrong = ranges(epoch - 2);

        // when / then
        assertThatThrownBy(() -> open.finish(intent, scene.ledger.ledger, wrong))
                .isInstanceOf(FatalDoubtException.class);
        assertThat(scene.store.get(ObjectNames.epoch(epoch))).isEmpty();
    }

    @Test
    void refusesAnOpenEpochWhoseSegmentIsGone() throws Exception {
        // given
        int epoch = scene.published().size();
        dieAt(PublishStep.GUARDED);
        OpenEpoch open = new OpenEpoch(scene.store, scene.ledger.key.verifier(), scene.ledger.keys());
        EpochIntent intent = open.behind(epoch - 1).orElseThrow();
        scene.store.delete(intent.segment());

        // when / then
        assertThatThrownBy(() -> open.finish(intent, scene.ledger.ledger, ranges(epoch - 1)))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining(intent.segment());
        assertThat(scene.store.get(ObjectNames.epoch(epoch))).isEmpty();
    }

    // ---- what is refused

    @Test
    void refusesAnArchiveThatIsNotWhatWasPublished() throws Exception {
        // given
        long epoch = scene.published().size() - 1;
        String segment = scene.published().get((int) epoch).intent().segment();
        byte[] object = scene.store.get(segment).orElseThrow();
        object[object.length / 2] ^= 1;
        scene.store.replace(segment, object);

        // when
        ArchiveRestoreStates.Result result = new ArchiveRestoreStates(
                        scene.ledger.ledger.key(),
                        scene.store,
                        ArchiveRestoreStates.NOTHING,
                        ArchiveCheck.Listener.NONE)
                .run(epoch, Optional.empty());

        // then
        assertThat(result)
                .isInstanceOfSatisfying(
                        ArchiveRestoreStates.Result.Refused.class,
                        refused -> assertThat(refused.findings())
                                .first()
                                .extracting(ArchiveCheck.Finding::object)
                                .isEqualTo(segment));
    }

    @Test
    void refusesAKeyThatIsNotTheLedgers() throws Exception {
        // given
        ArchiveRestoreStates.Result.Read archive =
                scene.readArchive(scene.published().size() - 1);
        NoteSigner other = NoteSigner.generate(TestLedger.ORIGIN, new SecureRandom());

        // when / then
        assertThatThrownBy(() ->
                        new Seam.Maker(scene.store, scene.ledger.ledger, SigningKeys.of(other), archive).make(2, 2, 1))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("the ledger is to be signed by");
        assertThat(scene.store.list(SnapshotName.SNAPSHOTS)).isEmpty();
    }

    @Test
    void doesNotBeginWithoutWhatItGoesOnFrom() throws Exception {
        // given
        scene.loseKafka(2);
        String state = scene.store.list(SnapshotName.SHARD_SNAPSHOTS).get(0);
        byte[] object = scene.store.get(state).orElseThrow();

        // when / then
        scene.store.replace(
                state,
                new String(object, StandardCharsets.UTF_8)
                        .replace("frontier", "Frontier")
                        .getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> scene.findSeam())
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("goes on from epoch");
        scene.store.replace(state, object);
        assertThat(scene.findSeam()).isPresent();
    }

    @Test
    void aGenesisGoesOnFromTheTreeAndTheRulesThereAre() throws Exception {
        // given
        scene.loseKafka(2);
        ShardSnapshot state =
                scene.readArchive(scene.published().size() - 1).shards().get(0);
        Prior prior = new Prior(3, state.head().size(), state.frontier());
        CompactRange shorter = CompactRange.empty();
        Prior other = new Prior(3, shorter.size(), shorter.hashes());
        ShardDecider decider = ShardDecider.resumed(
                0,
                scene.ledger.ledger,
                2,
                scene.findSeam().orElseThrow().shards().get(0));

        // when / then
        assertRefused(decider, scene.ledger.value(scene.ledger.laterGenesis(0, 2, other)), "goes on from 0 leaves");
        assertRefused(decider, scene.ledger.value(scene.ledger.laterGenesis(0, 3, prior)), "incarnation 3");
        assertRefused(decider, scene.ledger.value(scene.ledger.laterGenesis(1, 2, prior)), "shard 1 of 2");
        assertRefused(
                decider,
                scene.ledger.value(scene.ledger.laterGenesis(
                        0, 2, prior, TestLedger.rules().withDedupWindowLeaves(512))),
                "under other rules than those in force");
        assertRefused(decider, scene.ledger.genesisValue(0), "is of an incarnation before");
        assertRefused(decider, scene.ledger.eventValue(0, "id", "payload"), "is no control record");
        assertThat(decider.decide(LedgerOffset.first(2), 1, scene.ledger.value(scene.ledger.laterGenesis(0, 2, prior))))
                .isInstanceOf(ShardDecider.Decided.class);
    }

    private static void assertRefused(ShardDecider decider, byte[] value, String why) {
        assertThatThrownBy(() -> decider.decide(LedgerOffset.first(2), 1, value))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining(why);
    }
}
