// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.github.luben.zstd.Zstd;
import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackBuilder;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Rfc6962;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Segments become packs, packs are logged, and only then segments go. */
class PackerTest {
    private static final Unpacked.Limits EVERY_256 = new Unpacked.Limits(256, Long.MAX_VALUE, Long.MAX_VALUE);

    @TempDir
    private Path directory;

    private Scene scene;
    private Scene.Instance process;

    /** Stands for a process that died: nothing after it runs. */
    private static final class Died extends RuntimeException {}

    @BeforeEach
    void publishTwoEpochs() throws Exception {
        scene = new Scene(directory, 2);
        scene.packLimits = EVERY_256;
        start();
        scene.growBy("first", 100);
        publish();
        scene.growBy("second", 200);
        publish();
    }

    private void start() throws Exception {
        process = scene.start();
        process.checkpointer.takeUp();
    }

    private void publish() {
        process.read();
        process.checkpointer.publishNewest();
    }

    private List<PackName> logged(int epoch) {
        return PackChain.logged(scene.published().get(epoch).intent());
    }

    private ArchiveCheck.Report check() throws Exception {
        ArchiveCheck check = new ArchiveCheck(
                scene.store,
                scene.ledger.ledger,
                "topic checkpoints",
                reader -> List.copyOf(scene.log.committed).forEach(reader),
                new ArchiveCheck.Pace(Long.MAX_VALUE),
                ArchiveCheck.Listener.NONE);
        return ((ArchiveCheck.Result.Checked) check.run()).report();
    }

    private void requireNothingFound(int leaves) throws Exception {
        ArchiveCheck.Report report = check();
        assertThat(report.findings()).isEmpty();
        assertThat(report.unreferenced()).isEmpty();
        assertThat(report.leaves()).isEqualTo(leaves);
        ArchiveCheck.Result alone = ArchiveCheck.openAlone(
                        scene.ledger.ledger.key(), scene.store, Long.MAX_VALUE, ArchiveCheck.Listener.NONE)
                .run();
        assertThat(((ArchiveCheck.Result.Checked) alone).report().findings()).isEmpty();
    }

    private int leaves() {
        return scene.history().publishedHeads().stream()
                .mapToInt(head -> (int) head.size().value())
                .sum();
    }

    private List<String> objects(String prefix) throws IOException {
        return scene.store.list(prefix);
    }

    @Test
    void mergesSegmentsIntoPacksAndLogsThemInTheNextEpoch() throws Exception {
        // when
        process.packer.round();
        scene.growBy("third", 10);
        publish();

        // then
        assertThat(process.packer.problem()).isEmpty();
        List<PackName> packs = logged(2);
        assertThat(packs).extracting(PackName::shard).containsExactly(0, 1);
        for (PackName name : packs) {
            assertThat(List.of(name.first(), name.end())).containsExactly(0L, 256L);
            Pack pack = Pack.open(scene.store, name).orElseThrow();
            assertThat(pack.boundaries()).extracting(Pack.Boundary::epoch).containsExactly(0L, 1L);
        }
        requireNothingFound(leaves());
    }

    @Test
    void removesASegmentOnlyWhenAllItsLeavesAreInLoggedPacks() throws Exception {
        // given packs that are written and not logged
        process.packer.round();
        process.packer.round();
        assertThat(objects("segments/")).hasSize(2);

        // when
        scene.growBy("third", 10);
        publish();
        start(); // a removal is due at once
        process.packer.round();

        // then: of the second epoch, some leaves are in no pack yet
        assertThat(objects("segments/")).hasSize(2);
        assertThat(objects("payloads/")).hasSize(2);
        assertThat(ObjectNames.epochOf(objects("segments/").get(0))).hasValue(1);
        requireNothingFound(leaves());
    }

    @Test
    void packsOnFromTheLastPackAfterARestart() throws Exception {
        // given
        process.packer.round();
        scene.growBy("third", 300);
        publish();

        // when
        start();
        process.packer.round();
        scene.growBy("fourth", 1);
        publish();

        // then
        assertThat(logged(3)).extracting(PackName::first).containsExactly(256L, 256L);
        requireNothingFound(leaves());
    }

