// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.toxiproxy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One way in which a proxy spoils one direction of its connections.
 *
 * @param name of its own among the toxics of a proxy
 * @param stream whether it acts on what the client sends, or on what it is answered
 * @param toxicity share of connections it acts on, 0 to 1
 * @param attributes exactly those of its type
 */
public record Toxic(String name, Type type, Stream stream, double toxicity, Map<String, Long> attributes) {
    private static final long ATTRIBUTE_MAX = 1_000_000_000_000L;

    /** A direction. */
    public enum Stream {
        UPSTREAM,
        DOWNSTREAM;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What Toxiproxy knows, with the attributes of each. */
    public enum Type {
        /** Data arrives {@code latency} ms late, {@code jitter} ms more or less. */
        LATENCY("latency", "jitter"),
        /** {@code rate} KB/s get through. */
        BANDWIDTH("rate"),
        /** An end arrives {@code delay} ms late. */
        SLOW_CLOSE("delay"),
        /** Data is dropped, and after {@code timeout} ms the connection ends; if it is 0, only when the toxic is removed. */
        TIMEOUT("timeout"),
        /** {@code timeout} ms after the next data the connection is reset. */
        RESET_PEER("timeout"),
        /** Data arrives in pieces of {@code average_size} bytes, {@code size_variation} more or less, each {@code delay} µs late. */
        SLICER("average_size", "size_variation", "delay"),
        /** The connection ends after {@code bytes}. */
        LIMIT_DATA("bytes");

        @SuppressWarnings("ImmutableEnumChecker") // made by List.of
        private final List<String> attributes;

        Type(String... attributes) {
            this.attributes = List.of(attributes);
        }

        List<String> attributes() {
            return attributes;
        }

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @throws IllegalArgumentException if a number is out of its limits */
    public Toxic {
        Map<String, Long> all = new LinkedHashMap<>();
        for (String attribute : type.attributes()) {
            all.put(attribute, attributes.getOrDefault(attribute, 0L));
        }
        all.forEach((attribute, value) -> {
            if (value < 0 || value > ATTRIBUTE_MAX) {
                throw new IllegalArgumentException(attribute + " must be 0 to " + ATTRIBUTE_MAX);
            }
        });
        if (!(toxicity >= 0 && toxicity <= 1)) {
            throw new IllegalArgumentException("toxicity must be 0 to 1");
        }
        attributes = Map.copyOf(all);
    }

    /** For all connections. */
    public static Toxic of(String name, Type type, Stream stream, Map<String, Long> attributes) {
        return new Toxic(name, type, stream, 1, attributes);
    }

    /** 0 if it was not given. */
    public long attribute(String attribute) {
        return attributes.getOrDefault(attribute, 0L);
    }

    /** As Toxiproxy writes it. */
    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("attributes", attributes);
        json.put("name", name);
        json.put("type", type.word());
        json.put("stream", stream.word());
        json.put("toxicity", toxicity);
        return json;
    }
}
