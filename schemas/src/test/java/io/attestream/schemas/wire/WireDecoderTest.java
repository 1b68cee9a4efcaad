// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.attestream.proofs.control.SchemaText;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.ledger.SchemaRegistrar;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WireDecoderTest {
    private static final int EVENT_ID = WireSamples.BOOK.currentId(SchemaTexts.EVENT);

    private final WireDecoder<Event> decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, WireSamples.BOOK);

    private static byte[] valid() {
        return new ConfluentWire<>(Event.class, EVENT_ID).encode(WireSamples.plainEvent());
    }

    @Test
    void readsWhatWasWritten() {
        assertThat(decoder.decode(valid())).isEqualTo(new WireResult.Decoded<>(WireSamples.plainEvent()));
    }

    @Test
    void saysWhichSchemaTheLedgerDoesNotKnow() {
        byte[] value = valid();
        value[1] = (byte) 0xff;
        assertThat(decoder.decode(value)).isEqualTo(new WireResult.UnknownSchema<>(0xff000000 | EVENT_ID));
    }

    @Test
    void learnsNewSchemasFromARulesRecord() {
        // given
        Schema schema = SchemaTexts.current().get(SchemaTexts.EVENT);
        byte[] value = new ConfluentWire<>(Event.class, 77).encode(WireSamples.plainEvent());
        assertThat(decoder.decode(value)).isEqualTo(new WireResult.UnknownSchema<>(77));
        assertThat(decoder.decode(valid())).isInstanceOf(WireResult.Decoded.class);

        // when
        decoder.use(new SchemaBook(
                List.of(new SchemaText(SchemaTexts.EVENT, 77, SchemaTexts.fingerprint(schema), schema.toString()))));

        // then
        assertThat(decoder.decode(value)).isInstanceOf(WireResult.Decoded.class);
        assertThat(decoder.decode(valid())).isEqualTo(new WireResult.UnknownSchema<>(EVENT_ID));
    }

    /** Avro would read it and drop the new field: an older program would decide what a newer one decides otherwise. */
    @Test
    void doesNotReadASchemaOfANewerProgram() {
        // given
        Schema newer = withFieldAdded(SchemaTexts.current().get(SchemaTexts.EVENT));
        SchemaBook book = new SchemaBook(
                List.of(new SchemaText(SchemaTexts.EVENT, EVENT_ID, SchemaTexts.fingerprint(newer), newer.toString())));
        byte[] value = Arrays.copyOf(valid(), valid().length + 1);

        // when
        WireResult<Event> byThisProgram = new WireDecoder<>(Event.class, SchemaTexts.EVENT, book).decode(value);
        WireResult<Event> byTheNewerOne = new WireDecoder<>(
                        Event.class, SchemaTexts.EVENT, book, Set.of(SchemaTexts.fingerprint(newer)))
                .decode(value);

        // then
        assertThat(byTheNewerOne).isInstanceOf(WireResult.Decoded.class);
        assertThat(byThisProgram).isEqualTo(new WireResult.UnknownSchema<>(EVENT_ID));
    }

    private static Schema withFieldAdded(Schema schema) {
        List<Schema.Field> fields = new ArrayList<>();
        schema.getFields().forEach(field -> fields.add(new Schema.Field(field, field.schema())));
        fields.add(new Schema.Field("added", SchemaBuilder.builder().stringType(), null, ""));
        return Schema.createRecord(schema.getName(), null, schema.getNamespace(), false, fields);
    }

    @Test
    void refusesARecordOfAnotherKind() {
        byte[] value = new ConfluentWire<>(Sealed.class, SchemaTexts.SEALED, WireSamples.BOOK)
                .encode((Sealed) WireSamples.all().get("sealed").value());
        assertThat(decoder.decode(value)).isInstanceOf(WireResult.Undecodable.class);
    }

    @Test
    void refusesEveryTruncation() {
        byte[] value = valid();
        for (int length = 0; length < value.length; length++) {
            assertThat(decoder.decode(Arrays.copyOf(value, length)))
                    .as("first %d of %d bytes", length, value.length)
                    .isInstanceOf(WireResult.Undecodable.class);
        }
        assertThat(decoder.decode(null)).isInstanceOf(WireResult.Undecodable.class);
    }

    @Test
    void refusesBytesAfterTheRecord() {
        byte[] value = Arrays.copyOf(valid(), valid().length + 1);
        assertThat(decoder.decode(value)).isEqualTo(new WireResult.Undecodable<>("has bytes after the record"));
    }

    /** The bits above the 64th would be lost: another reader of the log might keep them, or refuse the record. */
    @Test
    void refusesANumberOfMoreThan64Bits() throws IOException {
        for (byte last : new byte[] {1, 2, 0x7f}) {
            // given an event whose data size takes ten bytes, of which the last has room for one bit
            byte[] varint = new byte[10];
            Arrays.fill(varint, (byte) 0x80);
            varint[9] = last;
            byte[] value = head(out -> {
                map(out, 0);
                out.writeFixed(new byte[32]);
                out.writeFixed(varint);
                out.writeFixed(new byte[16]);
                out.writeIndex(0);
            });

            // then no more than that bit is taken
            WireResult<Event> result = decoder.decode(value);
            if (last == 1) {
                assertThat(result).isInstanceOf(WireResult.Decoded.class);
            } else {
                assertThat(result)
                        .as("last byte %d", last)
                        .isEqualTo(new WireResult.Undecodable<>(
                                "is no Avro record of kind Event: a number has more than 64 bits"));
            }
        }
    }

    @Test
    void refusesAnotherMagicByte() {
        byte[] value = valid();
        value[0] = 1;
        assertThat(decoder.decode(value)).isInstanceOf(WireResult.Undecodable.class);
    }

    record Hostile(String what, Datum datum) {
        @Override
        public String toString() {
            return what;
        }
    }

    interface Datum {
        void write(BinaryEncoder out) throws IOException;
    }

    static Stream<Hostile> hostileLengths() {
        return Stream.of(
                new Hostile("string of 2 GiB", out -> out.writeLong(Integer.MAX_VALUE)),
                new Hostile("string of 60 MiB", out -> out.writeLong(60 << 20)),
                new Hostile("string of 8 EiB", out -> out.writeLong(Long.MAX_VALUE)),
                new Hostile("string of negative length", out -> out.writeLong(-1)),
                new Hostile("map of 2^31 - 1", out -> map(out, Integer.MAX_VALUE)),
                new Hostile("map of a million", out -> map(out, 1_000_000)),
                new Hostile("map of a million that begins", out -> {
                    map(out, 1_000_000);
                    out.writeString("id");
                    out.writeString("1");
                }),
                new Hostile("map of 2^62", out -> map(out, 1L << 62)),
                new Hostile("map of -2^63 in a block", out -> {
                    map(out, Long.MIN_VALUE);
                    out.writeLong(1);
                }),
                new Hostile("map of -1000000 in a block", out -> {
                    map(out, -1_000_000);
                    out.writeLong(8);
                }),
                new Hostile("payload of 60 MiB", out -> {
                    upToPayload(out);
                    out.writeIndex(1);
                    out.writeFixed(new byte[16]);
                    out.writeLong(60 << 20);
                }),
                new Hostile("payload branch 3", out -> {
                    upToPayload(out);
                    out.writeIndex(3);
                }),
                new Hostile("payload branch -1", out -> {
                    upToPayload(out);
                    out.writeIndex(-1);
                }));
    }

    private static void map(BinaryEncoder out, long count) throws IOException {
        out.writeString("tenant");
        out.writeString("actor");
        out.writeLong(count);
    }

    private static void upToPayload(BinaryEncoder out) throws IOException {
        map(out, 0);
        out.writeFixed(new byte[32]);
        out.writeLong(0);
        out.writeFixed(new byte[16]);
    }

    @ParameterizedTest
    @MethodSource("hostileLengths")
    void allocatesNothingForALengthThatCannotBe(Hostile hostile) throws IOException {
        // given
        decoder.decode(valid());
        byte[] value = head(hostile.datum());
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();

        // when
        WireResult<Event> result = decoder.decode(value);

        // then
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(result).isInstanceOf(WireResult.Undecodable.class);
        assertThat(allocated).isLessThan(100_000);
    }

    @Test
    void allocatesNothingForAnArrayThatCannotBe() throws IOException {
        // given: shard, incarnation, generation, first index, no kinds and no hashes, then 10 million offsets
        byte[] value = head(out -> {
            for (int i = 0; i < 6; i++) {
                out.writeLong(0);
            }
            out.writeLong(10_000_000);
        });
        value[4] = (byte) WireSamples.BOOK.currentId(SchemaTexts.SEALED);
        WireDecoder<Sealed> sealed = new WireDecoder<>(Sealed.class, SchemaTexts.SEALED, WireSamples.BOOK);
        sealed.decode(value);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();

        // when
        WireResult<Sealed> result = sealed.decode(value);

        // then
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(result).isInstanceOf(WireResult.Undecodable.class);
        assertThat(allocated).isLessThan(100_000);
    }

    private static byte[] head(Datum datum) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(ByteBuffer.allocate(5).put((byte) 0).putInt(EVENT_ID).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
        datum.write(encoder);
        encoder.flush();
        return out.toByteArray();
    }

    @Test
    void refusesAStringThatIsNotUtf8() {
        // given
        byte[] value = valid();
        byte[] source = "/s/ü".getBytes(StandardCharsets.UTF_8);
        int at = indexOf(value, source);

        // when
        value[at + source.length - 1] = 'x';

        // then
        assertThat(decoder.decode(value))
                .isEqualTo(new WireResult.Undecodable<>("is no Avro record of kind Event: a string is not UTF-8"));
    }

    @Test
    void readsTheReplacementCharacterWhereItWasWritten() {
        Event event = WireSamples.plainEvent();
        event.getAttributes().put("subject", "a\ufffdb");
        byte[] value = new ConfluentWire<>(Event.class, EVENT_ID).encode(event);
        assertThat(decoder.decode(value)).isEqualTo(new WireResult.Decoded<>(event));
    }

    private static int indexOf(byte[] value, byte[] part) {
        for (int i = 0; i + part.length <= value.length; i++) {
            if (Arrays.equals(value, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        throw new AssertionError("not in there");
    }

    @Test
    void neverThrowsWhateverTheBytes() {
        long seed = System.nanoTime();
        System.out.println("WireDecoderTest.neverThrowsWhateverTheBytes seed " + seed);
        Random random = new Random(seed);
        byte[][] seeds = WireSamples.all().values().stream()
                .filter(sample -> sample.value() instanceof Event)
                .map(sample -> new ConfluentWire<>(Event.class, EVENT_ID).encode((Event) sample.value()))
                .toArray(byte[][]::new);
        for (int round = 0; round < 20_000; round++) {
            byte[] value = seeds[random.nextInt(seeds.length)].clone();
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                value[5 + random.nextInt(value.length - 5)] = (byte) random.nextInt();
            }
            assertThat(decoder.decode(value)).isNotNull();
        }
    }

    @Test
    void keepsNoSchemaIdsFromARegistryOfItsOwn() {
        assertThat(SchemaRegistrar.withoutRegistry().stream().map(SchemaText::id))
                .containsExactly(1, 2, 3, 4);
    }
}
