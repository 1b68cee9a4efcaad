// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.control;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.IdentityWindow;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What decides outcomes, in force from the record's offset on.
 *
 * @param version 1 in genesis, one more with each change
 * @param dedupWindowLeaves W: a power of two from 256 to 2^26
 * @param entryVersion version of {@link CanonicalEntry}
 * @param maxEventEntryBytes longer event entries are rejected
 * @param maxPayloadBytes limit at the doors
 * @param schemaFingerprints which schemas of {@code Event} may be decoded; hex SHA-256 of the parsing canonical form
 */
public record Rules(
        int version,
        long dedupWindowLeaves,
        int entryVersion,
        int maxEventEntryBytes,
        long maxPayloadBytes,
        List<String> schemaFingerprints) {
    public static final long DEFAULT_DEDUP_WINDOW_LEAVES = 1L << 22;
    public static final long DEFAULT_MAX_PAYLOAD_BYTES = 1L << 20;

    public Rules {
        schemaFingerprints = List.copyOf(schemaFingerprints);
        require(version >= 1, "version must be at least 1, is " + version);
        require(
                dedupWindowLeaves >= 256
                        && dedupWindowLeaves <= IdentityWindow.MAX_WINDOW_LEAVES
                        && Long.bitCount(dedupWindowLeaves) == 1,
                "dedupWindowLeaves must be a power of two from 256 to 2^26, is " + dedupWindowLeaves);
        require(entryVersion == 1, "entryVersion must be 1, is " + entryVersion);
        require(
                maxEventEntryBytes >= 1024 && maxEventEntryBytes <= CanonicalEntry.MAX_EVENT_SIZE_BYTES,
                "maxEventEntryBytes must be 1,024 to 65,000, is " + maxEventEntryBytes);
        require(
                maxPayloadBytes >= 1 && maxPayloadBytes <= 1L << 30,
                "maxPayloadBytes must be 1 to 2^30, is " + maxPayloadBytes);
    }

    /** The rules a new ledger starts with. */
    public static Rules initial(List<String> schemaFingerprints) {
        return new Rules(
                1,
                DEFAULT_DEDUP_WINDOW_LEAVES,
                1,
                CanonicalEntry.MAX_EVENT_SIZE_BYTES,
                DEFAULT_MAX_PAYLOAD_BYTES,
                schemaFingerprints);
    }

    /** These rules with another window, otherwise unchanged; the version is not raised. */
    public Rules withDedupWindowLeaves(long leaves) {
        return new Rules(version, leaves, entryVersion, maxEventEntryBytes, maxPayloadBytes, schemaFingerprints);
    }

    JsonObject toJson() {
        List<JsonValue> fingerprints = new ArrayList<>();
        schemaFingerprints.forEach(fingerprint -> fingerprints.add(new JsonString(fingerprint)));
        return new JsonObject(Map.of(
                "dedupWindowLeaves", new JsonInteger(dedupWindowLeaves),
                "entryVersion", new JsonInteger(entryVersion),
                "maxEventEntryBytes", new JsonInteger(maxEventEntryBytes),
                "maxPayloadBytes", new JsonInteger(maxPayloadBytes),
                "schemaFingerprints", new JsonArray(fingerprints),
                "version", new JsonInteger(version)));
    }

    static Rules fromJson(JsonObject json) throws InvalidFormat {
        json.allowOnly(
                "dedupWindowLeaves",
                "entryVersion",
                "maxEventEntryBytes",
                "maxPayloadBytes",
                "schemaFingerprints",
                "version");
        List<String> fingerprints = new ArrayList<>();
        for (JsonValue value : json.array("schemaFingerprints")) {
            if (!(value instanceof JsonString fingerprint)) {
                throw new InvalidFormat("schemaFingerprints", "must be strings");
            }
            fingerprints.add(fingerprint.value());
        }
        try {
            return new Rules(
                    intOf(json, "version"),
                    json.integer("dedupWindowLeaves"),
                    intOf(json, "entryVersion"),
                    intOf(json, "maxEventEntryBytes"),
                    json.integer("maxPayloadBytes"),
                    fingerprints);
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat("rules", String.valueOf(e.getMessage()));
        }
    }

    static int intOf(JsonObject json, String name) throws InvalidFormat {
        long value = json.integer(name);
        if (value != (int) value) {
            throw new InvalidFormat(name, "must be a 32-bit integer");
        }
        return (int) value;
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
