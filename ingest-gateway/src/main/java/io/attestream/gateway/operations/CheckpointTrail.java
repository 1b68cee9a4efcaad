// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.gateway.read.Archive;
import io.attestream.gateway.read.Epoch;
import io.attestream.gateway.read.LogName;
import io.attestream.gateway.read.ProofsClient;
import io.attestream.gateway.read.Unavailable;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * The last checkpoints, each verified here with the ledger's public keys: its signature, that the epoch it is shown with is in its
 * tree, and that its tree extends that of the checkpoint before. Beyond those shown, each look holds the newest against the newest
 * of the look before; what was once seen to be broken stays so until the process ends. One that is smaller than that is not called
 * good, and is bad when it lasts. Not thread-safe.
 */
final class CheckpointTrail {
    static final int SHOWN = 5;
    /** So long an instance of proofs may be behind, and the newest checkpoint with it. */
    static final Duration SMALLER_MAX = Duration.ofSeconds(60);

    private final ProofsClient proofs;
    private final Keys keys;
    private final Clock clock;
    /** Checkpoints in full order that were verified, by epoch; they do not change. */
    private Map<Long, Remembered> verified = Map.of();

    private @Nullable Checkpoint watched;
    private long watchedSinceEpoch;
    /** Since when the newest is smaller than one seen before; null if it is not. */
    private @Nullable Instant smallerSince;

    private String broken = "";

    /** The ledger's keys. */
    interface Keys {
        /** @param now whether what was known a moment ago will not do */
        KeyHistory get(boolean now) throws Unavailable, Archive.Broken;
    }

    CheckpointTrail(ProofsClient proofs, Keys keys, Clock clock) {
        this.proofs = proofs;
        this.keys = keys;
        this.clock = clock;
    }

    /** What came of one check. */
    enum Tick {
        VERIFIED,
        FAILED,
        UNKNOWN;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What a look gave.
     *
     * @param heads of the newest epoch, if all of it was verified
     */
    record Trail(Part part, List<ShardHead> heads, OptionalDouble newestAgeSeconds) {
        Trail {
            heads = List.copyOf(heads);
        }
    }

    /** A checkpoint and what was found; without a checkpoint the note was not even readable. */
    private record Row(
            Epoch epoch,
            @Nullable Checkpoint checkpoint,
            Tick signature,
            Tick contents,
            Tick consistency,
            String reason,
            Optional<Instant> time,
            List<ShardHead> heads) {
        boolean isVerified() {
            return signature == Tick.VERIFIED && contents == Tick.VERIFIED && consistency == Tick.VERIFIED;
        }

        Row withConsistency(Tick tick, String why) {
            return new Row(epoch, checkpoint, signature, contents, tick, reason.isEmpty() ? why : reason, time, heads);
        }

        State state() {
            if (signature == Tick.FAILED || contents == Tick.FAILED || consistency == Tick.FAILED) {
                return State.CRITICAL;
            }
            return isVerified() ? State.GOOD : State.UNKNOWN;
        }
    }

    /** @param noteBefore of the checkpoint against which it was verified; empty if there is none */
    private record Remembered(Row row, String noteBefore) {
        boolean isOf(Epoch epoch, String before) {
            return row.epoch().note().equals(epoch.note()) && noteBefore.equals(before);
        }
    }

    /** Asks the proofs service. Never fails. */
    Trail look() {
        try {
            Optional<Epoch> newest = proofs.latestEpoch();
            return newest.isEmpty() ? nothing("nothing is published yet") : trail(newest.get());
        } catch (Unavailable e) {
            return nothing(String.valueOf(e.getMessage()));
        }
    }

    private Trail nothing(String reason) {
        Part part = Part.unknown("checkpoints", reason).put("checkpoints", List.of());
        putWatch(part);
        return new Trail(part, List.of(), OptionalDouble.empty());
    }

    private Trail trail(Epoch newest) throws Unavailable {
        List<Row> rows = rows(newest);
        Row first = rows.get(0);
        watch(first);
        Part part = new Part("checkpoints");
        putWatch(part);
        part.put("checkpoints", rows.stream().map(this::json).toList());
        rows.stream()
                .filter(row -> row.state() != State.GOOD)
                .forEach(row -> part.found(
                        row.state(), "checkpoint of epoch " + row.epoch().number() + ": " + row.reason()));
        boolean known = first.isVerified() && broken.isEmpty();
        return new Trail(part, known ? first.heads() : List.of(), known ? ageSeconds(first) : OptionalDouble.empty());
    }

