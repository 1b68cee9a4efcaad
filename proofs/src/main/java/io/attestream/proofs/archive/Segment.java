// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The archive object with all entries one epoch added to all shards. A row is u64 offset, u64 timestamp in milliseconds, u8
 * kind, entry; the table around the rows is described in docs/entry-format.md. Immutable.
 */
public final class Segment {
    private static final String MAGIC = "ATSEG\0\0\1";
    private static final int ROW_HEAD_SIZE_BYTES = 17;

    private final LeafTable table;

    private Segment(LeafTable table) {
        this.table = table;
    }

    public static Segment parse(byte[] object) throws InvalidFormat {
        return new Segment(LeafTable.parse(object, MAGIC));
    }

    public long epoch() {
        return table.epoch();
    }

    /** Shards with new leaves in this epoch, ascending. */
    public List<Integer> shards() {
        return table.shards();
    }

    /** Index of the shard's first leaf here. */
    public long firstIndex(int shard) throws InvalidFormat {
        return table.first(shard);
    }

    /** Number of the shard's leaves here. */
    public int count(int shard) throws InvalidFormat {
        return table.count(shard);
    }

    public boolean has(int shard, long leafIndex) {
        return table.has(shard, leafIndex);
    }

    public LeafRecord leaf(int shard, long leafIndex) throws InvalidFormat {
        ByteBuffer row = table.row(shard, leafIndex);
        if (row.remaining() <= ROW_HEAD_SIZE_BYTES
                || row.remaining() > ROW_HEAD_SIZE_BYTES + CanonicalEntry.MAX_SIZE_BYTES) {
            throw new InvalidFormat("leaf " + leafIndex, "has a row of " + row.remaining() + " bytes");
        }
        long offset = row.getLong();
        long timestampMillis = row.getLong();
        EntryKind kind = EntryKind.ofCode(row.get());
        byte[] entry = new byte[row.remaining()];
        row.get(entry);
        return new LeafRecord(kind, offset, timestampMillis, entry);
    }

    /** All leaves of a shard in their order; empty if it has none here. */
    public List<LeafRecord> leaves(int shard) throws InvalidFormat {
        List<LeafRecord> leaves = new ArrayList<>();
        if (shards().contains(shard)) {
            long first = table.first(shard);
            for (int i = 0; i < table.count(shard); i++) {
                leaves.add(leaf(shard, first + i));
            }
        }
        return leaves;
    }

    public static Builder builder(long epoch) {
        return new Builder(epoch);
    }

    /** Builds a segment: shards ascending, leaves in their order. Not thread-safe. */
    public static final class Builder {
        private final LeafTable.Builder table;

        private Builder(long epoch) {
            table = new LeafTable.Builder(MAGIC, epoch);
        }

        public Builder startShard(int shard, long firstIndex) {
            table.startShard(shard, firstIndex);
            return this;
        }

        public Builder add(LeafRecord leaf) {
            ByteBuffer head = ByteBuffer.allocate(ROW_HEAD_SIZE_BYTES);
            head.putLong(leaf.offset())
                    .putLong(leaf.timestampMillis())
                    .put(leaf.kind().code());
            table.row(head.array(), leaf.entry());
            return this;
        }

        public byte[] build() {
            return table.build();
        }
    }
}
