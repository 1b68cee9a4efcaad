// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.EntryKind;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** From the offsets of a delta's records to their leaf indexes. */
record DeltaIndex(long firstIndex, byte[] kinds, List<Long> offsets) {
    /** A leaf found by its offset. */
    record Found(long leafIndex, EntryKind kind) {}

    byte[] encode() {
        ByteBuffer bytes = ByteBuffer.allocate(12 + 9 * kinds.length);
        bytes.putLong(firstIndex).putInt(kinds.length).put(kinds);
        offsets.forEach(bytes::putLong);
        return bytes.array();
    }

    static DeltaIndex of(byte[] stored) {
        ByteBuffer bytes = ByteBuffer.wrap(stored);
        long firstIndex = bytes.getLong();
        byte[] kinds = new byte[bytes.getInt()];
        bytes.get(kinds);
        Long[] offsets = new Long[kinds.length];
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = bytes.getLong();
        }
        return new DeltaIndex(firstIndex, kinds, List.of(offsets));
    }

    Optional<Found> find(long offset) {
        int at = Collections.binarySearch(offsets, offset);
        if (at < 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Found(firstIndex + at, EntryKind.ofCode(kinds[at])));
        } catch (InvalidFormat e) {
            throw new IllegalStateException(e);
        }
    }
}
