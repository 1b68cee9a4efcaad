// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.json;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonBoolean;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonNull;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Canonical JSON, RFC 8785: one value, one text. */
public final class Jcs {
    private Jcs() {}

    public static byte[] encode(JsonValue value) {
        JcsWriter out = new JcsWriter();
        write(value, out);
        return out.toBytes();
    }

    /** Reads an object and refuses any bytes but the canonical ones. */
    public static JsonObject parseCanonicalObject(byte[] json) throws InvalidFormat {
        JsonObject object = Json.parseObject(json);
        if (!Arrays.equals(encode(object), json)) {
            throw new InvalidFormat("json", "must be canonical (RFC 8785)");
        }
        return object;
    }

    private static void write(JsonValue value, JcsWriter out) {
        if (value instanceof JsonObject object) {
            writeObject(object, out);
        } else if (value instanceof JsonArray array) {
            out.raw("[");
            String comma = "";
            for (JsonValue element : array.elements()) {
                out.raw(comma);
                write(element, out);
                comma = ",";
            }
            out.raw("]");
        } else if (value instanceof JsonString string) {
            out.string(string.value());
        } else if (value instanceof JsonInteger number) {
            out.number(number.value());
        } else if (value instanceof JsonBoolean bool) {
            out.raw(Boolean.toString(bool.value()));
        } else if (value instanceof JsonNull) {
            out.raw("null");
        }
    }

    private static void writeObject(JsonObject object, JcsWriter out) {
        out.raw("{");
        String comma = "";
        // RFC 8785 sorts by UTF-16 code units, which is how String compares.
        for (Map.Entry<String, JsonValue> member : new TreeMap<>(object.members()).entrySet()) {
            out.raw(comma).string(member.getKey()).raw(":");
            write(member.getValue(), out);
            comma = ",";
        }
        out.raw("}");
    }
}
