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
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Proofs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint of the ledger log with the proof that it continues an older one. What an old key signed is believed for ever where a
 * newer key signed what continues it.
 *
 * @param note the newer checkpoint with its signature lines
 * @param path the consistency proof (RFC 6962, section 2.1.2) from the older checkpoint to it
 */
public record Continuation(String note, List<Hash> path) {
    private static final int MAX_PATH = 128;
    private static final int MAX_SIZE_BYTES = 2 << 20;

    public Continuation {
        path = List.copyOf(path);
    }

    /**
     * Why it does not prove that the older checkpoint is of the ledger's history; empty if it does.
     *
     * @param keys whose newest key has to have signed the newer checkpoint, if that is not one the history was shown with
     */
    Optional<String> problem(KeyHistory keys, Checkpoint older) {
        Checkpoint newer;
        try {
            SignedNote signed = SignedNote.parse(note);
            if (keys.verify(signed) instanceof NoteVerification.Rejected rejected) {
                return Optional.of("the newer checkpoint does not verify: " + rejected.reason());
            }
            newer = Checkpoint.parse(signed.text());
        } catch (InvalidFormat e) {
            return Optional.of("the newer checkpoint cannot be read: " + e.getMessage());
        }
        if (!keys.isCurrent(newer)) {
            return Optional.of("the newer checkpoint, of size " + newer.size() + ", is signed by an older key than "
                    + keys.newest().vkey());
        }
        return Proofs.verifyConsistency(older.size(), newer.size(), path, older.root(), newer.root())
                ? Optional.empty()
                : Optional.of("the checkpoint of size " + newer.size() + " does not continue that of size "
                        + older.size() + " with root " + older.root());
    }

    /** Canonical JSON. */
    public byte[] encode() {
        List<JsonValue> hashes = new ArrayList<>();
        path.forEach(hash -> hashes.add(new JsonString(hash.base64())));
        return Jcs.encode(new JsonObject(
                Map.of("note", new JsonString(note), "path", new JsonArray(hashes), "v", new JsonInteger(1))));
    }

    /** Reads one; it need not be canonical JSON, a person may have reformatted it. */
    public static Continuation parse(byte[] json) throws InvalidFormat {
        if (json.length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("continuation", "must be at most 2 MiB, is " + json.length + " bytes");
        }
        JsonObject object = Json.parseObject(json);
        object.allowOnly("note", "path", "v");
        if (object.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        List<JsonValue> elements = object.array("path");
        if (elements.size() > MAX_PATH) {
            throw new InvalidFormat("path", "must have at most " + MAX_PATH + " hashes");
        }
        List<Hash> path = new ArrayList<>();
        for (JsonValue element : elements) {
            if (!(element instanceof JsonString hash)) {
                throw new InvalidFormat("path", "must be strings");
            }
            path.add(Hash.ofBase64(hash.value(), "path"));
        }
        return new Continuation(object.string("note"), path);
    }
}