    @Test
    void aSuccessorMakesTheSamePackAgain() throws Exception {
        // given a process that died before it logged what it packed
        process.packer.round();
        List<String> packs = objects("packs/");

        // when
        start();
        process.packer.round();
        scene.growBy("third", 1);
        publish();

        // then
        assertThat(objects("packs/")).isEqualTo(packs).hasSize(2);
        assertThat(logged(2)).extracting(PackName::name).isEqualTo(packs);
    }

    @Test
    void packsAcrossEpochsAndSeveralPacksInOne() throws Exception {
        for (int i = 0; i < 12; i++) {
            scene.growBy("more-" + i, 97 * (i % 4));
            publish();
            process.packer.round();
        }
        start();
        process.packer.round();
        scene.growBy("last", 1);
        publish();
        requireNothingFound(leaves());
        assertThat(process.packer.problem()).isEmpty();
    }

    @Test
    void closesNoPackBeforeItIsFullLargeOrOld() throws Exception {
        long begun = System.currentTimeMillis();
        assertThat(closesAt(new Unpacked.Limits(512, Long.MAX_VALUE, 3_600_000), begun))
                .isEqualTo(-1);
        assertThat(closesAt(new Unpacked.Limits(512, Long.MAX_VALUE, 3_600_000), begun + 3_700_000))
                .isEqualTo(256);
        assertThat(closesAt(new Unpacked.Limits(512, 1_000, 3_600_000), begun)).isEqualTo(256);
        assertThat(closesAt(EVERY_256, begun)).isEqualTo(256);
    }

    /** A steady clock that began two hours ahead stays there for as long as the process lives. */
    @Test
    void aClockThatWasSetBackMakesNoLeafOldAndEndsNoGrace() throws Exception {
        // given
        long wallMillis = System.currentTimeMillis();
        long steadyMillis = wallMillis + 7_200_000;
        Unpacked unpacked = new Unpacked(scene.ledger.ledger, 60_000);
        process.packer.round();
        scene.growBy("third", 1);
        publish();
        scene.published()
                .forEach(epoch -> unpacked.published(epoch.intent(), List.of(1L, 1L), steadyMillis, wallMillis));
        scene.steadyAhead = Duration.ofHours(2);
        scene.packLimits = new Unpacked.Limits(PackName.LEAVES_MAX, Long.MAX_VALUE, 3_600_000);
        List<String> before = objects("packs/");

        // when
        start();
        scene.growBy("fourth", 300);
        publish();
        process.packer.round();

        // then
        assertThat(objects("packs/")).isEqualTo(before);
        assertThat(unpacked.isPacked(0, steadyMillis)).isFalse();
        assertThat(unpacked.isPacked(0, steadyMillis + 61_000)).isTrue();
    }

    /** Where shard 0's pack would end; -1 if none is due. */
    private long closesAt(Unpacked.Limits limits, long nowMillis) {
        Unpacked unpacked = new Unpacked(scene.ledger.ledger, 0);
        scene.published()
                .forEach(epoch -> unpacked.published(epoch.intent(), List.of(5_000L, 5_000L), nowMillis, nowMillis));
        return unpacked.closesAt(0, limits, nowMillis).orElse(-1);
    }

    @Test
    void aPackEndsWhereItIsLargeEnough() throws Exception {
        // given
        scene.growBy("third", 1_000);
        publish();
        scene.packLimits = new Unpacked.Limits(PackName.LEAVES_MAX, 100_000, Long.MAX_VALUE);

        // when
        start();
        process.packer.round();

        // then
        PackName first = PackName.parse(objects("packs/").get(0));
        assertThat(first.end()).isBetween(256L, 768L);
    }

    @Test
    void keepsTheSegmentForReadersForATime() throws Exception {
        // given
        process.packer.round();
        scene.growBy("third", 1);
        publish();
        long now = System.currentTimeMillis();
        Unpacked unpacked = new Unpacked(scene.ledger.ledger, 60_000);
        scene.published().forEach(epoch -> unpacked.published(epoch.intent(), List.of(1L, 1L), now, now));

        // then
        assertThat(unpacked.isPacked(0, now)).isFalse();
        assertThat(unpacked.isPacked(0, now + 60_001)).isTrue();
        assertThat(unpacked.isPacked(1, now + 60_001)).isFalse();
        assertThat(unpacked.isPacked(3, now + 60_001)).as("not published").isFalse();
    }

