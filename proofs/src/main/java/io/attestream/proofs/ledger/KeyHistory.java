// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The keys of a ledger in the course of its life. The first one stands in genesis and is what a verifier trusts; every later one was
 * announced by the key before it. Immutable.
 *
 * <p>The log itself says from when on a change holds: a key announced in epoch n signs from epoch n + 1 on, and one retired there
 * signs epoch n last. So whoever signs or verifies an epoch finds the same keys, whatever is configured. A checkpoint is signed by
 * all keys there are then, and is believed only if the newest of them signed it: an older one may be in other hands.
 */
public final class KeyHistory {
    private final NoteVerifier first;
    private final List<Logged> changes;
    /** Of the epochs that logged the changes, where each was shown. What is not shown is not compared. */
    private final List<Checkpoint> shown;

    /**
     * A change that was logged.
     *
     * @param epoch whose leaf has its digest
     */
    public record Logged(KeyChange change, long epoch) {}

    /**
     * When a key signs.
     *
     * @param fromEpoch the first epoch it signs
     * @param retiredFromEpoch the first epoch it does not sign any more; empty if it still signs
     */
    public record Span(NoteVerifier key, long fromEpoch, OptionalLong retiredFromEpoch) {
        boolean holdsAt(long epoch) {
            return epoch >= fromEpoch && (retiredFromEpoch.isEmpty() || epoch < retiredFromEpoch.getAsLong());
        }
    }

    private KeyHistory(NoteVerifier first, List<Logged> changes, List<Checkpoint> shown) {
        this.first = first;
        this.changes = List.copyOf(changes);
        this.shown = List.copyOf(shown);
    }

    /** Of a ledger whose keys never changed. */
    public static KeyHistory of(NoteVerifier first) {
        return new KeyHistory(first, List.of(), List.of());
    }

    /**
     * This history and one change more.
     *
     * @param epoch whose leaf logs it
     * @throws InvalidFormat if it does not follow, or one of those did not sign it that have to
     */
    public KeyHistory with(KeyChange change, long epoch) throws InvalidFormat {
        requireFollows(change, epoch);
        NoteVerifier newest = newest();
        if (!change.isSignedBy(newest)) {
            throw new InvalidFormat("key change", change + " is not signed by the newest key, " + newest.vkey());
        }
        // A signature line names a key by its id: two keys of one id would make every note ambiguous.
        boolean known = spans().stream()
                .anyMatch(span -> span.key().keyId() == change.key().keyId());
        if (change.kind() == KeyChange.Kind.ANNOUNCE) {
            if (known) {
                throw new InvalidFormat(
                        "key change", change + " announces a key the ledger has or had, or one with its key id");
            }
            if (!change.isSignedBy(change.key())) {
                throw new InvalidFormat("key change", change + " is not signed by the key it announces");
            }
        } else if (!active().contains(change.key())) {
            throw new InvalidFormat("key change", change + " retires a key that does not sign");
        } else if (change.key().equals(newest)) {
            throw new InvalidFormat("key change", change + " retires the newest key: announce another one before");
        }
        List<Logged> all = new ArrayList<>(changes);
        all.add(new Logged(change, epoch));
        return new KeyHistory(first, all, shown);
    }

    /** This history, which the checkpoint of the epoch of its last change was shown with. */
    KeyHistory shownIn(Checkpoint checkpoint) {
        List<Checkpoint> all = new ArrayList<>(shown);
        all.add(checkpoint);
        return new KeyHistory(first, changes, all);
    }

    private void requireFollows(KeyChange change, long epoch) throws InvalidFormat {
        if (change.number() != changes.size() + 1) {
            throw new InvalidFormat(
                    "key change", change + " does not follow: expected is number " + (changes.size() + 1));
        }
        if (!change.prior().equals(digest())) {
            throw new InvalidFormat("key change", change + " follows another change than the one before it");
        }
        if (epoch < 0 || (!changes.isEmpty() && epoch < lastChange().epoch())) {
            throw new InvalidFormat("key change", change + " was logged before the one before it");
        }
        if (!change.key().keyName().equals(origin()) || change.key().isWitness()) {
            throw new InvalidFormat(
                    "key change", change + " is about a key that is not of type 0x01 and named " + origin());
        }
    }