    /** Newest first. */
    private List<Row> rows(Epoch newest) throws Unavailable {
        List<Row> rows = new ArrayList<>();
        Map<Long, Remembered> remembered = new LinkedHashMap<>();
        Epoch epoch = newest;
        while (rows.size() < SHOWN) {
            Optional<Epoch> before = epoch.number() == 0 ? Optional.empty() : proofs.epoch(epoch.number() - 1);
            String noteBefore = before.map(Epoch::note).orElse("");
            Remembered known = verified.get(epoch.number());
            Row row = known != null && known.isOf(epoch, noteBefore) ? known.row() : afterBefore(alone(epoch), before);
            rows.add(row);
            if (row.isVerified()) {
                remembered.put(epoch.number(), new Remembered(row, noteBefore));
            }
            if (before.isEmpty()) {
                break;
            }
            epoch = before.get();
        }
        verified = remembered;
        return rows;
    }

    /** Signature and contents. */
    private Row alone(Epoch epoch) throws Unavailable {
        Checkpoint checkpoint;
        try {
            checkpoint = signed(epoch.note());
        } catch (InvalidFormat e) {
            String reason = "the signature does not verify: " + e.getMessage();
            return new Row(epoch, null, Tick.FAILED, Tick.UNKNOWN, Tick.UNKNOWN, reason, Optional.empty(), List.of());
        }
        try {
            EpochLeaf leaf = EpochLeaf.parse(epoch.leaf());
            List<ShardHead> heads = new ArrayList<>();
            for (byte[] head : epoch.heads()) {
                heads.add(ShardHead.parse(head));
            }
            boolean same = leaf.epoch() == epoch.number()
                    && leaf.vectorRoot().equals(ShardHead.vectorRoot(heads))
                    && isIn(epoch, checkpoint);
            return new Row(
                    epoch,
                    checkpoint,
                    Tick.VERIFIED,
                    same ? Tick.VERIFIED : Tick.FAILED,
                    Tick.UNKNOWN,
                    same ? "" : "the epoch is not in the tree that was signed",
                    Optional.of(Instant.parse(leaf.time())),
                    heads);
        } catch (InvalidFormat e) {
            String reason = "the epoch cannot be read: " + e.getMessage();
            return new Row(
                    epoch, checkpoint, Tick.VERIFIED, Tick.FAILED, Tick.UNKNOWN, reason, Optional.empty(), List.of());
        }
    }

    private Checkpoint signed(String note) throws InvalidFormat, Unavailable {
        SignedNote signed = SignedNote.parse(note);
        try {
            if (keys.get(false).verify(signed) instanceof NoteVerification.Rejected
                    && keys.get(true).verify(signed) instanceof NoteVerification.Rejected rejected) {
                throw new InvalidFormat("note", rejected.reason());
            }
        } catch (Archive.Broken e) {
            throw new Unavailable(String.valueOf(e.getMessage())); // says nothing of the checkpoint
        }
        return Checkpoint.parse(signed.text());
    }

    private boolean isIn(Epoch epoch, Checkpoint checkpoint) throws Unavailable {
        try {
            Optional<ProofsClient.Inclusion> proof =
                    proofs.ledgerInclusion(epoch.number(), checkpoint.size().value());
            return Proofs.verifyInclusion(
                    new LeafIndex(epoch.number()),
                    checkpoint.size(),
                    Rfc6962.leafHash(epoch.leaf()),
                    given(proof).path(),
                    checkpoint.root());
        } catch (ProofsClient.SizeNotPublished e) {
            throw new Unavailable("the proofs service does not know the size of a checkpoint it gave");
        }
    }

    /** That there is no proof shows nothing, neither good nor bad. */
    private static <T> T given(Optional<T> proof) throws Unavailable {
        return proof.orElseThrow(() -> new Unavailable("the proofs service has no proof for a checkpoint it gave"));
    }

