// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.control;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.util.Map;

/**
 * A schema as the ledger carries it, so that records can be read without a registry.
 *
 * @param name which record, for example {@code Event}
 * @param id the id in the Confluent wire format
 * @param fingerprint hex SHA-256 of the Avro parsing canonical form
 * @param text the Avro schema
 */
public record SchemaText(String name, int id, String fingerprint, String text) {
    public SchemaText {
        if (name.isEmpty() || id < 0 || !fingerprint.matches("[0-9a-f]{64}") || text.isEmpty()) {
            throw new IllegalArgumentException(
                    "a schema has a name, an id from 0 on, a fingerprint of 64 hexadecimal digits and a text");
        }
    }

    JsonObject toJson() {
        return new JsonObject(Map.of(
                "fingerprint", new JsonString(fingerprint),
                "id", new JsonInteger(id),
                "name", new JsonString(name),
                "text", new JsonString(text)));
    }

    static SchemaText fromJson(JsonObject json) throws InvalidFormat {
        json.allowOnly("fingerprint", "id", "name", "text");
        try {
            return new SchemaText(
                    json.string("name"), Rules.intOf(json, "id"), json.string("fingerprint"), json.string("text"));
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat("schemas", String.valueOf(e.getMessage()));
        }
    }
}
