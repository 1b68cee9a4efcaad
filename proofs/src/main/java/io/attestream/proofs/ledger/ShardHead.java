// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.util.List;
import java.util.Map;

/**
 * A shard's tree head; encoded, a leaf of its epoch's vector tree.
 *
 * @param nextOffset every committed record below this Kafka offset is accounted for
 */
public record ShardHead(int shard, TreeSize size, Hash root, long nextOffset) {
    public ShardHead {
        if (shard < 0 || nextOffset < 0) {
            throw new IllegalArgumentException("shard and nextOffset are not negative");
        }
    }

    /** Canonical JSON. */
    public byte[] encode() {
        return Jcs.encode(new JsonObject(Map.of(
                "nextOffset",
                IndexText.of(nextOffset),
                "root",
                new JsonString(root.base64()),
                "shard",
                new JsonInteger(shard),
                "size",
                IndexText.of(size.value()))));
    }

    public static ShardHead parse(byte[] json) throws InvalidFormat {
        JsonObject object = Jcs.parseCanonicalObject(json);
        object.allowOnly("nextOffset", "root", "shard", "size");
        long shard = object.integer("shard");
        long nextOffset = IndexText.read(object, "nextOffset");
        if (shard < 0 || shard > Integer.MAX_VALUE) {
            throw new InvalidFormat("shard", "must be 0 to 2^31 - 1");
        }
        if (nextOffset < 0) {
            throw new InvalidFormat("nextOffset", "must be below 2^63");
        }
        return new ShardHead(
                (int) shard,
                new TreeSize(IndexText.read(object, "size")),
                Hash.ofBase64(object.string("root"), "root"),
                nextOffset);
    }

    /** The RFC 6962 root over the heads of all shards in their order. */
    public static Hash vectorRoot(List<ShardHead> heads) {
        CompactRange range = CompactRange.empty();
        heads.forEach(head -> range.append(Rfc6962.leafHash(head.encode())));
        return range.root();
    }
}
