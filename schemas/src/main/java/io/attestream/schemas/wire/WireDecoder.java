// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import io.attestream.proofs.control.SchemaText;
import io.attestream.schemas.SchemaTexts;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
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
    private final String name;
    private final Schema readerSchema;
    private SchemaBook book;
    private final Map<Integer, SpecificDatumReader<T>> readers = new HashMap<>();
    private final BoundedDecoder input = new BoundedDecoder();
    private final Set<String> knownFingerprints;

    /** @param name of the schema, see {@link SchemaTexts} */
    public WireDecoder(Class<T> type, String name, SchemaBook book) {
        this(type, name, book, SchemaTexts.knownFingerprints(name));
    }

    /** @param knownFingerprints versions this program can read */
    WireDecoder(Class<T> type, String name, SchemaBook book, Set<String> knownFingerprints) {
        this.knownFingerprints = Set.copyOf(knownFingerprints);
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
        SpecificDatumReader<T> known = readers.get(id);
        if (known != null) {
            return read(value, known);
        }
        SchemaText text = book.text(id);
        if (text == null) {
            return new WireResult.UnknownSchema<>(id);
        }
        if (!text.name().equals(name)) {
            return new WireResult.Undecodable<>("is a " + text.name() + ", not a record of kind " + name);
        }
        if (!knownFingerprints.contains(text.fingerprint())) {
            // Avro would read it and drop what it does not know: another version of this program would decide
            // otherwise.
            return new WireResult.UnknownSchema<>(id);
        }
        SpecificDatumReader<T> reader =
                new SpecificDatumReader<>(Objects.requireNonNull(book.schema(id)), readerSchema);
        readers.put(id, reader);
        return read(value, reader);
    }

    private WireResult<T> read(byte[] value, SpecificDatumReader<T> reader) {
        try {
            T read = Objects.requireNonNull(reader.read(null, input.over(value, ConfluentWire.HEAD_SIZE_BYTES)));
            return input.isEnd()
                    ? new WireResult.Decoded<>(read)
                    : new WireResult.Undecodable<>("has bytes after the record");
        } catch (BoundedDecoder.Malformed e) {
            return new WireResult.Undecodable<>("is no Avro record of kind " + name + ": " + e.getMessage());
        } catch (IOException | AvroRuntimeException | IndexOutOfBoundsException e) {
            // An enum or union index that the schema does not have.
            return new WireResult.Undecodable<>("is no Avro record of kind " + name);
        } finally {
            input.release();
        }
    }
}
