// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Head;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.wire.SchemaBook;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;

/**
 * Reads the sequencer's records. One that cannot be read is fatal: nobody else may write there. Not thread-safe.
 */
final class ProcessorRecords {
    private final WireDecoder<Sealed> sealedDecoder;
    private final WireDecoder<Outcome> outcomeDecoder;

    ProcessorRecords(SchemaBook schemas) {
        this.sealedDecoder = new WireDecoder<>(Sealed.class, SchemaTexts.SEALED, schemas);
        this.outcomeDecoder = new WireDecoder<>(Outcome.class, SchemaTexts.OUTCOME, schemas);
    }

    SealedDelta sealed(int partition, long offset, byte @Nullable [] value) {
        Sealed sealed = decode(sealedDecoder, "sealed", partition, offset, value);
        Head head = sealed.getHead();
        return new SealedDelta(
                sealed.getShard(),
                sealed.getIncarnation(),
                sealed.getGeneration(),
                sealed.getFirstIndex(),
                bytes(sealed.getKinds()),
                bytes(sealed.getHashes()),
                longs(sealed.getOffsets()),
                longs(sealed.getTimestampsMillis()),
                bytes(sealed.getIdentityDigests()),
                head.getSize(),
                head.getRoot().bytes(),
                head.getNextOffset());
    }

    OutcomeClaim outcome(int partition, long offset, byte @Nullable [] value) {
        Outcome outcome = decode(outcomeDecoder, "outcomes", partition, offset, value);
        Long reference = outcome.getReference();
        return new OutcomeClaim(
                outcome.getShard(),
                outcome.getIncarnation(),
                outcome.getGeneration(),
                outcome.getOffset(),
                outcome.getKind() == OutcomeKind.DUPLICATE ? OutcomeClaim.Kind.DUPLICATE : OutcomeClaim.Kind.REJECTED,
                reference == null ? OptionalLong.empty() : OptionalLong.of(reference),
                outcome.getReason());
    }

    private static <T extends SpecificRecord> T decode(
            WireDecoder<T> decoder, String topic, int partition, long offset, byte @Nullable [] value) {
        if (decoder.decode(value) instanceof WireResult.Decoded<T> decoded) {
            return decoded.value();
        }
        throw new FatalDoubtException("topic " + topic + " partition " + partition + " offset " + offset
                + " cannot be read: only the sequencer may write there");
    }

    /** Nobody writes to what was decoded, so a buffer that is all of its array gives that array. */
    static byte[] bytes(ByteBuffer buffer) {
        if (buffer.hasArray() && buffer.arrayOffset() == 0 && buffer.remaining() == buffer.array().length) {
            return buffer.array();
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    private static long[] longs(List<Long> values) {
        long[] longs = new long[values.size()];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = values.get(i);
        }
        return longs;
    }
}