    /** Consistency. */
    private Row afterBefore(Row row, Optional<Epoch> before) throws Unavailable {
        Checkpoint checkpoint = row.checkpoint();
        if (checkpoint == null) {
            return row;
        }
        if (before.isEmpty()) {
            // Nothing was before the first, whose contents were verified.
            return row.epoch().number() == 0
                    ? row.withConsistency(Tick.VERIFIED, "")
                    : row.withConsistency(Tick.UNKNOWN, "the checkpoint before it is not to be had");
        }
        try {
            Checkpoint older = signed(before.get().note());
            if (!extendsIt(older, checkpoint)) {
                return row.withConsistency(Tick.FAILED, "its tree does not extend that of the checkpoint before");
            }
            for (ShardHead head : row.heads()) {
                ShardHead old = ShardHead.parse(before.get().heads().get(head.shard()));
                if (head.size().compareTo(old.size()) < 0) {
                    return row.withConsistency(Tick.FAILED, "shard " + head.shard() + " is shorter than before");
                }
            }
            return row.withConsistency(Tick.VERIFIED, "");
        } catch (InvalidFormat | IndexOutOfBoundsException e) {
            return row.withConsistency(Tick.UNKNOWN, "the checkpoint before it does not verify");
        }
    }

    private boolean extendsIt(Checkpoint older, Checkpoint newer) throws Unavailable {
        if (older.size().equals(newer.size())) {
            return older.root().equals(newer.root());
        }
        if (older.size().compareTo(newer.size()) > 0) {
            return false;
        }
        try {
            Optional<List<Hash>> path = proofs.consistency(
                    new LogName.Ledger(), older.size().value(), newer.size().value());
            return Proofs.verifyConsistency(older.size(), newer.size(), given(path), older.root(), newer.root());
        } catch (ProofsClient.SizeNotPublished e) {
            throw new Unavailable("the proofs service does not know the size of a checkpoint it gave");
        }
    }

    private void watch(Row newest) throws Unavailable {
        Checkpoint now = newest.checkpoint();
        if (now == null || !broken.isEmpty()) {
            return;
        }
        Checkpoint before = watched;
        if (before == null) {
            watched = now;
            watchedSinceEpoch = newest.epoch().number();
        } else if (before.size().compareTo(now.size()) > 0) {
            // An instance of proofs may be behind, but not for long.
            if (smallerSince == null) {
                smallerSince = clock.instant();
            }
        } else if (extendsIt(before, now)) {
            watched = now;
            smallerSince = null;
        } else {
            broken = "the tree of size " + now.size() + " was not shown to extend the one of size " + before.size()
                    + " that this gateway saw before";
        }
    }

    private boolean isSmallerForTooLong() {
        return smallerSince != null
                && Duration.between(smallerSince, clock.instant()).compareTo(SMALLER_MAX) > 0;
    }

    private void putWatch(Part part) {
        Map<String, Object> watch = new LinkedHashMap<>();
        boolean failed = !broken.isEmpty() || isSmallerForTooLong();
        watch.put("state", failed ? "failed" : watched == null || smallerSince != null ? Part.UNKNOWN : "verified");
        if (watched != null) {
            watch.put("sinceEpoch", watchedSinceEpoch);
            watch.put("size", watched.size().value());
        }
        part.put("watch", watch);
        if (!broken.isEmpty()) {
            part.found(State.CRITICAL, broken);
        } else if (isSmallerForTooLong() && watched != null) {
            part.found(
                    State.CRITICAL,
                    "the newest checkpoint is smaller than the one of size " + watched.size()
                            + " that this gateway saw before, since " + smallerSince);
        }
    }

    private OptionalDouble ageSeconds(Row row) {
        return row.time().isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(Math.max(
                        0, Duration.between(row.time().get(), clock.instant()).toMillis() / 1000.0));
    }

    private Map<String, Object> json(Row row) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("epoch", row.epoch().number());
        json.put("time", row.time().map(Instant::toString).orElse(Part.UNKNOWN));
        json.put("ageSeconds", Part.number(ageSeconds(row)));
        json.put(
                "leaves",
                row.contents() == Tick.VERIFIED
                        ? (Object) row.heads().stream()
                                .mapToLong(head -> head.size().value())
                                .sum()
                        : Part.UNKNOWN);
        Checkpoint checkpoint = row.checkpoint();
        json.put(
                "size",
                checkpoint == null ? Part.UNKNOWN : (Object) checkpoint.size().value());
        json.put("root", checkpoint == null ? Part.UNKNOWN : checkpoint.root().base64());
        json.put("signature", row.signature().word());
        json.put("contents", row.contents().word());
        json.put("consistency", row.consistency().word());
        json.put("reason", row.reason());
        return json;
    }
}
