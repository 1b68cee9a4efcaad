// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.toxiproxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a request brings; every member is checked when it is asked for. */
final class Body {
    private static final int NAME_LENGTH_MAX = 256;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final JsonNode json;

    Body(byte[] bytes) throws ApiError {
        try {
            json = JSON.readTree(bytes);
        } catch (IOException e) {
            throw ApiError.badBody("it is no JSON");
        }
    }

    private Body(JsonNode json) throws ApiError {
        this.json = json;
        requireObject(json);
    }

    private static void requireObject(JsonNode json) throws ApiError {
        if (!json.isObject()) {
            throw ApiError.badBody("it is no JSON object");
        }
    }

    List<Body> elements() throws ApiError {
        if (!json.isArray()) {
            throw ApiError.badBody("it is no JSON array");
        }
        List<Body> elements = new ArrayList<>();
        for (JsonNode element : json) {
            elements.add(new Body(element));
        }
        return elements;
    }

    private static ApiError wrong(String member, String type) {
        return ApiError.badBody(member + " must be a " + type);
    }

    String text(String member, String otherwise) throws ApiError {
        requireObject(json);
        JsonNode node = json.path(member);
        if (node.isMissingNode() || node.isNull()) {
            return otherwise;
        }
        if (!node.isTextual() || node.asText().length() > NAME_LENGTH_MAX) {
            throw wrong(member, "string of up to " + NAME_LENGTH_MAX + " characters");
        }
        return node.asText();
    }

    String required(String member) throws ApiError {
        String text = text(member, "");
        if (text.isEmpty()) {
            throw new ApiError(400, "missing required field: " + member);
        }
        return text;
    }

    boolean isTrue(String member, boolean otherwise) throws ApiError {
        requireObject(json);
        JsonNode node = json.path(member);
        if (!node.isMissingNode() && !node.isBoolean()) {
            throw wrong(member, "boolean");
        }
        return node.asBoolean(otherwise);
    }

    private double toxicity(double otherwise) throws ApiError {
        JsonNode node = json.path("toxicity");
        if (!node.isMissingNode() && !node.isNumber()) {
            throw wrong("toxicity", "number");
        }
        return node.asDouble(otherwise);
    }

    private Map<String, Long> attributes(Toxic.Type type, Map<String, Long> otherwise) throws ApiError {
        JsonNode node = json.path("attributes");
        if (!node.isMissingNode() && !node.isNull()) {
            requireObject(node);
        }
        Map<String, Long> attributes = new LinkedHashMap<>(otherwise);
        for (String attribute : type.attributes()) {
            JsonNode value = node.path(attribute);
            if (!value.isMissingNode()) {
                if (!value.isIntegralNumber() || !value.canConvertToLong()) {
                    throw wrong("attributes." + attribute, "whole number");
                }
                attributes.put(attribute, value.asLong());
            }
        }
        return attributes;
    }

    Toxic toxic() throws ApiError {
        requireObject(json);
        Toxic.Stream stream = find(Toxic.Stream.values(), text("stream", "downstream"));
        if (stream == null) {
            throw new ApiError(400, "stream was invalid, can be either upstream or downstream");
        }
        String word = text("type", "");
        Toxic.Type type = find(Toxic.Type.values(), word);
        if (type == null) {
            throw new ApiError(400, "invalid toxic type");
        }
        String name = text("name", "");
        return checked(
                name.isEmpty() ? word + "_" + stream.word() : name,
                type,
                stream,
                toxicity(1),
                attributes(type, Map.of()));
    }

    private static <E extends Enum<E>> @Nullable E find(E[] all, String word) {
        for (E one : all) {
            if (one.name().toLowerCase(Locale.ROOT).equals(word)) {
                return one;
            }
        }
        return null;
    }

    /** A toxic keeps its name, type and stream. */
    Toxic changed(Toxic toxic) throws ApiError {
        requireObject(json);
        return checked(
                toxic.name(),
                toxic.type(),
                toxic.stream(),
                toxicity(toxic.toxicity()),
                attributes(toxic.type(), toxic.attributes()));
    }

    private static Toxic checked(
            String name, Toxic.Type type, Toxic.Stream stream, double toxicity, Map<String, Long> attributes)
            throws ApiError {
        try {
            return new Toxic(name, type, stream, toxicity, attributes);
        } catch (IllegalArgumentException e) {
            throw ApiError.badBody(String.valueOf(e.getMessage()));
        }
    }
}
