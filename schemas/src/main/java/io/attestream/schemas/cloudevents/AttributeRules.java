// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.Attributes;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The rules of CloudEvents 1.0 for attributes, and our limits. Values are checked and never changed. */
final class AttributeRules {
    private static final Pattern TIME = Pattern.compile(
            "(\\d{4})-(\\d{2})-(\\d{2})[Tt]([01]\\d|2[0-3]):([0-5]\\d):([0-5]\\d|60)(?:\\.\\d+)?([Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)");
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

    /** The id as it may be shown to the producer; null if it is not one that could be accepted. */
    @Nullable String showableId(Map<String, String> attributes) {
        String id = attributes.get("id");
        if (id == null) {
            return null;
        }
        try {
            checkOne("id", id);
            return id;
        } catch (EventRefused e) {
            return null;
        }
    }

    private void checkOne(String name, String value) throws EventRefused {
        try {
            Attributes.requireName(name);
        } catch (InvalidFormat e) {
            throw new EventRefused("invalid", Shown.of(name), "attribute " + Shown.of(name) + " " + e.reason());
        }
        if (value.isEmpty()) {
            throw new EventRefused("empty", name, "the attribute " + name + " must not be empty");
        }
        try {
            Attributes.requireText(name, value);
        } catch (InvalidFormat e) {
            throw new EventRefused("invalid", name, "the attribute " + name + " " + e.reason());
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
        if (!matcher.matches() || !isOnTheCalendar(matcher)) {
            throw new EventRefused("invalid", "time", "time must be an RFC 3339 timestamp like 2026-01-05T09:00:00Z");
        }
    }

    private static boolean isOnTheCalendar(Matcher matcher) {
        int second = intOf(matcher, 6);
        try {
            LocalDateTime utc = LocalDate.of(intOf(matcher, 1), intOf(matcher, 2), intOf(matcher, 3))
                    .atTime(intOf(matcher, 4), intOf(matcher, 5))
                    .minusMinutes(offsetMinutes(matcher.group(7)));
            // A leap second is the last one of a month, in UTC (RFC 3339, 5.7).
            return second < 60
                    || (utc.getHour() == 23
                            && utc.getMinute() == 59
                            && utc.getDayOfMonth() == utc.toLocalDate().lengthOfMonth());
        } catch (DateTimeException e) {
            return false;
        }
    }

    private static int offsetMinutes(String zone) {
        if (zone.length() == 1) {
            return 0;
        }
        int minutes = Integer.parseInt(zone.substring(1, 3)) * 60 + Integer.parseInt(zone.substring(4));
        return zone.charAt(0) == '-' ? -minutes : minutes;
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