    /** A change that announces a key, signed by the newest one and by itself. */
    public KeyChange announce(NoteSigner newest, NoteSigner added) throws InvalidFormat {
        return requireFits(KeyChange.sign(
                changes.size() + 1, KeyChange.Kind.ANNOUNCE, added.verifier(), digest(), List.of(newest, added)));
    }

    /** A change that retires a key, signed by the newest one. */
    public KeyChange retire(NoteSigner newest, NoteVerifier retired) throws InvalidFormat {
        return requireFits(
                KeyChange.sign(changes.size() + 1, KeyChange.Kind.RETIRE, retired, digest(), List.of(newest)));
    }

    private KeyChange requireFits(KeyChange change) throws InvalidFormat {
        if (change.number() > KeyChange.CHANGES_MAX) {
            throw new InvalidFormat("key change", "must be at most 1,000 in the life of a ledger");
        }
        with(change, changes.isEmpty() ? 0 : lastChange().epoch());
        return change;
    }

    /** The key in genesis. */
    public NoteVerifier first() {
        return first;
    }

    /** The ledger's, which is the name of all its keys. */
    public String origin() {
        return first.keyName();
    }

    public List<Logged> changes() {
        return changes;
    }

    /** Digest of the last change; of the first key's vkey if there is none. */
    public Hash digest() {
        return changes.isEmpty()
                ? KeyChange.sha256(first.vkey().getBytes(StandardCharsets.UTF_8))
                : lastChange().change().digest();
    }

    private Logged lastChange() {
        return changes.get(changes.size() - 1);
    }

    /**
     * Whether this one begins with all the other one has, logged in the same log: a change can be logged in another one too, by who has
     * the key of before it.
     */
    public boolean continues(KeyHistory other) {
        return first.equals(other.first)
                && changes.size() >= other.changes.size()
                && changes.subList(0, other.changes.size()).equals(other.changes)
                && other.shown.stream().noneMatch(this::contradicts);
    }

    /** Whether this history was shown with another checkpoint of that size. */
    public boolean contradicts(Checkpoint checkpoint) {
        return shown.stream()
                .anyMatch(other ->
                        other.size().equals(checkpoint.size()) && !other.root().equals(checkpoint.root()));
    }

    /** Every key there is or was, oldest first. */
    public List<Span> spans() {
        List<Span> spans = new ArrayList<>(List.of(new Span(first, 0, OptionalLong.empty())));
        for (Logged logged : changes) {
            NoteVerifier key = logged.change().key();
            if (logged.change().kind() == KeyChange.Kind.ANNOUNCE) {
                spans.add(new Span(key, logged.epoch() + 1, OptionalLong.empty()));
            } else {
                OptionalLong from = OptionalLong.of(logged.epoch() + 1);
                spans.replaceAll(span -> span.key().equals(key) ? new Span(key, span.fromEpoch(), from) : span);
            }
        }
        return spans;
    }

    /** The keys that sign an epoch, oldest first; at least one. */
    public List<NoteVerifier> activeAt(long epoch) {
        return spans().stream()
                .filter(span -> span.holdsAt(epoch))
                .map(Span::key)
                .toList();
    }

    /** The keys that sign the next epoch, oldest first. */
    public List<NoteVerifier> active() {
        return activeAt(Long.MAX_VALUE);
    }

    /** The key that has to sign an epoch. */
    public NoteVerifier newestAt(long epoch) {
        List<NoteVerifier> active = activeAt(epoch);
        return active.get(active.size() - 1);
    }

    /** The key that has to sign the next epoch. */
    public NoteVerifier newest() {
        return newestAt(Long.MAX_VALUE);
    }

