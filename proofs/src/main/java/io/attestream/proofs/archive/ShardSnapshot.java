// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.IndexText;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Everything needed to resume one shard at a published head without reading the records before it. Canonical JSON; what
 * deduplication has to know of the last leaves is in window blocks beside it.
 *
 * @param head as published; the input goes on at its next offset
 * @param frontier the compact range of the head, largest subtree first
 * @param counts what became of the records below the head, as an epoch leaf counts them
 * @param controls the exact entries of the shard's genesis and of every rules record, in their order: rules, schema ids and texts
 * @param windowFirst index of the first leaf deduplication remembers
 * @param window blocks with all leaves from {@code windowFirst} to the head, and some before it
 * @param sealedOffset no delta behind the head is in topic {@code sealed} before this offset of the shard's partition
 * @param outcomesOffset no outcome of a record behind the head is in topic {@code outcomes} before this offset
 * @param leafSizeBytes what a leaf of the shard takes in memory with its payload, on the average of those last published
 */
public record ShardSnapshot(
        ShardHead head,
        List<Hash> frontier,
        Map<String, Long> counts,
        List<byte[]> controls,
        long windowFirst,
        List<WindowName> window,
        long sealedOffset,
        long outcomesOffset,
        long leafSizeBytes) {
    private static final int MAX_SIZE_BYTES = 16 << 20;

    public ShardSnapshot {
        frontier = List.copyOf(frontier);
        counts = Map.copyOf(counts);
        controls = List.copyOf(controls);
        window = List.copyOf(window);
    }

    /** The compact range of the head. */
    public CompactRange range() {
        return CompactRange.of(head.size(), frontier);
    }

    public byte[] encode() {
        Map<String, JsonValue> countMembers = new TreeMap<>();
        counts.forEach((name, count) -> countMembers.put(name, new JsonInteger(count)));
        return Jcs.encode(new JsonObject(Map.of(
                "controls",
                        new JsonArray(
                                controls.stream().map(ShardSnapshot::base64).toList()),
                "counts", new JsonObject(countMembers),
                "frontier",
                        new JsonArray(frontier.stream()
                                .<JsonValue>map(hash -> new JsonString(hash.base64()))
                                .toList()),
                "head", base64(head.encode()),
                "leafSizeBytes", new JsonInteger(leafSizeBytes),
                "outcomesOffset", IndexText.of(outcomesOffset),
                "sealedOffset", IndexText.of(sealedOffset),
                "v", new JsonInteger(1),
                "window",
                        new JsonArray(window.stream()
                                .<JsonValue>map(block -> new JsonString(block.name()))
                                .toList()),
                "windowFirst", IndexText.of(windowFirst))));
    }

    /** Accepts canonical bytes only, whose frontier gives the head's root and whose window ends at the head without a gap. */
    public static ShardSnapshot parse(byte[] object) throws InvalidFormat {
        if (object.length > MAX_SIZE_BYTES) {
            throw new InvalidFormat("shard snapshot", "must be at most 16 MiB, is " + object.length + " bytes");
        }
        JsonObject json = Jcs.parseCanonicalObject(object);
        json.allowOnly(
                "controls",
                "counts",
                "frontier",
                "head",
                "leafSizeBytes",
                "outcomesOffset",
                "sealedOffset",
                "v",
                "window",
                "windowFirst");
        if (json.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        ShardSnapshot snapshot = new ShardSnapshot(
                ShardHead.parse(Base64Text.decode(json.string("head"), "head")),
                hashes(json, "frontier"),
                counts(json.object("counts")),
                controls(json),
                index(json, "windowFirst"),
                window(json),
                index(json, "sealedOffset"),
                index(json, "outcomesOffset"),
                json.integer("leafSizeBytes"));
        snapshot.requireFrontier();
        snapshot.requireWindow();
        if (snapshot.leafSizeBytes < 0) {
            throw new InvalidFormat("leafSizeBytes", "must not be negative");
        }
        return snapshot;
    }

    private void requireFrontier() throws InvalidFormat {
        if (frontier.size() != CompactRange.hashCount(head.size())) {
            throw new InvalidFormat(
                    "frontier",
                    "must have " + CompactRange.hashCount(head.size()) + " hashes for a tree of size " + head.size());
        }
        Hash root = range().root();
        if (!root.equals(head.root())) {
            throw new InvalidFormat(
                    "frontier",
                    "gives root " + root.base64() + ", the head has "
                            + head.root().base64());
        }
    }

    private void requireWindow() throws InvalidFormat {
        long size = head.size().value();
        if (windowFirst > size) {
            throw new InvalidFormat("windowFirst", "must be at most the size " + size);
        }
        if (window.isEmpty() != (windowFirst == size)) {
            throw new InvalidFormat("window", "must hold leaves from " + windowFirst + " to " + size);
        }
        if (window.isEmpty()) {
            return;
        }
        long next = window.get(0).first();
        if (next > windowFirst) {
            throw new InvalidFormat("window", "begins at leaf " + next + ", needed are leaves from " + windowFirst);
        }
        for (WindowName block : window) {
            if (block.shard() != head.shard() || block.first() != next) {
                throw new InvalidFormat(
                        "window", "has " + block.name() + ", expected is leaf " + next + " of shard " + head.shard());
            }
            next = block.end();
        }
        if (next != size) {
            throw new InvalidFormat("window", "ends at leaf " + next + ", the head at " + size);
        }
    }

    private static Map<String, Long> counts(JsonObject object) throws InvalidFormat {
        Map<String, Long> counts = new TreeMap<>();
        for (String name : object.members().keySet()) {
            counts.put(name, object.integer(name));
        }
        return counts;
    }

    private static List<byte[]> controls(JsonObject json) throws InvalidFormat {
        List<byte[]> controls = new ArrayList<>();
        for (String text : strings(json, "controls")) {
            controls.add(Base64Text.decode(text, "controls"));
        }
        return controls;
    }

    private static List<WindowName> window(JsonObject json) throws InvalidFormat {
        List<WindowName> window = new ArrayList<>();
        for (String name : strings(json, "window")) {
            window.add(WindowName.parse(name));
        }
        return window;
    }

    static List<Hash> hashes(JsonObject json, String member) throws InvalidFormat {
        List<Hash> hashes = new ArrayList<>();
        for (String text : strings(json, member)) {
            hashes.add(Hash.ofBase64(text, member));
        }
        return hashes;
    }

    private static List<String> strings(JsonObject json, String member) throws InvalidFormat {
        List<String> strings = new ArrayList<>();
        for (JsonValue element : json.array(member)) {
            if (!(element instanceof JsonString text)) {
                throw new InvalidFormat(member, "must be strings");
            }
            strings.add(text.value());
        }
        return strings;
    }

    private static long index(JsonObject json, String member) throws InvalidFormat {
        long value = IndexText.read(json, member);
        if (value < 0) {
            throw new InvalidFormat(member, "must be below 2^63");
        }
        return value;
    }

    private static JsonValue base64(byte[] bytes) {
        return new JsonString(Base64Text.encode(bytes));
    }
}
