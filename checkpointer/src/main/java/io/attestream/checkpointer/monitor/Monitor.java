// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.checkpointer.monitor.MonitorResult.Behind;
import io.attestream.checkpointer.monitor.MonitorResult.Ok;
import io.attestream.checkpointer.monitor.MonitorResult.Violation;
import io.attestream.checkpointer.monitor.MonitorResult.ViolationKind;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.PublishedKeys;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * Verifies a ledger's published checkpoints one epoch after the other, trusting nothing but the ledger's first
 * public key: others are believed from where the ledger logged them.
 *
 * <p>For every epoch: its note is signed and is the checkpoint of the ledger log with the epoch leaf appended; its heads are
 * those the leaf commits to; and every shard's head is shown, by a consistency proof, to extend the head before. The last
 * one matters most: a ledger log that is perfectly consistent does not by itself make the shards in it append-only.
 *
 * <p>What it proves holds for what it was shown. That others were shown the same is what witnesses are for.
 *
 * <p>Not thread-safe. After a {@link Violation} the state is that of the last good epoch.
 */
public final class Monitor {
    /** Epochs verified in one {@link #check}, so that progress is saved now and then. */
    public static final int EPOCHS_MAX = 256;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final CheckpointSource source;
    private final KeyHistory kept;
    private MonitorState state;
    private OptionalLong newestEpochMillis = OptionalLong.empty();

    /**
     * @param state {@link MonitorState#initial}, or what an earlier monitor of the same ledger kept
     * @throws IllegalArgumentException if the state is of another origin or key
     */
    public Monitor(String origin, NoteVerifier key, CheckpointSource source, MonitorState state) {
        this(origin, KeyHistory.of(key), source, state);
    }

    /**
     * As {@link #Monitor(String, NoteVerifier, CheckpointSource, MonitorState)}, of a ledger whose keys are known to have changed.
     *
     * @param kept the history somebody kept: the ledger must have had these keys in these epochs
     */
    public Monitor(String origin, KeyHistory kept, CheckpointSource source, MonitorState state) {
        NoteVerifier key = kept.first();
        if (!key.keyName().equals(origin)
                || !state.origin().equals(origin)
                || !state.vkey().equals(key.vkey())) {
            throw new IllegalArgumentException("the state is that of " + state.origin() + " with key " + state.vkey()
                    + ", not of " + origin + " with key " + key.vkey());
        }
        this.kept = kept;
        this.source = source;
        this.state = state;
    }

    /** When the newest epoch was made that this monitor has verified, as it says itself; empty if it has verified none yet. */
    public OptionalLong newestEpochMillis() {
        return newestEpochMillis;
    }

    /** What is verified so far; keep it to go on from after a restart. */
    public MonitorState state() {
        return state;
    }

    /**
     * Looks at the ledger once, and verifies up to {@value #EPOCHS_MAX} new epochs. An {@link Ok} with that many says that more
     * may be waiting: look again at once.
     */
    public MonitorResult check() {
        try {
            requireKept(state.keys(), state.ledgerSize().value() - 1);
            Checkpoint latest = latest(answer(source.checkpoint(), "checkpoint"));
            long known = state.ledgerSize().value();
            if (Long.compareUnsigned(latest.size().value(), known) <= 0) {
                return compareWithKnown(latest);
            }
            long target = latest.size().value() - known > EPOCHS_MAX
                    ? known + EPOCHS_MAX
                    : latest.size().value();
            for (long epoch = known; epoch != target; epoch++) {
                state = verifyEpoch(epoch);
            }
            if (state.ledgerSize().equals(latest.size())) {
                requireRoot(latest, state.ledgerRange().root());
            }
            return new Ok(state.ledgerSize(), target - known);
        } catch (ViolationException e) {
            return e.violation;
        } catch (IOException e) {
            return new Behind(state.ledgerSize(), String.valueOf(e.getMessage()));
        }
    }

    private MonitorResult compareWithKnown(Checkpoint latest) throws IOException, ViolationException {
        if (latest.size().equals(state.ledgerSize())) {
            requireRoot(latest, state.ledgerRange().root());
            return new Ok(state.ledgerSize(), 0);
        }
        requireOfKnownLog(latest);
        return new Behind(
                state.ledgerSize(),
                "the source shows a checkpoint of size " + latest.size() + ", an older one than was seen before");
    }

