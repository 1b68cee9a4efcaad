// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import java.io.ByteArrayOutputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Reads CloudEvents 1.0 in every form the doors take: binary and structured over HTTP and Kafka, JSON batches, NDJSON lines.
 * One event gives the same attributes and the same payload bytes in all of them, so dedup sees one event. Nothing is
 * normalised, nothing re-serialised. Thread-safe.
 */
public final class CloudEventReader {
    public static final String STRUCTURED_JSON = "application/cloudevents+json";
    public static final String BATCH_JSON = "application/cloudevents-batch+json";

    /** What the content types of all structured forms begin with. */
    private static final String STRUCTURED = "application/cloudevents";

    private final EventLimits limits;
    private final AttributeRules rules;
    private final StructuredReader structured;

    public CloudEventReader(EventLimits limits) {
        this.limits = limits;
        this.rules = new AttributeRules(limits);
        this.structured = new StructuredReader(limits, rules);
    }

    /** One JSON event; also one line of NDJSON. The payload is the exact slice of {@code data}. */
    public EventResult structured(byte[] json) {
        return structured.read(json);
    }

    /** What reading a batch came to. */
    public sealed interface BatchResult {
        /** A result for each element, in order. */
        record Batch(List<EventResult> results) implements BatchResult {}

        /** It is no batch: no element was looked at. */
        record Malformed(EventProblem problem) implements BatchResult {}
    }

    /** A JSON array of events. A bad element does not touch the others. */
    public BatchResult batch(byte[] json) {
        try {
            List<EventResult> results = new ArrayList<>();
            for (int[] element : structured.elements(json)) {
                results.add(structured.read(json, element[0], element[1]));
            }
            return new BatchResult.Batch(results);
        } catch (EventRefused e) {
            return new BatchResult.Malformed(e.problem());
        }
    }

