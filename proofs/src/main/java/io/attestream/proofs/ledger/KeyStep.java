// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A change of keys with the proof that the ledger logged it: the epoch leaf that has its digest, the path from there to the checkpoint
 * that epoch was published with, and that checkpoint, signed by the keys before the change. So it can be verified with what was
 * verified before it, and nothing else.
 *
 * @param change exact bytes of the {@link KeyChange}
 * @param epochLeaf exact bytes of the leaf that logs it
 * @param ledgerPath from that leaf, which is the last, to the checkpoint
 * @param note the checkpoint of that epoch with its signature lines
 */
public record KeyStep(byte[] change, byte[] epochLeaf, List<Hash> ledgerPath, String note) {
    private static final int MAX_PATH = 64;

    public KeyStep {
        change = change.clone();
        epochLeaf = epochLeaf.clone();
        ledgerPath = List.copyOf(ledgerPath);
    }

    /**
     * Of the epoch that was published.
     *
     * @param before the ledger log up to that epoch, without it
     */
    public static KeyStep of(KeyChange change, byte[] epochLeaf, CompactRange before, String note) {
        // The last leaf's siblings are the complete subtrees left of it, the smallest first.
        List<Hash> path = new ArrayList<>(before.hashes());
        Collections.reverse(path);
        return new KeyStep(change.encode(), epochLeaf, path, note);
    }

    @Override
    public byte[] change() {
        return change.clone();
    }

    @Override
    public byte[] epochLeaf() {
        return epochLeaf.clone();
    }

    /** Where it is kept: {@code keys/<number, 10 digits>.step}. */
    public static String name(int number) {
        return KeyChange.KEYS + String.format(Locale.ROOT, "%010d", number) + ".step";
    }

    /**
     * The history with this change.
     *
     * @throws InvalidFormat if it is not proved, or the change does not follow
     */
    public KeyHistory extend(KeyHistory before) throws InvalidFormat {
        KeyChange parsed = KeyChange.parse(change);
        EpochLeaf leaf = EpochLeaf.parse(epochLeaf);
        if (!leaf.logged().contains(parsed.logged())) {
            throw new InvalidFormat("key history", parsed + " is not logged in epoch " + leaf.epoch());
        }
        KeyHistory after = before.with(parsed, leaf.epoch());
        SignedNote signed = SignedNote.parse(note);
        if (before.verify(signed) instanceof NoteVerification.Rejected rejected) {
            throw new InvalidFormat(
                    "key history",
                    "the checkpoint of epoch " + leaf.epoch() + " does not verify: " + rejected.reason());
        }
        Checkpoint checkpoint = Checkpoint.parse(signed.text());
        Optional<Hash> root = checkpoint.size().equals(new TreeSize(leaf.epoch() + 1))
                ? Proofs.rootFromInclusion(
                        new LeafIndex(leaf.epoch()), checkpoint.size(), Rfc6962.leafHash(epochLeaf), ledgerPath)
                : Optional.empty();
        if (!root.equals(Optional.of(checkpoint.root()))) {
            throw new InvalidFormat(
                    "key history",
                    "epoch " + leaf.epoch() + ", which logs " + parsed + ", is not in the ledger log of size "
                            + checkpoint.size());
        }
        return after.shownIn(checkpoint);
    }

    /** Canonical JSON. */
    public byte[] encode() {
        return Jcs.encode(toJson());
    }

    JsonObject toJson() {
        List<JsonValue> path = new ArrayList<>();
        ledgerPath.forEach(hash -> path.add(new JsonString(hash.base64())));
        return new JsonObject(Map.of(
                "change", new JsonString(new String(change, StandardCharsets.UTF_8)),
                "epochLeaf", new JsonString(Base64Text.encode(epochLeaf)),
                "ledgerPath", new JsonArray(path),
                "note", new JsonString(note),
                "v", new JsonInteger(1)));
    }

    /** Accepts canonical bytes only. */
    public static KeyStep parse(byte[] json) throws InvalidFormat {
        return fromJson(Jcs.parseCanonicalObject(json));
    }

    static KeyStep fromJson(JsonObject json) throws InvalidFormat {
        json.allowOnly("change", "epochLeaf", "ledgerPath", "note", "v");
        if (json.integer("v") != 1) {
            throw new InvalidFormat("v", "must be 1");
        }
        List<JsonValue> elements = json.array("ledgerPath");
        if (elements.size() > MAX_PATH) {
            throw new InvalidFormat("ledgerPath", "must have at most 64 hashes");
        }
        List<Hash> path = new ArrayList<>();
        for (JsonValue element : elements) {
            if (!(element instanceof JsonString hash)) {
                throw new InvalidFormat("ledgerPath", "must be strings");
            }
            path.add(Hash.ofBase64(hash.value(), "ledgerPath"));
        }
        return new KeyStep(
                json.string("change").getBytes(StandardCharsets.UTF_8),
                Base64Text.decode(json.string("epochLeaf"), "epochLeaf"),
                path,
                json.string("note"));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof KeyStep that && Arrays.equals(encode(), that.encode());
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(encode());
    }
}
