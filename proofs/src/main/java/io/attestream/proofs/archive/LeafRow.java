// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryKind;
import java.nio.ByteBuffer;

/** A leaf's row, the same in segments and packs: u64 offset, u64 timestamp in milliseconds, u8 kind, entry. */
final class LeafRow {
    private static final int HEAD_SIZE_BYTES = 17;
    static final int MAX_SIZE_BYTES = HEAD_SIZE_BYTES + CanonicalEntry.MAX_SIZE_BYTES;

    private LeafRow() {}

    /** What is before the entry. */
    static byte[] head(LeafRecord leaf) {
        return ByteBuffer.allocate(HEAD_SIZE_BYTES)
                .putLong(leaf.offset())
                .putLong(leaf.timestampMillis())
                .put(leaf.kind().code())
                .array();
    }

    static LeafRecord parse(ByteBuffer row, long leafIndex) throws InvalidFormat {
        if (row.remaining() <= HEAD_SIZE_BYTES || row.remaining() > MAX_SIZE_BYTES) {
            throw new InvalidFormat("leaf " + leafIndex, "has a row of " + row.remaining() + " bytes");
        }
        long offset = row.getLong();
        long timestampMillis = row.getLong();
        EntryKind kind = EntryKind.ofCode(row.get());
        byte[] entry = new byte[row.remaining()];
        row.get(entry);
        return new LeafRecord(kind, offset, timestampMillis, entry);
    }
}
