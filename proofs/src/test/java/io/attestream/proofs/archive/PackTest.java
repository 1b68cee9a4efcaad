// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import static io.attestream.proofs.support.Samples.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.support.Golden;
import io.attestream.proofs.support.InMemoryObjectStore;
import io.attestream.proofs.support.Seeded;
import io.attestream.proofs.tile.Tile;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PackTest {
    private static final byte[] TAG = HexFormat.of().parseHex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf");
    private static final byte[] SALT = HexFormat.of().parseHex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");

    private final byte[] goldenPack = Golden.bytes("pack-v1.pack");
    private final byte[] goldenPayloads = Golden.bytes("payload-pack-v1.pay");

    private final ObjectStore store = new InMemoryObjectStore();
    private PackName name;

    @BeforeEach
    void open() throws Exception {
        name = PackName.parse(Golden.lines("pack-names-v1.txt").get(0));
    }

    /** Zstandard frames without compression: what the golden file has, and any library reads. */
    private static final class RawFrames implements PayloadPack.BlockCodec {
        private static final int HEADER_SIZE_BYTES = 12;

        @Override
        public String name() {
            return "zstd";
        }

        @Override
        public byte[] compress(byte[] raw) {
            return ByteBuffer.allocate(HEADER_SIZE_BYTES + raw.length)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(0xfd2fb528)
                    .put((byte) 0xa0)
                    .putInt(raw.length)
                    .put((byte) (1 | raw.length << 3))
                    .putShort((short) (raw.length >> 5))
                    .put(raw)
                    .array();
        }

        @Override
        public byte[] decompress(byte[] compressed, int rawSizeBytes) {
            assertThat(compressed).hasSize(HEADER_SIZE_BYTES + rawSizeBytes);
            return Arrays.copyOfRange(compressed, HEADER_SIZE_BYTES, compressed.length);
        }
    }

    private static byte[] entry(long index) {
        return utf8("{\"n\":" + index + "}");
    }

    private static LeafRecord leaf(long index) {
        return new LeafRecord(EntryKind.CONFLICT, 2 * index + 1, 1_700_000_000_000L + index, entry(index));
    }

    /** With outcomes before the first leaf, and between two others. */
    private static void addAll(PackBuilder pack) {
        pack.add(new OutcomeRecord.Duplicate(512, 7));
        pack.add(leaf(256));
        pack.add(new OutcomeRecord.Rejected(514, "undecodable: ü"));
        LongStream.range(257, 766).forEach(index -> pack.add(leaf(index)));
        pack.add(new OutcomeRecord.Duplicate(1532, 700));
        LongStream.range(766, 768).forEach(index -> pack.add(leaf(index)));
    }

    private static CompactRange range(long size) {
        CompactRange range = CompactRange.empty();
        LongStream.range(0, size).forEach(index -> range.append(Rfc6962.leafHash(entry(index))));
        return range;
    }

    private static PackBuilder builder() {
        return Pack.builder(2, range(256)).boundary(7, 300).boundary(9, 1000);
    }

    private static Payload payload(long index) {
        if (index == 256) {
            return new Payload.None();
        }
        return index == 257
                ? new Payload.Encrypted(
                        TAG, "key-1", HexFormat.of().parseHex("000102030405060708090a0b"), utf8("ciphertext"))
                : new Payload.Plain(TAG, SALT, utf8("payload " + index));
    }

    @Test
    void writesTheGoldenPack() {
        PackBuilder pack = builder();
        addAll(pack);
        Pack.Built built = pack.build();
        assertThat(built.object()).isEqualTo(goldenPack);
        assertThat(List.of(built.name().name(), built.name().payloads())).isEqualTo(Golden.lines("pack-names-v1.txt"));
        assertThat(built.name()).isEqualTo(name);
    }

    @Test
    void readsTheGoldenPack() throws Exception {
        store.putIfAbsent(name.name(), goldenPack);
        Pack pack = Pack.open(store, name).orElseThrow();

        for (long index = 256; index < 768; index++) {
            LeafRecord read = pack.leaf(index);
            assertThat(read.entry()).isEqualTo(entry(index));
            assertThat(read.kind()).isEqualTo(EntryKind.CONFLICT);
            assertThat(read.offset()).isEqualTo(2 * index + 1);
            assertThat(read.timestampMillis()).isEqualTo(1_700_000_000_000L + index);
        }
        assertThat(Hash.of(pack.tile(2), 0)).isEqualTo(Rfc6962.leafHash(entry(512)));
        assertThat(pack.frontier().root()).isEqualTo(range(256).root());
        assertThat(pack.rangeAtEnd().root()).isEqualTo(range(768).root());
        assertThat(pack.boundaries()).containsExactly(new Pack.Boundary(7, 300), new Pack.Boundary(9, 1000));
        assertThat(pack.nextOffset()).isEqualTo(1536);
        assertThat(pack.outcomes(0, 514)).containsExactly(new OutcomeRecord.Duplicate(512, 7));
        assertThat(pack.outcomes(513, 1533))
                .containsExactly(
                        new OutcomeRecord.Rejected(514, "undecodable: ü"), new OutcomeRecord.Duplicate(1532, 700));
        assertThat(pack.outcomes(515, 1532)).isEmpty();
        assertThat(pack.leafAt(1025)).hasValue(512);
        assertThat(pack.leafAt(1535)).hasValue(767);
        assertThat(List.of(pack.leafAt(511), pack.leafAt(514), pack.leafAt(1536)))
                .containsOnly(OptionalLong.empty());
        assertThat(pack.epochOf(299)).isEqualTo(7);
        assertThat(pack.epochOf(300)).isEqualTo(9);
        assertThatThrownBy(() -> pack.leaf(255)).hasMessageContaining("leaf 255");
        assertThatThrownBy(() -> pack.leaf(768)).hasMessageContaining("leaf 768");
    }

    /** What decides about repeats is left, and nothing of what was encrypted. */
    @Test
    void writesAndReadsTheGoldenPayloadPackOfWhichOneWasErased() throws Exception {
        // given
        PayloadPack.Builder builder = PayloadPack.builder(new RawFrames());
        Payload.Erased erased = new Payload.Erased(TAG, "key-1");
        LongStream.range(256, 768).forEach(index -> builder.add(index == 257 ? erased : payload(index)));

        // then
        byte[] golden = Golden.bytes("payload-pack-v2.pay");
        assertThat(builder.build(name)).isEqualTo(golden);
        store.putIfAbsent(name.payloads(), golden);
        PayloadPack.Rows rows =
                PayloadPack.open(store, name, new RawFrames()).orElseThrow().block(300);
        assertThat(Payload.isSame(rows.payload(257), erased)).isTrue();
        assertThat(Payload.contentTag(rows.payload(257))).isEqualTo(TAG);
        assertThat(erased.isLeftOf(payload(257))).isTrue();
        assertThat(erased.isLeftOf(payload(258))).isFalse();
        assertThat(new String(golden, StandardCharsets.ISO_8859_1)).doesNotContain("ciphertext");
    }

    @Test
    void writesAndReadsTheGoldenPayloadPack() throws Exception {
        // given
        PayloadPack.Builder builder = PayloadPack.builder(new RawFrames());
        LongStream.range(256, 768).forEach(index -> builder.add(payload(index)));

        // then
        assertThat(builder.build(name)).isEqualTo(goldenPayloads);
        store.putIfAbsent(name.payloads(), goldenPayloads);
        PayloadPack pack = PayloadPack.open(store, name, new RawFrames()).orElseThrow();
        PayloadPack.Rows rows = pack.block(300);
        assertThat(rows.first()).isEqualTo(256);
        assertThat(rows.payload(256)).isEqualTo(new Payload.None());
        assertThat(((Payload.Encrypted) rows.payload(257)).ciphertext()).isEqualTo(utf8("ciphertext"));
        assertThat(((Payload.Plain) rows.payload(767)).data()).isEqualTo(utf8("payload 767"));
        assertThat(rows.has(768)).isFalse();
    }

    @Test
    void readsOfManyOutcomesThoseAskedFor() throws Exception {
        // given more duplicates before a leaf than a block holds
        PackBuilder pack = Pack.builder(2, CompactRange.empty()).boundary(7, 256);
        List<OutcomeRecord> outcomes = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            outcomes.add(new OutcomeRecord.Duplicate(3L * i, 0));
            pack.add(outcomes.get(i));
        }
        for (int i = 0; i < 256; i++) {
            pack.add(new LeafRecord(EntryKind.EVENT, 30_000 + i, 0, entry(i)));
        }
        Pack.Built built = pack.build();
        store.putIfAbsent(built.name().name(), built.object());

        // then
        Pack read = Pack.open(store, built.name()).orElseThrow();
        read.requireWhole();
        assertThat(read.outcomes(0, 30_000)).isEqualTo(outcomes);
        Seeded.check(100, random -> {
            int from = random.below(10_000);
            int to = random.between(from, 10_000);
            assertThat(read.outcomes(3L * from - 1, 3L * to)).isEqualTo(outcomes.subList(from, to));
        });
    }

    @Test
    void endsWithALeafAndTakesOffsetsInTheirOrder() {
        PackBuilder pack = builder();
        addAll(pack);
        assertThatThrownBy(() -> pack.add(new OutcomeRecord.Duplicate(1535, 0))).hasMessageContaining("1535");
        pack.add(new OutcomeRecord.Duplicate(1536, 0));
        assertThatThrownBy(pack::build).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void splitsPayloadsIntoBlocksOfAMebibyte() throws Exception {
        // given payloads of which three fill a block
        PayloadPack.Builder builder = PayloadPack.builder(new RawFrames());
        for (int i = 0; i < 512; i++) {
            builder.add(new Payload.Plain(TAG, SALT, new byte[i < 8 ? 400_000 : 10]));
        }
        store.putIfAbsent(name.payloads(), builder.build(name));

        // then
        PayloadPack pack = PayloadPack.open(store, name, new RawFrames()).orElseThrow();
        assertThat(List.of(
                        pack.placeOf(256).first(),
                        pack.placeOf(258).first(),
                        pack.placeOf(259).first(),
                        pack.placeOf(767).first()))
                .containsExactly(256L, 256L, 259L, 262L);
        assertThat(((Payload.Plain) pack.block(261).payload(261)).data()).hasSize(400_000);
    }

    @Test
    void saysWhereTheRangeStandsInTheMiddleOfABlock() {
        PackBuilder pack = builder();
        LongStream.range(256, 600).forEach(index -> pack.add(leaf(index)));
        assertThat(pack.range().root()).isEqualTo(range(600).root());
        assertThatThrownBy(pack::build).hasMessageContaining("multiple of 256");
    }

    @Test
    void findsFlippedBitsOfAPack() throws Exception {
        for (int i = 0; i < goldenPack.length; i += 7) {
            assertRefused(flipped(goldenPack, i), goldenPayloads, i);
        }
    }

    @Test
    void findsFlippedBitsOfAPayloadPack() throws Exception {
        for (int i = 0; i < goldenPayloads.length; i += 7) {
            assertRefused(goldenPack, flipped(goldenPayloads, i), i);
        }
    }

    private static byte[] flipped(byte[] object, int at) {
        byte[] flipped = object.clone();
        flipped[at] ^= 1 << at % 8;
        return flipped;
    }

    private void assertRefused(byte[] pack, byte[] payloads, int at) throws Exception {
        store.replace(name.name(), pack);
        store.replace(name.payloads(), payloads);
        assertThatThrownBy(this::readAll)
                .as("bit in byte %d", at)
                .isInstanceOfAny(InvalidFormat.class, IOException.class);
    }

    private void readAll() throws Exception {
        Pack pack = Pack.open(store, name).orElseThrow();
        PayloadPack payloads = PayloadPack.open(store, name, new RawFrames()).orElseThrow();
        for (long first = 256; first < 768; first += 256) {
            pack.block(first);
            pack.tile(first / 256);
        }
        pack.outcomes(0, 1536);
        payloads.block(256);
    }

    @Test
    void refusesAPackUnderTheNameOfAnother() throws Exception {
        // given a pack of the same leaves whose boundaries are others
        PackBuilder pack = Pack.builder(2, range(256)).boundary(7, 1000);
        addAll(pack);
        store.putIfAbsent(name.name(), pack.build().object());

        // then
        assertThatThrownBy(() -> Pack.open(store, name))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("its name says another");
    }

    // ---- right by all its digests, and wrong: made so

    /** The golden pack with changes, and the digests and the name that fit them. */
    private Pack forged(UnaryOperator<String> headerChange, Consumer<ByteBuffer> rowsChange) throws Exception {
        int headerSize = ByteBuffer.wrap(goldenPack).getInt(8);
        int bodyAt = 8 + 4 + 32 + headerSize;
        String header = new String(goldenPack, bodyAt - headerSize, headerSize, StandardCharsets.UTF_8);
        PackHeader golden =
                PackHeader.read(storeOf(goldenPack), name.name(), Pack.MAGIC).orElseThrow();
        byte[] object = goldenPack.clone();
        int rowsAt = bodyAt + 2 * Tile.FULL_SIZE_BYTES;
        rowsChange.accept(
                ByteBuffer.wrap(object, rowsAt, object.length - rowsAt).slice());
        int at = rowsAt;
        for (String kind : List.of("blocks", "outcomes")) {
            for (JsonObject block : golden.objects(kind)) {
                int end = at + (int) block.integer("size");
                header = header.replace(
                        PackHeader.sha256(Arrays.copyOfRange(goldenPack, at, end))
                                .base64(),
                        PackHeader.sha256(Arrays.copyOfRange(object, at, end)).base64());
                at = end;
            }
        }
        byte[] changed = utf8(headerChange.apply(header));
        PackName forgedName = new PackName(2, 256, 768, PackHeader.sha256(changed));
        store.putIfAbsent(
                forgedName.name(),
                PackHeader.join(
                        PackHeader.encode(Pack.MAGIC, changed),
                        List.of(Arrays.copyOfRange(object, bodyAt, object.length))));
        return Pack.open(store, forgedName).orElseThrow();
    }

    private ObjectStore storeOf(byte[] pack) {
        InMemoryObjectStore one = new InMemoryObjectStore();
        one.replace(name.name(), pack);
        return one;
    }

    private Pack withHeader(String part, String other) throws Exception {
        return forged(
                header -> {
                    assertThat(header).containsOnlyOnce(part);
                    return header.replace(part, other);
                },
                rows -> {});
    }

    /** @param offset of the first row with it */
    private Pack withOffset(long offset, long other) throws Exception {
        return withRows(
                ByteBuffer.allocate(8).putLong(offset).array(),
                ByteBuffer.allocate(8).putLong(other).array());
    }

    private Pack withRows(byte[] part, byte[] other) throws Exception {
        return forged(header -> header, rows -> {
            int at = 0;
            while (!rows.slice(at, part.length).equals(ByteBuffer.wrap(part))) {
                at++;
            }
            rows.put(at, other);
        });
    }

    private static void assertRefused(ThrowingCallable read, String why) {
        assertThatThrownBy(read).isInstanceOf(InvalidFormat.class).hasMessageContaining(why);
    }

    @Test
    void refusesLeavesAtOtherOffsetsThanItsHeaderSays() throws Exception {
        String why = "has other offsets in its block of leaf 256";
        assertRefused(() -> withHeader("\"offset\":513", "\"offset\":511").block(256), why);
        assertRefused(() -> withOffset(515, 513).block(256), why); // not behind the one before it
        assertRefused(() -> withOffset(1023, 1025).block(256), why); // where the next block begins
        assertRefused(
                () -> withHeader("\"nextOffset\":1536", "\"nextOffset\":1540").block(512),
                "has another nextOffset than behind its last leaf");
    }

    @Test
    void refusesOutcomesAtOtherOffsetsThanItsHeaderSays() throws Exception {
        String why = "has other offsets in its block of outcomes 0";
        assertRefused(() -> withHeader("\"offset\":512", "\"offset\":510").outcomes(0, 1536), why);
        assertRefused(
                () -> withHeader("\"nextOffset\":1536", "\"nextOffset\":1532").outcomes(0, 1536), why);
    }

    @Test
    void isNotWholeWithAnotherEntryThanItsTileHasTheHashOf() throws Exception {
        Pack pack = withRows(entry(300), entry(301));
        pack.block(256);
        pack.tile(1);
        assertRefused(pack::requireWhole, "has another entry than hash of leaf 300");
    }

    @Test
    void isNotWholeWithALeafAndAnOutcomeOfOneRecord() throws Exception {
        Pack pack = withOffset(514, 515);
        pack.block(256);
        pack.outcomes(0, 1536);
        assertRefused(pack::requireWhole, "has an outcome of the offset of leaf 257");
    }

    @ParameterizedTest
    @CsvSource({"0, boundaries", "1, boundaries", "2, boundaries"})
    void refusesBoundariesThatDoNotCoverThePack(int which, String field) throws Exception {
        PackBuilder pack = Pack.builder(2, range(256));
        if (which == 0) {
            pack.boundary(7, 767);
        } else if (which == 1) {
            pack.boundary(7, 300).boundary(7, 1000);
        } else {
            pack.boundary(7, 800).boundary(8, 1000);
        }
        LongStream.range(256, 768).forEach(index -> pack.add(leaf(index)));
        Pack.Built built = pack.build();
        store.putIfAbsent(built.name().name(), built.object());
        assertThatThrownBy(() -> Pack.open(store, built.name()))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining(field);
    }

    @Test
    void isEmptyIfThereIsNone() throws Exception {
        assertThat(Pack.open(store, name)).isEmpty();
        assertThat(PayloadPack.open(store, name, new RawFrames())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "packs/00002/00000000000000000255-00000000000000000768-8acd15b46f4c77c1d584483de2869fbf91532d2753741f9e93b589d80696bafa.pack",
                "packs/00002/00000000000000000256-00000000000000000256-8acd15b46f4c77c1d584483de2869fbf91532d2753741f9e93b589d80696bafa.pack",
                "packs/00002/00000000000000000256-00000000000000065793-8acd15b46f4c77c1d584483de2869fbf91532d2753741f9e93b589d80696bafa.pack",
                "packs/00002/00000000000000000256-00000000000000131072-8acd15b46f4c77c1d584483de2869fbf91532d2753741f9e93b589d80696bafa.pack",
                "packs/00002/99999999999999999999-00000000000000131072-8acd15b46f4c77c1d584483de2869fbf91532d2753741f9e93b589d80696bafa.pack",
                "packs/2/00000000000000000256-00000000000000000768-8acd15b46f4c77c1d584483de2869fbf91532d2753741f9e93b589d80696bafa.pack",
                "packs/00002/00000000000000000256-00000000000000000768-8acd15b4.pack",
                "segments/00000000000000000256"
            })
    void refusesNamesOfNoPack(String text) {
        assertThatThrownBy(() -> PackName.parse(text)).isInstanceOf(InvalidFormat.class);
    }

    @Test
    void neverFailsOtherwiseOnAnyBytes() {
        Seeded.check(2_000, random -> {
            byte[] object = goldenPack.clone();
            for (int j = random.below(4); j >= 0; j--) {
                object[random.below(object.length)] = (byte) random.below(256);
            }
            store.replace(name.name(), Arrays.copyOf(object, 1 + random.below(object.length)));
            try {
                Pack pack = Pack.open(store, name).orElseThrow();
                pack.block(256);
                pack.tile(1);
            } catch (InvalidFormat | IOException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        });
    }
}
