// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.ShardHead;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * The archive object with what was published of one epoch: its leaf of the ledger log, the heads under it, the signed
 * checkpoint, and which objects hold its leaves. The names and the generation are in no signature: what is under a name has to
 * give the signed roots. With these the archive verifies and restores without Kafka. Canonical JSON.
 *
 * @param epochLeaf the exact bytes of the ledger log's leaf
 * @param heads of all shards, in shard order
 * @param note the ledger checkpoint with its signature lines
 * @param segment name of the object with the epoch's entries
 * @param payloads name of the object with the epoch's payloads
 * @param generation of the processors whose heads these are
 */
public record EpochObject(
        byte[] epochLeaf, List<ShardHead> heads, String note, String segment, String payloads, int generation) {
    private static final int MAX_SIZE_BYTES = 16 << 20;

    public EpochObject {
        epochLeaf = epochLeaf.clone();
        heads = List.copyOf(heads);
    }

    @Override
    public byte[] epochLeaf() {
        return epochLeaf.clone();
    }

    public byte[] encode() {
        List<JsonValue> encodedHeads = new ArrayList<>();
        heads.forEach(head -> encodedHeads.add(base64(head.encode())));
        return Jcs.encode(new JsonObject(Map.of(
                "epochLeaf", base64(epochLeaf),
                "generation", new JsonInteger(generation),
                "heads", new JsonArray(encodedHeads),
                "note", new JsonString(note),
                "payloads", new JsonString(payloads),
                "segment", new JsonString(segment),
                "v", new JsonInteger(1))));
    }

    /** Accepts canonical bytes only. */
    public static EpochObject parse(byte[] object) throws InvalidFormat {
        if (object.length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("epoch object", "must be at most 16 MiB, is " + object.length + " bytes");
        }
        JsonObject json = Jcs.parseCanonicalObject(object);
        json.allowOnly("epochLeaf", "generation", "heads", "note", "payloads", "segment", "v");
        if (json.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        long generation = json.integer("generation");
        if (generation < 1 || generation > Integer.MAX_VALUE) {
            throw new InvalidFormat("generation", "must be 1 to 2^31 - 1");
        }
        List<ShardHead> heads = new ArrayList<>();
        for (JsonValue head : json.array("heads")) {
            if (!(head instanceof JsonString text)) {
                throw new InvalidFormat("heads", "must be strings");
            }
            heads.add(ShardHead.parse(Base64Text.decode(text.value(), "heads")));
        }
        byte[] epochLeaf = Base64Text.decode(json.string("epochLeaf"), "epochLeaf");
        long epoch = EpochLeaf.parse(epochLeaf).epoch();
        String segment = json.string("segment");
        String payloads = json.string("payloads");
        ObjectNames.requireSegment(segment, epoch);
        ObjectNames.requirePayloads(payloads, epoch);
        return new EpochObject(epochLeaf, heads, json.string("note"), segment, payloads, (int) generation);
    }

    private static JsonString base64(byte[] bytes) {
        return new JsonString(Base64.getEncoder().encodeToString(bytes));
    }
}
