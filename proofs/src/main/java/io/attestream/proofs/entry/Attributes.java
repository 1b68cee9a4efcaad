// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.InvalidFormat;
import java.util.List;
import java.util.Map;

/** What the log demands of CloudEvents attributes, whatever door they came through. */
public final class Attributes {
    /** Attributes without which there is no CloudEvent 1.0. */
    public static final List<String> REQUIRED = List.of("id", "source", "specversion", "type");

    public static final int MAX_NAME_LENGTH = 20;

    private Attributes() {}

    /**
     * Fails on a missing or empty required attribute, a name that is not 1 to 20 of {@code a-z0-9}, and a value with
     * control characters or lone surrogates.
     */
    public static void requireValid(Map<String, String> attributes) throws InvalidFormat {
        for (String name : REQUIRED) {
            String value = attributes.get(name);
            if (value == null || value.isEmpty()) {
                throw new InvalidFormat(name, value == null ? "is missing" : "must not be empty");
            }
        }
        for (Map.Entry<String, String> attribute : attributes.entrySet()) {
            requireName(attribute.getKey());
            requireText(attribute.getKey(), attribute.getValue());
        }
    }

    /** Fails unless this is a CloudEvents attribute name. */
    public static void requireName(String name) throws InvalidFormat {
        boolean valid = !name.isEmpty() && name.length() <= MAX_NAME_LENGTH;
        for (int i = 0; valid && i < name.length(); i++) {
            char c = name.charAt(i);
            valid = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        }
        if (!valid || name.equals("data")) {
            throw new InvalidFormat("attribute " + name, "must be named with 1 to 20 of a-z and 0-9, and not data");
        }
    }

    /** Fails on control characters and lone surrogates. */
    public static void requireText(String field, String value) throws InvalidFormat {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
                throw new InvalidFormat(field, "must not have control characters");
            }
            if (Character.isHighSurrogate(c)
                    && i + 1 < value.length()
                    && Character.isLowSurrogate(value.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                throw new InvalidFormat(field, "must not have a lone surrogate");
            }
        }
    }
}
