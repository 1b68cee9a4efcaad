// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.IdentityDigest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What deduplication has to know of up to 65,536 leaves of a shard, one row each. Part of a snapshot.
 *
 * <p>Layout, numbers big-endian: magic of 8 bytes; u32 shard; u64 index of the first leaf; u32 count; for each leaf a row of 41
 * bytes: u8 kind, u64 Kafka offset, 16 bytes identity digest (zero unless the leaf is an event), 16 bytes content tag (zero for
 * control records).
 */
public final class WindowBlock {
    /** Leaves of a full block. */
    public static final int LEAVES_MAX = 65_536;

    /** Of one leaf. */
    public static final int ROW_SIZE_BYTES = 1 + 8 + IdentityDigest.SIZE_BYTES + ContentTag.SIZE_BYTES;

    private static final byte[] MAGIC = "ATWIN\0\0\1".getBytes(StandardCharsets.US_ASCII);
    private static final int ROWS_AT = 8 + 4 + 8 + 4;

    private final byte[] object;
    private final WindowName name;

    /**
     * What deduplication has to know of one leaf. Arrays are not copied.
     *
     * @param offset of its record
     * @param identity 16 bytes
     * @param contentTag 16 bytes
     */
    public record Row(EntryKind kind, long offset, byte[] identity, byte[] contentTag) {}

    private WindowBlock(byte[] object, WindowName name) {
        this.object = object;
        this.name = name;
    }

    /** Which leaves it holds. */
    public WindowName name() {
        return name;
    }

    /** @param index in the shard, among those of {@link #name()} */
    public Row row(long index) throws InvalidFormat {
        ByteBuffer row = ByteBuffer.wrap(
                object, ROWS_AT + Math.toIntExact(index - name.first()) * ROW_SIZE_BYTES, ROW_SIZE_BYTES);
        EntryKind kind = EntryKind.ofCode(row.get());
        long offset = row.getLong();
        byte[] identity = new byte[IdentityDigest.SIZE_BYTES];
        row.get(identity);
        byte[] contentTag = new byte[ContentTag.SIZE_BYTES];
        row.get(contentTag);
        return new Row(kind, offset, identity, contentTag);
    }

    /** Fails unless the object has the digest of this name and holds its leaves, their offsets ascending. */
    public static WindowBlock parse(WindowName name, byte[] object) throws InvalidFormat {
        if (!PackHeader.sha256(object).equals(name.digest())) {
            throw new InvalidFormat(
                    name.name(), "has digest " + PackHeader.sha256(object).hex() + ", not the one in its name");
        }
        if (object.length != ROWS_AT + (long) name.count() * ROW_SIZE_BYTES
                || !Arrays.equals(header(name.shard(), name.first(), name.count()), Arrays.copyOf(object, ROWS_AT))) {
            throw new InvalidFormat(name.name(), "is not a window block of these leaves, version 1");
        }
        WindowBlock block = new WindowBlock(object, name);
        long before = -1;
        for (long index = name.first(); index < name.end(); index++) {
            long offset = block.row(index).offset();
            if (offset <= before) {
                throw new InvalidFormat(name.name(), "has leaf " + index + " at offset " + offset + " after " + before);
            }
            before = offset;
        }
        return block;
    }

    private static byte[] header(int shard, long first, int count) {
        return ByteBuffer.allocate(ROWS_AT)
                .put(MAGIC)
                .putInt(shard)
                .putLong(first)
                .putInt(count)
                .array();
    }

    /** Collects the rows of one block; grows as they come. Not thread-safe. */
    public static final class Builder {
        private static final int CAPACITY_MIN = 64;

        private final int shard;
        private final long first;
        private ByteBuffer rows = ByteBuffer.allocate(CAPACITY_MIN * ROW_SIZE_BYTES);

        /** @param first a multiple of {@link #LEAVES_MAX} */
        public Builder(int shard, long first) {
            if (first < 0 || first % LEAVES_MAX != 0) {
                throw new IllegalArgumentException("a window block begins at a multiple of 65536, not at " + first);
            }
            this.shard = shard;
            this.first = first;
        }

        public int count() {
            return rows.position() / ROW_SIZE_BYTES;
        }

        public Builder add(Row row) {
            if (count() == LEAVES_MAX) {
                throw new IllegalStateException("a window block has at most 65536 leaves");
            }
            if (!rows.hasRemaining()) {
                rows = ByteBuffer.allocate(2 * rows.capacity()).put(rows.flip());
            }
            rows.put(row.kind().code())
                    .putLong(row.offset())
                    .put(row.identity())
                    .put(row.contentTag());
            return this;
        }

        /** The block with the rows so far, at least one; more may be added afterwards. */
        public byte[] build() {
            if (count() == 0) {
                throw new IllegalStateException("a window block has at least one leaf");
            }
            return ByteBuffer.allocate(ROWS_AT + rows.position())
                    .put(header(shard, first, count()))
                    .put(rows.array(), 0, rows.position())
                    .array();
        }

        /** The name of the block with these bytes, as {@link #build} gave them. */
        public WindowName name(byte[] built) {
            int count = (built.length - ROWS_AT) / ROW_SIZE_BYTES;
            return new WindowName(shard, first, first + count, PackHeader.sha256(built));
        }
    }
}
