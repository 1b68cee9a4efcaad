// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What segment and payload objects have in common: one row of bytes for each new leaf of each shard, found by (shard, leaf
 * index). Behind those of a shard there may be one row of another kind, if the format of the object has it.
 *
 * <p>Layout, numbers big-endian: magic of 8 bytes; u32 length of the header; the header, canonical JSON
 * {@code {"epoch":…,"shards":[{"count":…,"first":…,"shard":…}…],"v":1}}; for each shard in the header's order u64 positions
 * of its rows, relative to the first row of the object, and one more for the end; then all rows. Every number is checked
 * against the object's size when it is opened.
 */
final class LeafTable {
    private static final int MAGIC_SIZE_BYTES = 8;
    private static final int MAX_HEADER_SIZE_BYTES = 1 << 20;

    private final byte[] object;
    private final long epoch;
    private final List<ShardRows> shards;

    /** Whether a shard has a row behind those of its leaves. Either may be missing: the row is empty then. */
    enum LastRow {
        OF_A_LEAF,
        BEHIND_THE_LEAVES
    }

    /**
     * The rows of one shard: {@code rowAt[i]} is where row i begins in the object, the last is where the last row ends.
     *
     * @param count of leaves
     */
    private record ShardRows(int shard, long first, int count, int[] rowAt) {}

    private LeafTable(byte[] object, long epoch, List<ShardRows> shards) {
        this.object = object;
        this.epoch = epoch;
        this.shards = shards;
    }

    int sizeBytes() {
        return object.length;
    }

    long epoch() {
        return epoch;
    }

    List<Integer> shards() {
        return shards.stream().map(ShardRows::shard).toList();
    }

    /** Index of the first leaf of this shard; its end if the object has none. */
    long first(int shard) throws InvalidFormat {
        return rows(shard).first();
    }

    int count(int shard) throws InvalidFormat {
        return rows(shard).count();
    }

    boolean has(int shard, long index) {
        return shards.stream()
                .anyMatch(
                        rows -> rows.shard() == shard && index >= rows.first() && index - rows.first() < rows.count());
    }

    /** The row behind those of the shard's leaves; a view with position 0. */
    ByteBuffer lastRow(int shard) throws InvalidFormat {
        ShardRows rows = rows(shard);
        return view(rows, rows.count());
    }

    /** The row of a leaf; a view with position 0. */
    ByteBuffer row(int shard, long index) throws InvalidFormat {
        ShardRows rows = rows(shard);
        long number = index - rows.first();
        if (number < 0 || number >= rows.count()) {
            throw new InvalidFormat("leaf " + index, "is not among the leaves of shard " + shard + " in this object");
        }
        return view(rows, (int) number);
    }

    private ByteBuffer view(ShardRows rows, int number) {
        int from = rows.rowAt()[number];
        int to = rows.rowAt()[number + 1];
        return ByteBuffer.wrap(object, from, to - from).slice();
    }

    private ShardRows rows(int shard) throws InvalidFormat {
        for (ShardRows rows : shards) {
            if (rows.shard() == shard) {
                return rows;
            }
        }
        throw new InvalidFormat("shard " + shard, "has nothing in this object");
    }

