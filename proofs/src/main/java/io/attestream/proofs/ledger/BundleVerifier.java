// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.ledger;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.ledger.BundleReport.Check;
import io.attestream.proofs.ledger.BundleReport.Outcome;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerification;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Verifies a proof bundle offline with nothing but the ledger's public key, and the history of its keys if they changed: event → entry → shard head → epoch →
 * checkpoint → signature. Goes on after a failure, so that the report shows where the chain holds. Thread-safe.
 */
public final class BundleVerifier {
    public static final String ENTRY_PARSES = "entry-parses";
    public static final String EVENT_ATTRIBUTES = "event-attributes";
    public static final String PAYLOAD_DIGEST = "payload-digest";
    public static final String LEAF_INCLUSION = "leaf-inclusion";
    public static final String HEAD_PARSES = "head-parses";
    public static final String VECTOR_INCLUSION = "vector-inclusion";
    public static final String EPOCH_LEAF_PARSES = "epoch-leaf-parses";
    public static final String CURRENT_KEY = "signed-by-a-current-key";
    public static final String LEDGER_INCLUSION = "ledger-inclusion";
    public static final String NOTE_SIGNATURE = "note-signature";
    public static final String WITNESS_COSIGNATURES = "witness-cosignatures";

    private final KeyHistory keys;
    private final String origin;
    private final List<NoteVerifier> witnesses;
    private final OptionalInt shards;
    private final Optional<Continuation> continuation;

    /**
     * @param origin the ledger log's; must be the key's name too
     * @param witnesses whose cosignatures are asked for; all of them must be there, by keys of type 0x04 that are not the
     *     ledger's own. None: that check is not made
     */
    public BundleVerifier(NoteVerifier ledgerKey, String origin, Collection<NoteVerifier> witnesses) {
        this(KeyHistory.of(ledgerKey), origin, witnesses);
    }

    /** As {@link #BundleVerifier(NoteVerifier, String, Collection)}, of a ledger whose keys changed. */
    public BundleVerifier(KeyHistory keys, String origin, Collection<NoteVerifier> witnesses) {
        if (!keys.origin().equals(origin)) {
            throw new IllegalArgumentException(
                    "the ledger key is named " + keys.origin() + ", its origin must be the same, not " + origin);
        }
        this.keys = keys;
        this.origin = origin;
        this.witnesses = List.copyOf(witnesses);
        this.shards = OptionalInt.empty();
        this.continuation = Optional.empty();
    }

    private BundleVerifier(BundleVerifier other, OptionalInt shards, Optional<Continuation> continuation) {
        this.keys = other.keys;
        this.origin = other.origin;
        this.witnesses = other.witnesses;
        this.shards = shards;
        this.continuation = continuation;
    }

    /**
     * As this verifier, for a ledger known to have so many shards. A bundle says itself how many there are, and nothing
     * signed contradicts it: an operator could give a shard that does not exist two heads. Genesis tells the number.
     */
    public BundleVerifier expectingShards(int number) {
        return new BundleVerifier(this, OptionalInt.of(number), continuation);
    }

    /**
     * As this verifier, for a bundle whose checkpoint was signed by a key that is not the newest any more: who has that key can make such
     * a bundle for ever, and what continues it shows that it was there before.
     */
    public BundleVerifier continuedBy(Continuation newer) {
        return new BundleVerifier(this, shards, Optional.of(newer));
    }

    /** Verifies without witnesses; the origin is the key's name. */
    public BundleVerifier(NoteVerifier ledgerKey) {
        this(ledgerKey, ledgerKey.keyName(), List.of());
    }

    /** As {@link #BundleVerifier(NoteVerifier)}, of a ledger whose keys changed. */
    public BundleVerifier(KeyHistory keys) {
        this(keys, keys.origin(), List.of());
    }

    /** @param event what is to be found in the log; null leaves the checks of the event unmade, and the report not ok */
    public BundleReport verify(ProofBundle bundle, @Nullable EventToCheck event) {
        return new Run(bundle, event).report();
    }

    private final class Run {
        private final ProofBundle bundle;
        private final @Nullable EventToCheck event;
        private final List<Check> checks = new ArrayList<>();
        private @Nullable ShardHead head;
        private @Nullable EpochLeaf epochLeaf;
        private @Nullable Checkpoint checkpoint;

        Run(ProofBundle bundle, @Nullable EventToCheck event) {
            this.bundle = bundle;
            this.event = event;
        }

        BundleReport report() {
            checkEvent();
            head = parsed(
                    HEAD_PARSES,
                    () -> ShardHead.parse(bundle.head()),
                    read -> "shard " + read.shard() + " with " + read.size() + " leaves");
            checkLeafInclusion();
            epochLeaf = parsed(
                    EPOCH_LEAF_PARSES,
                    () -> EpochLeaf.parse(bundle.epochLeaf()),
                    read -> "epoch " + read.epoch() + " of " + read.time());
            checkVectorInclusion();
            SignedNote note = checkNote();
            checkCurrentKey();
            checkLedgerInclusion();
            checkWitnesses(note);
            return new BundleReport(checks);
        }

