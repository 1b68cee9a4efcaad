// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** A part of {@code /ops.json}: what is to be shown, and what makes it less than good. Without a finding it is good. */
final class Part {
    static final String UNKNOWN = "unknown";

    /** Of what others wrote: group names, alerts. */
    private static final int MAX_TEXT_LENGTH = 300;

    private final String name;
    private final Map<String, Object> content = new LinkedHashMap<>();
    private final List<Finding> findings = new ArrayList<>();

    /** @param text for people */
    record Finding(State state, String text) {}

    Part(String name) {
        this.name = name;
    }

    /** Nothing else is known of it. */
    static Part unknown(String name, String reason) {
        return new Part(name).found(State.UNKNOWN, reason);
    }

    String name() {
        return name;
    }

    Part put(String member, Object value) {
        content.put(member, value);
        return this;
    }

    Part found(State state, String text) {
        findings.add(new Finding(state, text));
        return this;
    }

    List<Finding> findings() {
        return findings;
    }

    State state() {
        return findings.stream().map(Finding::state).reduce(State.GOOD, State::worse);
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("state", state().word());
        json.put("findings", findings.stream().map(Finding::text).toList());
        json.putAll(content);
        return json;
    }

    /** A number to three places, or the word {@code unknown}. */
    static Object number(OptionalDouble value) {
        return value.isPresent() && Double.isFinite(value.getAsDouble())
                ? (Object) (Math.round(value.getAsDouble() * 1_000) / 1_000.0)
                : UNKNOWN;
    }

    static String text(String anything) {
        return anything.length() <= MAX_TEXT_LENGTH ? anything : anything.substring(0, MAX_TEXT_LENGTH) + "…";
    }
}
