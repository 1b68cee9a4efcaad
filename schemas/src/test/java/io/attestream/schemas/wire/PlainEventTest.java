// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EventTexts;
import io.attestream.proofs.entry.IdentityDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Digest32;
import io.attestream.schemas.avro.EncryptedPayload;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.avro.Salt16;
import io.attestream.schemas.avro.Tag16;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever {@link PlainEvent} reads, it must read as {@link WireDecoder} does: then they cannot decide differently. */
class PlainEventTest {
    private static final ConfluentWire<Event> WIRE =
            new ConfluentWire<>(Event.class, SchemaTexts.EVENT, WireSamples.BOOK);
    private static final long TIME = 1_767_600_000_000L;
    private static final int SHARDS = 7;

    private final PlainEvent plain = new PlainEvent();
    private final WireDecoder<Event> decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, WireSamples.BOOK);

    PlainEventTest() {
        plain.use(WireSamples.BOOK);
    }

    private static Map<String, String> attributes(String... namesAndValues) {
        Map<String, String> attributes =
                new HashMap<>(Map.of("id", "1", "source", "/s", "specversion", "1.0", "type", "t"));
        for (int i = 0; i < namesAndValues.length; i += 2) {
            attributes.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return attributes;
    }

    private static Event event(Map<String, String> attributes, @Nullable Object payload) {
        return new Event("acme", "actor-1", attributes, new Digest32(bytes(32)), 5L, new Tag16(bytes(16)), payload);
    }

    private static byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (7 * i + size);
        }
        return bytes;
    }

    private static PlainPayload payload(int size) {
        return new PlainPayload(new Salt16(bytes(16)), ByteBuffer.wrap(bytes(size)));
    }

    private static EncryptedPayload encrypted(String keyId) {
        return new EncryptedPayload(keyId, ByteBuffer.wrap(bytes(12)), ByteBuffer.wrap(bytes(30)));
    }

    static Stream<Event> plainOnes() {
        return Stream.of(
                event(attributes(), payload(0)),
                event(attributes(), payload(5000)),
                event(attributes(), null),
                event(attributes(), encrypted("0123456789abcdef-1")),
                event(attributes("partitionkey", "k"), payload(5)),
                event(attributes("partitionkey", ""), payload(5)),
                event(attributes("subject", "a".repeat(500), "time", "2026-01-05T09:00:00Z"), payload(5)),
                event(attributes("a", " !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"), payload(5)),
                event(attributes("a0", "x", "a", "x", "b", "", "zzzzzzzzzzzzzzzzzzzz", "x", "0", "x"), payload(5)));
    }

    @ParameterizedTest
    @MethodSource("plainOnes")
    void readsPlainEventsAsTheDecoderDoes(Event event) throws InvalidFormat {
        byte[] value = WIRE.encode(event);
        assertThat(plain.read(value)).isTrue();
        requireSame(value);
    }

    static Stream<Event> others() {
        Event noTenant = event(attributes(), null);
        noTenant.setTenant("");
        Event negative = event(attributes(), null);
        negative.setDataSize(-1L);
        Event huge = event(attributes(), null);
        huge.setDataSize(1L << 53);
        Map<String, String> many = attributes();
        for (int i = 0; many.size() <= PlainEvent.ATTRIBUTES_MAX; i++) {
            many.put("a" + i, "x");
        }
        Map<String, String> withoutType = attributes();
        withoutType.remove("type");
        return Stream.concat(
                Stream.of(
                        noTenant,
                        negative,
                        huge,
                        event(attributes(), encrypted("clé")),
                        event(many, null),
                        event(withoutType, null),
                        event(Map.of(), null),
                        event(attributes("id", ""), null),
                        event(attributes("data", "x"), null),
                        event(attributes("Upper", "x"), null),
                        event(attributes("", "x"), null),
                        event(attributes("a".repeat(21), "x"), null)),
                Stream.of("\"", "\\", "\u0000", "\n", "\u001f", "\u007f", "\u0080", "é", "漢", "\ud83d\ude00")
                        .flatMap(special -> Stream.of(0, 3, 7, 8, 20)
                                .map(before -> event(
                                        attributes("subject", "a".repeat(before) + special + "a".repeat(5)), null))));
    }

    @ParameterizedTest
    @MethodSource("others")
    void leavesOthersToTheDecoder(Event event) {
        assertThat(plain.read(WIRE.encode(event))).isFalse();
    }

    /** Of two values the decoder keeps the last. */
    @Test
    void leavesANameThatComesTwiceToTheDecoder() {
        byte[] value = WIRE.encode(event(attributes("qa", "x", "qb", "y"), null));
        assertThat(plain.read(value)).isTrue();
        value[new String(value, StandardCharsets.ISO_8859_1).indexOf("qb") + 1] = 'a';
        assertThat(plain.read(value)).isFalse();
    }

    /** The object is the same for every record. */
    @Test
    void nothingOfARecordItLeftShowsInTheNext() throws InvalidFormat {
        // given: a name that comes twice, with names that sort behind it between
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(Arrays.copyOf(WIRE.encode(event(attributes(), null)), ConfluentWire.HEAD_SIZE_BYTES));
        text(out, "acme", null);
        text(out, "actor-1", null);
        number(out, 7, null);
        for (String name : List.of("b", "id", "source", "specversion", "type", "c", "b")) {
            text(out, name, null);
            text(out, "x", null);
        }

        for (int i = 0; i < 3; i++) {
            // when
            assertThat(plain.read(out.toByteArray())).isFalse();

            // then
            byte[] next = WIRE.encode(event(attributes("a", "1", "b", "2", "c", "3", "d", "4"), payload(5)));
            assertThat(plain.read(next)).isTrue();
            requireSame(next);
        }
    }

    @Test
    void readsNoSchemaButTheOneItIsMadeFor() {
        // given
        Schema schema = SchemaTexts.current().get(SchemaTexts.EVENT);
        byte[] value = new ConfluentWire<>(Event.class, 77).encode(event(attributes(), null));
        assertThat(plain.read(value)).isFalse();

        // when
        plain.use(new SchemaBook(
                List.of(new SchemaText(SchemaTexts.EVENT, 77, SchemaTexts.fingerprint(schema), schema.toString()))));

        // then
        assertThat(plain.read(value)).isTrue();
        assertThat(plain.read(WIRE.encode(event(attributes(), null)))).isFalse();
        plain.use(new SchemaBook(List.of()));
        assertThat(plain.read(value)).isFalse();
    }

    /** Its records may be the same bytes and mean something else: another version of the program must decide about them. */
    @Test
    void readsNoOtherVersionOfTheSchema() {
        // given
        String text = SchemaTexts.current().get(SchemaTexts.EVENT).toString().replace("\"actor\"", "\"agent\"");
        Schema other = new Schema.Parser().parse(text);
        byte[] value = new ConfluentWire<>(Event.class, 77).encode(event(attributes(), null));

        // when
        plain.use(new SchemaBook(
                List.of(new SchemaText(SchemaTexts.EVENT, 77, SchemaTexts.fingerprint(other), other.toString()))));

        // then
        assertThat(plain.read(value)).isFalse();
    }

    static Stream<Arguments> sizes() {
        return Stream.of(
                Arguments.of(0L, true),
                Arguments.of((1L << 27) - 1, true),
                Arguments.of(1L << 27, false),
                Arguments.of(1L << 31, false),
                Arguments.of(1L << 35, false),
                Arguments.of(Long.MAX_VALUE, false));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void readsNoNumberThatIsTooLargeForIt(long dataSizeBytes, boolean read) throws InvalidFormat {
        Event event = event(attributes(), payload(5));
        event.setDataSize(dataSizeBytes);
        byte[] value = WIRE.encode(event);
        assertThat(plain.read(value)).isEqualTo(read);
        if (read) {
            requireSame(value);
        }
    }

    /** Avro's writers make none of these, its readers take them. */
    @Test
    void agreesWithTheDecoderWhateverTheLengthOfItsNumbersAndTheBlocksOfItsMap() throws InvalidFormat {
        long seed = System.nanoTime();
        System.out.println("PlainEventTest.agreesWith…Numbers seed " + seed);
        Random random = new Random(seed);
        int read = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] value = written(random);
            if (plain.read(value)) {
                requireSame(value);
                read++;
            }
        }
        assertThat(read).isGreaterThan(500).isLessThan(19_500);
    }

    private static byte[] written(Random random) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(Arrays.copyOf(WIRE.encode(event(attributes(), null)), ConfluentWire.HEAD_SIZE_BYTES));
        text(out, "acme", random);
        text(out, "actor-1", random);
        List<Map.Entry<String, String>> left =
                new ArrayList<>(attributes("subject", "some text").entrySet());
        while (!left.isEmpty()) {
            int count = random.nextInt(4) > 0 ? left.size() : 1 + random.nextInt(left.size());
            ByteArrayOutputStream block = new ByteArrayOutputStream();
            for (int i = 0; i < count; i++) {
                Map.Entry<String, String> attribute = left.remove(0);
                text(block, attribute.getKey(), random);
                text(block, attribute.getValue(), random);
            }
            boolean withSize = random.nextInt(8) == 0;
            number(out, withSize ? -count : count, random);
            if (withSize) {
                number(out, block.size(), random);
            }
            out.writeBytes(block.toByteArray());
        }
        number(out, 0, random);
        out.writeBytes(bytes(32));
        number(out, random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(1_000), random);
        out.writeBytes(bytes(16));
        number(out, 1, random);
        out.writeBytes(bytes(16));
        int size = random.nextInt(30);
        number(out, size + (random.nextInt(20) == 0 ? random.nextInt(3) - 1 : 0), random);
        out.writeBytes(bytes(size));
        return out.toByteArray();
    }

    private static void text(ByteArrayOutputStream out, String text, @Nullable Random random) {
        number(out, text.length(), random);
        out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Zigzag; with a source of chance, now and then with zeros behind it, which add nothing. */
    private static void number(ByteArrayOutputStream out, long number, @Nullable Random random) {
        long rest = number << 1 ^ number >> 63;
        int padding = random != null && random.nextInt(12) == 0 ? random.nextInt(10) : 0;
        while (rest > 0x7f || rest < 0 || padding > 0) {
            padding -= rest > 0x7f || rest < 0 ? 0 : 1;
            out.write((int) (rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    @Test
    void readsNoTruncatedRecordAndNoneWithBytesBehindIt() {
        byte[] value = WIRE.encode(event(attributes("subject", "some longer text"), payload(20)));
        for (int length = 0; length < value.length; length++) {
            assertThat(plain.read(Arrays.copyOf(value, length)))
                    .as("first %d bytes", length)
                    .isFalse();
        }
        assertThat(plain.read(Arrays.copyOf(value, value.length + 1))).isFalse();
    }

    @Test
    void agreesWithTheDecoderWhateverTheBytes() throws InvalidFormat {
        long seed = System.nanoTime();
        System.out.println("PlainEventTest.agreesWithTheDecoderWhateverTheBytes seed " + seed);
        Random random = new Random(seed);
        List<byte[]> values =
                Stream.concat(plainOnes(), others()).map(WIRE::encode).toList();
        int read = 0;
        for (int round = 0; round < 200_000; round++) {
            byte[] value = values.get(random.nextInt(values.size())).clone();
            int end = Math.min(value.length, 200);
            for (int changes = random.nextInt(3); changes >= 0; changes--) {
                value[random.nextInt(end)] = (byte) (random.nextBoolean() ? random.nextInt(48) : random.nextInt());
            }
            if (plain.read(value)) {
                requireSame(value);
                read++;
            }
        }
        assertThat(read).isGreaterThan(2_000);
    }

    /** After {@link PlainEvent#read} returned true. */
    private void requireSame(byte[] value) throws InvalidFormat {
        Event event = ((WireResult.Decoded<Event>) decoder.decode(value)).value();
        Map<String, String> attributes = event.getAttributes();
        byte[] digest = event.getDataDigest().bytes();
        CanonicalEntry.requireValid(attributes, event.getTenant(), event.getActor(), digest, event.getDataSize());
        EventTexts texts = EventTexts.of(attributes, event.getTenant(), event.getActor());
        String key = attributes.get("partitionkey");

        assertThat(plain.shard(SHARDS))
                .isEqualTo(Routing.shard(event.getTenant(), attributes.get("source"), key, SHARDS));
        assertThat(IdentityDigest.compute(plain))
                .isEqualTo(IdentityDigest.compute(texts))
                .isEqualTo(
                        IdentityDigest.compute(event.getTenant(), attributes.get("source"), key, attributes.get("id")));
        assertThat(plain.contentTag()).isEqualTo(event.getContentTag().bytes());
        assertThat(CanonicalEntry.event(plain, TIME, plain.dataDigest(), plain.dataSizeBytes()))
                .isEqualTo(CanonicalEntry.event(texts, TIME, digest, event.getDataSize()));
        assertThat(CanonicalEntry.conflict(plain, TIME, plain.dataDigest(), plain.dataSizeBytes(), new LeafIndex(3)))
                .isEqualTo(CanonicalEntry.conflict(texts, TIME, digest, event.getDataSize(), new LeafIndex(3)));
    }
}
