// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.control;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The tree that a later incarnation's genesis is appended to: a shard as the last epoch published it before topic {@code events} was
 * lost.
 *
 * @param epoch that was published last
 * @param size of the shard in it, which is the index of the genesis leaf
 * @param frontier the compact range of that size, largest subtree first
 */
public record Prior(long epoch, TreeSize size, List<Hash> frontier) {
    public Prior {
        frontier = List.copyOf(frontier);
        if (epoch < 0 || frontier.size() != CompactRange.hashCount(size)) {
            throw new IllegalArgumentException("a tree of size " + size + " in epoch " + epoch
                    + " cannot be: epoch >= 0, and its frontier has " + CompactRange.hashCount(size) + " hashes, not "
                    + frontier.size());
        }
    }

    /** The tree itself. */
    public CompactRange range() {
        return CompactRange.of(size, frontier);
    }

    JsonObject toJson() {
        List<JsonValue> hashes = new ArrayList<>();
        frontier.forEach(hash -> hashes.add(new JsonString(hash.base64())));
        return new JsonObject(Map.of(
                "epoch",
                IndexText.of(epoch),
                "frontier",
                new JsonArray(hashes),
                "root",
                new JsonString(range().root().base64()),
                "size",
                IndexText.of(size.value())));
    }

    static Prior fromJson(JsonObject json) throws InvalidFormat {
        json.allowOnly("epoch", "frontier", "root", "size");
        List<Hash> frontier = new ArrayList<>();
        for (JsonValue value : json.array("frontier")) {
            if (!(value instanceof JsonString hash)) {
                throw new InvalidFormat("frontier", "must be strings");
            }
            frontier.add(Hash.ofBase64(hash.value(), "frontier"));
        }
        try {
            Prior prior =
                    new Prior(IndexText.read(json, "epoch"), new TreeSize(IndexText.read(json, "size")), frontier);
            if (!prior.range().root().equals(Hash.ofBase64(json.string("root"), "root"))) {
                throw new InvalidFormat("root", "must be that of the frontier");
            }
            return prior;
        } catch (IllegalArgumentException e) {
            throw new InvalidFormat("prior", String.valueOf(e.getMessage()));
        }
    }
}
