// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything it takes to verify one leaf offline, in one file ({@code .attest.json}).
 *
 * @param entry exact bytes of the entry
 * @param leafIndex of the entry in its shard
 * @param leafPath from the entry to the shard head, leaf sibling first
 * @param head exact bytes of the shard head
 * @param shards leaves of the epoch's vector tree; without it the vector path could be read in two ways
 * @param vectorPath from the shard head to the vector root
 * @param epochLeaf exact bytes of the epoch leaf
 * @param ledgerPath from the epoch leaf to the ledger checkpoint
 * @param note the ledger checkpoint with all signature lines
 * @param payload what the producer sent, for who may see it
 * @param salt 16 bytes, for who may see the payload
 */
public record ProofBundle(
        byte[] entry,
        LeafIndex leafIndex,
        List<Hash> leafPath,
        byte[] head,
        int shards,
        List<Hash> vectorPath,
        byte[] epochLeaf,
        List<Hash> ledgerPath,
        String note,
        byte @Nullable [] payload,
        byte @Nullable [] salt) {
    /** A payload of 1 GiB, the most rules allow, does not fit a bundle; 64 MiB of JSON does. */
    public static final int MAX_SIZE_BYTES = 64 << 20;

    private static final int MAX_PATH = 64;

    public ProofBundle {
        entry = entry.clone();
        head = head.clone();
        epochLeaf = epochLeaf.clone();
        payload = payload == null ? null : payload.clone();
        salt = salt == null ? null : salt.clone();
        leafPath = List.copyOf(leafPath);
        vectorPath = List.copyOf(vectorPath);
        ledgerPath = List.copyOf(ledgerPath);
        if (shards < 1) {
            throw new IllegalArgumentException("a ledger has at least one shard");
        }
    }

    @Override
    public byte[] entry() {
        return entry.clone();
    }

    @Override
    public byte[] head() {
        return head.clone();
    }

    @Override
    public byte[] epochLeaf() {
        return epochLeaf.clone();
    }

    @Override
    public byte @Nullable [] payload() {
        return payload == null ? null : payload.clone();
    }

    @Override
    public byte @Nullable [] salt() {
        return salt == null ? null : salt.clone();
    }

    /** This bundle for someone who may not see the payload. */
    public ProofBundle withoutPayload() {
        return new ProofBundle(
                entry, leafIndex, leafPath, head, shards, vectorPath, epochLeaf, ledgerPath, note, null, null);
    }

    /** Canonical JSON. */
    public byte[] encode() {
        Map<String, JsonValue> members = new LinkedHashMap<>();
        members.put("entry", base64(entry));
        members.put("epochLeaf", base64(epochLeaf));
        members.put("head", base64(head));
        members.put("leafIndex", IndexText.of(leafIndex.value()));
        members.put("leafPath", path(leafPath));
        members.put("ledgerPath", path(ledgerPath));
        members.put("note", new JsonString(note));
        if (payload != null) {
            members.put("payload", base64(payload));
        }
        if (salt != null) {
            members.put("salt", base64(salt));
        }
        members.put("shards", new JsonInteger(shards));
        members.put("v", new JsonInteger(1));
        members.put("vectorPath", path(vectorPath));
        return Jcs.encode(new JsonObject(members));
    }

    /** Reads a bundle; it need not be canonical JSON, a person may have reformatted it. */
    public static ProofBundle parse(byte[] json) throws InvalidFormat {
        if (json.length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("bundle", "must be at most 64 MiB, is " + json.length + " bytes");
        }
        JsonObject object = Json.parseObject(json);
        object.allowOnly(
                "entry",
                "epochLeaf",
                "head",
                "leafIndex",
                "leafPath",
                "ledgerPath",
                "note",
                "payload",
                "salt",
                "shards",
                "v",
                "vectorPath");
        if (object.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        long shards = object.integer("shards");
        if (shards < 1 || shards > Integer.MAX_VALUE) {
            throw new InvalidFormat("shards", "must be 1 to 2^31 - 1");
        }
        byte[] salt = optional(object, "salt");
        if (salt != null && salt.length != DataDigest.SALT_SIZE_BYTES) {
            throw new InvalidFormat("salt", "must be 16 bytes, is " + salt.length);
        }
        return new ProofBundle(
                Base64Text.decode(object.string("entry"), "entry"),
                new LeafIndex(IndexText.read(object, "leafIndex")),
                readPath(object, "leafPath"),
                Base64Text.decode(object.string("head"), "head"),
                (int) shards,
                readPath(object, "vectorPath"),
                Base64Text.decode(object.string("epochLeaf"), "epochLeaf"),
                readPath(object, "ledgerPath"),
                object.string("note"),
                optional(object, "payload"),
                salt);
    }

    private static JsonString base64(byte[] bytes) {
        return new JsonString(Base64Text.encode(bytes));
    }

    private static JsonArray path(List<Hash> hashes) {
        List<JsonValue> elements = new ArrayList<>();
        hashes.forEach(hash -> elements.add(new JsonString(hash.base64())));
        return new JsonArray(elements);
    }

    private static List<Hash> readPath(JsonObject object, String name) throws InvalidFormat {
        List<JsonValue> elements = object.array(name);
        if (elements.size() > MAX_PATH) {
            throw new InvalidFormat(name, "must have at most 64 hashes");
        }
        List<Hash> path = new ArrayList<>();
        for (JsonValue element : elements) {
            if (!(element instanceof JsonString hash)) {
                throw new InvalidFormat(name, "must be strings");
            }
            path.add(Hash.ofBase64(hash.value(), name));
        }
        return path;
    }

    private static byte @Nullable [] optional(JsonObject object, String name) throws InvalidFormat {
        return object.get(name) == null ? null : Base64Text.decode(object.string(name), name);
    }

    /** Where it leads, not the payload. */
    @Override
    public String toString() {
        return "proof bundle of leaf " + leafIndex + " in " + new String(head, StandardCharsets.UTF_8);
    }
}
