// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.wire;

import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.CheckpointRecord;
import io.attestream.schemas.avro.Digest32;
import io.attestream.schemas.avro.EncryptedPayload;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.Head;
import io.attestream.schemas.avro.Intent;
import io.attestream.schemas.avro.Outcome;
import io.attestream.schemas.avro.OutcomeKind;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.avro.Published;
import io.attestream.schemas.avro.Root32;
import io.attestream.schemas.avro.Salt16;
import io.attestream.schemas.avro.Sealed;
import io.attestream.schemas.avro.ShardNote;
import io.attestream.schemas.avro.ShardNotes;
import io.attestream.schemas.avro.Tag16;
import io.attestream.schemas.ledger.SchemaRegistrar;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;

/** One record of each kind and branch, with fixed content. */
final class WireSamples {
    /** An id that shows the byte order. */
    static final int ID = 0x01020304;

    static final SchemaBook BOOK = new SchemaBook(SchemaRegistrar.withoutRegistry());

    private WireSamples() {}

    /** Name of the golden file to schema and record. */
    static Map<String, Sample> all() {
        Map<String, Sample> samples = new LinkedHashMap<>();
        samples.put("event-plain", new Sample(SchemaTexts.EVENT, plainEvent()));
        samples.put("event-erased", new Sample(SchemaTexts.EVENT, event(null)));
        samples.put("event-encrypted", new Sample(SchemaTexts.EVENT, encryptedEvent()));
        samples.put("sealed", new Sample(SchemaTexts.SEALED, sealed()));
        samples.put("sealed-without-leaves", new Sample(SchemaTexts.SEALED, sealedWithoutLeaves()));
        samples.put("outcome-duplicate", new Sample(SchemaTexts.OUTCOME, outcome(OutcomeKind.DUPLICATE, 41L, "")));
        samples.put(
                "outcome-rejected", new Sample(SchemaTexts.OUTCOME, outcome(OutcomeKind.REJECTED, null, "misrouted")));
        samples.put("checkpoint-intent", new Sample(SchemaTexts.CHECKPOINT_RECORD, new CheckpointRecord(intent())));
        samples.put(
                "checkpoint-published", new Sample(SchemaTexts.CHECKPOINT_RECORD, new CheckpointRecord(published())));
        samples.put("checkpoint-shard-notes", new Sample(SchemaTexts.CHECKPOINT_RECORD, new CheckpointRecord(notes())));
        return samples;
    }

    record Sample(String schema, SpecificRecord value) {}

    static Event plainEvent() {
        return event(new PlainPayload(new Salt16(filled(16, 0xa5)), bytes("{\"n\":1}")));
    }

    private static Event encryptedEvent() {
        return event(new EncryptedPayload("subject-7", ByteBuffer.wrap(filled(12, 1)), ByteBuffer.wrap(filled(39, 2))));
    }

    static Event event(Object payload) {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("specversion", "1.0");
        attributes.put("id", "e-1");
        attributes.put("source", "/s/ü");
        attributes.put("type", "t");
        return new Event(
                "acme", "svc-1", attributes, new Digest32(filled(32, 0x11)), 7L, new Tag16(filled(16, 0x22)), payload);
    }

    private static Sealed sealed() {
        return new Sealed(
                3,
                1,
                2,
                254L,
                ByteBuffer.wrap(new byte[] {0, 1}),
                ByteBuffer.wrap(filled(64, 0x33)),
                List.of(300L, 302L),
                List.of(1767603600000L, 1767603600001L),
                ByteBuffer.wrap(filled(32, 0x44)),
                new Head(256L, new Root32(filled(32, 0x55)), 303L));
    }

    private static Sealed sealedWithoutLeaves() {
        return new Sealed(
                0,
                1,
                1,
                9L,
                bytes(""),
                bytes(""),
                List.of(),
                List.of(),
                bytes(""),
                new Head(9L, new Root32(filled(32, 0x66)), 12L));
    }

    private static Outcome outcome(OutcomeKind kind, Long reference, String reason) {
        return new Outcome(1, 1, 1, 1L << 40, kind, reference, reason);
    }

    private static Intent intent() {
        return new Intent(5L, bytes("leaf"), List.of(bytes("h0"), bytes("h1")), "o\n6\nr\n", "seg", "pay", 1);
    }

    private static Published published() {
        return new Published(
                5L, bytes("leaf"), List.of(bytes("h0"), bytes("h1")), "o\n6\nr\n\n— o AA==\n", "seg", "pay", 1);
    }

    private static ShardNotes notes() {
        return new ShardNotes(5L, List.of(new ShardNote(0, 6L, "n0"), new ShardNote(1, 0L, "n1")));
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] filled(int size, int value) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
