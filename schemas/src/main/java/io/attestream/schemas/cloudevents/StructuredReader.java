// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON event format token by token, so that {@code data} can be cut out of the input exactly as it was sent.
 * Duplicate members are refused at every depth: two readers would understand them differently.
 */
final class StructuredReader {
    private static final int MAX_DEPTH = 1000;

    /** The parser keeps names it has seen for the next document, so they must not be long. */
    private static final int MAX_NAME_LENGTH = 4096;

    private static final JsonFactory STRICT =
            factory().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    private static final JsonFactory SCANNING = factory().build();

    private final EventLimits limits;
    private final AttributeRules rules;

    private static JsonFactoryBuilder factory() {
        // Numbers and strings in data are skipped, not made into values: only the door's limits bind them.
        StreamReadConstraints constraints = StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxNameLength(MAX_NAME_LENGTH)
                .maxNumberLength(Integer.MAX_VALUE)
                .maxStringLength(Integer.MAX_VALUE)
                .build();
        JsonFactoryBuilder builder = new JsonFactoryBuilder();
        builder.streamReadConstraints(constraints).disable(JsonFactory.Feature.INTERN_FIELD_NAMES);
        return builder;
    }

    StructuredReader(EventLimits limits, AttributeRules rules) {
        this.limits = limits;
        this.rules = rules;
    }

    EventResult read(byte[] json) {
        try {
            requireUtf8(json);
        } catch (EventRefused e) {
            return new EventResult.Refused(null, e.problem());
        }
        return read(json, 0, json.length);
    }

    /** One event in a document that was found to be UTF-8. */
    EventResult read(byte[] json, int from, int to) {
        Reading reading = new Reading(json, from);
        try {
            return new EventResult.Accepted(reading.run(to));
        } catch (EventRefused e) {
            return new EventResult.Refused(reading.id(), e.problem());
        }
    }