    /**
     * An older checkpoint is either shown again or of a log begun anew, which no ledger may do. Not every root is kept: for a
     * size without one, the newest kept size below it is asked for.
     */
    private void requireOfKnownLog(Checkpoint older) throws IOException, ViolationException {
        if (older.size().isEmpty()) {
            requireRoot(older, Rfc6962.EMPTY_ROOT);
            return;
        }
        SortedMap<Long, Hash> known = state.recentRoots().headMap(older.size().value() + 1);
        if (known.isEmpty()) {
            return;
        }
        TreeSize size = new TreeSize(known.lastKey());
        Hash root = Objects.requireNonNull(known.get(known.lastKey()));
        requireRoot(size.equals(older.size()) ? older : epochCheckpoint(epoch(size.value() - 1), size), root);
    }

    /** Verifies everything one epoch adds; the state after it. */
    private MonitorState verifyEpoch(long epoch) throws IOException, ViolationException {
        JsonNode json = epoch(epoch);
        byte[] leafBytes = base64(json.path("epochLeaf"), "epochLeaf of epoch " + epoch);
        List<ShardHead> heads = heads(json.path("heads"), epoch);

        CompactRange ledger = state.ledgerRange();
        ledger.append(Rfc6962.leafHash(leafBytes));
        Checkpoint checkpoint = epochCheckpoint(json, ledger.size());
        requireRoot(checkpoint, ledger.root());
        if (kept.contradicts(checkpoint)) {
            throw violation(
                    ViolationKind.KEYS_FORKED,
                    "the kept key history was logged in another log: not with root " + checkpoint.root() + " at size "
                            + checkpoint.size());
        }
        EpochLeaf leaf = requireHeadsOf(leafBytes, heads, epoch);
        requireShardsGrow(heads, epoch);
        newestEpochMillis = OptionalLong.of(Instant.parse(leaf.time()).toEpochMilli());
        KeyHistory keys = keysAfter(leaf);
        requireKept(keys, epoch);
        return state.with(ledger, heads, keys);
    }

    /** The newest checkpoint may be signed by keys that were announced in epochs not verified yet. */
    private Checkpoint latest(byte[] note) throws IOException, ViolationException {
        try {
            return signedCheckpoint(note, state.keys());
        } catch (ViolationException e) {
            if (e.violation.kind() != ViolationKind.NOT_SIGNED) {
                throw e;
            }
            Optional<byte[]> told = source.keys();
            if (told.isEmpty()) {
                throw e;
            }
            return signedCheckpoint(note, publishedKeys(told.get()));
        }
    }

    /** The keys behind an epoch are those of the history that was kept, as far as either goes. */
    private void requireKept(KeyHistory verified, long epoch) throws ViolationException {
        List<KeyHistory.Logged> changes = verified.changes();
        for (int i = 0; i < kept.changes().size(); i++) {
            KeyHistory.Logged expected = kept.changes().get(i);
            boolean due = i < changes.size() || expected.epoch() <= epoch;
            if (due && (i >= changes.size() || !changes.get(i).equals(expected))) {
                throw violation(
                        ViolationKind.KEYS_FORKED,
                        "epoch " + expected.epoch() + " does not log "
                                + expected.change().name() + ", which the kept key history says it does");
            }
        }
    }

    /**
     * What the source says of the ledger's keys, proved. A history that was seen only grows; one that is a part of it may be of a
     * source that is behind.
     */
    private KeyHistory publishedKeys(byte[] told) throws IOException, ViolationException {
        KeyHistory published;
        try {
            published = PublishedKeys.parse(told).verify(state.keys().first());
        } catch (InvalidFormat e) {
            throw violation(ViolationKind.KEYS_FORKED, "the key history does not hold: " + e.getMessage());
        }
        requireContinues(published, state.keys(), "verified");
        requireContinues(published, kept, "kept");
        return published;
    }

    private static void requireContinues(KeyHistory published, KeyHistory known, String how)
            throws IOException, ViolationException {
        if (published.continues(known)) {
            return;
        }
        String what = "the key history, " + published + ", does not go on from the one " + how + ", " + known;
        if (known.continues(published)) {
            throw new IOException(what + ": it is an older one");
        }
        throw violation(ViolationKind.KEYS_FORKED, what);
    }

