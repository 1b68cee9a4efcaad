// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tile.EntryBundle;
import io.attestream.proofs.tree.Hash;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A leaf of the ledger log; its index is the epoch's number.
 *
 * @param time RFC 3339 UTC with milliseconds; recorded only
 * @param counts totals since the ledger began, by outcome
 * @param logged digests of packs, snapshots and evidence
 * @param vectorRoot root over the heads of all shards
 */
public record EpochLeaf(long epoch, String time, Map<String, Long> counts, List<Logged> logged, Hash vectorRoot) {
    /**
     * An object whose digest this epoch logs.
     *
     * @param digest SHA-256 of the object
     */
    public record Logged(String name, Hash digest) {}

    public EpochLeaf {
        counts = Map.copyOf(counts);
        logged = List.copyOf(logged);
        if (epoch < 0) {
            throw new IllegalArgumentException("an epoch's number is not negative");
        }
        if (counts.values().stream().anyMatch(count -> count < 0 || count > JsonInteger.MAX)) {
            throw new IllegalArgumentException("a count is 0 to 2^53 - 1, not one of " + counts);
        }
        try {
            LogTime.parse(time, "time");
        } catch (InvalidFormat e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /**
     * Canonical JSON.
     *
     * @throws IllegalArgumentException if it exceeds 65,535 bytes, which no entry of a log may
     */
    public byte[] encode() {
        Map<String, JsonValue> countMembers = new TreeMap<>();
        counts.forEach((name, count) -> countMembers.put(name, new JsonInteger(count)));
        List<JsonValue> loggedElements = new ArrayList<>();
        logged.forEach(object -> loggedElements.add(new JsonObject(
                Map.of("digest", new JsonString(object.digest().base64()), "name", new JsonString(object.name())))));
        byte[] json = Jcs.encode(new JsonObject(Map.of(
                "counts", new JsonObject(countMembers),
                "epoch", IndexText.of(epoch),
                "logged", new JsonArray(loggedElements),
                "time", new JsonString(time),
                "v", new JsonInteger(1),
                "vectorRoot", new JsonString(vectorRoot.base64()))));
        if (json.length > EntryBundle.MAX_ENTRY_SIZE_BYTES) {
            throw new IllegalArgumentException("an epoch leaf has at most 65,535 bytes, not " + json.length
                    + ": it logs " + logged.size() + " objects");
        }
        return json;
    }

    public static EpochLeaf parse(byte[] json) throws InvalidFormat {
        if (json.length > EntryBundle.MAX_ENTRY_SIZE_BYTES) {
            throw new InvalidFormat("epoch leaf", "must be at most 65,535 bytes, is " + json.length);
        }
        JsonObject object = Jcs.parseCanonicalObject(json);
        object.allowOnly("counts", "epoch", "logged", "time", "v", "vectorRoot");
        if (object.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        long epoch = IndexText.read(object, "epoch");
        if (epoch < 0) {
            throw new InvalidFormat("epoch", "must be below 2^63");
        }
        LogTime.parse(object.string("time"), "time");
        return new EpochLeaf(
                epoch,
                object.string("time"),
                readCounts(object.object("counts")),
                readLogged(object.array("logged")),
                Hash.ofBase64(object.string("vectorRoot"), "vectorRoot"));
    }

    private static Map<String, Long> readCounts(JsonObject object) throws InvalidFormat {
        Map<String, Long> counts = new TreeMap<>();
        for (String name : object.members().keySet()) {
            long count = object.integer(name);
            if (count < 0) {
                throw new InvalidFormat(name, "must not be negative");
            }
            counts.put(name, count);
        }
        return counts;
    }

    private static List<Logged> readLogged(List<JsonValue> elements) throws InvalidFormat {
        List<Logged> logged = new ArrayList<>();
        for (JsonValue element : elements) {
            if (!(element instanceof JsonObject object)) {
                throw new InvalidFormat("logged", "must be objects");
            }
            object.allowOnly("digest", "name");
            logged.add(new Logged(object.string("name"), Hash.ofBase64(object.string("digest"), "digest")));
        }
        return logged;
    }
}