    @Test
    void makesNoPackOfASegmentThatRotted() throws Exception {
        // given
        Path segment = directory.resolve(scene.published().get(0).intent().segment());
        byte[] good = Files.readAllBytes(segment);
        byte[] bad = good.clone();
        bad[bad.length - 1] ^= 1;
        Files.write(segment, bad);

        // when
        process.packer.round();

        // then
        assertThat(process.packer.problem()).contains("segments/00000000000000000000-", "digest");
        assertThat(objects("packs/")).isEmpty();
        Files.write(segment, good);
        start(); // it is tried again only after a while
        process.packer.round();
        assertThat(process.packer.problem()).isEmpty();
        assertThat(objects("packs/")).hasSize(2);
    }

    @Test
    void makesNoPackOfLeavesThatDoNotGiveThePublishedRoots() throws Exception {
        for (int epoch = 0; epoch < 2; epoch++) {
            // given: only in one epoch is a root another; the pack ends in the second
            int forged = epoch;
            Unpacked unpacked = new Unpacked(scene.ledger.ledger, 0);
            for (LogRecord.Published published : scene.published()) {
                EpochIntent intent =
                        published.epoch() == forged ? withOtherRoot(published.intent()) : published.intent();
                scene.store.replace(
                        ObjectNames.epoch(published.epoch()),
                        EpochObjects.published(new LogRecord.Published(intent, published.note())));
                unpacked.published(intent, List.of(1L, 1L), 0, 0);
            }
            Packer packer =
                    new Packer(scene.store, new EpochArchive(scene.store), unpacked, EVERY_256, 2, Clock.systemUTC());

            // when
            packer.round();

            // then
            assertThat(packer.problem()).contains("published was root", Rfc6962.EMPTY_ROOT.base64());
        }
    }

    private static EpochIntent withOtherRoot(EpochIntent i) throws Exception {
        List<ShardHead> heads = new ArrayList<>(i.heads());
        ShardHead head = heads.get(0);
        heads.set(0, new ShardHead(0, head.size(), Rfc6962.EMPTY_ROOT, head.nextOffset()));
        EpochLeaf leaf = EpochLeaf.parse(i.epochLeaf());
        byte[] forged = new EpochLeaf(
                        leaf.epoch(), leaf.time(), leaf.counts(), leaf.logged(), ShardHead.vectorRoot(heads))
                .encode();
        return new EpochIntent(i.epoch(), forged, heads, i.noteText(), i.segment(), i.payloads(), 1);
    }

    @Test
    void makesNoPackByAnEpochObjectThatIsNotWhatWasPublished() throws Exception {
        for (boolean leafToo : List.of(false, true)) {
            // given an object of another root, with or without a leaf that fits
            LogRecord.Published published = scene.published().get(1);
            EpochIntent forged = withOtherRoot(published.intent());
            EpochIntent there = leafToo
                    ? forged
                    : new EpochIntent(
                            1,
                            published.intent().epochLeaf(),
                            forged.heads(),
                            forged.noteText(),
                            forged.segment(),
                            forged.payloads(),
                            1);
            scene.store.replace(
                    ObjectNames.epoch(1), EpochObjects.published(new LogRecord.Published(there, published.note())));

            // when
            process.packer.round();

            // then
            assertThat(process.packer.problem()).contains(ObjectNames.epoch(1), "has not what was published");
            scene.store.replace(ObjectNames.epoch(1), EpochObjects.published(published));
            start();
        }
    }

    @Test
    void removesNoSegmentWhosePackIsLostOrDamaged() throws Exception {
        // given
        process.packer.round();
        scene.growBy("third", 1);
        publish();
        List<String> segments = objects("segments/");
        List<String> objects = new ArrayList<>(objects("packs/"));
        objects.addAll(objects("payload-packs/"));
        for (String name : objects) {
            byte[] good = scene.store.get(name).orElseThrow();
            byte[] flipped = good.clone();
            flipped[good.length - 9] ^= 1;
            for (byte[] bad : List.of(new byte[0], flipped, Arrays.copyOf(good, good.length / 2))) {
                scene.store.replace(name, bad);

                // when
                start();
                process.packer.round();

                // then
                assertThat(process.packer.problem()).contains(name);
                assertThat(objects("segments/")).isEqualTo(segments);
            }
            scene.store.delete(name);
            start();
            process.packer.round();
            assertThat(process.packer.problem()).contains(name, "is missing");
            assertThat(objects("segments/")).isEqualTo(segments);
            scene.store.replace(name, good);
        }
        start();
        process.packer.round();
        assertThat(process.packer.problem()).isEmpty();
        assertThat(objects("segments/")).hasSize(segments.size() - 1);
    }

