// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is changed in the archive is found, and named. */
class ArchiveCheckTest {
    private static final long UNBOUNDED = Long.MAX_VALUE;

    @TempDir
    private Path directory;

    private Scene scene;

    @BeforeEach
    void publishThreeEpochs() throws Exception {
        scene = new Scene(directory, 2);
        Scene.Instance process = scene.start();
        process.checkpointer.takeUp();
        process.checkpointer.publishNewest();
        for (String more : List.of("second", "third")) {
            scene.grow(more);
            process.read();
            process.checkpointer.publishNewest();
        }
    }

    /** Shards beside each other give what they give one behind the other. */
    private ArchiveCheck.Report check() throws Exception {
        ArchiveCheck.Report report = check(UNBOUNDED);
        ArchiveCheck.Result beside = opened(UNBOUNDED).inThreads(2).run();
        assertThat(((ArchiveCheck.Result.Checked) beside).report()).isEqualTo(report);
        return report;
    }

    private ArchiveCheck.Report check(long bytesPerSecondMax) throws Exception {
        return ((ArchiveCheck.Result.Checked) result(bytesPerSecondMax)).report();
    }

    private ArchiveCheck.Result result(long bytesPerSecondMax) throws Exception {
        return opened(bytesPerSecondMax).run();
    }

    private ArchiveCheck opened(long bytesPerSecondMax) {
        return new ArchiveCheck(
                scene.store,
                scene.ledger.ledger,
                "topic checkpoints",
                reader -> List.copyOf(scene.log.committed).forEach(reader),
                new ArchiveCheck.Pace(bytesPerSecondMax),
                ArchiveCheck.Listener.NONE);
    }

    private Path segment(int epoch) {
        return directory.resolve(scene.published().get(epoch).intent().segment());
    }

