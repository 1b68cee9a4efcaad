// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.json;

import io.attestream.proofs.InvalidFormat;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A JSON value as our formats have them: no fractions, so numbers are integers that every reader represents exactly. */
public sealed interface JsonValue {
    /** Members in the order they were read or put; {@link Jcs} sorts. */
    record JsonObject(Map<String, JsonValue> members) implements JsonValue {
        public JsonObject {
            members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
        }

        public @Nullable JsonValue get(String name) {
            return members.get(name);
        }

        /** A member that must be there. */
        public JsonValue required(String name) throws InvalidFormat {
            JsonValue value = members.get(name);
            if (value == null) {
                throw new InvalidFormat(name, "is missing");
            }
            return value;
        }

        public String string(String name) throws InvalidFormat {
            if (required(name) instanceof JsonString string) {
                return string.value();
            }
            throw new InvalidFormat(name, "must be a string");
        }

        public long integer(String name) throws InvalidFormat {
            if (required(name) instanceof JsonInteger number) {
                return number.value();
            }
            throw new InvalidFormat(name, "must be an integer");
        }

        public JsonObject object(String name) throws InvalidFormat {
            if (required(name) instanceof JsonObject object) {
                return object;
            }
            throw new InvalidFormat(name, "must be an object");
        }

        public List<JsonValue> array(String name) throws InvalidFormat {
            if (required(name) instanceof JsonArray array) {
                return array.elements();
            }
            throw new InvalidFormat(name, "must be an array");
        }

        /** Fails on a member that is in none of the names. */
        public void allowOnly(String... names) throws InvalidFormat {
            for (String member : members.keySet()) {
                if (!List.of(names).contains(member)) {
                    throw new InvalidFormat(member, "is not a member of this format");
                }
            }
        }
    }

    record JsonArray(List<JsonValue> elements) implements JsonValue {
        public JsonArray {
            elements = List.copyOf(elements);
        }
    }

    record JsonString(String value) implements JsonValue {}

    /** Between -(2^53-1) and 2^53-1, which every JSON reader represents exactly. */
    record JsonInteger(long value) implements JsonValue {
        public static final long MAX = (1L << 53) - 1;

        public JsonInteger {
            if (value > MAX || value < -MAX) {
                throw new IllegalArgumentException(value + " is not exact in every JSON reader; write it as a string");
            }
        }
    }

    record JsonBoolean(boolean value) implements JsonValue {}

    record JsonNull() implements JsonValue {}
}
