// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JcsWriter;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tree.LeafIndex;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The entry, version 1: the exact bytes that are logged, as a canonical JSON object (docs/entry-format.md).
 *
 * <p>Encoding writes bytes straight in canonical order, because every event is encoded once by the sequencer and once by
 * the checkpointer. Thread-safe.
 */
public final class CanonicalEntry {
    /** What an entry bundle can carry. */
    public static final int MAX_SIZE_BYTES = 65_535;

    /** Limit of event entries at the doors, so that a conflict entry about the same event still fits. */
    public static final int MAX_EVENT_SIZE_BYTES = 65_000;

    private static final int DIGEST_SIZE_BYTES = 32;
    private static final int VERSION = 1;
    private static final int FEW_ATTRIBUTES = 16;
    private static final ThreadLocal<JcsWriter> WRITER = ThreadLocal.withInitial(JcsWriter::new);

    private CanonicalEntry() {}

    /**
     * Fails on what no entry can be made of: invalid attributes, an empty tenant or actor, control characters, a digest
     * that is not 32 bytes, a negative size. Size of the entry is the caller's to check.
     */
    public static void requireValid(
            Map<String, String> attributes, String tenant, String actor, byte[] dataDigest, long dataSizeBytes)
            throws InvalidFormat {
        Attributes.requireValid(attributes);
        requireName("tenant", tenant);
        requireName("actor", actor);
        if (dataDigest.length != DIGEST_SIZE_BYTES) {
            throw new InvalidFormat("digest", "must be 32 bytes, is " + dataDigest.length);
        }
        if (dataSizeBytes < 0 || dataSizeBytes > JsonInteger.MAX) {
            throw new InvalidFormat("size", "must be 0 to 2^53 - 1");
        }
    }

    private static void requireName(String field, String value) throws InvalidFormat {
        if (value.isEmpty()) {
            throw new InvalidFormat(field, "must not be empty");
        }
        Attributes.requireText(field, value);
    }

    /**
     * The entry of an event. The arguments must have passed {@link #requireValid}; the result may exceed the size limits.
     *
     * @param timeMillis Kafka record timestamp
     * @param dataDigest {@link DataDigest} of the payload
     */
    public static byte[] event(
            Map<String, String> attributes,
            String tenant,
            String actor,
            long timeMillis,
            byte[] dataDigest,
            long dataSizeBytes) {
        return event(EventTexts.of(attributes, tenant, actor), timeMillis, dataDigest, dataSizeBytes);
    }

    /** The entry of a valid event, see above. */
    public static byte[] event(EventTexts texts, long timeMillis, byte[] dataDigest, long dataSizeBytes) {
        return encode(EntryKind.EVENT, texts, timeMillis, dataDigest, dataSizeBytes, null);
    }

    /**
     * The entry of an event whose identity was taken by other content.
     *
     * @param ref the first leaf with that identity
     */
    public static byte[] conflict(
            Map<String, String> attributes,
            String tenant,
            String actor,
            long timeMillis,
            byte[] dataDigest,
            long dataSizeBytes,
            LeafIndex ref) {
        return conflict(EventTexts.of(attributes, tenant, actor), timeMillis, dataDigest, dataSizeBytes, ref);
    }

    /** The entry of a valid event whose identity was taken, see above. */
    public static byte[] conflict(
            EventTexts texts, long timeMillis, byte[] dataDigest, long dataSizeBytes, LeafIndex ref) {
        return encode(EntryKind.CONFLICT, texts, timeMillis, dataDigest, dataSizeBytes, ref);
    }

    private static byte[] encode(
            EntryKind kind,
            EventTexts texts,
            long timeMillis,
            byte[] dataDigest,
            long dataSizeBytes,
            @Nullable LeafIndex ref) {
        JcsWriter out = WRITER.get().reset();
        out.raw("{\"data\":{\"digest\":").base64(dataDigest).raw(",\"size\":").number(dataSizeBytes);
        out.raw("},\"event\":");
        texts.writeAttributes(out);
        out.raw(",\"kind\":\"").raw(kind.word()).raw("\",\"log\":{\"actor\":");
        texts.writeActor(out);
        out.raw(",\"tenant\":");
        texts.writeTenant(out);
        out.raw(",\"time\":\"");
        LogTime.write(timeMillis, out);
        out.raw("\"}");
        if (ref != null) {
            out.raw(",\"ref\":{\"index\":");
            IndexText.write(ref.value(), out);
            out.raw("}");
        }
        return out.raw(",\"v\":1}").toBytes();
    }