        private void checkEvent() {
            EntryView entry = parsed(ENTRY_PARSES, () -> CanonicalEntry.parse(bundle.entry()), Run::describe);
            if (!(entry instanceof EntryView.Event logged)) {
                notMade(EVENT_ATTRIBUTES, "the entry records no event");
                notMade(PAYLOAD_DIGEST, "the entry records no event");
                return;
            }
            if (event == null) {
                notMade(EVENT_ATTRIBUTES, "no event was given to compare with");
            } else {
                checkAttributes(logged.attributes(), event.attributes());
            }
            checkPayload(logged);
        }

        private static String describe(EntryView entry) {
            String what = "an entry of kind " + entry.kind().word();
            return entry instanceof EntryView.Event logged
                    ? what + ", logged for " + logged.tenant() + " by " + logged.actor() + " at "
                            + LogTime.format(logged.timeMillis())
                    : what;
        }

        private void checkAttributes(Map<String, String> logged, Map<String, String> given) {
            TreeSet<String> names = new TreeSet<>(logged.keySet());
            names.addAll(given.keySet());
            List<String> differences = names.stream()
                    .filter(name -> !Objects.equals(logged.get(name), given.get(name)))
                    .map(name -> name + " is " + quoted(given.get(name)) + ", logged is " + quoted(logged.get(name)))
                    .toList();
            check(
                    EVENT_ATTRIBUTES,
                    differences.isEmpty(),
                    "all " + names.size() + " attributes are equal",
                    String.join("; ", differences));
        }

        private void checkPayload(EntryView.Event logged) {
            byte[] given = event == null ? null : event.payload();
            byte[] payload = given == null ? bundle.payload() : given;
            byte[] salt = bundle.salt();
            byte[] carried = bundle.payload();
            if (payload != null && carried != null && !Arrays.equals(payload, carried)) {
                failed(
                        PAYLOAD_DIGEST,
                        "the event's payload of " + payload.length + " bytes and the bundle's of " + carried.length
                                + " bytes differ" + firstDifference(payload, carried));
            } else if (payload == null) {
                notMade(PAYLOAD_DIGEST, "neither was a payload given nor does the bundle carry it");
            } else if (payload.length != logged.dataSizeBytes()) {
                failed(
                        PAYLOAD_DIGEST,
                        "the payload has " + payload.length + " bytes, the entry commits to " + logged.dataSizeBytes());
            } else if (salt == null) {
                notMade(PAYLOAD_DIGEST, "the bundle carries no salt: ask for it as the tenant of the event");
            } else {
                byte[] digest = DataDigest.compute(salt, payload);
                check(
                        PAYLOAD_DIGEST,
                        Arrays.equals(digest, logged.dataDigest()),
                        payload.length + " bytes with digest " + Base64Text.encode(digest),
                        "the payload's digest is " + Base64Text.encode(digest) + ", the entry commits to "
                                + Base64Text.encode(logged.dataDigest()));
            }
        }

        private void checkLeafInclusion() {
            if (head == null) {
                notMade(LEAF_INCLUSION, "the shard head cannot be read");
                return;
            }
            checkInclusion(
                    LEAF_INCLUSION,
                    "leaf " + bundle.leafIndex() + " of shard " + head.shard(),
                    bundle.leafIndex(),
                    head.size(),
                    Rfc6962.leafHash(bundle.entry()),
                    bundle.leafPath(),
                    head.root());
        }

        private void checkVectorInclusion() {
            if (head == null || epochLeaf == null) {
                notMade(VECTOR_INCLUSION, "the shard head or the epoch leaf cannot be read");
                return;
            }
            if (shards.isPresent() && shards.getAsInt() != bundle.shards()) {
                failed(
                        VECTOR_INCLUSION,
                        "the bundle is of a ledger of " + bundle.shards() + " shards, expected " + shards.getAsInt());
                return;
            }
            checkInclusion(
                    VECTOR_INCLUSION,
                    "head of shard " + head.shard() + " of " + bundle.shards()
                            + (shards.isPresent() ? "" : " by the bundle's own account"),
                    new LeafIndex(head.shard()),
                    new TreeSize(bundle.shards()),
                    Rfc6962.leafHash(bundle.head()),
                    bundle.vectorPath(),
                    epochLeaf.vectorRoot());
        }

        private @Nullable SignedNote checkNote() {
            SignedNote note;
            Checkpoint read;
            try {
                note = SignedNote.parse(bundle.note());
                read = Checkpoint.parse(note.text());
            } catch (InvalidFormat e) {
                failed(NOTE_SIGNATURE, e.getMessage());
                return null;
            }
            if (keys.verify(note) instanceof NoteVerification.Rejected rejected) {
                failed(NOTE_SIGNATURE, rejected.reason());
            } else {
                checkpoint = read;
                passed(NOTE_SIGNATURE, "size " + read.size() + " signed by " + signers(read));
            }
            return note;
        }

