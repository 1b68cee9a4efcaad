// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import java.io.IOException;
import java.util.List;

/**
 * The epoch's two objects: the segment with every new entry, from which all that is signed can be restored, and the payload
 * object beside it. Create-only, digest in the name: a paused checkpointer can leave objects nobody refers to, never a wrong
 * one under a right name.
 */
final class EpochArchive {
    private final ObjectStore store;

    EpochArchive(ObjectStore store) {
        this.store = store;
    }

    /** Returns the name under which the epoch's entries are now durable. */
    String writeSegment(EpochAssembler.Epoch epoch) {
        Segment.Builder segment = Segment.builder(epoch.number());
        List<List<Leaf>> leaves = epoch.content().leaves();
        for (int shard = 0; shard < leaves.size(); shard++) {
            if (!leaves.get(shard).isEmpty()) {
                segment.startShard(shard, leaves.get(shard).get(0).index());
                for (Leaf leaf : leaves.get(shard)) {
                    segment.add(new LeafRecord(leaf.kind(), leaf.offset(), leaf.timestampMillis(), leaf.entry()));
                }
            }
        }
        byte[] object = segment.build();
        return put(ObjectNames.segment(epoch.number(), object), object);
    }

    /** Returns the name under which the epoch's payloads are now durable. */
    String writePayloads(EpochAssembler.Epoch epoch) {
        PayloadObject.Builder payloads = PayloadObject.builder(epoch.number());
        List<List<Leaf>> leaves = epoch.content().leaves();
        for (int shard = 0; shard < leaves.size(); shard++) {
            if (!leaves.get(shard).isEmpty()) {
                payloads.startShard(shard, leaves.get(shard).get(0).index());
                leaves.get(shard).forEach(leaf -> payloads.add(leaf.payload()));
            }
        }
        byte[] object = payloads.build();
        return put(ObjectNames.payloads(epoch.number(), object), object);
    }

    /**
     * Reads both objects back.
     *
     * @throws FatalDoubtException unless each is there, whole, and has the digest its name says
     */
    void requireReadable(String segment, String payloads) {
        read(segment);
        read(payloads);
    }

    /** The segment with this name, read from the store and checked against its digest. */
    Segment readSegment(String name) {
        try {
            return Segment.parse(read(name));
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("object " + name + " is no segment: " + e.getMessage(), e);
        }
    }

    private String put(String name, byte[] object) {
        try {
            if (store.putIfAbsent(name, object) instanceof ObjectStore.PutResult.DifferentBytes) {
                throw new FatalDoubtException("object " + name + " exists with bytes that do not have its digest");
            }
            return name;
        } catch (IOException e) {
            throw new FatalDoubtException("object " + name + " could not be written: " + e.getMessage(), e);
        }
    }

    private byte[] read(String name) {
        try {
            byte[] object = store.get(name)
                    .orElseThrow(() -> new FatalDoubtException(
                            "object " + name + " is missing although a checkpoint is to be signed that rests on it"));
            ObjectNames.requireDigest(name, object);
            return object;
        } catch (IOException e) {
            throw new FatalDoubtException("object " + name + " could not be read: " + e.getMessage(), e);
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("object " + e.getMessage(), e);
        }
    }
}
