// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.proofs;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What became of a record that is no leaf.
 *
 * @param reference index of the first leaf; -1 for a rejection
 */
record StoredOutcome(boolean duplicate, long reference, String reason) {
    byte[] encode() {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(9 + text.length)
                .put((byte) (duplicate ? 1 : 0))
                .putLong(reference)
                .put(text)
                .array();
    }

    static StoredOutcome of(byte[] stored) {
        ByteBuffer bytes = ByteBuffer.wrap(stored);
        boolean duplicate = bytes.get() == 1;
        long reference = bytes.getLong();
        return new StoredOutcome(
                duplicate, reference, StandardCharsets.UTF_8.decode(bytes).toString());
    }
}
