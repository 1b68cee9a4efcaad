// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.NoteVerifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The key history of a ledger as it is published: its first key, and each change with the proof that it was logged. Whoever trusts the
 * first key verifies the rest with it. A copy that was kept is older, not wrong: it is good for what the keys in it signed.
 *
 * @param vkey of the first key; told for convenience, a verifier brings his own
 * @param steps in order
 */
public record PublishedKeys(String vkey, List<KeyStep> steps) {
    public static final int MAX_SIZE_BYTES = 16 << 20;

    public PublishedKeys {
        steps = List.copyOf(steps);
    }

    /**
     * What it proves to whoever trusts the first key.
     *
     * @throws InvalidFormat naming what does not hold
     */
    public KeyHistory verify(NoteVerifier first) throws InvalidFormat {
        if (!first.vkey().equals(vkey)) {
            throw new InvalidFormat(
                    "key history", "is of a ledger with first key " + vkey + ", expected " + first.vkey());
        }
        KeyHistory history = KeyHistory.of(first);
        for (KeyStep step : steps) {
            history = step.extend(history);
        }
        return history;
    }

    /** Canonical JSON. */
    public byte[] encode() {
        List<JsonValue> elements = new ArrayList<>();
        steps.forEach(step -> elements.add(step.toJson()));
        return Jcs.encode(new JsonObject(
                Map.of("steps", new JsonArray(elements), "v", new JsonInteger(1), "vkey", new JsonString(vkey))));
    }

    /** Reads a history; it need not be canonical JSON, a person may have reformatted it. */
    public static PublishedKeys parse(byte[] json) throws InvalidFormat {
        if (json.length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("key history", "must be at most 16 MiB, is " + json.length + " bytes");
        }
        JsonObject object = Json.parseObject(json);
        object.allowOnly("steps", "v", "vkey");
        if (object.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        List<JsonValue> elements = object.array("steps");
        if (elements.size() > KeyChange.CHANGES_MAX) {
            throw new InvalidFormat("steps", "must be at most 1,000");
        }
        List<KeyStep> steps = new ArrayList<>();
        for (JsonValue element : elements) {
            if (!(element instanceof JsonObject step)) {
                throw new InvalidFormat("steps", "must be objects");
            }
            steps.add(KeyStep.fromJson(step));
        }
        return new PublishedKeys(object.string("vkey"), steps);
    }
}