    /**
     * Verifies a checkpoint of the ledger log by the keys of its epoch, of which the newest must have signed it. Keys that are
     * retired by then, or not announced yet, prove nothing. Nor does another checkpoint than the one an epoch was shown with.
     *
     * <p>It is the checkpoint itself that says of which epoch it is: who has an old key can sign one of its time for ever. Whether that
     * can be is told by {@link #isCurrent}.
     */
    public NoteVerification verify(SignedNote note) {
        Checkpoint checkpoint;
        try {
            checkpoint = Checkpoint.parse(note.text());
        } catch (InvalidFormat e) {
            return new NoteVerification.Rejected("it is no checkpoint: " + e.getMessage());
        }
        if (!checkpoint.origin().equals(origin())) {
            return new NoteVerification.Rejected(
                    "the checkpoint is of " + checkpoint.origin() + ", expected " + origin());
        }
        if (first.isWitness()) {
            return new NoteVerification.Rejected(
                    "a log signs with a key of type 0x01, this is a witness's: " + first.vkey());
        }
        if (checkpoint.size().value() < 0) {
            return new NoteVerification.Rejected("no ledger has " + checkpoint.size() + " epochs");
        }
        for (Checkpoint other : shown) {
            if (other.size().equals(checkpoint.size()) && !other.root().equals(checkpoint.root())) {
                return new NoteVerification.Rejected("it has root " + checkpoint.root() + " at size "
                        + checkpoint.size() + ", the history of keys was logged with root " + other.root());
            }
        }
        return verify(note, checkpoint.size().value() - 1);
    }

    /**
     * Whether a checkpoint that verifies could not have been made later by who got hold of an old key: the newest key there is signs its
     * epoch, or the history was shown with this very checkpoint. One that is not has to be shown to be continued by one that is.
     */
    public boolean isCurrent(Checkpoint checkpoint) {
        return newestAt(Math.max(0, checkpoint.size().value() - 1)).equals(newest())
                || shown.stream()
                        .anyMatch(other -> other.size().equals(checkpoint.size())
                                && other.root().equals(checkpoint.root()));
    }

    private NoteVerification verify(SignedNote note, long epoch) {
        List<NoteVerifier> active = activeAt(Math.max(0, epoch));
        NoteVerifier newest = active.get(active.size() - 1);
        NoteVerification all = note.verify(active);
        if (all instanceof NoteVerification.Rejected rejected) {
            return new NoteVerification.Rejected(
                    rejected.reason() + "; asked for " + newest.vkey() + retired(note, epoch));
        }
        return note.verify(List.of(newest)) instanceof NoteVerification.Verified
                ? all
                : new NoteVerification.Rejected(
                        "it is signed by an older key only; epoch " + epoch + " has to be signed by " + newest.vkey()
                                + ", which signs from epoch " + spanOf(newest).fromEpoch() + " on");
    }

    /** Why a key that is known signed in vain. */
    private String retired(SignedNote note, long epoch) {
        for (Span span : spans()) {
            if (!span.holdsAt(epoch) && note.verify(List.of(span.key())) instanceof NoteVerification.Verified) {
                return epoch < span.fromEpoch()
                        ? ". " + span.key().vkey() + " signed it, which signs from epoch " + span.fromEpoch() + " on"
                        : ". " + span.key().vkey() + " signed it, which is retired from epoch "
                                + span.retiredFromEpoch().orElseThrow() + " on";
            }
        }
        return "";
    }

    private Span spanOf(NoteVerifier key) {
        return spans().stream()
                .filter(span -> span.key().equals(key))
                .findFirst()
                .orElseThrow();
    }

    /** Of the same keys and changes; what they were shown with is not compared. */
    @Override
    public boolean equals(Object other) {
        return other instanceof KeyHistory that && first.equals(that.first) && changes.equals(that.changes);
    }

    @Override
    public int hashCode() {
        return 31 * first.hashCode() + changes.hashCode();
    }

    /** The first key and what became of it. */
    @Override
    public String toString() {
        return first.vkey() + " with " + changes.size() + " changes";
    }
}
