// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.processors.IntegrityException;
import io.attestream.processors.TestLedger;
import io.attestream.processors.sequencer.SealedShard;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Pack;
import io.attestream.proofs.archive.PackBuilder;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import io.attestream.schemas.avro.Head;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.Root32;
import io.attestream.schemas.avro.Sealed;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.BytesSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A proof store that let go of what is in packs answers as before. */
class ShardCompactionTest {
    private static final int LEAVES = 700;

    @TempDir
    private Path directory;

    private static final HexFormat HEX = HexFormat.of();

    private final TestLedger ledger = new TestLedger(1, 256);
    private final PublishedEpochs epochs = new PublishedEpochs(ledger);
    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private final List<LeafRecord> leaves = new ArrayList<>();
    private final List<OutcomeRecord> outcomes = new ArrayList<>();
    private final List<Sealed> deltas = new ArrayList<>();
    private final CompactRange range = CompactRange.empty();
    private final List<byte[]> published = new ArrayList<>();
    private long nextOffset;
    private boolean topicsLost;
    private long clockNanos;

    private DirectoryObjectStore objects;
    private TopologyTestDriver driver;
    private ProofQueries queries;

    @BeforeEach
    void start() throws Exception {
        System.out.println("seed " + seed);
        objects = new DirectoryObjectStore(directory.resolve("objects"));
        seal();
        open(Optional.of(new PackedProofs(objects)));
    }

    @AfterEach
    void stop() {
        driver.close();
    }

    private void open(Optional<PackedProofs> packs) {
        driver = new TopologyTestDriver(
                ProofsTopology.build(
                        TestLedger.TOPICS,
                        ledger.definition(),
                        1,
                        packs.map(there -> new PackLoader(there, Runnable::run, () -> clockNanos))),
                TestLedger.driverSettings("compaction", directory.resolve("state")));
        queries = queries(packs);
        if (!topicsLost) {
            deltas.forEach(this::pipe);
            outcomes.forEach(this::pipe);
        }
        published.forEach(this::pipe);
    }

    private KeyValueStore<Bytes, byte[]> store() {
        return driver.getKeyValueStore(ProofsTopology.SHARD_STORE);
    }

    /** Leaves in deltas of random sizes, every seventh record without a leaf, offsets with gaps. */
    private void seal() {
        int first = 0;
        for (int i = 0; i < LEAVES; i++) {
            nextOffset += random.nextInt(3);
            if (i > 0 && i % 7 == 0) {
                outcomes.add(
                        i % 2 == 0
                                ? new OutcomeRecord.Duplicate(nextOffset++, i / 2)
                                : new OutcomeRecord.Rejected(nextOffset++, "misrouted"));
            }
            EntryKind kind = i == 0 ? EntryKind.GENESIS : i % 11 == 0 ? EntryKind.CONFLICT : EntryKind.EVENT;
            leaves.add(new LeafRecord(kind, nextOffset++, 1_000 + i, ("entry " + i).getBytes(StandardCharsets.UTF_8)));
            range.append(Rfc6962.leafHash(leaves.get(i).entry()));
            if ((i + 1) % 256 == 0 || random.nextInt(20) == 0 || i + 1 == LEAVES) {
                deltas.add(delta(first, i + 1));
                first = i + 1;
            }
        }
    }

    private Sealed delta(int first, int end) {
        ByteBuffer kinds = ByteBuffer.allocate(end - first);
        ByteBuffer hashes = ByteBuffer.allocate(32 * (end - first));
        List<Long> offsets = new ArrayList<>();
        List<Long> times = new ArrayList<>();
        for (LeafRecord leaf : leaves.subList(first, end)) {
            kinds.put(leaf.kind().code());
            hashes.put(Rfc6962.leafHash(leaf.entry()).bytes());
            offsets.add(leaf.offset());
            times.add(leaf.timestampMillis());
        }
        return new Sealed(
                0,
                1,
                1,
                (long) first,
                kinds.flip(),
                hashes.flip(),
                offsets,
                times,
                ByteBuffer.allocate(16 * (end - first)),
                new Head((long) end, new Root32(range.root().bytes()), nextOffset));
    }