    /** The ledger's keys behind an epoch: each change it logs is the published one. */
    private KeyHistory keysAfter(EpochLeaf leaf) throws IOException, ViolationException {
        List<EpochLeaf.Logged> logged = leaf.logged().stream()
                .filter(object -> KeyChange.isName(object.name()))
                .toList();
        if (logged.isEmpty()) {
            return state.keys();
        }
        List<KeyHistory.Logged> published =
                publishedKeys(answer(source.keys(), "key history")).changes();
        KeyHistory after = state.keys();
        for (EpochLeaf.Logged object : logged) {
            int known = after.changes().size();
            if (known == published.size()) {
                throw new IOException("the source has no " + object.name() + ", which epoch " + leaf.epoch() + " logs");
            }
            KeyChange change = published.get(known).change();
            if (!change.logged().equals(object)) {
                throw violation(
                        ViolationKind.KEYS_FORKED,
                        "epoch " + leaf.epoch() + " logs " + object.name() + ", published is " + change.name());
            }
            after = after(after, change, leaf.epoch());
        }
        return after;
    }

    private static KeyHistory after(KeyHistory before, KeyChange change, long epoch) throws ViolationException {
        try {
            return before.with(change, epoch);
        } catch (InvalidFormat e) {
            throw violation(ViolationKind.KEYS_FORKED, "epoch " + epoch + ": " + e.getMessage());
        }
    }

    private JsonNode epoch(long epoch) throws IOException, ViolationException {
        return json(answer(source.epoch(epoch), "epoch " + epoch), "epoch " + epoch);
    }

    /** The checkpoint an epoch was published with, which is of the size the ledger log had with it. */
    private Checkpoint epochCheckpoint(JsonNode json, TreeSize size) throws ViolationException {
        String what = "note of epoch " + (size.value() - 1);
        Checkpoint checkpoint =
                signedCheckpoint(text(json.path("note"), what).getBytes(StandardCharsets.UTF_8), state.keys());
        if (!checkpoint.size().equals(size)) {
            throw violation(
                    ViolationKind.EPOCH_MISMATCH,
                    "the " + what + " is of size " + checkpoint.size() + ", expected " + size);
        }
        return checkpoint;
    }

    private EpochLeaf requireHeadsOf(byte[] leafBytes, List<ShardHead> heads, long epoch) throws ViolationException {
        EpochLeaf leaf;
        try {
            leaf = EpochLeaf.parse(leafBytes);
        } catch (InvalidFormat e) {
            throw violation(ViolationKind.MALFORMED, "epochLeaf of epoch " + epoch + ": " + e.getMessage());
        }
        if (leaf.epoch() != epoch) {
            throw violation(
                    ViolationKind.EPOCH_MISMATCH, "the leaf of epoch " + epoch + " names epoch " + leaf.epoch());
        }
        Hash vectorRoot = ShardHead.vectorRoot(heads);
        if (!vectorRoot.equals(leaf.vectorRoot())) {
            throw violation(
                    ViolationKind.EPOCH_MISMATCH,
                    "epoch " + epoch + " commits to vector root "
                            + leaf.vectorRoot().base64() + ", its heads give " + vectorRoot.base64());
        }
        return leaf;
    }

    private void requireShardsGrow(List<ShardHead> heads, long epoch) throws IOException, ViolationException {
        if (!state.heads().isEmpty() && heads.size() != state.heads().size()) {
            throw violation(
                    ViolationKind.EPOCH_MISMATCH,
                    "epoch " + epoch + " has " + heads.size() + " shards, the epoch before "
                            + state.heads().size());
        }
        for (int shard = 0; shard < heads.size(); shard++) {
            ShardHead after = heads.get(shard);
            if (after.shard() != shard) {
                throw violation(
                        ViolationKind.EPOCH_MISMATCH,
                        "epoch " + epoch + " has the head of shard " + after.shard() + " in place " + shard);
            }
            requireGrows(state.heads().isEmpty() ? null : state.heads().get(shard), after, epoch);
        }
    }

    private void requireGrows(@Nullable ShardHead before, ShardHead after, long epoch)
            throws IOException, ViolationException {
        String where = "shard " + after.shard() + " in epoch " + epoch;
        if (before != null && after.nextOffset() < before.nextOffset()) {
            throw violation(ViolationKind.SHARD_SHRANK, where + " went from " + before + " to " + after);
        }
        if (before == null || before.size().isEmpty()) {
            if (after.size().isEmpty() && !after.root().equals(Rfc6962.EMPTY_ROOT)) {
                throw violation(
                        ViolationKind.SHARD_FORKED,
                        where + " is empty and has root " + after.root().base64());
            }
            return;
        }
        if (Long.compareUnsigned(after.size().value(), before.size().value()) < 0) {
            throw violation(ViolationKind.SHARD_SHRANK, where + " went from " + before + " to " + after);
        }
        if (after.size().equals(before.size())) {
            if (!after.root().equals(before.root())) {
                throw violation(
                        ViolationKind.SHARD_FORKED,
                        where + " has size " + after.size() + " with root "
                                + after.root().base64() + ", before it was "
                                + before.root().base64());
            }
            return;
        }
        if (!Proofs.verifyConsistency(
                before.size(), after.size(), consistency(before, after), before.root(), after.root())) {
            throw violation(
                    ViolationKind.SHARD_FORKED,
                    where + ": the consistency proof from size " + before.size() + " root "
                            + before.root().base64() + " to size " + after.size() + " root "
                            + after.root().base64() + " does not hold");
        }
    }

