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
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
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

    /**
     * The guard copy: the text to be signed and, behind an empty line, all that is fixed of the epoch, as its epoch object has it but
     * for the signature. With it the epoch can be finished when topic {@code checkpoints} is lost.
     */
    static byte[] guard(EpochIntent intent) {
        String fixed = new String(encode(intent, intent.noteText()), StandardCharsets.UTF_8);
        return (intent.noteText() + "\n" + fixed + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** Whether a guard copy is that of this intent. Older ones have the text alone. */
    static boolean isGuard(byte[] object, EpochIntent intent) {
        return Arrays.equals(object, guard(intent))
                || Arrays.equals(object, intent.noteText().getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The intent in a guard copy.
     *
     * @throws InvalidFormat also if it is an older one, which has only the text
     */
    static EpochIntent parseGuard(byte[] object) throws InvalidFormat {
        String guard = new String(object, StandardCharsets.UTF_8);
        int end = guard.indexOf("\n\n");
        if (end < 0) {
            throw new InvalidFormat("guard", "has only the text that was to be signed, as older versions wrote it");
        }
        EpochObject fixed =
                EpochObject.parse(guard.substring(end + 2, guard.length() - 1).getBytes(StandardCharsets.UTF_8));
        EpochIntent intent = intent(fixed, fixed.note());
        if (!Arrays.equals(object, guard(intent))) {
            throw new InvalidFormat("guard", "must be a text and the epoch it is of");
        }
        return intent;
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

    /** The epoch object. */
    static byte[] published(LogRecord.Published published) {
        return encode(published.intent(), published.note());
    }

    private static byte[] encode(EpochIntent intent, String note) {
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
