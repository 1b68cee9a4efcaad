// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import java.util.List;

/**
 * The payloads of all leaves one epoch added, apart from their segment so that they can be erased. Immutable.
 */
public final class PayloadObject {
    private static final String MAGIC = "ATPAY\0\0\1";

    private final LeafTable table;

    private PayloadObject(LeafTable table) {
        this.table = table;
    }

    public static PayloadObject parse(byte[] object) throws InvalidFormat {
        return new PayloadObject(LeafTable.parse(object, MAGIC, LeafTable.LastRow.OF_A_LEAF));
    }

    /** Of the whole object. */
    public int sizeBytes() {
        return table.sizeBytes();
    }

    public long epoch() {
        return table.epoch();
    }

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

    public Payload payload(int shard, long leafIndex) throws InvalidFormat {
        Payload payload = PayloadRow.parse(table.row(shard, leafIndex), leafIndex);
        if (payload instanceof Payload.Erased) {
            throw new InvalidFormat("payload of leaf " + leafIndex, "was erased, in an object that is never rewritten");
        }
        return payload;
    }

    public static Builder builder(long epoch) {
        return new Builder(epoch);
    }

    /** Builds a payload object: shards ascending, leaves in their order. Not thread-safe. */
    public static final class Builder {
        private final LeafTable.Builder table;

        private Builder(long epoch) {
            table = new LeafTable.Builder(MAGIC, epoch, LeafTable.LastRow.OF_A_LEAF);
        }

        public Builder startShard(int shard, long firstIndex) {
            table.startShard(shard, firstIndex);
            return this;
        }

        public Builder add(Payload payload) {
            table.row(PayloadRow.encode(payload));
            return this;
        }

        public byte[] build() {
            return table.build();
        }
    }
}
