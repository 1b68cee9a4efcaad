// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.OutcomeRecord.Duplicate;
import io.attestream.proofs.archive.OutcomeRecord.Rejected;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * An outcome's row, the same in segments and packs: u64 offset, u8 kind; of a duplicate (1) u64 leaf index, of a rejection (2) u16
 * length and the reason in UTF-8.
 */
final class OutcomeRow {
    private static final int HEAD_SIZE_BYTES = 9;
    private static final byte DUPLICATE = 1;
    private static final byte REJECTED = 2;
    private static final int REASON_MAX_BYTES = 1_024;
    static final int MAX_SIZE_BYTES = HEAD_SIZE_BYTES + 2 + REASON_MAX_BYTES;

    private OutcomeRow() {}

    static byte[] encode(OutcomeRecord outcome) {
        if (outcome instanceof Duplicate duplicate) {
            return ByteBuffer.allocate(HEAD_SIZE_BYTES + 8)
                    .putLong(duplicate.offset())
                    .put(DUPLICATE)
                    .putLong(duplicate.leafIndex())
                    .array();
        }
        Rejected rejected = (Rejected) outcome;
        byte[] reason = rejected.reason().getBytes(StandardCharsets.UTF_8);
        if (reason.length > REASON_MAX_BYTES) {
            throw new IllegalArgumentException("a reason has at most 1,024 bytes: " + rejected.reason());
        }
        return ByteBuffer.allocate(HEAD_SIZE_BYTES + 2 + reason.length)
                .putLong(rejected.offset())
                .put(REJECTED)
                .putShort((short) reason.length)
                .put(reason)
                .array();
    }

    /** Rows one behind the other, offsets ascending, up to the end of the bytes. */
    static List<OutcomeRecord> parseAll(ByteBuffer rows) throws InvalidFormat {
        List<OutcomeRecord> outcomes = new ArrayList<>();
        long last = -1;
        while (rows.hasRemaining()) {
            OutcomeRecord outcome = parse(rows, outcomes.size());
            if (outcome.offset() <= last) {
                throw new InvalidFormat(
                        "outcome " + outcomes.size(), "must be of a higher offset than the one before it");
            }
            last = outcome.offset();
            outcomes.add(outcome);
        }
        return outcomes;
    }

    private static OutcomeRecord parse(ByteBuffer rows, int number) throws InvalidFormat {
        requireRemaining(rows, HEAD_SIZE_BYTES, number);
        long offset = rows.getLong();
        byte kind = rows.get();
        switch (kind) {
            case DUPLICATE -> {
                requireRemaining(rows, 8, number);
                long leafIndex = rows.getLong();
                if (leafIndex < 0) {
                    throw new InvalidFormat("outcome " + number, "must name a leaf index below 2^63");
                }
                return new Duplicate(offset, leafIndex);
            }
            case REJECTED -> {
                requireRemaining(rows, 2, number);
                int size = Short.toUnsignedInt(rows.getShort());
                if (size > REASON_MAX_BYTES) {
                    throw new InvalidFormat("outcome " + number, "must have a reason of at most 1,024 bytes");
                }
                requireRemaining(rows, size, number);
                ByteBuffer reason = rows.slice(rows.position(), size);
                rows.position(rows.position() + size);
                return new Rejected(offset, text(reason, number));
            }
            default -> throw new InvalidFormat("outcome " + number, "is of no known kind: " + kind);
        }
    }

    private static String text(ByteBuffer utf8, int number) throws InvalidFormat {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            throw new InvalidFormat("outcome " + number, "must have a reason in UTF-8");
        }
    }

    private static void requireRemaining(ByteBuffer rows, int sizeBytes, int number) throws InvalidFormat {
        if (rows.remaining() < sizeBytes) {
            throw new InvalidFormat("outcome " + number, "has no whole row");
        }
    }
}
