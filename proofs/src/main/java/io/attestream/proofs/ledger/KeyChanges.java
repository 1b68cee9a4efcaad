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
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The operator's file of key changes: all there were, and behind them those that are still to be logged. It grows at its end only.
 *
 * @param vkey of the ledger's first key
 */
public record KeyChanges(String vkey, List<KeyChange> changes) {
    private static final int MAX_SIZE_BYTES = 16 << 20;

    public KeyChanges {
        changes = List.copyOf(changes);
    }

    /** Of a ledger whose keys never changed. */
    public static KeyChanges none(NoteVerifier first) {
        return new KeyChanges(first.vkey(), List.of());
    }

    /**
     * What follows what was logged.
     *
     * @throws InvalidFormat if the file does not begin with all that was logged, or what follows may not
     */
    public List<KeyChange> pending(KeyHistory logged) throws InvalidFormat {
        if (!vkey.equals(logged.first().vkey())) {
            throw new InvalidFormat(
                    "key changes",
                    "are of a ledger with first key " + vkey + ", expected "
                            + logged.first().vkey());
        }
        List<KeyChange> known =
                logged.changes().stream().map(KeyHistory.Logged::change).toList();
        if (changes.size() < known.size() || !changes.subList(0, known.size()).equals(known)) {
            throw new InvalidFormat(
                    "key changes", "must begin with the " + known.size() + " changes the ledger has logged");
        }
        List<KeyChange> pending = changes.subList(known.size(), changes.size());
        after(logged, pending);
        return pending;
    }

    /** The history as it will be when all of these are logged too; its epochs mean nothing. */
    public static KeyHistory after(KeyHistory logged, List<KeyChange> pending) throws InvalidFormat {
        KeyHistory after = logged;
        for (KeyChange change : pending) {
            int changes = after.changes().size();
            after = after.with(
                    change, changes == 0 ? 0 : after.changes().get(changes - 1).epoch());
        }
        return after;
    }

    /** This file and one change more. */
    public KeyChanges with(KeyChange change) {
        List<KeyChange> all = new ArrayList<>(changes);
        all.add(change);
        return new KeyChanges(vkey, all);
    }

    /** Canonical JSON. */
    public byte[] encode() {
        List<JsonValue> elements = new ArrayList<>();
        changes.forEach(change -> elements.add(new JsonString(new String(change.encode(), StandardCharsets.UTF_8))));
        return Jcs.encode(new JsonObject(
                Map.of("changes", new JsonArray(elements), "v", new JsonInteger(1), "vkey", new JsonString(vkey))));
    }

    public static KeyChanges parse(byte[] json) throws InvalidFormat {
        if (json.length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("key changes", "must be at most 16 MiB, is " + json.length + " bytes");
        }
        JsonObject object = Json.parseObject(json);
        object.allowOnly("changes", "v", "vkey");
        if (object.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        List<KeyChange> changes = new ArrayList<>();
        for (JsonValue element : object.array("changes")) {
            if (!(element instanceof JsonString note)) {
                throw new InvalidFormat("changes", "must be strings");
            }
            changes.add(KeyChange.parse(note.value().getBytes(StandardCharsets.UTF_8)));
        }
        return new KeyChanges(object.string("vkey"), changes);
    }
}