    @Test
    void packsWhatBecameOfEveryRecord() throws Exception {
        // when
        packAndRemoveSegments();

        // then: up to its last pack, each shard's records are all there
        for (int shard = 0; shard < 2; shard++) {
            List<Long> offsets = new ArrayList<>();
            List<OutcomeRecord> outcomes = new ArrayList<>();
            long nextOffset = 0;
            for (String object : objects("packs/0000" + shard)) {
                PackName name = PackName.parse(object);
                Pack pack = Pack.open(scene.store, name).orElseThrow();
                outcomes.addAll(pack.outcomes(nextOffset, pack.nextOffset()));
                for (long index = name.first(); index < name.end(); index++) {
                    offsets.add(pack.leaf(index).offset());
                    assertThat(pack.leafAt(pack.leaf(index).offset())).hasValue(index);
                }
                nextOffset = pack.nextOffset();
            }
            outcomes.forEach(outcome -> offsets.add(outcome.offset()));
            long end = nextOffset;
            assertThat(offsets)
                    .containsExactlyInAnyOrderElementsOf(scene.shards.get(shard).records.stream()
                            .map(TestShard.Committed::offset)
                            .filter(offset -> offset < end)
                            .toList());
            assertThat(outcomes)
                    .hasSizeGreaterThan(40)
                    .startsWith(
                            new OutcomeRecord.Duplicate(4, 1),
                            new OutcomeRecord.Rejected(
                                    6,
                                    scene.shards
                                            .get(shard)
                                            .sequencer
                                            .outcomes
                                            .get(1)
                                            .reason()));
        }
        requireNothingFound(leaves());
    }

    @Test
    void removesNoSegmentOfWhichOutcomesAreInNoPack() throws Exception {
        // given another segment of a packed epoch, with one duplicate more
        process.packer.round();
        scene.growBy("third", 1);
        publish();
        Segment honest = new EpochArchive(scene.store)
                .readSegment(scene.published().get(0).intent().segment());
        Segment.Builder builder = Segment.builder(0);
        for (int shard : honest.shards()) {
            builder.startShard(shard, honest.firstIndex(shard));
            honest.leaves(shard).forEach(builder::add);
            honest.outcomes(shard).forEach(builder::add);
            builder.add(new OutcomeRecord.Duplicate(100_000, 1));
        }
        byte[] segment = builder.build();
        String other = ObjectNames.segment(0, segment);
        scene.store.putIfAbsent(other, segment);

        // when
        start();
        process.packer.round();

        // then
        assertThat(process.packer.problem()).contains("epoch 0: the packs of shard 0 have other outcomes");
        assertThat(objects("segments/")).contains(other);
    }

    @Test
    void anEpochOfDuplicatesAloneIsPackedWithTheLeafBehindIt() throws Exception {
        // given an epoch that brings nothing but duplicates when all leaves are in packs
        int more = 256 - (int) scene.history().publishedHeads().get(0).size().value() % 256;
        scene.growBy("third", more);
        publish();
        process.packer.round();
        scene.shards.forEach(shard -> {
            shard.event("third-0", "payload 0");
            shard.seal();
        });
        publish();
        process.packer.round();
        scene.growBy("fourth", 1);
        publish();
        start();
        process.packer.round();
        String duplicates = scene.published().get(3).intent().segment();
        assertThat(objects("packs/")).hasSize(4);
        assertThat(objects("segments/")).contains(duplicates);
        requireNothingFound(leaves());

        // when
        scene.growBy("fifth", 256);
        publish();
        process.packer.round();
        scene.growBy("sixth", 1);
        publish();
        start();
        process.packer.round();

        // then
        assertThat(process.packer.problem()).isEmpty();
        assertThat(objects("packs/")).hasSize(6);
        assertThat(objects("segments/")).hasSize(2).doesNotContain(duplicates);
        requireNothingFound(leaves());
    }

