// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import java.util.List;

/**
 * The bytes of an epoch's objects: a function of its leaves and of what was published, so that they can be made again from
 * Kafka, under the same names.
 */
final class EpochObjects {
    private EpochObjects() {}

    /** @param leaves of each shard that the epoch adds, in shard order */
    static byte[] segment(long epoch, List<List<Leaf>> leaves) {
        Segment.Builder segment = Segment.builder(epoch);
        for (int shard = 0; shard < leaves.size(); shard++) {
            if (!leaves.get(shard).isEmpty()) {
                segment.startShard(shard, leaves.get(shard).get(0).index());
                for (Leaf leaf : leaves.get(shard)) {
                    segment.add(new LeafRecord(leaf.kind(), leaf.offset(), leaf.timestampMillis(), leaf.entry()));
                }
            }
        }
        return segment.build();
    }

    /** @param leaves of each shard that the epoch adds, in shard order */
    static byte[] payloads(long epoch, List<List<Leaf>> leaves) {
        PayloadObject.Builder payloads = PayloadObject.builder(epoch);
        for (int shard = 0; shard < leaves.size(); shard++) {
            if (!leaves.get(shard).isEmpty()) {
                payloads.startShard(shard, leaves.get(shard).get(0).index());
                leaves.get(shard).forEach(leaf -> payloads.add(leaf.payload()));
            }
        }
        return payloads.build();
    }

    /** The epoch object. */
    static byte[] published(LogRecord.Published published) {
        EpochIntent intent = published.intent();
        return new EpochObject(
                        intent.epochLeaf(),
                        intent.heads(),
                        published.note(),
                        intent.segment(),
                        intent.payloads(),
                        intent.generation())
                .encode();
    }
}
