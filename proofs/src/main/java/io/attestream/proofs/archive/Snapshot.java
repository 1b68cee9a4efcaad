// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The manifest of a snapshot: the state of every shard at a published epoch. Stored as a signed note (c2sp.org/signed-note) whose
 * text is the line {@code <ledger origin>/snapshot} and a line of canonical JSON; the ledger's key signs it under the name
 * {@code <ledger origin>/snapshot}.
 *
 * @param origin of the ledger
 * @param ledgerFrontier the compact range of the ledger log up to and including the epoch
 * @param generation of the processors whose topics the shards' offsets are of
 * @param time RFC 3339, when it was taken; recorded only
 * @param shards in shard order
 */
public record Snapshot(
        String origin,
        long epoch,
        List<Hash> ledgerFrontier,
        int incarnation,
        int generation,
        String time,
        List<Shard> shards) {
    /**
     * One shard.
     *
     * @param head as published
     * @param name of the object with the {@link ShardSnapshot}
     */
    public record Shard(ShardHead head, String name) {}

    public Snapshot {
        ledgerFrontier = List.copyOf(ledgerFrontier);
        shards = List.copyOf(shards);
    }

    /** The name under which the ledger's key signs snapshots, and the first line of their text. */
    public static String keyName(String origin) {
        return origin + "/snapshot";
    }

    /** The ledger log up to and including the epoch. */
    public CompactRange ledgerRange() {
        return CompactRange.of(new TreeSize(epoch + 1), ledgerFrontier);
    }

    public List<ShardHead> heads() {
        return shards.stream().map(Shard::head).toList();
    }

    /** What is signed. */
    public String text() {
        List<JsonValue> encodedShards = new ArrayList<>();
        shards.forEach(shard -> encodedShards.add(new JsonObject(Map.of(
                "head", new JsonString(Base64Text.encode(shard.head().encode())),
                "name", new JsonString(shard.name())))));
        byte[] json = Jcs.encode(new JsonObject(Map.of(
                "epoch", IndexText.of(epoch),
                "generation", new JsonInteger(generation),
                "incarnation", new JsonInteger(incarnation),
                "ledgerFrontier",
                        new JsonArray(ledgerFrontier.stream()
                                .<JsonValue>map(hash -> new JsonString(hash.base64()))
                                .toList()),
                "shards", new JsonArray(encodedShards),
                "time", new JsonString(time),
                "v", new JsonInteger(1))));
        return keyName(origin) + "\n" + new String(json, StandardCharsets.UTF_8) + "\n";
    }

    /** @param text of the signed note; its signature is the caller's to verify */
    public static Snapshot parse(String origin, String text) throws InvalidFormat {
        String[] lines = text.split("\n", -1);
        if (lines.length != 3 || !lines[2].isEmpty() || !lines[0].equals(keyName(origin))) {
            throw new InvalidFormat("snapshot", "must be the line " + keyName(origin) + " and a line of JSON");
        }
        JsonObject json = Jcs.parseCanonicalObject(lines[1].getBytes(StandardCharsets.UTF_8));
        json.allowOnly("epoch", "generation", "incarnation", "ledgerFrontier", "shards", "time", "v");
        if (json.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        long epoch = IndexText.read(json, "epoch");
        if (epoch < 0 || epoch == Long.MAX_VALUE) {
            throw new InvalidFormat("epoch", "must be below 2^63 - 1");
        }
        List<Hash> frontier = ShardSnapshot.hashes(json, "ledgerFrontier");
        if (frontier.size() != CompactRange.hashCount(new TreeSize(epoch + 1))) {
            throw new InvalidFormat("ledgerFrontier", "must be that of size " + (epoch + 1));
        }
        LogTime.parse(json.string("time"), "time");
        return new Snapshot(
                origin,
                epoch,
                frontier,
                number(json, "incarnation"),
                number(json, "generation"),
                json.string("time"),
                shards(json, epoch));
    }

    private static List<Shard> shards(JsonObject json, long epoch) throws InvalidFormat {
        List<Shard> shards = new ArrayList<>();
        for (JsonValue element : json.array("shards")) {
            if (!(element instanceof JsonObject shard)) {
                throw new InvalidFormat("shards", "must be objects");
            }
            shard.allowOnly("head", "name");
            ShardHead head = ShardHead.parse(Base64Text.decode(shard.string("head"), "head"));
            if (head.shard() != shards.size()) {
                throw new InvalidFormat("shards", "must be in shard order");
            }
            SnapshotName.requireOfShard(shard.string("name"), epoch, head.shard());
            shards.add(new Shard(head, shard.string("name")));
        }
        return shards;
    }

    private static int number(JsonObject json, String member) throws InvalidFormat {
        long value = json.integer(member);
        if (value < 1 || value > Integer.MAX_VALUE) {
            throw new InvalidFormat(member, "must be 1 to 2^31 - 1");
        }
        return (int) value;
    }
}
