// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import io.attestream.proofs.control.SchemaText;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;

/**
 * Reads the Confluent wire format with the schemas of the ledger. Never throws on input, and allocates no more than a small
 * multiple of the input's size. Not thread-safe: one for each thread and kind of record.
 *
 * @param <T> the generated record
 */
public final class WireDecoder<T extends SpecificRecord> {
    static {
        // A hostile length must not allocate what the record cannot hold. Read by Avro when it is first used; a value
        // given on the command line wins. No message is near these sizes, so they decide nothing else.
        setDefault("org.apache.avro.limits.bytes.maxLength", 64 << 20);
        setDefault("org.apache.avro.limits.string.maxLength", 64 << 20);
        setDefault("org.apache.avro.limits.collectionItems.maxLength", 1 << 20);
    }

    private final String name;
    private final Schema readerSchema;
    private SchemaBook book;
    private final Map<Integer, SpecificDatumReader<T>> readers = new HashMap<>();
    private @Nullable BinaryDecoder decoder;

    /** @param name of the schema, see {@link io.attestream.schemas.SchemaTexts} */
    public WireDecoder(Class<T> type, String name, SchemaBook book) {
        this.name = name;
        this.readerSchema = SpecificData.get().getSchema(type);
        this.book = book;
    }

    /** Uses other schemas from the next record on: a rules record changed them. */
    public void use(SchemaBook newBook) {
        this.book = newBook;
        readers.clear();
    }

    public WireResult<T> decode(byte @Nullable [] value) {
        if (value == null || value.length < ConfluentWire.HEAD_SIZE_BYTES || value[0] != ConfluentWire.MAGIC) {
            return new WireResult.Undecodable<>("does not begin with magic byte 0 and a schema id");
        }
        int id = (value[1] & 0xff) << 24 | (value[2] & 0xff) << 16 | (value[3] & 0xff) << 8 | (value[4] & 0xff);
        SchemaText text = book.text(id);
        if (text == null) {
            return new WireResult.UnknownSchema<>(id);
        }
        if (!text.name().equals(name)) {
            return new WireResult.Undecodable<>("is a " + text.name() + ", not a record of kind " + name);
        }
        return read(value, readers.computeIfAbsent(id, this::reader));
    }

    private SpecificDatumReader<T> reader(int id) {
        Schema writerSchema = Objects.requireNonNull(book.schema(id));
        return new SpecificDatumReader<>(writerSchema, readerSchema);
    }

    private WireResult<T> read(byte[] value, SpecificDatumReader<T> reader) {
        int head = ConfluentWire.HEAD_SIZE_BYTES;
        BinaryDecoder input = DecoderFactory.get().binaryDecoder(value, head, value.length - head, decoder);
        decoder = input;
        try {
            T read = Objects.requireNonNull(reader.read(null, input));
            return input.isEnd()
                    ? new WireResult.Decoded<>(read)
                    : new WireResult.Undecodable<>("has bytes after the record");
        } catch (IOException | AvroRuntimeException | UnsupportedOperationException | IndexOutOfBoundsException e) {
            return new WireResult.Undecodable<>("is no Avro record of kind " + name);
        }
    }

    private static void setDefault(String property, int value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, Integer.toString(value));
        }
    }
}