        private String signers(Checkpoint read) {
            return keys.changes().isEmpty()
                    ? origin
                    : keys.newestAt(Math.max(0, read.size().value() - 1)).vkey();
        }

        /** Not asked of a ledger that has had one key only. */
        private void checkCurrentKey() {
            if (keys.changes().isEmpty() && continuation.isEmpty()) {
                return;
            }
            if (checkpoint == null) {
                notMade(CURRENT_KEY, "no checkpoint could be believed");
            } else if (continuation.isPresent()) {
                Optional<String> problem = continuation.get().problem(keys, checkpoint);
                check(
                        CURRENT_KEY,
                        problem.isEmpty(),
                        "continued by a checkpoint that " + keys.newest().vkey() + " signed, or its history names",
                        problem.orElse(""));
            } else if (keys.isCurrent(checkpoint)) {
                passed(CURRENT_KEY, "no key is newer, or the history of keys names this very checkpoint");
            } else {
                notMade(
                        CURRENT_KEY,
                        signers(checkpoint) + " signed it, and since then "
                                + keys.newest().vkey()
                                + " is the newest key: who has the old one can make such a bundle for ever. Ask the ledger for it again, or give a newer checkpoint that"
                                + " continues it (attestream consistency <bundle> --save <file>, attestream verify"
                                + " --continued-by <file>)");
            }
        }

        private void checkLedgerInclusion() {
            if (epochLeaf == null || checkpoint == null) {
                notMade(LEDGER_INCLUSION, "the epoch leaf cannot be read, or no checkpoint could be believed");
                return;
            }
            checkInclusion(
                    LEDGER_INCLUSION,
                    "epoch " + epochLeaf.epoch(),
                    new LeafIndex(epochLeaf.epoch()),
                    checkpoint.size(),
                    Rfc6962.leafHash(bundle.epochLeaf()),
                    bundle.ledgerPath(),
                    checkpoint.root());
        }

        private void checkWitnesses(@Nullable SignedNote note) {
            if (witnesses.isEmpty()) {
                notMade(WITNESS_COSIGNATURES, "no witness was named");
            } else if (note == null) {
                notMade(WITNESS_COSIGNATURES, "the note cannot be read");
            } else {
                List<String> missing = witnesses.stream()
                        .flatMap(witness -> problemOf(witness, note).stream())
                        .toList();
                check(
                        WITNESS_COSIGNATURES,
                        missing.isEmpty(),
                        witnesses.size() + " witnesses cosigned",
                        "no good cosignature of " + String.join(", ", missing));
            }
        }

        private Optional<String> problemOf(NoteVerifier witness, SignedNote note) {
            String name = witness.keyName();
            if (!witness.isWitness()) {
                return Optional.of(name + " (a witness's key is of type 0x04, this is a log's)");
            }
            if (keys.spans().stream().anyMatch(span -> witness.hasKeyOf(span.key()))) {
                return Optional.of(name + " (it is the ledger's own key)");
            }
            return note.verify(List.of(witness)) instanceof NoteVerification.Verified
                    ? Optional.empty()
                    : Optional.of(name);
        }

        private void checkInclusion(
                String name, String what, LeafIndex index, TreeSize size, Hash leaf, List<Hash> path, Hash root) {
            Optional<Hash> computed = Proofs.rootFromInclusion(index, size, leaf, path);
            if (computed.isEmpty()) {
                failed(
                        name,
                        what + " cannot be at index " + index + " of size " + size + " with a path of " + path.size());
            } else {
                check(
                        name,
                        computed.get().equals(root),
                        what + " is in the tree of size " + size + " with root " + root,
                        what + " leads to root " + computed.get() + ", expected " + root);
            }
        }

        private <T> @Nullable T parsed(String name, Reader<T> reader, Function<T, String> detail) {
            try {
                T value = reader.read();
                passed(name, detail.apply(value));
                return value;
            } catch (InvalidFormat e) {
                failed(name, e.getMessage());
                return null;
            }
        }

        private void check(String name, boolean holds, String whenHeld, String whenNot) {
            if (holds) {
                passed(name, whenHeld);
            } else {
                failed(name, whenNot);
            }
        }

        private void passed(String name, String detail) {
            checks.add(new Check(name, Outcome.PASSED, detail));
        }

        private void failed(String name, @Nullable String detail) {
            checks.add(new Check(name, Outcome.FAILED, String.valueOf(detail)));
        }

        private void notMade(String name, String detail) {
            checks.add(new Check(name, Outcome.NOT_MADE, detail));
        }

        private static String firstDifference(byte[] one, byte[] other) {
            int at = Arrays.mismatch(one, other);
            return at < Math.min(one.length, other.length) ? " from byte " + at + " on" : " in length";
        }

        private String quoted(@Nullable String value) {
            return value == null ? "absent" : "\"" + value + "\"";
        }
    }

    private interface Reader<T> {
        T read() throws InvalidFormat;
    }
}
