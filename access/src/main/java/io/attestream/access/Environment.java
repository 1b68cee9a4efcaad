// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a process was given: environment variables and properties, by the names they have.
 *
 * @param values of all of them
 */
public record Environment(Map<String, String> values) {
    public Environment {
        values = Map.copyOf(values);
    }

    /** Variables of this process and its system properties; a variable that is set is not unsaid by a property of its name. */
    public static Environment ofProcess() {
        return ofProcess(Map.of());
    }

    /** @param others what other sources say, of which both win */
    public static Environment ofProcess(Map<String, String> others) {
        Map<String, String> values = new HashMap<>(others);
        System.getProperties().stringPropertyNames().forEach(name -> values.put(name, System.getProperty(name)));
        return new Environment(overlaid(values, System.getenv()));
    }

    static Map<String, String> overlaid(Map<String, String> values, Map<String, String> variables) {
        Map<String, String> all = new HashMap<>(values);
        variables.forEach((name, value) -> {
            if (!value.isBlank()) {
                all.put(name, value);
            }
        });
        return all;
    }

    /** By exactly this name, without white space around; empty if it is not set, or blank. */
    Optional<String> value(String name) {
        return Optional.ofNullable(values.get(name)).map(String::strip).filter(text -> !text.isEmpty());
    }

    /** As variables are called: {@code quarkus.tls.trust-all} is {@code QUARKUS_TLS_TRUST_ALL}. */
    static String variableName(String name) {
        return name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }
}
