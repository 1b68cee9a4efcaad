// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.control.SchemaText;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.Head;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.Root32;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.wire.ConfluentWire;
import io.attestream.schemas.wire.SchemaBook;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The current schemas with ids as a registry would give them, and the wire forms of what the sequencer writes. */
final class TestSchemas {
    static final SchemaBook BOOK = new SchemaBook(all());

    private TestSchemas() {}

    static List<SchemaText> all() {
        List<SchemaText> texts = new ArrayList<>();
        SchemaTexts.current()
                .forEach((name, schema) -> texts.add(
                        new SchemaText(name, texts.size() + 1, SchemaTexts.fingerprint(schema), schema.toString())));
        return texts;
    }

    static byte[] encode(Event event) {
        return new ConfluentWire<>(Event.class, SchemaTexts.EVENT, BOOK).encode(event);
    }

    static Optional<Event> decodeEvent(byte[] value) {
        WireDecoder<Event> decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, BOOK);
        return decoder.decode(value) instanceof WireResult.Decoded<Event> decoded
                ? Optional.of(decoded.value())
                : Optional.empty();
    }

    static byte[] encode(SealedDelta delta) {
        Sealed sealed = Sealed.newBuilder()
                .setShard(delta.shard())
                .setIncarnation(delta.incarnation())
                .setGeneration(delta.generation())
                .setFirstIndex(delta.firstIndex())
                .setKinds(ByteBuffer.wrap(delta.kinds()))
                .setHashes(ByteBuffer.wrap(delta.hashes()))
                .setOffsets(Arrays.stream(delta.offsets()).boxed().toList())
                .setTimestampsMillis(
                        Arrays.stream(delta.timestampsMillis()).boxed().toList())
                .setIdentityDigests(ByteBuffer.wrap(delta.identityDigests()))
                .setHead(Head.newBuilder()
                        .setSize(delta.size())
                        .setRoot(new Root32(delta.root()))
                        .setNextOffset(delta.nextOffset())
                        .build())
                .build();
        return new ConfluentWire<>(Sealed.class, SchemaTexts.SEALED, BOOK).encode(sealed);
    }

    static byte[] encode(OutcomeClaim claim) {
        Outcome outcome = Outcome.newBuilder()
                .setShard(claim.shard())
                .setIncarnation(claim.incarnation())
                .setGeneration(claim.generation())
                .setOffset(claim.offset())
                .setKind(claim.kind() == OutcomeClaim.Kind.DUPLICATE ? OutcomeKind.DUPLICATE : OutcomeKind.REJECTED)
                .setReference(claim.reference().isPresent() ? claim.reference().getAsLong() : null)
                .setReason(claim.reason())
                .build();
        return new ConfluentWire<>(Outcome.class, SchemaTexts.OUTCOME, BOOK).encode(outcome);
    }
}