    /**
     * The HTTP binding's binary mode.
     *
     * @param headers all headers of the request; those beginning with {@code ce-} are attributes, percent-encoded
     * @param contentType becomes {@code datacontenttype}; null if there is none
     */
    public EventResult httpBinary(
            Collection<Map.Entry<String, String>> headers, @Nullable String contentType, byte[] payload) {
        Map<String, String> attributes = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, String> header : headers) {
                String name = header.getKey().toLowerCase(Locale.ROOT);
                if (name.startsWith("ce-")) {
                    String attribute = Shown.of(name.substring(3));
                    String value = unquoted(attribute, header.getValue());
                    put(attributes, name.substring(3), percentDecoded(attribute, value));
                }
            }
            return binary(attributes, contentType, payload);
        } catch (EventRefused e) {
            return new EventResult.Refused(rules.showableId(attributes), e.problem());
        }
    }

    /** The Kafka binding: structured if the content type says so, else binary with {@code ce_} headers. */
    public EventResult kafka(Headers headers, byte @Nullable [] value) {
        Map<String, String> attributes = new LinkedHashMap<>();
        byte[] payload = value == null ? new byte[0] : value;
        try {
            String contentType = null;
            for (Header header : headers) {
                String name = header.key().toLowerCase(Locale.ROOT);
                if (name.equals("content-type")) {
                    if (contentType != null) {
                        throw new EventRefused("duplicate", "content-type", "the header must not be there twice");
                    }
                    contentType = text("content-type", header.value());
                } else if (name.startsWith("ce_")) {
                    put(attributes, name.substring(3), text(Shown.of(name.substring(3)), header.value()));
                }
            }
            if (contentType != null && mediaType(contentType).startsWith(STRUCTURED)) {
                if (!mediaType(contentType).equals(STRUCTURED_JSON)) {
                    throw new EventRefused(
                            "invalid", "content-type", "of the structured forms only " + STRUCTURED_JSON + " is taken");
                }
                return structured(payload);
            }
            return binary(attributes, contentType, payload);
        } catch (EventRefused e) {
            return new EventResult.Refused(rules.showableId(attributes), e.problem());
        }
    }

    /** An event whose attributes came apart from it already, for example in an Avro record. */
    public EventResult attributes(Map<String, String> attributes, byte[] payload) {
        try {
            rules.check(attributes);
            requirePayload(payload);
            return new EventResult.Accepted(new CloudEvent(attributes, payload));
        } catch (EventRefused e) {
            return new EventResult.Refused(rules.showableId(attributes), e.problem());
        }
    }

    /** The media type of a content type, lower case, without parameters. */
    public static String mediaType(String contentType) {
        int semicolon = contentType.indexOf(';');
        return (semicolon < 0 ? contentType : contentType.substring(0, semicolon))
                .strip()
                .toLowerCase(Locale.ROOT);
    }

    private EventResult binary(Map<String, String> attributes, @Nullable String contentType, byte[] payload)
            throws EventRefused {
        if (attributes.containsKey("datacontenttype")) {
            throw new EventRefused(
                    "invalid", "datacontenttype", "in binary mode the content type is the datacontenttype");
        }
        if (contentType != null) {
            attributes.put("datacontenttype", contentType);
        }
        requirePayload(payload);
        rules.check(attributes);
        return new EventResult.Accepted(new CloudEvent(attributes, payload));
    }

    private void requirePayload(byte[] payload) throws EventRefused {
        if (payload.length > limits.maxPayloadBytes()) {
            throw new EventRefused(
                    "too-large", "data", "a payload must be at most " + limits.maxPayloadBytes() + " bytes");
        }
    }

    private void put(Map<String, String> attributes, String name, String value) throws EventRefused {
        if (attributes.size() >= limits.maxAttributes()) {
            throw new EventRefused(
                    "too-many", "attributes", "an event has at most " + limits.maxAttributes() + " attributes");
        }
        if (attributes.put(name, value) != null) {
            throw new EventRefused(
                    "duplicate", Shown.of(name), "the attribute " + Shown.of(name) + " must not be there twice");
        }
    }

    private static String text(String name, byte @Nullable [] value) throws EventRefused {
        try {
            return value == null ? "" : Utf8.decode(value);
        } catch (CharacterCodingException e) {
            throw new EventRefused("invalid", name, "the header " + name + " must be UTF-8");
        }
    }

    /** HTTP binding 3.1.3.2: a value that came as a quoted string (RFC 9110, 5.6.4) is unquoted first. */
    private static String unquoted(String name, String value) throws EventRefused {
        if (!value.startsWith("\"")) {
            return value;
        }
        StringBuilder text = new StringBuilder();
        int last = value.length() - 1;
        boolean valid = last > 0 && value.charAt(last) == '"';
        for (int i = 1; valid && i < last; i++) {
            if (value.charAt(i) == '\\') {
                i++;
                valid = i < last;
            } else {
                valid = value.charAt(i) != '"';
            }
            text.append(value.charAt(i));
        }
        if (!valid) {
            throw new EventRefused("invalid", name, "the header ce-" + name + " has broken quotes");
        }
        return text.toString();
    }

    /** HTTP binding 3.1.3.2: a value is ASCII, everything else is percent-encoded UTF-8. */
    private static String percentDecoded(String name, String value) throws EventRefused {
        if (value.indexOf('%') < 0 && value.chars().allMatch(c -> c < 0x80)) {
            return value;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c >= 0x80) {
                throw new EventRefused("invalid", name, "the header ce-" + name + " must be percent-encoded");
            }
            if (c != '%') {
                bytes.write(c);
                continue;
            }
            int high = i + 2 < value.length() ? Character.digit(value.charAt(i + 1), 16) : -1;
            int low = i + 2 < value.length() ? Character.digit(value.charAt(i + 2), 16) : -1;
            if (high < 0 || low < 0) {
                throw new EventRefused("invalid", name, "the header ce-" + name + " has a broken percent-encoding");
            }
            bytes.write(high << 4 | low);
            i += 2;
        }
        byte[] decoded = bytes.toByteArray();
        if (!Utf8.isValid(decoded)) {
            throw new EventRefused("invalid", name, "the header ce-" + name + " must be percent-encoded UTF-8");
        }
        return new String(decoded, StandardCharsets.UTF_8);
    }
}
