// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.support;

import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonBoolean;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonNull;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Random JSON values. */
public final class JsonValues {
    private JsonValues() {}

    public static JsonValue any(Seeded random, int depth) {
        int kinds = depth > 0 ? 6 : 4;
        return switch (random.below(kinds)) {
            case 0 -> new JsonString(random.anyText(12));
            case 1 -> new JsonInteger(random.nextLong() >> random.between(11, 63));
            case 2 -> new JsonBoolean(random.chance(50));
            case 3 -> new JsonNull();
            case 4 -> {
                List<JsonValue> elements = new ArrayList<>();
                for (int i = random.below(5); i > 0; i--) {
                    elements.add(any(random, depth - 1));
                }
                yield new JsonArray(elements);
            }
            default -> {
                Map<String, JsonValue> members = new LinkedHashMap<>();
                for (int i = random.below(5); i > 0; i--) {
                    members.put(random.anyText(5), any(random, depth - 1));
                }
                yield new JsonObject(members);
            }
        };
    }
}
