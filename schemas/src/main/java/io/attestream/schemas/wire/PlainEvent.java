// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.entry.Attributes;
import io.attestream.proofs.entry.EventTexts;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.json.JcsWriter;
import io.attestream.schemas.SchemaTexts;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An event record, version 1 of its schema, that is read where it lies: no strings are made, its texts go from the record into
 * the entry. Only if it is plain, as nearly all are: valid, with at most {@value #ATTRIBUTES_MAX} attributes in one block,
 * every text of printable ASCII that JSON writes as it is. What is not plain is no less valid; it is left to
 * {@link WireDecoder}.
 *
 * <p>One object for all records of a thread: {@link #read} forgets the one before. Not thread-safe.
 */
public final class PlainEvent implements EventTexts {
    static final int ATTRIBUTES_MAX = 16;

    private static final String FINGERPRINT =
            SchemaTexts.fingerprint(SchemaTexts.versions(SchemaTexts.EVENT).get(0));
    private static final int DIGEST_SIZE_BYTES = 32;
    private static final int TAG_SIZE_BYTES = 16;
    private static final int SALT_SIZE_BYTES = 16;
    private static final int NOT_PLAIN = -1;

    private static final byte[] ID = ascii("id");
    private static final byte[] SOURCE = ascii("source");
    private static final byte[] SPECVERSION = ascii("specversion");
    private static final byte[] TYPE = ascii("type");
    private static final byte[] PARTITIONKEY = ascii("partitionkey");
    private static final byte[] DATA = ascii("data");

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long EACH = 0x0101010101010101L;
    private static final long HIGH = EACH << 7;

    private final Text tenant = new Text();
    private final Text actor = new Text();
    private final Attribute[] attributes = new Attribute[ATTRIBUTES_MAX];
    private int count;
    private @Nullable Text source;
    private @Nullable Text id;
    private @Nullable Text specversion;
    private @Nullable Text type;
    private @Nullable Text partitionKey;
    private long dataSizeBytes;
    private final Text keyId = new Text();
    private int digestAt;
    private int tagAt;

    private int schemaId;
    private boolean known;
    private byte[] bytes = new byte[0];
    private int at;
    private byte[] key = new byte[256];

    /** Where a text lies in the record. */
    private static final class Text {
        private int from;
        private int length;
    }

    private static final class Attribute {
        private final Text name = new Text();
        private final Text value = new Text();
    }

    public PlainEvent() {
        Arrays.setAll(attributes, i -> new Attribute());
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Reads records of the schemas in this book from now on. */
    public void use(SchemaBook book) {
        known = false;
        for (SchemaText text : book.texts()) {
            if (text.name().equals(SchemaTexts.EVENT) && text.fingerprint().equals(FINGERPRINT)) {
                known = true;
                schemaId = text.id();
            }
        }
    }

    /** Reads a record's value; false if it is not plain, and then nothing is known about it. */
    public boolean read(byte[] value) {
        bytes = value;
        at = 0;
        return known
                && readHead()
                && readName(tenant)
                && readName(actor)
                && readAttributes()
                && readData()
                && readPayload()
                && at == value.length;
    }

    private boolean readHead() {
        if (bytes.length < ConfluentWire.HEAD_SIZE_BYTES || bytes[0] != ConfluentWire.MAGIC) {
            return false;
        }
        at = ConfluentWire.HEAD_SIZE_BYTES;
        return schemaId
                == ((bytes[1] & 0xff) << 24 | (bytes[2] & 0xff) << 16 | (bytes[3] & 0xff) << 8 | (bytes[4] & 0xff));
    }

    private boolean readName(Text text) {
        return readText(text) && text.length > 0 && isPlain(text);
    }

    private boolean readAttributes() {
        count = number();
        if (count <= 0 || count > ATTRIBUTES_MAX) {
            return false;
        }
        id = source = specversion = type = partitionKey = null;
        for (int i = 0; i < count; i++) {
            Attribute attribute = attributes[i];
            if (!readText(attribute.name)
                    || !isAttributeName(attribute.name)
                    || !readText(attribute.value)
                    || !isPlain(attribute.value)
                    || !sortIn(i)) {
                return false;
            }
            keep(attribute);
        }
        return number() == 0 && has(source) && has(id) && has(specversion) && has(type);
    }

    /** Keeps those it must have, and those that are used by name. */
    private void keep(Attribute attribute) {
        Text name = attribute.name;
        switch (name.length) {
            case 2 -> id = is(name, ID) ? attribute.value : id;
            case 4 -> type = is(name, TYPE) ? attribute.value : type;
            case 6 -> source = is(name, SOURCE) ? attribute.value : source;
            case 11 -> specversion = is(name, SPECVERSION) ? attribute.value : specversion;
            case 12 -> partitionKey = is(name, PARTITIONKEY) ? attribute.value : partitionKey;
            default -> {
                // used in the entry only
            }
        }
    }

    private static boolean has(@Nullable Text text) {
        return text != null && text.length > 0;
    }

    /** Moves an attribute to its place among those before it; false, and nothing is moved, if one of them has its name. */
    private boolean sortIn(int last) {
        Attribute moved = attributes[last];
        int place = last;
        for (; place > 0; place--) {
            int order = compareNames(attributes[place - 1].name, moved.name);
            if (order == 0) {
                return false;
            }
            if (order < 0) {
                break;
            }
        }
        System.arraycopy(attributes, place, attributes, place + 1, last - place);
        attributes[place] = moved;
        return true;
    }

    /** By byte: names are short, and a loop is faster than {@link Arrays#compare} then. */
    private int compareNames(Text left, Text right) {
        int common = Math.min(left.length, right.length);
        for (int i = 0; i < common; i++) {
            int difference = bytes[left.from + i] - bytes[right.from + i];
            if (difference != 0) {
                return difference;
            }
        }
        return left.length - right.length;
    }

    private boolean is(Text text, byte[] name) {
        for (int i = 0; i < name.length; i++) {
            if (bytes[text.from + i] != name[i]) {
                return false;
            }
        }
        return true;
    }

    private boolean readData() {
        digestAt = at;
        skip(DIGEST_SIZE_BYTES);
        dataSizeBytes = number();
        tagAt = at;
        skip(TAG_SIZE_BYTES);
        return dataSizeBytes != NOT_PLAIN;
    }

    private boolean readPayload() {
        int kind = number();
        if (kind == 1) {
            skip(SALT_SIZE_BYTES);
            skip(number());
        } else if (kind == 2) {
            boolean plainId = readText(keyId) && isPlain(keyId);
            skip(number()); // nonce
            skip(number()); // ciphertext
            return plainId;
        }
        return kind == 0 || kind == 1;
    }

    /** Beyond the end if there is not so much; every reading after it fails then. */
    private void skip(int size) {
        at = size < 0 || size > bytes.length - at ? bytes.length + 1 : at + size;
    }

    private boolean readText(Text text) {
        text.length = number();
        text.from = at;
        skip(text.length);
        return at <= bytes.length;
    }

    /** The next number if it is from 0 to 2^27 - 1, else {@link #NOT_PLAIN}. */
    private int number() {
        int zigzag = 0;
        for (int shift = 0; shift < 28 && at < bytes.length; shift += 7) {
            byte next = bytes[at++];
            zigzag |= (next & 0x7f) << shift;
            if (next >= 0) {
                return (zigzag & 1) == 0 ? zigzag >>> 1 : NOT_PLAIN;
            }
        }
        return NOT_PLAIN;
    }

    private boolean isAttributeName(Text name) {
        boolean valid = name.length > 0 && name.length <= Attributes.MAX_NAME_LENGTH;
        for (int i = name.from; valid && i < name.from + name.length; i++) {
            byte c = bytes[i];
            valid = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        }
        return valid && !(name.length == DATA.length && is(name, DATA));
    }

    private boolean isPlain(Text text) {
        int end = text.from + text.length;
        int i = text.from;
        for (; i <= end - Long.BYTES; i += Long.BYTES) {
            if (special((long) LONGS.get(bytes, i)) != 0) {
                return false;
            }
        }
        for (; i < end; i++) {
            if (special(bytes[i] & 0xffL | 0x20 * (EACH - 1)) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Not 0 if one of eight bytes is no ASCII, a control character, a quotation mark or a backslash. */
    private static long special(long eight) {
        long control = eight - 0x20 * EACH;
        return (eight
                        | (control & ~eight)
                        | zero(eight ^ 0x7f * EACH)
                        | zero(eight ^ '"' * EACH)
                        | zero(eight ^ '\\' * EACH))
                & HIGH;
    }

    /** The high bit of some byte is set if a byte is 0. */
    private static long zero(long eight) {
        return eight - EACH & ~eight;
    }

    /** See {@link Routing}. */
    public int shard(int shards) {
        Text ofSource = required(source);
        Text ofKey = partitionKey;
        int length = tenant.length + 1 + ofSource.length + (ofKey == null ? 0 : 1 + ofKey.length);
        if (key.length < length) {
            key = new byte[length];
        }
        copy(tenant, 0);
        key[tenant.length] = 0;
        copy(ofSource, tenant.length + 1);
        if (ofKey != null) {
            key[length - ofKey.length - 1] = 0;
            copy(ofKey, length - ofKey.length);
        }
        return Routing.shard(key, length, shards);
    }

    private void copy(Text text, int to) {
        System.arraycopy(bytes, text.from, key, to, text.length);
    }

    /** 32 bytes. */
    public byte[] dataDigest() {
        return Arrays.copyOfRange(bytes, digestAt, digestAt + DIGEST_SIZE_BYTES);
    }

    public long dataSizeBytes() {
        return dataSizeBytes;
    }

    /** 16 bytes. */
    public byte[] contentTag() {
        return Arrays.copyOfRange(bytes, tagAt, tagAt + TAG_SIZE_BYTES);
    }

    @Override
    public void writeTenant(JcsWriter out) {
        write(tenant, out);
    }

    @Override
    public void writeActor(JcsWriter out) {
        write(actor, out);
    }

    @Override
    public void writeAttributes(JcsWriter out) {
        for (int i = 0; i < count; i++) {
            out.raw(i == 0 ? "{" : ",");
            write(attributes[i].name, out);
            out.raw(":");
            write(attributes[i].value, out);
        }
        out.raw("}");
    }

    @Override
    public void writeSource(JcsWriter out) {
        write(required(source), out);
    }

    @Override
    public void writePartitionKey(JcsWriter out) {
        if (partitionKey == null) {
            out.raw("null");
        } else {
            write(partitionKey, out);
        }
    }

    @Override
    public void writeId(JcsWriter out) {
        write(required(id), out);
    }

    private void write(Text text, JcsWriter out) {
        out.plainString(bytes, text.from, text.length);
    }

    private static Text required(@Nullable Text text) {
        if (text == null) {
            throw new IllegalStateException("no record was read");
        }
        return text;
    }
}