    /** The object of attributes in canonical order. */
    static void writeAttributes(Map<String, String> attributes, JcsWriter out) {
        String before = "{";
        for (Map.Entry<String, String> attribute : sorted(attributes)) {
            out.raw(before).string(attribute.getKey()).raw(":").string(attribute.getValue());
            before = ",";
        }
        out.raw(before.equals("{") ? "{}" : "}");
    }

    /** By name, as RFC 8785 compares. By insertion where there are few, as nearly always: half the time of a general sort. */
    private static Map.Entry<String, String>[] sorted(Map<String, String> attributes) {
        @SuppressWarnings({"unchecked", "rawtypes"}) // there are no arrays of generic types
        Map.Entry<String, String>[] sorted = attributes.entrySet().toArray(new Map.Entry[0]);
        if (sorted.length > FEW_ATTRIBUTES) {
            Arrays.sort(sorted, Map.Entry.comparingByKey());
            return sorted;
        }
        for (int i = 1; i < sorted.length; i++) {
            Map.Entry<String, String> next = sorted[i];
            int at = i;
            for (; at > 0 && sorted[at - 1].getKey().compareTo(next.getKey()) > 0; at--) {
                sorted[at] = sorted[at - 1];
            }
            sorted[at] = next;
        }
        return sorted;
    }

    /**
     * Reads an entry of any kind.
     *
     * @throws InvalidFormat unless these are exactly the canonical bytes of a version 1 entry of at most 65,535 bytes
     */
    public static EntryView parse(byte[] entry) throws InvalidFormat {
        if (entry.length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("entry", "must be at most 65,535 bytes, is " + entry.length);
        }
        EntryView.Event plain = PlainEntry.read(entry);
        return plain != null ? plain : parseAny(entry);
    }

    /** As {@link #parse}, by way of JSON, whatever its size. */
    static EntryView parseAny(byte[] entry) throws InvalidFormat {
        JsonObject object = Jcs.parseCanonicalObject(entry);
        if (object.integer("v") != VERSION) {
            throw new InvalidFormat("v", "must be 1");
        }
        EntryKind kind = EntryKind.ofWord(object.string("kind"));
        return kind.isControl() ? new EntryView.Control(kind) : readEvent(kind, object);
    }

    private static EntryView.Event readEvent(EntryKind kind, JsonObject object) throws InvalidFormat {
        Optional<LeafIndex> ref = Optional.empty();
        if (kind == EntryKind.CONFLICT) {
            object.allowOnly("data", "event", "kind", "log", "ref", "v");
            JsonObject refObject = object.object("ref");
            refObject.allowOnly("index");
            ref = Optional.of(new LeafIndex(IndexText.read(refObject, "index")));
        } else {
            object.allowOnly("data", "event", "kind", "log", "v");
        }
        JsonObject data = object.object("data");
        data.allowOnly("digest", "size");
        JsonObject log = object.object("log");
        log.allowOnly("actor", "tenant", "time");
        EntryView.Event event = new EntryView.Event(
                kind,
                readAttributes(object.object("event")),
                log.string("tenant"),
                log.string("actor"),
                LogTime.parse(log.string("time"), "time"),
                Base64Text.decode(data.string("digest"), DIGEST_SIZE_BYTES, "digest"),
                data.integer("size"),
                ref);
        requireValid(event.attributes(), event.tenant(), event.actor(), event.dataDigest(), event.dataSizeBytes());
        return event;
    }

    private static Map<String, String> readAttributes(JsonObject object) throws InvalidFormat {
        Map<String, String> attributes = new HashMap<>();
        for (Map.Entry<String, JsonValue> member : object.members().entrySet()) {
            if (!(member.getValue() instanceof JsonString value)) {
                throw new InvalidFormat(member.getKey(), "must be a string");
            }
            attributes.put(member.getKey(), value.value());
        }
        return attributes;
    }
}