    @Test
    void removesNoSegmentWhosePayloadsWereExchangedForOthersInThePack() throws Exception {
        // given a payload pack that is whole, of other payloads
        process.packer.round();
        scene.growBy("third", 1);
        publish();
        List<String> segments = objects("segments/");
        PackName name = PackName.parse(objects("packs/").get(0));
        PayloadPack.Builder other = PayloadPack.builder(new ZstdBlocks());
        for (int i = 0; i < name.count(); i++) {
            other.add(new Payload.None());
        }
        scene.store.replace(name.payloads(), other.build(name));

        // when
        start();
        process.packer.round();

        // then
        assertThat(process.packer.problem()).contains(name.payloads(), "another payload");
        assertThat(objects("segments/")).isEqualTo(segments);
        assertThat(objects("payloads/")).hasSameSizeAs(segments);
    }

    @Test
    void goesOnWhenSomethingUnexpectedHappens() throws Exception {
        // given a store whose first answer is a failure of its own
        AtomicInteger calls = new AtomicInteger();
        ObjectStore failing = (ObjectStore) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ObjectStore.class}, (proxy, method, arguments) -> {
                    if (calls.getAndIncrement() == 0) {
                        throw new UnsatisfiedLinkError("of a library");
                    }
                    return method.invoke(scene.store, arguments);
                });
        Unpacked unpacked = new Unpacked(scene.ledger.ledger, 0);
        scene.published().forEach(epoch -> unpacked.published(epoch.intent(), List.of(1L, 1L), 0, 0));
        Packer packer = new Packer(failing, new EpochArchive(scene.store), unpacked, EVERY_256, 2, Clock.systemUTC());

        // when
        packer.round();

        // then
        assertThat(packer.problem()).contains("of a library");
        assertThat(objects("packs/")).singleElement().asString().startsWith("packs/00001/");
    }

    @Test
    void aPackOfAnotherTimeThanTheSegmentHasIsFound() throws Exception {
        // when
        List<ArchiveCheck.Finding> findings = findingsOfAPackOf(
                (index, leaf) -> new LeafRecord(
                        leaf.kind(), leaf.offset(), leaf.timestampMillis() + (index == 200 ? 1 : 0), leaf.entry()),
                outcome -> outcome);

        // then
        assertThat(findings)
                .singleElement()
                .extracting(ArchiveCheck.Finding::expected)
                .asString()
                .startsWith("leaf 200 of shard 0 as segments/");
    }

    /** No root says what became of it, and the counts are the same. */
    @Test
    void aPackOfOtherOutcomesThanTheSegmentHasIsFound() throws Exception {
        // when
        List<ArchiveCheck.Finding> findings = findingsOfAPackOf(
                (index, leaf) -> leaf, outcome -> outcome.offset() == 4 ? new OutcomeRecord.Duplicate(4, 2) : outcome);

        // then
        assertThat(findings)
                .singleElement()
                .extracting(ArchiveCheck.Finding::expected)
                .asString()
                .startsWith("the outcomes of shard 0 up to offset ")
                .contains("as segments/");
    }

    private interface LeafChange {
        LeafRecord apply(long index, LeafRecord leaf);
    }

    /** Of a check of shard 0 in both epochs that knows of a pack of them with something changed. */
    private List<ArchiveCheck.Finding> findingsOfAPackOf(LeafChange change, UnaryOperator<OutcomeRecord> outcomeChange)
            throws Exception {
        EpochIntent intent = scene.published().get(1).intent();
        Segment first = new EpochArchive(scene.store)
                .readSegment(scene.published().get(0).intent().segment());
        Segment second = new EpochArchive(scene.store).readSegment(intent.segment());
        PackBuilder pack = Pack.builder(0, CompactRange.empty())
                .boundary(0, first.count(0))
                .boundary(1, first.count(0) + second.count(0));
        List<OutcomeRecord> outcomes = new ArrayList<>(first.outcomes(0));
        outcomes.addAll(second.outcomes(0));
        for (long index = 0; index < 256; index++) {
            LeafRecord leaf = index < first.count(0) ? first.leaf(0, index) : second.leaf(0, index);
            while (outcomes.get(0).offset() < leaf.offset()) {
                pack.add(outcomeChange.apply(outcomes.remove(0)));
            }
            pack.add(change.apply(index, leaf));
        }
        Pack.Built built = pack.build();
        scene.store.replace(built.name().name(), built.object());
        ArchiveReader reader = new ArchiveReader(scene.store);
        ArchivedShard shard = new ArchivedShard(0, scene.ledger.key.verifier(), reader);
        shard.know(built.name());
        shard.grow(scene.published().get(0).intent(), Optional.of(first), Optional.empty(), ArchiveCheck.Taker.NONE);
        shard.grow(intent, Optional.of(second), Optional.empty(), ArchiveCheck.Taker.NONE);
        return reader.findings().stream()
                .filter(finding -> finding.object().equals(built.name().name()))
                .toList();
    }

    /** Dies in the epoch that logs packs, after its intent was committed. */
    private void dieBetweenIntentAndSignature() throws Exception {
        Scene.Instance dying = scene.start(new StepListener() {
            @Override
            public void reached(PublishStep step, long epoch) {
                if (step == PublishStep.GUARDED && epoch == 2) {
                    throw new Died();
                }
            }
        });
        dying.checkpointer.takeUp();
        dying.packer.round();
        scene.growBy("third", 1);
        dying.read();
        assertThatThrownBy(dying.checkpointer::publishNewest).isInstanceOf(Died.class);
        assertThat(scene.history().openIntent()).isPresent();
    }

    @Test
    void aSuccessorVerifiesThePacksItRollsForward() throws Exception {
        // given
        dieBetweenIntentAndSignature();

        // when
        start();

        // then
        assertThat(logged(2)).hasSize(2);
        requireNothingFound(leaves());
    }

    @Test
    void aSuccessorMakesALostPackAgainBeforeItRollsForward() throws Exception {
        // given
        dieBetweenIntentAndSignature();
        for (String name : objects("packs/")) {
            Files.delete(directory.resolve(name));
        }

        // when
        start();

        // then
        requireNothingFound(leaves());
    }

    @Test
    void aSuccessorDoesNotSignForAPackThatIsNotWhatTheSegmentsGive() throws Exception {
        // given
        dieBetweenIntentAndSignature();
        flip(objects("packs/").get(1), 0.9);

        // then
        assertThatThrownBy(this::start)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("packs/00001/")
                .hasMessageContaining("does not read back");
        assertThat(scene.published()).hasSize(2);
    }

    /** No digest of them is logged, so nothing later would miss them. */
    @Test
    void aSuccessorDoesNotSignForAPackWhosePayloadsAreDamaged() throws Exception {
        // given
        dieBetweenIntentAndSignature();
        String payloads = objects("payload-packs/").get(1);
        flip(payloads, 0.9);

        // then
        assertThatThrownBy(this::start)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("object " + payloads + " was written and does not read back");
        assertThat(scene.published()).hasSize(2);
    }

    /** As another version of the library may have. */
    @Test
    void aSuccessorTakesPayloadsThatAPredecessorCompressedOtherwise() throws Exception {
        // given
        dieBetweenIntentAndSignature();
        PackName name = PackName.parse(objects("packs/").get(1));
        byte[] before = scene.store.get(name.payloads()).orElseThrow();
        PayloadPack pack = PayloadPack.open(scene.store, name, new ZstdBlocks()).orElseThrow();
        PayloadPack.Builder builder = PayloadPack.builder(new FastBlocks());
        for (long index = name.first(); index < name.end(); index++) {
            builder.add(pack.block(index).payload(index));
        }
        byte[] other = builder.build(name);
        assertThat(other).isNotEqualTo(before);
        scene.store.replace(name.payloads(), other);

        // when
        start();

        // then
        assertThat(scene.published()).hasSize(3);
        assertThat(scene.store.get(name.payloads())).contains(other);
        requireNothingFound(leaves());
    }

    private static final class FastBlocks implements PayloadPack.BlockCodec {
        private final ZstdBlocks zstd = new ZstdBlocks();

        @Override
        public String name() {
            return zstd.name();
        }

        @Override
        public byte[] compress(byte[] raw) {
            return Zstd.compress(raw, -7);
        }

        @Override
        public byte[] decompress(byte[] compressed, int rawSizeBytes) throws InvalidFormat {
            return zstd.decompress(compressed, rawSizeBytes);
        }
    }

    @Test
    void doesNotSignForAPackTheSegmentsDoNotGive() {
        PackName name = new PackName(0, 0, 256, Rfc6962.EMPTY_ROOT);
        assertThatThrownBy(
                        () -> process.packer.requireVerified(List.of(new EpochLeaf.Logged(name.name(), name.digest()))))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("the segments give");
    }

    @Test
    void doesNotSignForAnotherPackThanTheOneItMade() {
        // given
        process.packer.round();
        PackName name = new PackName(0, 0, 256, Rfc6962.EMPTY_ROOT);

        // then
        assertThatThrownBy(
                        () -> process.packer.requireVerified(List.of(new EpochLeaf.Logged(name.name(), name.digest()))))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("the segments give");
    }

    private void flip(String name, double at) throws IOException {
        Path file = directory.resolve(name);
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) (bytes.length * at)] ^= 4;
        Files.write(file, bytes);
    }

    private void packAndRemoveSegments() throws Exception {
        process.packer.round();
        scene.growBy("third", 300);
        publish();
        process.packer.round();
        scene.growBy("fourth", 1);
        publish();
        start();
        process.packer.round();
        assertThat(objects("segments/")).hasSize(2);
    }

    @Test
    void aFlippedBitInAPackIsFoundAndNamed() throws Exception {
        packAndRemoveSegments();
        for (String prefix : List.of("packs/", "payload-packs/")) {
            for (String name : objects(prefix)) {
                byte[] good = Files.readAllBytes(directory.resolve(name));
                for (double at : new double[] {0, 0.002, 0.02, 0.5, 0.999}) {
                    // given
                    flip(name, at);

                    // then
                    assertThat(check().findings())
                            .as("%s at %s", name, at)
                            .extracting(ArchiveCheck.Finding::object)
                            .contains(name);
                    Files.write(directory.resolve(name), good);
                }
            }
        }
    }

    @Test
    void aLostPackIsFoundAndNamed() throws Exception {
        packAndRemoveSegments();
        String pack = objects("packs/").get(0);
        String payloads = objects("payload-packs/").get(0);
        Files.delete(directory.resolve(pack));
        Files.delete(directory.resolve(payloads));
        assertThat(check().findings())
                .extracting(ArchiveCheck.Finding::object, ArchiveCheck.Finding::actual)
                .contains(tuple(pack, "no object"), tuple(payloads, "no object"));
    }

    @Test
    void aSegmentThatIsLostBeforeItsLeavesAreInAPackIsFound() throws Exception {
        packAndRemoveSegments();
        String segment = objects("segments/").get(1);
        Files.delete(directory.resolve(segment));
        assertThat(check().findings()).extracting(ArchiveCheck.Finding::object).contains(segment);
    }

    @Test
    void aPackThatDiffersFromASegmentThatIsStillThereIsFound() throws Exception {
        // given packs and all segments; the segments are exchanged for those of other times
        process.packer.round();
        scene.growBy("third", 1);
        publish();
        assertThat(check().findings()).isEmpty();
        String payloads = objects("payload-packs/").get(0);
        byte[] other =
                Files.readAllBytes(directory.resolve(objects("payload-packs/").get(1)));
        Files.write(directory.resolve(payloads), other);

        // then
        assertThat(check().findings()).extracting(ArchiveCheck.Finding::object).containsOnly(payloads);
    }

    @Test
    void aCheckBesideALivePackerDoesNotMissWhatWasPackedMeanwhile() throws Exception {
        // given a check that read the topic before packs were logged
        process.packer.round();
        List<LogRecord> before = List.copyOf(scene.log.committed);
        scene.growBy("third", 300);
        publish();
        List<List<LogRecord>> readings = new ArrayList<>(List.of(before, before));
        start();
        process.packer.round();
        assertThat(objects("segments/")).hasSize(2);

        // when
        ArchiveCheck check = new ArchiveCheck(
                scene.store,
                scene.ledger.ledger,
                "topic checkpoints",
                reader -> (readings.isEmpty() ? List.copyOf(scene.log.committed) : readings.remove(0)).forEach(reader),
                new ArchiveCheck.Pace(Long.MAX_VALUE),
                ArchiveCheck.Listener.NONE);

        // then
        assertThat(((ArchiveCheck.Result.Checked) check.withoutUnreferenced().run())
                        .report()
                        .findings())
                .isEmpty();
    }

    @Test
    void anOldClockMakesNoDifferenceToWhatAPackHolds() throws Exception {
        // given
        process.packer.round();
        List<String> names = objects("packs/");
        for (String name : names) {
            Files.delete(directory.resolve(name));
        }
        Unpacked unpacked = new Unpacked(scene.ledger.ledger, 0);
        scene.published().forEach(epoch -> unpacked.published(epoch.intent(), List.of(9L, 9L), 1, 1));

        // when
        Clock old = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
        new Packer(scene.store, new EpochArchive(scene.store), unpacked, EVERY_256, 2, old).round();

        // then
        assertThat(objects("packs/")).isEqualTo(names);
    }

    private Map<String, byte[]> allObjects() throws IOException {
        Map<String, byte[]> objects = new TreeMap<>();
        for (String name : objects("")) {
            objects.put(name, GuardTexts.without(name, scene.store.get(name).orElseThrow()));
        }
        return objects;
    }

    private ArchiveRestore.Report restore() {
        ArchiveRestore restore = new ArchiveRestore(
                scene.store,
                scene.ledger.ledger,
                reader -> List.copyOf(scene.log.committed).forEach(reader),
                scene::decisionSource,
                ArchiveRestore.Listener.NONE);
        return ((ArchiveRestore.Result.Restored) restore.run()).report();
    }

    @Test
    void aLostStoreComesBackFromKafkaWithItsPacksAndWithoutPackedSegments() throws Exception {
        // given
        packAndRemoveSegments();
        Map<String, byte[]> before = allObjects();
        for (String name : before.keySet()) {
            Files.delete(directory.resolve(name));
        }

        // when
        ArchiveRestore.Report report = restore();

        // then
        assertThat(report.written()).isEqualTo(before.size());
        assertThat(allObjects()).hasSameSizeAs(before).containsAllEntriesOf(before);
    }

    /** What became of its records is in the pack of the leaf behind them, which is not there yet. */
    @Test
    void anEpochOfDuplicatesBehindTheLastPackComesBackFromKafkaToo() throws Exception {
        // given
        scene.growBy(
                "third",
                256 - (int) scene.history().publishedHeads().get(0).size().value() % 256);
        publish();
        process.packer.round();
        scene.shards.forEach(shard -> {
            shard.event("third-0", "payload 0");
            shard.seal();
        });
        publish();
        process.packer.round();
        scene.growBy("fourth", 1);
        publish();
        String duplicates = scene.published().get(3).intent().segment();
        assertThat(logged(4)).extracting(PackName::end).containsOnly(512L);
        for (String name : objects("")) {
            Files.delete(directory.resolve(name));
        }

        // when
        restore();

        // then
        assertThat(objects("segments/")).contains(duplicates);
        requireNothingFound(leaves());
    }

    @Test
    void damagedPacksAreReplacedAndKept() throws Exception {
        // given
        packAndRemoveSegments();
        Map<String, byte[]> before = allObjects();
        String pack = objects("packs/").get(1);
        String payloads = objects("payload-packs/").get(2);
        flip(pack, 0.7);
        flip(payloads, 0.7);

        // when
        ArchiveRestore.Report report = restore();

        // then
        assertThat(report.replaced()).containsExactlyInAnyOrder(pack, payloads);
        assertThat(allObjects()).containsAllEntriesOf(before);
        assertThat(objects("damaged/")).hasSize(2);
        assertThat(restore().written()).isZero();
    }

    @Test
    void everyObjectOfTheStoreIsKnownByName() throws Exception {
        packAndRemoveSegments();
        try (Stream<Path> files = Files.walk(directory)) {
            Optional<Path> unknown = files.filter(Files::isRegularFile)
                    .filter(file -> !directory
                            .relativize(file)
                            .toString()
                            .matches("(segments|payloads|guard|epochs|packs|payload-packs)/.*"))
                    .findFirst();
            assertThat(unknown).isEmpty();
        }
    }
}
