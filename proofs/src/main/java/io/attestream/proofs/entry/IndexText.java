// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.entry;

import io.attestream.proofs.Decimal;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JcsWriter;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;

/** Unsigned 64-bit numbers in our JSON: a number up to 2^53 - 1, above that a decimal string. One value, one form. */
public final class IndexText {
    private IndexText() {}

    /** @param value unsigned */
    public static JsonValue of(long value) {
        return isNumber(value) ? new JsonInteger(value) : new JsonString(Long.toUnsignedString(value));
    }

    /** @param value unsigned */
    public static void write(long value, JcsWriter out) {
        if (isNumber(value)) {
            out.number(value);
        } else {
            out.string(Long.toUnsignedString(value));
        }
    }

    public static long read(JsonObject object, String name) throws InvalidFormat {
        JsonValue value = object.required(name);
        if (value instanceof JsonInteger number && number.value() >= 0) {
            return number.value();
        }
        if (value instanceof JsonString string) {
            long parsed = Decimal.parseUnsigned(string.value(), name);
            if (!isNumber(parsed)) {
                return parsed;
            }
        }
        throw new InvalidFormat(name, "must be a number up to 2^53 - 1, or above that a decimal string");
    }

    private static boolean isNumber(long value) {
        return value >= 0 && value <= JsonInteger.MAX;
    }
}