    /** Where the elements of a JSON array are: [from, to) pairs. */
    List<int[]> elements(byte[] json) throws EventRefused {
        requireUtf8(json);
        List<int[]> elements = new ArrayList<>();
        try (JsonParser parser = SCANNING.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw new EventRefused("malformed", "body", "a batch must be a JSON array of events");
            }
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (elements.size() == limits.maxBatchEvents()) {
                    throw new EventRefused(
                            "too-many", "body", "a batch has at most " + limits.maxBatchEvents() + " events");
                }
                int start = (int) parser.currentTokenLocation().getByteOffset();
                elements.add(new int[] {start, endOfValue(parser, 0)});
            }
            requireEnd(parser);
        } catch (JsonProcessingException e) {
            throw malformed(e);
        } catch (IOException e) {
            throw new IllegalStateException("reading from memory does not fail", e);
        }
        if (elements.isEmpty()) {
            throw new EventRefused("empty", "body", "a batch must have at least one event");
        }
        return elements;
    }

    private static int endOfValue(JsonParser parser, int from) throws IOException {
        parser.skipChildren();
        parser.finishToken();
        return from + (int) parser.currentLocation().getByteOffset();
    }

    private static void requireUtf8(byte[] json) throws EventRefused {
        if (!Utf8.isValid(json)) {
            throw new EventRefused("malformed", "body", "the body must be UTF-8");
        }
        boolean mark = json.length >= 3 && json[0] == (byte) 0xef && json[1] == (byte) 0xbb;
        // Without this a parser guesses UTF-16 or UTF-32 from zero bytes.
        boolean zero = json.length >= 2 && (json[0] == 0 || json[1] == 0);
        if (mark || zero) {
            throw new EventRefused("malformed", "body", "the body must be UTF-8 JSON without a byte order mark");
        }
    }

    private static void requireEnd(JsonParser parser) throws IOException, EventRefused {
        if (parser.nextToken() != null) {
            throw new EventRefused("malformed", "body", "the body must end after the JSON value");
        }
    }

    private static EventRefused malformed(JsonProcessingException e) {
        if (e instanceof StreamConstraintsException) {
            return new EventRefused(
                    "too-large",
                    "body",
                    "JSON must be nested at most " + MAX_DEPTH + " levels deep, and its member names must have at most "
                            + MAX_NAME_LENGTH + " characters");
        }
        String reason = e.getOriginalMessage();
        if (reason != null && reason.startsWith("Duplicate field")) {
            String field = reason.substring(reason.indexOf('\'') + 1, reason.lastIndexOf('\''));
            String shown = Shown.of(field);
            return new EventRefused("duplicate", shown, "the member " + shown + " must not be there twice");
        }
        return new EventRefused(
                "malformed",
                "body",
                "the body must be well-formed JSON; it breaks off or goes wrong at byte "
                        + e.getLocation().getByteOffset());
    }

    /** One event being read. */
    private final class Reading {
        private final byte[] json;
        private final int from;
        private final Map<String, String> attributes = new LinkedHashMap<>();
        private byte @Nullable [] data;
        private byte @Nullable [] dataBase64;

        Reading(byte[] json, int from) {
            this.json = json;
            this.from = from;
        }

        @Nullable String id() {
            return rules.showableId(attributes);
        }

        CloudEvent run(int to) throws EventRefused {
            try (JsonParser parser = STRICT.createParser(json, from, to - from)) {
                if (parser.nextToken() != JsonToken.START_OBJECT) {
                    throw new EventRefused("malformed", "body", "an event must be a JSON object");
                }
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    member(parser);
                }
                requireEnd(parser);
            } catch (JsonProcessingException e) {
                throw malformed(e);
            } catch (IOException e) {
                throw new IllegalStateException("reading from memory does not fail", e);
            }
            rules.check(attributes);
            return new CloudEvent(attributes, payload());
        }

        private void member(JsonParser parser) throws IOException, EventRefused {
            String name = parser.currentName();
            JsonToken token = parser.nextToken();
            switch (name) {
                case "data" -> data = slice(parser);
                case "data_base64" -> dataBase64 = token == JsonToken.VALUE_NULL ? null : base64(parser, token);
                default -> attribute(parser, name, token);
            }
        }

        private byte[] slice(JsonParser parser) throws IOException {
            int start = from + (int) parser.currentTokenLocation().getByteOffset();
            return Arrays.copyOfRange(json, start, endOfValue(parser, from));
        }

        private byte[] base64(JsonParser parser, JsonToken token) throws IOException, EventRefused {
            try {
                if (token == JsonToken.VALUE_STRING) {
                    return Base64.getDecoder().decode(parser.getText());
                }
            } catch (IllegalArgumentException e) {
                // Refused below.
            }
            throw new EventRefused("invalid", "data_base64", "data_base64 must be a base64 string with padding");
        }

        private void attribute(JsonParser parser, String name, JsonToken token) throws IOException, EventRefused {
            if (attributes.size() > limits.maxAttributes()) {
                throw new EventRefused(
                        "too-many", "attributes", "an event has at most " + limits.maxAttributes() + " attributes");
            }
            switch (token) {
                case VALUE_STRING -> attributes.put(name, parser.getText());
                case VALUE_TRUE -> extension(name, "true");
                case VALUE_FALSE -> extension(name, "false");
                case VALUE_NUMBER_INT -> extension(name, integer(parser, name));
                case VALUE_NULL -> {
                    // The JSON format lets an absent attribute be written as null.
                }
                default ->
                    throw new EventRefused(
                            "invalid", Shown.of(name), "an attribute must be a string, a boolean or an integer");
            }
        }

        private void extension(String name, String value) throws EventRefused {
            if (KNOWN.contains(name)) {
                throw new EventRefused("invalid", name, "the attribute " + name + " must be a string");
            }
            attributes.put(name, value);
        }

        private String integer(JsonParser parser, String name) throws IOException, EventRefused {
            String text = parser.getText();
            try {
                return Integer.toString(Integer.parseInt(text));
            } catch (NumberFormatException e) {
                throw new EventRefused(
                        "invalid", Shown.of(name), "an integer attribute must be between -2147483648 and 2147483647");
            }
        }

        private byte[] payload() throws EventRefused {
            if (data != null && dataBase64 != null) {
                throw new EventRefused("invalid", "data", "an event has either data or data_base64");
            }
            byte[] payload = dataBase64 != null ? dataBase64 : data != null ? data : new byte[0];
            if (payload.length > limits.maxPayloadBytes()) {
                throw new EventRefused(
                        "too-large", "data", "a payload must be at most " + limits.maxPayloadBytes() + " bytes");
            }
            return payload;
        }
    }

    /** Attributes the specification types as strings, whatever looks like a number in them. */
    private static final List<String> KNOWN = List.of(
            "id", "source", "specversion", "type", "datacontenttype", "dataschema", "subject", "time", "partitionkey");
}