    private TestInputTopic<Bytes, byte[]> input(String topic) {
        return driver.createInputTopic(topic, new BytesSerializer(), new ByteArraySerializer());
    }

    private void pipe(Sealed delta) {
        input(TestLedger.TOPICS.sealed()).pipeInput(SealedShard.encode(delta));
    }

    private void pipe(OutcomeRecord outcome) {
        Outcome record = outcome instanceof OutcomeRecord.Duplicate duplicate
                ? new Outcome(0, 1, 1, duplicate.offset(), OutcomeKind.DUPLICATE, duplicate.leafIndex(), "")
                : new Outcome(
                        0,
                        1,
                        1,
                        outcome.offset(),
                        OutcomeKind.REJECTED,
                        null,
                        ((OutcomeRecord.Rejected) outcome).reason());
        input(TestLedger.TOPICS.outcomes()).pipeInput(SealedShard.encode(record));
    }

    private Pack.Built pack(int first, int end, UnaryOperator<LeafRecord> leafChange, boolean withOutcomes) {
        CompactRange frontier = CompactRange.empty();
        leaves.subList(0, first).forEach(leaf -> frontier.append(Rfc6962.leafHash(leaf.entry())));
        PackBuilder builder = Pack.builder(0, frontier).boundary(0, leaves.size());
        long from = first == 0 ? -1 : leaves.get(first - 1).offset();
        for (LeafRecord leaf : leaves.subList(first, end)) {
            for (OutcomeRecord outcome : outcomes) {
                if (withOutcomes && outcome.offset() > from && outcome.offset() < leaf.offset()) {
                    builder.add(outcome);
                }
            }
            from = leaf.offset();
            builder.add(leafChange.apply(leaf));
        }
        return builder.build();
    }

    private PackName givenPack(Pack.Built built) throws Exception {
        objects.putIfAbsent(built.name().name(), built.object());
        return built.name();
    }

    private PackName givenPack(int first, int end) throws Exception {
        return givenPack(pack(first, end, UnaryOperator.identity(), true));
    }

    private void publish(PackName... packs) {
        List<EpochLeaf.Logged> logged = Arrays.stream(packs)
                .map(pack -> new EpochLeaf.Logged(pack.name(), pack.digest()))
                .toList();
        ShardHead head = new ShardHead(0, new TreeSize(LEAVES), range.root(), nextOffset);
        for (byte[] value : epochs.publish(List.of(head), 1, logged)) {
            published.add(value);
            pipe(value);
        }
    }

    private void pipe(byte[] checkpoint) {
        input(TestLedger.TOPICS.checkpoints()).pipeInput(Bytes.wrap(new byte[] {'0'}), checkpoint);
    }

    private void compact() {
        for (int second = 0; second < 12; second++) {
            driver.advanceWallClockTime(Duration.ofSeconds(1));
        }
    }

