// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import java.util.ArrayList;
import java.util.List;

/**
 * The archive object with all that one epoch added to all shards: entries, and what became of the records that are no leaves. The
 * rows and the table
 * around them are described in docs/entry-format.md. Immutable.
 */
public final class Segment {
    private static final String MAGIC = "ATSEG\0\0\1";

    private final LeafTable table;

    private Segment(LeafTable table) {
        this.table = table;
    }

    public static Segment parse(byte[] object) throws InvalidFormat {
        return new Segment(LeafTable.parse(object, MAGIC, LeafTable.LastRow.BEHIND_THE_LEAVES));
    }

    /** Of the whole object. */
    public int sizeBytes() {
        return table.sizeBytes();
    }

    public long epoch() {
        return table.epoch();
    }

    /** Shards with new leaves or outcomes in this epoch, ascending. */
    public List<Integer> shards() {
        return table.shards();
    }

    /** Index of the shard's first leaf here; its size if it has outcomes only. */
    public long firstIndex(int shard) throws InvalidFormat {
        return table.first(shard);
    }

    /** Number of the shard's leaves here; may be 0. */
    public int count(int shard) throws InvalidFormat {
        return table.count(shard);
    }

    public boolean has(int shard, long leafIndex) {
        return table.has(shard, leafIndex);
    }

    public LeafRecord leaf(int shard, long leafIndex) throws InvalidFormat {
        return LeafRow.parse(table.row(shard, leafIndex), leafIndex);
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

    /** What became of the shard's other records in this epoch, in the order of their offsets; empty if it has none here. */
    public List<OutcomeRecord> outcomes(int shard) throws InvalidFormat {
        return shards().contains(shard) ? OutcomeRow.parseAll(table.lastRow(shard)) : List.of();
    }

    public static Builder builder(long epoch) {
        return new Builder(epoch);
    }

    /** Builds a segment: shards ascending, leaves in their order, outcomes in that of their offsets. Not thread-safe. */
    public static final class Builder {
        private final LeafTable.Builder table;

        private Builder(long epoch) {
            table = new LeafTable.Builder(MAGIC, epoch, LeafTable.LastRow.BEHIND_THE_LEAVES);
        }

        public Builder startShard(int shard, long firstIndex) {
            table.startShard(shard, firstIndex);
            return this;
        }

        public Builder add(LeafRecord leaf) {
            table.row(LeafRow.head(leaf), leaf.entry());
            return this;
        }

        public Builder add(OutcomeRecord outcome) {
            table.behind(OutcomeRow.encode(outcome));
            return this;
        }

        public byte[] build() {
            return table.build();
        }
    }
}