    static LeafTable parse(byte[] object, String magic, LastRow lastRow) throws InvalidFormat {
        byte[] expected = magic.getBytes(StandardCharsets.US_ASCII);
        if (object.length < MAGIC_SIZE_BYTES + 4 || !Arrays.equals(expected, Arrays.copyOf(object, MAGIC_SIZE_BYTES))) {
            throw new InvalidFormat("magic", "is not that of this format, version 1");
        }
        ByteBuffer bytes = ByteBuffer.wrap(object);
        bytes.position(MAGIC_SIZE_BYTES);
        int headerSize = bytes.getInt();
        if (headerSize < 0 || headerSize > MAX_HEADER_SIZE_BYTES || headerSize > bytes.remaining()) {
            throw new InvalidFormat("header", "must be at most 1 MiB and within the object");
        }
        byte[] json = new byte[headerSize];
        bytes.get(json);
        JsonObject header = Jcs.parseCanonicalObject(json);
        header.allowOnly("epoch", "shards", "v");
        if (header.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        return new LeafTable(object, signed(header, "epoch"), readShards(header, bytes, lastRow));
    }

    private static long signed(JsonObject object, String name) throws InvalidFormat {
        long value = IndexText.read(object, name);
        if (value < 0) {
            throw new InvalidFormat(name, "must be below 2^63");
        }
        return value;
    }

    private static List<ShardRows> readShards(JsonObject header, ByteBuffer bytes, LastRow lastRow)
            throws InvalidFormat {
        int more = lastRow == LastRow.BEHIND_THE_LEAVES ? 1 : 0;
        List<JsonObject> described = new ArrayList<>();
        long positions = 0;
        for (JsonValue value : header.array("shards")) {
            if (!(value instanceof JsonObject shard)) {
                throw new InvalidFormat("shards", "must be objects");
            }
            shard.allowOnly("count", "first", "shard");
            long count = shard.integer("count");
            if (count + more < 1 || count < 0 || count > bytes.remaining() / 8) {
                throw new InvalidFormat("count", "must be at least " + (1 - more) + " and fit the object");
            }
            positions += count + more + 1;
            described.add(shard);
        }
        if (positions > bytes.remaining() / 8) {
            throw new InvalidFormat("shards", "must fit the object");
        }
        int base = bytes.position() + (int) positions * 8;
        List<ShardRows> shards = new ArrayList<>();
        long at = 0;
        int lastShard = -1;
        for (JsonObject shard : described) {
            long number = shard.integer("shard");
            if (number <= lastShard || number > Integer.MAX_VALUE) {
                throw new InvalidFormat("shard", "must ascend");
            }
            lastShard = (int) number;
            int count = (int) shard.integer("count");
            int[] rowAt = new int[count + more + 1];
            for (int i = 0; i < rowAt.length; i++) {
                long position = bytes.getLong();
                boolean mayBeEmpty = i > count && count > 0;
                boolean follows = i == 0 ? position == at : position > at || (mayBeEmpty && position == at);
                if (!follows || position > bytes.capacity() - base) {
                    throw new InvalidFormat("row " + i + " of shard " + number, "must follow the one before it");
                }
                at = position;
                rowAt[i] = base + (int) position;
            }
            long first = signed(shard, "first");
            if (first + rowAt.length < 0) {
                throw new InvalidFormat("first", "must leave all leaf indexes below 2^63");
            }
            shards.add(new ShardRows(lastShard, first, count, rowAt));
        }
        if (base + at != bytes.capacity()) {
            throw new InvalidFormat("rows", "must end with the object");
        }
        return shards;
    }

    /** Collects rows. Shards in ascending order, rows in the order of their leaves. */
    static final class Builder {
        private final String magic;
        private final long epoch;
        private final LastRow lastRow;
        private final List<JsonValue> described = new ArrayList<>();
        private final List<Long> positions = new ArrayList<>();
        private final ByteArrayOutputStream rows = new ByteArrayOutputStream();
        private int shard = -1;
        private long first;
        private final ByteArrayOutputStream behind = new ByteArrayOutputStream();
        private long count;

        Builder(String magic, long epoch, LastRow lastRow) {
            this.magic = magic;
            this.epoch = epoch;
            this.lastRow = lastRow;
        }

        void startShard(int newShard, long firstIndex) {
            if (newShard <= shard) {
                throw new IllegalArgumentException("shard " + newShard + " comes after shard " + shard);
            }
            endShard();
            shard = newShard;
            first = firstIndex;
            count = 0;
        }

        void row(byte[]... parts) {
            positions.add((long) rows.size());
            for (byte[] part : parts) {
                rows.writeBytes(part);
            }
            count++;
        }

        /** More of the row behind those of the shard's leaves. */
        void behind(byte[] part) {
            if (lastRow != LastRow.BEHIND_THE_LEAVES) {
                throw new IllegalStateException("this format has rows of leaves only");
            }
            behind.writeBytes(part);
        }

        private void endShard() {
            if (shard >= 0 && (count > 0 || behind.size() > 0)) {
                if (lastRow == LastRow.BEHIND_THE_LEAVES) {
                    positions.add((long) rows.size());
                    rows.writeBytes(behind.toByteArray());
                    behind.reset();
                }
                positions.add((long) rows.size());
                described.add(new JsonObject(Map.of(
                        "count", new JsonInteger(count),
                        "first", IndexText.of(first),
                        "shard", new JsonInteger(shard))));
            }
        }

        byte[] build() {
            endShard();
            shard = Integer.MAX_VALUE;
            byte[] header = Jcs.encode(new JsonObject(
                    Map.of("epoch", IndexText.of(epoch), "shards", new JsonArray(described), "v", new JsonInteger(1))));
            long size = MAGIC_SIZE_BYTES + 4L + header.length + 8L * positions.size() + rows.size();
            if (size > Integer.MAX_VALUE - 8) {
                throw new IllegalStateException("an archive object has less than 2 GiB");
            }
            ByteBuffer object = ByteBuffer.allocate((int) size);
            object.put(magic.getBytes(StandardCharsets.US_ASCII));
            object.putInt(header.length).put(header);
            positions.forEach(object::putLong);
            return object.put(rows.toByteArray()).array();
        }
    }
}