    private List<String> keys(char kind) {
        List<String> keys = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> all = store().all()) {
            all.forEachRemaining(entry -> {
                if (entry.key.get()[0] == kind) {
                    keys.add(entry.key.toString());
                }
            });
        }
        return keys;
    }

    /** Everything that can be asked about the shard, and the answers. */
    private Map<String, String> answers() {
        Map<String, String> answers = new LinkedHashMap<>();
        for (long offset = 0; offset <= nextOffset + 1; offset++) {
            answers.put("offset " + offset, text(queries.position(0, offset)));
        }
        for (int leaf = 0; leaf < LEAVES; leaf += 1 + random.nextInt(9)) {
            answers.put("leaf " + leaf, text(queries.shardInclusion(0, new LeafIndex(leaf), new TreeSize(LEAVES))));
        }
        for (String tile : List.of("0/000", "0/001", "0/002.p/188", "1/000.p/2", "0/000.p/7", "0/001.p/255")) {
            answers.put("tile " + tile, text(queries.shardTile(0, tile)));
        }
        return answers;
    }

    private static String text(Answer answer) {
        return answer instanceof Answer.Raw raw ? Arrays.toString(raw.bytes()) : answer.toString();
    }

    private void requireSameAnswers(Map<String, String> before) {
        for (Map.Entry<String, String> question : before.entrySet()) {
            String[] words = question.getKey().split(" ", -1);
            Answer now = switch (words[0]) {
                case "offset" -> queries.position(0, Long.parseLong(words[1]));
                case "leaf" -> queries.shardInclusion(0, new LeafIndex(Long.parseLong(words[1])), new TreeSize(LEAVES));
                default -> queries.shardTile(0, words[1]);
            };
            assertThat(text(now)).as(question.getKey() + ", seed " + seed).isEqualTo(question.getValue());
        }
    }

    // ---- letting go

    @Test
    void answersEverythingAsBeforeOutOfPacks() throws Exception {
        // given
        publish();
        Map<String, String> before = answers();
        assertThat(before.values()).noneMatch(answer -> answer.startsWith("NotHere"));

        // when
        publish(givenPack(0, 256), givenPack(256, 512));
        compact();

        // then
        assertThat(keys('t'))
                .as("the tile that is not packed, and the one above all")
                .hasSize(2);
        assertThat(keys('d')).hasSize((int)
                deltas.stream().filter(delta -> delta.getFirstIndex() >= 512).count());
        long packedTo = leaves.get(511).offset();
        assertThat(keys('o')).hasSize((int)
                outcomes.stream().filter(outcome -> outcome.offset() > packedTo).count());
        requireSameAnswers(before);
    }

    @Test
    void keepsEverythingWithoutAnObjectStoreAndWithoutALoggedPack() throws Exception {
        // given
        int tiles = keys('t').size();

        // when written, not logged
        givenPack(0, 256);
        publish();
        compact();

        // then
        assertThat(keys('t')).hasSize(tiles);
        assertThat(store().get(Keys.compacted())).isNull();

        // and when logged, with nothing to read it with
        driver.close();
        open(Optional.empty());
        publish(givenPack(0, 256));
        compact();
        assertThat(keys('t')).hasSize(tiles);
        assertThat(store().get(Keys.compacted())).isNull();
    }

    @Test
    void recordsThatComeAgainPutNothingBack() throws Exception {
        // given
        publish(givenPack(0, 256), givenPack(256, 512));
        compact();
        Map<String, String> before = answers();
        List<String> tiles = keys('t');
        List<String> indexes = keys('d');
        List<String> kept = keys('o');

        // when
        deltas.forEach(this::pipe);
        outcomes.forEach(this::pipe);

        // then
        assertThat(keys('t')).isEqualTo(tiles);
        assertThat(keys('d')).isEqualTo(indexes);
        assertThat(keys('o')).isEqualTo(kept);
        requireSameAnswers(before);
    }

    /** As a crash behind the flush leaves it: the store says what it let go of, and has it all still. */
    @Test
    void removesAfterARestartWhatAPredecessorDidNotComeToRemove() throws Exception {
        // given
        PackName pack = givenPack(0, 256);
        publish(pack);
        Map<String, String> before = answers();
        KeyValueStore<Bytes, byte[]> store = store();
        store.put(Keys.packed(0), ByteBuffer.allocate(8).putLong(0).array());
        store.put(Keys.compacted(), new Compacted(256, leaves.get(255).offset() + 1).encode());
        requireSameAnswers(before);

        // when
        compact();

        // then
        assertThat(keys('d')).hasSize((int)
                deltas.stream().filter(delta -> delta.getFirstIndex() >= 256).count());
        assertThat(store.get(Keys.tile(0, 0))).isNull();
        requireSameAnswers(before);
    }

    /** As a copy is while its changelog is replayed: what was removed is gone, the mark is that of an older pack. */
    @Test
    void saysNothingOfARecordWhoseRemovalIsKnownAndTheMarkIsNot() throws Exception {
        // given
        publish(givenPack(0, 256), givenPack(256, 512));
        compact();

        // when
        store().put(Keys.compacted(), new Compacted(256, leaves.get(255).offset() + 1).encode());

        // then
        assertThat(queries.position(0, leaves.get(300).offset())).isInstanceOf(Answer.NotHere.class);
        assertThat(text(queries.position(0, leaves.get(100).offset()))).contains("leafIndex=100");
        assertThat(text(queries.position(0, leaves.get(600).offset()))).contains("leafIndex=600");
        store().delete(Keys.tile(1, 0));
        assertThat(queries.shardInclusion(0, new LeafIndex(3), new TreeSize(LEAVES)))
                .isInstanceOf(Answer.NotHere.class);
    }

    // ---- doubts

    @ParameterizedTest
    @ValueSource(strings = {"entry", "offset", "kind"})
    void letsGoOfNothingWhenThePackIsNotWhatWasSealed(String what) throws Exception {
        // given
        LeafRecord honest = leaves.get(100);
        LeafRecord other = switch (what) {
            case "entry" ->
                new LeafRecord(honest.kind(), honest.offset(), honest.timestampMillis(), new byte[] {1, 2, 3});
            case "offset" -> honest;
            default -> new LeafRecord(EntryKind.RULES, honest.offset(), honest.timestampMillis(), honest.entry());
        };
        if (what.equals("offset")) {
            shiftOffsetsInStore();
        }
        PackName pack = givenPack(pack(0, 256, leaf -> leaf == honest ? other : leaf, true));

        // when
        publish(pack);

        // then
        assertThatThrownBy(this::compact)
                .isInstanceOf(StreamsException.class)
                .rootCause()
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("is not what the sequencer sealed")
                .hasMessageContaining("Nothing was removed");
        assertThat(store().get(Keys.tile(0, 0))).isNotNull();
        assertThat(store().get(Keys.compacted())).isNull();
    }

    /** The index has another offset for one leaf than the pack. */
    private void shiftOffsetsInStore() {
        Sealed first = deltas.get(0);
        Bytes key = Keys.delta(first.getOffsets().get(0));
        DeltaIndex known = DeltaIndex.of(store().get(key));
        List<Long> offsets = new ArrayList<>(known.offsets());
        offsets.set(offsets.size() - 1, offsets.get(offsets.size() - 1) + 1);
        store().put(key, new DeltaIndex(known.firstIndex(), known.kinds(), offsets).encode());
    }

    @Test
    void letsGoOfNothingWhenAnOutcomeIsNotInThePack() throws Exception {
        // when
        publish(givenPack(pack(0, 256, UnaryOperator.identity(), false)));

        // then
        assertThatThrownBy(this::compact)
                .rootCause()
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("has another outcome than is known");
        assertThat(store().get(Keys.compacted())).isNull();
    }

    @Test
    void letsGoOfNothingThatCannotBeRead() throws Exception {
        // given logged, and lost or damaged since
        Pack.Built built = pack(0, 256, UnaryOperator.identity(), true);
        publish(built.name());
        compact();
        assertThat(store().get(Keys.compacted())).isNull();
        byte[] damaged = built.object();
        damaged[damaged.length - 1] ^= 1;
        objects.putIfAbsent(built.name().name(), damaged);

        // when
        driver.close();
        open(Optional.of(new PackedProofs(objects)));
        compact();

        // then
        assertThat(store().get(Keys.compacted())).isNull();
    }

    @Test
    void triesAPackAgainThatCouldNotBeRead() throws Exception {
        // given
        Pack.Built built = pack(0, 256, UnaryOperator.identity(), true);
        publish(built.name());
        compact();

        // when
        givenPack(built);
        compact();
        assertThat(store().get(Keys.compacted())).as("not at once").isNull();
        clockNanos += Duration.ofSeconds(31).toNanos();
        compact();

        // then
        assertThat(store().get(Keys.compacted())).isNotNull();
    }

    /** The ledger log is read apart from the deltas, and may be ahead. */
    @Test
    void waitsUntilTheStoreHasWhatThePackHas() throws Exception {
        // given
        List<Sealed> all = List.copyOf(deltas);
        // The last delta of the pack may begin anywhere.
        deltas.removeIf(delta -> delta.getHead().getSize() >= 256);
        driver.close();
        open(Optional.of(new PackedProofs(objects)));
        publish(givenPack(0, 256));

        // when
        compact();
        assertThat(store().get(Keys.compacted())).isNull();
        all.stream().filter(delta -> !deltas.contains(delta)).forEach(this::pipe);
        compact();

        // then
        assertThat(store().get(Keys.compacted())).isNotNull();
    }

    @Test
    void answersNothingOutOfAPackThatWasDamagedOrLost() throws Exception {
        // given
        PackName pack = givenPack(0, 256);
        publish(pack);
        compact();
        assertThat(store().get(Keys.compacted())).isNotNull();

        // when
        byte[] object = objects.get(pack.name()).orElseThrow();
        for (int at = 0; at < object.length; at += 1 + object.length / 50) {
            byte[] damaged = object.clone();
            damaged[at] ^= 1;
            objects.replace(pack.name(), damaged);
            queriesAnew();
            Answer answer = queries.shardInclusion(0, new LeafIndex(3), new TreeSize(LEAVES));
            Answer position = queries.position(0, leaves.get(3).offset());

            // then the right answer or none
            assertThat(answer instanceof Answer.NotHere
                            || text(answer)
                                    .contains(Rfc6962.leafHash(leaves.get(3).entry())
                                            .base64()))
                    .isTrue();
            assertThat(position instanceof Answer.NotHere || text(position).contains("leafIndex=3"))
                    .isTrue();
        }
        objects.delete(pack.name());
        queriesAnew();
        assertThat(queries.shardInclusion(0, new LeafIndex(3), new TreeSize(LEAVES)))
                .isInstanceOf(Answer.NotHere.class);
        assertThat(queries.position(0, leaves.get(3).offset())).isInstanceOf(Answer.NotHere.class);
    }

    /** No header is known any more. */
    private void queriesAnew() {
        queries = queries(Optional.of(new PackedProofs(objects)));
    }

    private ProofQueries queries(Optional<PackedProofs> packs) {
        ProofQueries.Stores stores = new ProofQueries.Stores() {
            @Override
            public ReadOnlyKeyValueStore<Bytes, byte[]> shard(int shard) {
                return store();
            }

            @Override
            public ReadOnlyKeyValueStore<Bytes, byte[]> ledger() {
                return driver.getKeyValueStore(ProofsTopology.LEDGER_STORE);
            }

            @Override
            public boolean settling() {
                return false;
            }
        };
        return new ProofQueries(stores, ledger.definition(), packs);
    }

    // ---- stores of earlier versions

    static Stream<Path> earlierStores() throws IOException, URISyntaxException {
        Path all =
                Path.of(Objects.requireNonNull(ShardCompactionTest.class.getResource("/proof-stores"), "proof-stores")
                        .toURI());
        try (Stream<Path> versions = Files.list(all)) {
            return versions.sorted().toList().stream();
        }
    }

    /** As every version wrote it: what a changelog holds is taken up by the version that comes after. */
    @ParameterizedTest
    @MethodSource("earlierStores")
    void aStoreOfAnEarlierVersionAnswersAndIsGoneOnFrom(Path file) throws Exception {
        // given
        driver.close();
        topicsLost = true;
        published.clear();
        directory = directory.resolve("earlier");
        objects = new DirectoryObjectStore(directory.resolve("objects"));
        open(Optional.of(new PackedProofs(objects)));
        Map<String, String> answers = new LinkedHashMap<>();
        List<byte[]> later = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            String[] words = line.split(" ", 3);
            switch (words[0]) {
                case "object" -> objects.putIfAbsent(words[1], HEX.parseHex(words[2]));
                case "record" -> store().put(Bytes.wrap(HEX.parseHex(words[1])), HEX.parseHex(words[2]));
                case "published" -> pipe(HEX.parseHex(words[1]));
                case "sealed" -> later.add(HEX.parseHex(words[1]));
                case "answer" -> answers.put(words[1].replace('_', ' '), words[2]);
                default -> throw new AssertionError(line);
            }
        }

        // then
        assertThat(answers).hasSizeGreaterThan(100);
        requireSameAnswers(answers);

        // and what is sealed next is taken
        long size = ShardMeta.of(store().get(Keys.meta())).size();
        later.forEach(delta -> input(TestLedger.TOPICS.sealed()).pipeInput(delta));
        assertThat(ShardMeta.of(store().get(Keys.meta())).size()).isGreaterThan(size);
        answers.values().removeIf(answer -> answer.contains("pending"));
        requireSameAnswers(answers);
    }

    /** If it fails, a format has changed: what it wrote into {@code target} becomes the next file of {@code proof-stores}. */
    @Test
    void theNewestStoreIsOfTheFormatsThatAreWritten() throws Exception {
        // given
        PackName pack = givenPack(0, 256);
        publish(pack);
        compact();
        List<String> lines = new ArrayList<>();
        lines.add("object " + pack.name() + " "
                + HEX.formatHex(objects.get(pack.name()).orElseThrow()));
        published.forEach(value -> lines.add("published " + HEX.formatHex(value)));
        try (KeyValueIterator<Bytes, byte[]> all = store().all()) {
            all.forEachRemaining(record ->
                    lines.add("record " + HEX.formatHex(record.key.get()) + " " + HEX.formatHex(record.value)));
        }
        answers().forEach((question, answer) -> lines.add("answer " + question.replace(' ', '_') + " " + answer));
        leaves.add(new LeafRecord(EntryKind.EVENT, nextOffset++, 9_000, "next".getBytes(StandardCharsets.UTF_8)));
        range.append(Rfc6962.leafHash(leaves.get(LEAVES).entry()));
        lines.add("sealed " + HEX.formatHex(SealedShard.encode(delta(LEAVES, LEAVES + 1))));
        Path written = Path.of("target", "proof-store-of-this-version.txt").toAbsolutePath();
        Files.write(written, lines);

        // then
        Path newest = earlierStores().reduce((earlier, later) -> later).orElseThrow();
        assertThat(kinds(written))
                .as("a format has changed: keep %s as proof-stores/v<next>.txt", written)
                .isEqualTo(kinds(newest));
    }

    /** The letters of its keys, the version, and the lengths that are always the same. */
    private static Map<String, String> kinds(Path file) throws IOException {
        Map<String, String> kinds = new TreeMap<>();
        for (String line : Files.readAllLines(file)) {
            String[] words = line.split(" ", 3);
            if (words[0].equals("record")) {
                String kind = words[1].substring(0, 2);
                boolean isFixed = "vmcq".indexOf((char) Integer.parseInt(kind, 16)) >= 0;
                kinds.put(kind, words[1].length() + " " + (isFixed ? words[2].length() : "any"));
                if (kind.equals("76")) {
                    kinds.put("version", words[2]);
                }
            }
        }
        return kinds;
    }

    @Test
    void aStoreOfALaterVersionIsRefusedWhenItIsOpened() {
        // given
        store().put(Keys.format(), ByteBuffer.allocate(4).putInt(2).array());
        MockProcessorContext<Void, Void> context = new MockProcessorContext<>();
        context.addStateStore(store());
        ShardProofsProcessor later =
                new ShardProofsProcessor(TestLedger.TOPICS, ledger.definition(), 1, Optional.empty());

        // when, then
        assertThatThrownBy(() -> later.init(context))
                .isInstanceOf(IntegrityException.class)
                .hasMessageContaining("is of format 2, this version of the program knows 1");

        // and of this version it is taken
        store().put(Keys.format(), StoreFormat.encode());
        assertThatCode(() -> later.init(context)).doesNotThrowAnyException();
    }

    @Test
    void aStoreSaysOfWhichVersionItIs() {
        assertThat(store().get(Keys.format())).isEqualTo(new byte[] {0, 0, 0, 1});
    }

    // ---- made out of the archive

    /** As after the loss of Kafka: nothing comes from the topics but the published epochs. */
    private void openMadeOutOf(PackName... packs) {
        driver.close();
        topicsLost = true;
        ShardProofsState made = new ShardProofsState(0);
        outcomes.forEach(made::outcome);
        leaves.forEach(made::leaf);
        for (PackName pack : packs) {
            made.pack(pack);
        }
        directory = directory.resolve("next");
        open(Optional.of(new PackedProofs(objects)));
        made.write(LedgerOffset.first(2), (key, value) -> store().put(Bytes.wrap(key), value));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void madeOutOfTheArchiveItAnswersAsBefore(int packed) throws Exception {
        // given
        publish();
        Map<String, String> before = answers();
        before.values().removeIf(answer -> answer.contains("pending"));
        PackName[] packs = new PackName[packed];
        for (int pack = 0; pack < packed; pack++) {
            packs[pack] = givenPack(256 * pack, 256 * (pack + 1));
        }
        publish(packs);

        // when
        openMadeOutOf(packs);

        // then
        requireSameAnswers(before);
        assertThat(keys('t')).hasSize(4 - packed);
        long packedTo = packed == 0 ? -1 : leaves.get(256 * packed - 1).offset();
        assertThat(keys('o')).hasSize((int)
                outcomes.stream().filter(outcome -> outcome.offset() > packedTo).count());
        assertThat(text(queries.position(0, nextOffset)))
                .as("acknowledged perhaps, and lost")
                .contains("unknown");
        assertThat(text(queries.position(0, LedgerOffset.first(2)))).contains("pending");
    }

    @Test
    void madeOutOfTheArchiveItTakesDeltasAndLetsGoOfPacksThatReachIntoTheNextIncarnation() throws Exception {
        // given
        PackName first = givenPack(0, 256);
        publish(first);
        Map<String, String> before = answers();
        before.values().removeIf(answer -> answer.contains("pending"));
        openMadeOutOf(first);
        Sealed next = nextDelta(768 - LEAVES);
        pipe(next);

        // when
        publish(givenPack(256, 512), givenPack(512, 768));
        compact();

        // then
        assertThat(Compacted.of(store().get(Keys.compacted())).size()).isEqualTo(768);
        requireSameAnswers(before);
        for (int i = 0; i < next.getOffsets().size(); i++) {
            assertThat(text(queries.position(0, next.getOffsets().get(i)))).contains("leafIndex=" + (LEAVES + i));
        }
    }

    /** Behind the first leaves, of the next incarnation. */
    private Sealed nextDelta(int count) {
        for (int i = 0; i < count; i++) {
            long offset = LedgerOffset.of(2, i);
            EntryKind kind = i == 0 ? EntryKind.GENESIS : EntryKind.EVENT;
            leaves.add(new LeafRecord(kind, offset, 9_000 + i, ("next " + i).getBytes(StandardCharsets.UTF_8)));
            range.append(Rfc6962.leafHash(leaves.get(LEAVES + i).entry()));
        }
        nextOffset = LedgerOffset.of(2, count);
        return delta(LEAVES, LEAVES + count);
    }
}