    private List<Hash> consistency(ShardHead before, ShardHead after) throws IOException, ViolationException {
        String what = "consistency proof of shard " + after.shard() + " from " + before.size() + " to " + after.size();
        Optional<byte[]> proof = source.shardConsistency(
                after.shard(), before.size().value(), after.size().value());
        List<Hash> path = new ArrayList<>();
        for (JsonNode hash : array(json(answer(proof, what), what).path("path"), what, 128)) {
            path.add(hash(base64(hash, what), what));
        }
        return path;
    }

    // ---- reading what the source answered

    private static Checkpoint signedCheckpoint(byte[] noteBytes, KeyHistory keys) throws ViolationException {
        try {
            SignedNote note = SignedNote.parse(noteBytes);
            Checkpoint checkpoint = Checkpoint.parse(note.text());
            if (keys.verify(note) instanceof NoteVerification.Rejected rejected) {
                throw violation(
                        ViolationKind.NOT_SIGNED, "the checkpoint is not signed by the ledger: " + rejected.reason());
            }
            return checkpoint;
        } catch (InvalidFormat e) {
            throw violation(ViolationKind.MALFORMED, "the checkpoint cannot be read: " + e.getMessage());
        }
    }

    private static void requireRoot(Checkpoint signed, Hash expected) throws ViolationException {
        if (!signed.root().equals(expected)) {
            throw violation(
                    ViolationKind.LEDGER_FORKED,
                    "the ledger log of size " + signed.size() + " was signed with root "
                            + signed.root().base64() + ", what was verified gives " + expected.base64());
        }
    }

    private static List<ShardHead> heads(JsonNode json, long epoch) throws ViolationException {
        String what = "heads of epoch " + epoch;
        List<ShardHead> heads = new ArrayList<>();
        for (JsonNode head : array(json, what, 4096)) {
            try {
                heads.add(ShardHead.parse(base64(head, what)));
            } catch (InvalidFormat e) {
                throw violation(ViolationKind.MALFORMED, what + ": " + e.getMessage());
            }
        }
        return heads;
    }

    private static byte[] answer(Optional<byte[]> answer, String what) throws IOException {
        return answer.orElseThrow(() -> new IOException("the source has no " + what));
    }

    private static JsonNode json(byte[] bytes, String what) throws ViolationException {
        try {
            JsonNode node = JSON.readTree(bytes);
            if (node != null && node.isObject()) {
                return node;
            }
        } catch (IOException e) {
            throw violation(ViolationKind.MALFORMED, what + " is not JSON");
        }
        throw violation(ViolationKind.MALFORMED, what + " is not a JSON object");
    }

    private static Iterable<JsonNode> array(JsonNode node, String what, int elementsMax) throws ViolationException {
        if (!node.isArray() || node.size() > elementsMax) {
            throw violation(ViolationKind.MALFORMED, what + " is not an array of at most " + elementsMax);
        }
        return node;
    }

    private static String text(JsonNode node, String what) throws ViolationException {
        if (!node.isTextual()) {
            throw violation(ViolationKind.MALFORMED, what + " is not a string");
        }
        return node.textValue();
    }

    private static byte[] base64(JsonNode node, String what) throws ViolationException {
        try {
            return Base64.getDecoder().decode(text(node, what));
        } catch (IllegalArgumentException e) {
            throw violation(ViolationKind.MALFORMED, what + " is not base64");
        }
    }

    private static Hash hash(byte[] bytes, String what) throws ViolationException {
        if (bytes.length != 32) {
            throw violation(ViolationKind.MALFORMED, what + " has a hash of " + bytes.length + " bytes");
        }
        return Hash.of(bytes);
    }

    private static ViolationException violation(ViolationKind kind, String detail) {
        return new ViolationException(new Violation(kind, detail));
    }

    /** Carries a violation from where it was found to {@link #check}. */
    private static final class ViolationException extends Exception {
        private final Violation violation;

        ViolationException(Violation violation) {
            super(violation.detail());
            this.violation = violation;
        }
    }
}
