// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.avro.io.Decoder;
import org.apache.avro.util.Utf8;
import org.jspecify.annotations.Nullable;

/**
 * Avro's binary encoding read from an array. What Avro's own decoder leaves to system properties or lets pass is decided here
 * by the bytes alone, because the outcome of a record must not depend on how a program was started: a length or count is held
 * against the bytes that are left before anything is allocated, and a string must be UTF-8. Not thread-safe.
 */
final class BoundedDecoder extends Decoder {
    private static final int MAX_VARINT_BYTES = 10;

    private byte[] bytes = new byte[0];
    private int at;

    /** Reads from {@code from} to the end of {@code value}. */
    BoundedDecoder over(byte[] value, int from) {
        bytes = value;
        at = from;
        return this;
    }

    boolean isEnd() {
        return at == bytes.length;
    }

    /** Lets go of the array. */
    void release() {
        bytes = new byte[0];
        at = 0;
    }

    /** Why the bytes are no such record. Without a stack trace: it is an expected outcome. */
    static final class Malformed extends IOException {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message);
        }

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }

    @Override
    public void readNull() {
        // Takes no bytes.
    }

    @Override
    public boolean readBoolean() throws IOException {
        byte value = bytes[take(1)];
        if (value != 0 && value != 1) {
            throw new Malformed("a boolean is neither 0 nor 1");
        }
        return value == 1;
    }

    @Override
    public int readInt() throws IOException {
        long value = readLong();
        if (value != (int) value) {
            throw new Malformed("an int has more than 32 bits");
        }
        return (int) value;
    }

    @Override
    public long readLong() throws IOException {
        long value = 0;
        for (int i = 0; i < MAX_VARINT_BYTES; i++) {
            byte next = bytes[take(1)];
            if (i == MAX_VARINT_BYTES - 1 && (next & ~1) != 0) {
                break;
            }
            value |= (next & 0x7fL) << 7 * i;
            if (next >= 0) {
                return value >>> 1 ^ -(value & 1);
            }
        }
        throw new Malformed("a number has more than 64 bits");
    }

    @Override
    public float readFloat() throws IOException {
        return littleEndian(Float.BYTES).getFloat();
    }

    @Override
    public double readDouble() throws IOException {
        return littleEndian(Double.BYTES).getDouble();
    }

    private ByteBuffer littleEndian(int size) throws IOException {
        return ByteBuffer.wrap(bytes, take(size), size).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public Utf8 readString(@Nullable Utf8 old) throws IOException {
        return new Utf8(readString());
    }

    @Override
    public String readString() throws IOException {
        int length = length();
        int start = take(length);
        String text = new String(bytes, start, length, StandardCharsets.UTF_8);
        // What is not UTF-8 becomes the replacement character, so without one there is nothing to look for.
        if (text.indexOf('\ufffd') >= 0) {
            requireUtf8(start, length);
        }
        return text;
    }

    private void requireUtf8(int start, int length) throws Malformed {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, start, length));
        } catch (CharacterCodingException e) {
            throw new Malformed("a string is not UTF-8");
        }
    }

    @Override
    public void skipString() throws IOException {
        take(length());
    }

    @Override
    public ByteBuffer readBytes(@Nullable ByteBuffer old) throws IOException {
        int length = length();
        int start = take(length);
        byte[] copy = new byte[length];
        System.arraycopy(bytes, start, copy, 0, length);
        return ByteBuffer.wrap(copy);
    }

    @Override
    public void skipBytes() throws IOException {
        take(length());
    }

    @Override
    public void readFixed(byte[] target, int start, int length) throws IOException {
        System.arraycopy(bytes, take(length), target, start, length);
    }

    @Override
    public void skipFixed(int length) throws IOException {
        take(length);
    }

    @Override
    public int readEnum() throws IOException {
        return readInt();
    }

    @Override
    public int readIndex() throws IOException {
        return readInt();
    }

    @Override
    public long readArrayStart() throws IOException {
        return blockCount();
    }

    @Override
    public long arrayNext() throws IOException {
        return blockCount();
    }

    @Override
    public long skipArray() throws IOException {
        return skipBlocks();
    }

    @Override
    public long readMapStart() throws IOException {
        return blockCount();
    }

    @Override
    public long mapNext() throws IOException {
        return blockCount();
    }

    @Override
    public long skipMap() throws IOException {
        return skipBlocks();
    }

    /** Items of our schemas take a byte at least, so no more can follow than bytes are left. */
    private long blockCount() throws IOException {
        long count = readLong();
        if (count < 0) {
            // A negative count is followed by the size of the block, which only a reader that skips needs.
            readLong();
            count = -count;
        }
        return withinRest(count);
    }

    private long skipBlocks() throws IOException {
        long count = readLong();
        while (count < 0) {
            take(withinRest(readLong()));
            count = readLong();
        }
        return withinRest(count);
    }

    private int length() throws IOException {
        return withinRest(readLong());
    }

    private int withinRest(long size) throws Malformed {
        if (size < 0 || size > bytes.length - at) {
            throw new Malformed("a length goes beyond the record");
        }
        return (int) size;
    }

    /** Takes the next bytes and returns where they begin. */
    private int take(int size) throws IOException {
        int start = at;
        if (size > bytes.length - start) {
            throw new Malformed("the record breaks off");
        }
        at = start + size;
        return start;
    }
}
