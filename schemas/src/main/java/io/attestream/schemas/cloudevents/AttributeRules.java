// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.Attributes;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The rules of CloudEvents 1.0 for attributes, and our limits. Values are checked and never changed. */
final class AttributeRules {
    private static final Pattern TIME = Pattern.compile(
            "(\\d{4})-(\\d{2})-(\\d{2})[Tt]([01]\\d|2[0-3]):([0-5]\\d):([0-5]\\d|60)(\\.\\d{1,9})?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)");
    private static final Pattern MEDIA_TYPE =
            Pattern.compile("[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(\\s*;.*)?");
    private static final Set<String> IDENTITY = Set.of("id", "source", "partitionkey");

    private final EventLimits limits;

    AttributeRules(EventLimits limits) {
        this.limits = limits;
    }

    void check(Map<String, String> attributes) throws EventRefused {
        if (attributes.size() > limits.maxAttributes()) {
            throw new EventRefused(
                    "too-many", "attributes", "an event has at most " + limits.maxAttributes() + " attributes");
        }
        for (String name : Attributes.REQUIRED) {
            if (!attributes.containsKey(name)) {
                throw new EventRefused("missing", name, "the attribute " + name + " is required");
            }
        }
        if (!"1.0".equals(attributes.get("specversion"))) {
            throw new EventRefused("invalid", "specversion", "specversion must be 1.0");
        }
        for (Map.Entry<String, String> attribute : attributes.entrySet()) {
            checkOne(attribute.getKey(), attribute.getValue());
        }
    }

    private void checkOne(String name, String value) throws EventRefused {
        if (value.isEmpty()) {
            throw new EventRefused("empty", name, "the attribute " + name + " must not be empty");
        }
        try {
            Attributes.requireName(name);
            Attributes.requireText(name, value);
        } catch (InvalidFormat e) {
            throw new EventRefused("invalid", e.field(), e.field() + " " + e.reason());
        }
        int max = IDENTITY.contains(name) ? limits.maxIdBytes() : limits.maxAttributeBytes();
        if (value.length() > max || value.getBytes(StandardCharsets.UTF_8).length > max) {
            throw new EventRefused("too-long", name, "the attribute " + name + " must be at most " + max + " bytes");
        }
        switch (name) {
            case "time" -> checkTime(value);
            case "source" -> checkUri(name, value, false);
            case "dataschema" -> checkUri(name, value, true);
            case "datacontenttype" -> checkMediaType(value);
            default -> {
                // Free text.
            }
        }
    }

    private static void checkTime(String value) throws EventRefused {
        Matcher matcher = TIME.matcher(value);
        boolean valid = matcher.matches();
        if (valid) {
            try {
                LocalDate.of(intOf(matcher, 1), intOf(matcher, 2), intOf(matcher, 3));
                // A leap second ends an hour in every time zone there is.
                valid = intOf(matcher, 6) < 60 || intOf(matcher, 5) % 30 == 29;
            } catch (DateTimeException e) {
                valid = false;
            }
        }
        if (!valid) {
            throw new EventRefused("invalid", "time", "time must be an RFC 3339 timestamp like 2026-01-05T09:00:00Z");
        }
    }

    private static int intOf(Matcher matcher, int group) {
        return Integer.parseInt(matcher.group(group));
    }

    private static void checkUri(String name, String value, boolean absolute) throws EventRefused {
        try {
            if (!absolute || new URI(value).isAbsolute()) {
                new URI(value);
                return;
            }
        } catch (URISyntaxException e) {
            // Refused below, without the parser's words.
        }
        throw new EventRefused(
                "invalid", name, name + " must be " + (absolute ? "an absolute URI" : "a URI reference (RFC 3986)"));
    }

    private static void checkMediaType(String value) throws EventRefused {
        if (!MEDIA_TYPE.matcher(value).matches()) {
            throw new EventRefused("invalid", "datacontenttype", "datacontenttype must be a media type (RFC 2046)");
        }
    }
}
