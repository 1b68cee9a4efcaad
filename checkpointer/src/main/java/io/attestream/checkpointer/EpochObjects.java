// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.checkpointer.Decision.WithoutLeaf;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.EpochObject;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.tree.CompactRange;
import java.util.List;

/**
 * The bytes of an epoch's objects: a function of the records it adds and of what was published, so that they can be made again from
 * Kafka, under the same names.
 */
final class EpochObjects {
    private EpochObjects() {}

    /** @param added to each shard by the epoch, in shard order */
    static byte[] segment(long epoch, List<Added> added) {
        Segment.Builder segment = Segment.builder(epoch);
        for (int shard = 0; shard < added.size(); shard++) {
            if (!added.get(shard).isEmpty()) {
                segment.startShard(shard, added.get(shard).first());
                added.get(shard).leaves().forEach(leaf -> segment.add(record(leaf)));
                added.get(shard).withoutLeaf().forEach(other -> segment.add(record(other)));
            }
        }
        return segment.build();
    }

    static LeafRecord record(Leaf leaf) {
        return new LeafRecord(leaf.kind(), leaf.offset(), leaf.timestampMillis(), leaf.entry());
    }

    static OutcomeRecord record(WithoutLeaf other) {
        return other.kind() == OutcomeClaim.Kind.DUPLICATE
                ? new OutcomeRecord.Duplicate(other.offset(), other.reference().orElseThrow())
                : new OutcomeRecord.Rejected(other.offset(), other.reason());
    }

    /** @param added to each shard by the epoch, in shard order */
    static byte[] payloads(long epoch, List<Added> added) {
        PayloadObject.Builder payloads = PayloadObject.builder(epoch);
        for (int shard = 0; shard < added.size(); shard++) {
            if (!added.get(shard).leaves().isEmpty()) {
                payloads.startShard(shard, added.get(shard).first());
                added.get(shard).leaves().forEach(leaf -> payloads.add(leaf.payload()));
            }
        }
        return payloads.build();
    }

    /** The leaf of the ledger log that an intent has. */
    static EpochLeaf leaf(EpochIntent intent) {
        try {
            return EpochLeaf.parse(intent.epochLeaf());
        } catch (InvalidFormat e) {
            throw new FatalDoubtException(
                    "epoch " + intent.epoch() + ": its epoch leaf cannot be read: " + e.getMessage(), e);
        }
    }

    /** @param noteText that was, or is to be, signed */
    static EpochIntent intent(EpochObject object, String noteText) throws InvalidFormat {
        return new EpochIntent(
                EpochLeaf.parse(object.epochLeaf()).epoch(),
                object.epochLeaf(),
                object.heads(),
                noteText,
                object.segment(),
                object.payloads(),
                object.generation());
    }

    /**
     * What proves that a published epoch logs a change of keys.
     *
     * @param before the ledger log up to that epoch, without it
     */
    static byte[] keyStep(LogRecord.Published published, CompactRange before, KeyChange change) {
        return KeyStep.of(change, published.intent().epochLeaf(), before, published.note())
                .encode();
    }

    /** The epoch object. */
    static byte[] published(LogRecord.Published published) {
        return encode(published.intent(), published.note());
    }

    static byte[] encode(EpochIntent intent, String note) {
        return new EpochObject(
                        intent.epochLeaf(),
                        intent.heads(),
                        note,
                        intent.segment(),
                        intent.payloads(),
                        intent.generation())
                .encode();
    }
}