    private List<Path> objects() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().matches(".*\\.(seg|pay|note-text|epoch)"))
                    .sorted()
                    .toList();
        }
    }

    private String name(Path object) {
        return directory.relativize(object).toString();
    }

    @Test
    void findsNothingInAnArchiveThatHolds() throws Exception {
        // when
        ArchiveCheck.Report report = check();

        // then
        assertThat(report.findings()).isEmpty();
        assertThat(report.found()).isZero();
        assertThat(report.epochs()).isEqualTo(3);
        assertThat(report.leaves())
                .isEqualTo(scene.history().publishedHeads().stream()
                        .mapToLong(head -> head.size().value())
                        .sum());
        assertThat(report.payloads()).isPositive();
        assertThat(report.unreferenced()).isEmpty();
        assertThat(objects()).hasSize(12);
    }

    @Test
    void findsOneBitThatFlippedInAnyObjectAndNamesIt() throws Exception {
        long seed = System.nanoTime();
        System.out.println("ArchiveCheckTest seed " + seed);
        Random random = new Random(seed);
        for (Path object : objects()) {
            // given
            byte[] good = Files.readAllBytes(object);
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(object, bad);

            // then
            assertThat(check().findings())
                    .extracting(ArchiveCheck.Finding::object)
                    .containsExactly(name(object));
            Files.write(object, good);
        }
    }

    @Test
    void findsEveryObjectThatIsMissingNotOnlyTheFirst() throws Exception {
        // given
        List<Path> all = objects();
        for (Path object : all) {
            Files.delete(object);
        }

        // then
        assertThat(check().findings())
                .extracting(ArchiveCheck.Finding::object)
                .containsExactlyInAnyOrderElementsOf(
                        all.stream().map(this::name).toList());
    }

    /** Right by itself, under a right name, and not what was published. */
    @Test
    void findsAnObjectThatWasReplacedByOneWithAGoodDigest() throws Exception {
        // given: the intents' names are what they are, so only a store that lies about a name can do it
        Files.write(segment(1), Files.readAllBytes(segment(2)));

        // then
        assertThat(check().findings()).extracting(ArchiveCheck.Finding::object).containsExactly(name(segment(1)));
    }

    /** What whoever may write to both the store and the topic can do: the name of an object is in no signature. */
    @Test
    void findsAnEntryThatWasExchangedUnderAGoodName() throws Exception {
        // given
        byte[] other = exchanged(Files.readAllBytes(segment(1)), "second", "sEcond");
        String name = ObjectNames.segment(1, other);
        scene.store.putIfAbsent(name, other);
        rename(1, intent -> intent.segment(), name);

        // then
        assertThat(check().findings()).isNotEmpty().allSatisfy(finding -> {
            assertThat(finding.object()).isEqualTo(name);
            assertThat(finding.expected()).startsWith("root ");
        });
    }

    @Test
    void findsAPayloadThatWasExchangedUnderAGoodName() throws Exception {
        // given an object of the same layout with other content
        byte[] other = Files.readAllBytes(directory.resolve(intent(1).payloads()));
        other[other.length - 1] ^= 1;
        String name = ObjectNames.payloads(1, other);
        scene.store.putIfAbsent(name, other);
        rename(1, intent -> intent.payloads(), name);

        // then
        assertThat(check().findings()).singleElement().satisfies(finding -> {
            assertThat(finding.object()).isEqualTo(name);
            assertThat(finding.expected()).contains("payload of leaf").contains("digest");
        });
    }

    @Test
    void findsASegmentOfAnotherEpochUnderAGoodName() throws Exception {
        // given
        String name = intent(2).segment();
        rename(1, intent -> intent.segment(), name);

        // then
        assertThat(check().findings())
                .isNotEmpty()
                .allSatisfy(finding -> assertThat(finding.object()).isEqualTo(name))
                .anySatisfy(finding -> assertThat(finding.expected()).startsWith("leaves ["));
    }

    private EpochIntent intent(int epoch) {
        return scene.published().get(epoch).intent();
    }

    /** Names another object in the records of an epoch and in its object. */
    private void rename(int epoch, Function<EpochIntent, String> object, String name) throws IOException {
        String old = object.apply(intent(epoch));
        scene.log.committed.replaceAll(record -> {
            if (record.epoch() == epoch && record instanceof LogRecord.Intent open) {
                return new LogRecord.Intent(renamed(open.intent(), old, name));
            }
            if (record.epoch() == epoch && record instanceof LogRecord.Published published) {
                return new LogRecord.Published(renamed(published.intent(), old, name), published.note());
            }
            return record;
        });
        LogRecord.Published published = scene.published().get(epoch);
        Files.write(directory.resolve(ObjectNames.epoch(epoch)), EpochObjects.published(published));
        Files.write(
                directory.resolve(ObjectNames.guard(epoch)), GuardObject.encode(published.intent(), scene.ledger.key));
    }

    private static EpochIntent renamed(EpochIntent intent, String old, String name) {
        return new EpochIntent(
                intent.epoch(),
                intent.epochLeaf(),
                intent.heads(),
                intent.noteText(),
                intent.segment().equals(old) ? name : intent.segment(),
                intent.payloads().equals(old) ? name : intent.payloads(),
                intent.generation());
    }

    private static byte[] exchanged(byte[] object, String what, String by) {
        String text = new String(object, StandardCharsets.ISO_8859_1);
        assertThat(text).contains(what);
        return text.replaceFirst(what, by).getBytes(StandardCharsets.ISO_8859_1);
    }

    private ArchiveCheck.Report checkAlone() throws Exception {
        return ((ArchiveCheck.Result.Checked) alone().run()).report();
    }

    private ArchiveCheck alone() throws IOException {
        return ArchiveCheck.openAlone(scene.ledger.ledger.key(), scene.store, UNBOUNDED, ArchiveCheck.Listener.NONE);
    }

    @Test
    void theArchiveVerifiesWithoutKafka() throws Exception {
        // when
        ArchiveCheck.Report report = checkAlone();

        // then
        assertThat(report.findings()).isEmpty();
        assertThat(report).isEqualTo(check());
    }

    @Test
    void theArchiveAloneShowsOneBitThatFlippedAnywhereInAnEpochObject() throws Exception {
        // given
        Path object = directory.resolve(ObjectNames.epoch(1));
        byte[] good = Files.readAllBytes(object);
        for (int at = 0; at < good.length; at += 3) {
            byte[] bad = good.clone();
            bad[at] ^= (byte) (1 << at % 7);
            Files.write(object, bad);

            // then
            assertThat(checkAlone().found()).as("byte " + at).isPositive();
        }
    }

    @Test
    void anObjectThatRottedIsNamedAlsoWhenTheEpochsDoNotHold() throws Exception {
        // given
        Files.delete(directory.resolve(ObjectNames.epoch(1)));
        byte[] bytes = Files.readAllBytes(segment(2));
        bytes[40] ^= 1;
        Files.write(segment(2), bytes);

        // then
        assertThat(checkAlone().findings())
                .extracting(ArchiveCheck.Finding::object)
                .containsExactly("epoch objects", name(segment(2)));
    }

    @Test
    void whatIsNoEpochObjectHidesNothing() throws Exception {
        // given
        scene.store.putIfAbsent("epochs/notes.txt", new byte[1]);

        // then
        assertThat(checkAlone().findings()).isEmpty();
        assertThat(checkAlone().unreferenced()).containsExactly("epochs/notes.txt");
    }

    @Test
    void aKeptCheckpointMustBeAmongThePublished() throws Exception {
        // given
        Checkpoint kept = Checkpoint.parse(scene.published().get(2).intent().noteText());

        // then
        assertThat(((ArchiveCheck.Result.Checked) alone().run(Optional.of(kept)))
                        .report()
                        .found())
                .isZero();

        // when the newest epoch is gone
        Files.delete(directory.resolve(ObjectNames.epoch(2)));

        // then
        assertThat(checkAlone().found()).isZero();
        assertThat(((ArchiveCheck.Result.Checked) alone().run(Optional.of(kept)))
                        .report()
                        .findings())
                .isNotEmpty()
                .first()
                .satisfies(finding -> assertThat(finding.actual()).contains("not among the 2 published"));
    }

    @Test
    void findsPayloadsThatWereTakenOutUnderAGoodName() throws Exception {
        // given
        Segment segment = Segment.parse(Files.readAllBytes(segment(1)));
        PayloadObject.Builder builder = PayloadObject.builder(1);
        for (int shard : segment.shards()) {
            builder.startShard(shard, segment.firstIndex(shard));
            segment.leaves(shard).forEach(leaf -> builder.add(new Payload.None()));
        }
        byte[] emptied = builder.build();
        String name = ObjectNames.payloads(1, emptied);
        scene.store.putIfAbsent(name, emptied);
        rename(1, intent -> intent.payloads(), name);

        // then
        assertThat(checkAlone().findings()).isNotEmpty().allSatisfy(finding -> {
            assertThat(finding.object()).isEqualTo(name);
            assertThat(finding.actual()).isEqualTo("none");
        });
    }

    @Test
    void findsOffsetsThatWereExchangedUnderAGoodName() throws Exception {
        // given the two leaves of a shard with each other's offsets
        exchangeLeaves(
                1,
                leaves -> List.of(
                        with(leaves.get(0), leaves.get(1).offset()),
                        with(leaves.get(1), leaves.get(0).offset())));

        // then
        assertThat(checkAlone().findings())
                .isNotEmpty()
                .allSatisfy(finding -> assertThat(finding.expected()).contains("of an offset from"));
    }

    /** No root says at which offset a leaf's record is. */
    @Test
    void findsAnOffsetBehindTheEpochUnderAGoodName() throws Exception {
        // given
        exchangeLeaves(1, leaves -> List.of(leaves.get(0), with(leaves.get(1), 1_000)));

        // then
        assertThat(checkAlone().findings()).hasSize(2).allSatisfy(finding -> {
            assertThat(finding.expected()).contains("of an offset from");
            assertThat(finding.actual()).isEqualTo("offset 1000");
        });
    }

    private static LeafRecord with(LeafRecord leaf, long offset) {
        return new LeafRecord(leaf.kind(), offset, leaf.timestampMillis(), leaf.entry());
    }

    /** The counts are as before. */
    @Test
    void findsKindsThatWereExchangedUnderAGoodName() throws Exception {
        // given: an event and a conflict, each as the other
        exchangeLeaves(
                0,
                leaves -> leaves.stream()
                        .map(leaf -> new LeafRecord(
                                switch ((int) leaf.offset()) {
                                    case 1 -> EntryKind.CONFLICT;
                                    case 5 -> EntryKind.EVENT;
                                    default -> leaf.kind();
                                },
                                leaf.offset(),
                                leaf.timestampMillis(),
                                leaf.entry()))
                        .toList());

        // then
        assertThat(checkAlone().findings())
                .extracting(ArchiveCheck.Finding::actual)
                .containsExactly("kind CONFLICT", "kind EVENT", "kind CONFLICT", "kind EVENT");
    }

    @Test
    void findsATimeThatWasExchangedUnderAGoodName() throws Exception {
        // given
        exchangeLeaves(
                1,
                leaves -> leaves.stream()
                        .map(leaf ->
                                new LeafRecord(leaf.kind(), leaf.offset(), leaf.timestampMillis() + 1, leaf.entry()))
                        .toList());

        // then
        assertThat(checkAlone().findings())
                .hasSize(4)
                .allSatisfy(finding -> assertThat(finding.expected()).contains(" of time "));
    }

    /** In every shard. */
    private void exchangeLeaves(int epoch, UnaryOperator<List<LeafRecord>> by) throws Exception {
        Segment segment = Segment.parse(Files.readAllBytes(segment(epoch)));
        Segment.Builder builder = Segment.builder(epoch);
        for (int shard : segment.shards()) {
            builder.startShard(shard, segment.firstIndex(shard));
            by.apply(segment.leaves(shard)).forEach(builder::add);
            segment.outcomes(shard).forEach(builder::add);
        }
        byte[] other = builder.build();
        String name = ObjectNames.segment(epoch, other);
        scene.store.putIfAbsent(name, other);
        rename(epoch, intent -> intent.segment(), name);
    }

    /** What no root says, whoever may write to both the store and the topic cannot change either: the counts are signed. */
    @Test
    void findsOutcomesThatWereTakenOutUnderAGoodName() throws Exception {
        exchangeOutcomes(outcome -> Optional.empty());

        assertThat(checkAlone().findings()).singleElement().satisfies(finding -> {
            assertThat(finding.object()).isEqualTo(intent(1).segment());
            assertThat(finding.expected()).startsWith("counts {conflicts=2, controls=2, duplicates=4, ");
            assertThat(finding.actual()).startsWith("counts {conflicts=2, controls=2, duplicates=2, ");
        });
    }

    @Test
    void findsOutcomesThatCannotBeUnderAGoodName() throws Exception {
        exchangeOutcomes(outcome -> Optional.of(new OutcomeRecord.Duplicate(outcome.offset(), 1_000)));
        assertThat(checkAlone().findings())
                .hasSize(2)
                .allSatisfy(finding -> assertThat(finding.expected()).endsWith("as a duplicate of a leaf below 7"));

        exchangeOutcomes(outcome -> Optional.of(new OutcomeRecord.Duplicate(outcome.offset() + 1_000, 1)));
        assertThat(checkAlone().findings())
                .hasSize(2)
                .allSatisfy(finding -> assertThat(finding.actual()).startsWith("one of offset 10"));

        exchangeOutcomes(outcome -> Optional.of(new OutcomeRecord.Duplicate(outcome.offset() - 1_001, 1)));
        assertThat(checkAlone().findings())
                .hasSize(2)
                .allSatisfy(finding -> assertThat(finding.actual()).endsWith(", which is no leaf"));
    }

    @Test
    void findsAnOutcomeOfARecordBeforeTheEpochUnderAGoodName() throws Exception {
        exchangeOutcomes(outcome -> Optional.of(new OutcomeRecord.Duplicate(0, 1)));
        assertThat(checkAlone().findings())
                .hasSize(2)
                .allSatisfy(finding -> assertThat(finding.actual()).isEqualTo("one of offset 0"));
    }

    private void exchangeOutcomes(Function<OutcomeRecord, Optional<OutcomeRecord>> by) throws Exception {
        Segment segment = Segment.parse(Files.readAllBytes(segment(1)));
        Segment.Builder builder = Segment.builder(1);
        for (int shard : segment.shards()) {
            builder.startShard(shard, segment.firstIndex(shard));
            segment.leaves(shard).forEach(builder::add);
            for (OutcomeRecord outcome : segment.outcomes(shard)) {
                by.apply(outcome).ifPresent(builder::add);
            }
        }
        byte[] other = builder.build();
        String name = ObjectNames.segment(1, other);
        scene.store.putIfAbsent(name, other);
        rename(1, intent -> intent.segment(), name);
    }

    @Test
    void theArchiveAloneShowsOneBitThatFlippedInAnyObject() throws Exception {
        for (Path object : objects()) {
            // given
            byte[] good = Files.readAllBytes(object);
            byte[] bad = good.clone();
            bad[bad.length / 3] ^= 2;
            Files.write(object, bad);

            // then
            assertThat(checkAlone().found()).as(name(object)).isPositive();
            Files.write(object, good);
        }
    }

    /** The note behind it is whole. */
    @Test
    void findsAGuardWhoseTextWasExchanged() throws Exception {
        // given
        Path guard = directory.resolve(ObjectNames.guard(1));
        String good = Files.readString(guard);
        String text = scene.published().get(2).intent().noteText();
        Files.writeString(guard, text + good.substring(good.indexOf("\n\n") + 1));

        // then
        assertThat(check().findings()).extracting(ArchiveCheck.Finding::object).containsExactly(name(guard));
    }

    @Test
    void theArchiveAloneShowsAnEpochThatIsMissingBeforeTheLast() throws Exception {
        // given
        Files.delete(directory.resolve(ObjectNames.epoch(1)));

        // then
        assertThat(checkAlone().findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.actual())
                        .contains(ObjectNames.epoch(1))
                        .contains("missing"));
    }

    @Test
    void theArchiveAloneIsRefusedUnderAnotherKey() throws Exception {
        // given
        NoteVerifier other = NoteSigner.generate(scene.ledger.ledger.origin(), new SecureRandom())
                .verifier();

        // when
        ArchiveCheck check = ArchiveCheck.openAlone(other, scene.store, UNBOUNDED, ArchiveCheck.Listener.NONE);

        // then
        assertThat(((ArchiveCheck.Result.Checked) check.run()).report().findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.actual()).contains("not signed by"));
    }

    @Test
    void anEmptyArchiveAloneIsUndecided() throws Exception {
        // given
        for (Path object : objects()) {
            Files.delete(object);
        }

        // then
        assertThat(alone().run()).isInstanceOf(ArchiveCheck.Result.Undecided.class);
    }

    @Test
    void tellsOfObjectsNoEpochNames() throws Exception {
        // given
        byte[] orphan = Files.readAllBytes(segment(1));
        String name = ObjectNames.segment(7, orphan);
        scene.store.putIfAbsent(name, orphan);

        // then
        assertThat(check().unreferenced()).containsExactly(name);
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void readsNoFasterThanItMay() throws Exception {
        // given
        long bytes = check().sizeBytes();
        long begun = System.nanoTime();

        // when
        check(2 * bytes);

        // then
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun)).isBetween(450L, 20_000L);
    }

    @Test
    void saysNothingGoodOfNothing() throws Exception {
        // given
        scene.log.committed.clear();

        // then
        assertThat(result(UNBOUNDED)).isInstanceOf(ArchiveCheck.Result.Undecided.class);
    }

    @Test
    void findsThatTheCheckpointsThemselvesDoNotHold() throws Exception {
        // given
        scene.log.committed.remove(1);

        // then
        assertThat(check().findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.object()).isEqualTo("topic checkpoints"));
    }
}
