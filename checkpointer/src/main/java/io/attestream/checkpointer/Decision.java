// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.entry.EntryKind;
import java.util.OptionalLong;

/** What became of one committed record, as this process decided it from the record and those before it. */
sealed interface Decision {
    long offset();

    /**
     * The record is a leaf. Arrays are not copied; nobody writes to them after construction.
     *
     * @param leafHash 32 bytes
     * @param identityDigest 16 bytes, zero unless the leaf is an event
     * @param contentTag 16 bytes, zero for control records; also of an event whose payload was erased
     */
    record Leaf(
            long offset,
            long index,
            EntryKind kind,
            long timestampMillis,
            byte[] entry,
            byte[] leafHash,
            byte[] identityDigest,
            byte[] contentTag,
            Payload payload)
            implements Decision {
        /** What the leaf holds in memory until it is published, roughly. */
        long sizeBytes() {
            return OBJECT_BYTES + entry.length + Payload.sizeBytes(payload);
        }

        /** What a delta says of it. */
        Leaf withoutContent() {
            return new Leaf(
                    offset,
                    index,
                    kind,
                    timestampMillis,
                    new byte[0],
                    leafHash,
                    identityDigest,
                    contentTag,
                    new Payload.None());
        }
    }

    /** The record must have an outcome and no leaf. */
    record WithoutLeaf(long offset, OutcomeClaim.Kind kind, OptionalLong reference, String reason)
            implements Decision {}

    /** Objects and array headers of one leaf, measured roughly on a 64-bit JVM. */
    int OBJECT_BYTES = 320;
}
