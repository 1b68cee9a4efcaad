// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;

/**
 * Writes the Confluent wire format: magic byte 0, the schema id as a big-endian 32-bit number, the Avro binary encoding. Not
 * thread-safe: one for each thread and kind of record.
 *
 * @param <T> the generated record
 */
public final class ConfluentWire<T extends SpecificRecord> {
    /** First byte of every Avro record; control records begin with 1. */
    public static final byte MAGIC = 0;

    static final int HEAD_SIZE_BYTES = 5;

    private final int schemaId;
    private final SpecificDatumWriter<T> writer;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
    private BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);

    /**
     * @param book gives the id under which the ledger knows the record's schema
     * @param name of the schema, see {@link io.attestream.schemas.SchemaTexts}
     */
    public ConfluentWire(Class<T> type, String name, SchemaBook book) {
        this(type, book.currentId(name));
    }

    public ConfluentWire(Class<T> type, int schemaId) {
        this.schemaId = schemaId;
        this.writer = new SpecificDatumWriter<>(type);
    }

    public byte[] encode(T value) {
        out.reset();
        out.write(MAGIC);
        out.write(schemaId >>> 24);
        out.write(schemaId >>> 16);
        out.write(schemaId >>> 8);
        out.write(schemaId);
        encoder = EncoderFactory.get().directBinaryEncoder(out, encoder);
        try {
            writer.write(value, encoder);
            encoder.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory does not fail", e);
        }
        return out.toByteArray();
    }
}
