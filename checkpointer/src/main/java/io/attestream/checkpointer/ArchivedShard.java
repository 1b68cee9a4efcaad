// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadObject;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.control.Control;
import io.attestream.proofs.control.ControlRecord;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.entry.IdentityDigest;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.proofs.envelope.PayloadEnvelope;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One shard as segments and packs give it, held epoch by epoch against its published heads. What became of a record may be in
 * either, or, for a while, in both, which must agree then. Not thread-safe.
 */
final class ArchivedShard {
    private final int shard;
    private final NoteVerifier key;
    private final ArchiveReader reader;
    private final PackedLeaves packed;
    private final CompactRange range = CompactRange.empty();
    private long size;
    /** Input position of the head the leaves are below. */
    private long nextOffset;

    private long lastOffset = -1;
    /** False behind an object that could not be used. */
    private boolean known = true;

    private Counts counts = Counts.NONE;
    /** False behind an object whose outcomes could not be used. */
    private boolean countsKnown = true;

    /** Offsets of the records of this epoch that are no leaves. */
    private Set<Long> withoutLeaf = Set.of();

    /** What deduplication remembers here, as the archive gives it. */
    private final ShardWindow window;
    /** False behind a leaf whose entry or payload could not be used. */
    private boolean windowKnown = true;

    private long leaves;
    private long leafSizeBytes;
    private long payloads;
    private long encrypted;
    private long erased;

    /** Keys of erased payloads, each with the first that was met. */
    private final Map<Erasure.Logged, ErasedRow> erasedUnder = new LinkedHashMap<>();

    private final Set<Erasure.Logged> logged = new HashSet<>();

    /** Those in leaves below a root that was published. */
    private final Set<Erasure.Logged> proven = new HashSet<>();

    private final Set<Erasure.Logged> loggedInEpoch = new HashSet<>();

    /** @param key of the ledger */
    ArchivedShard(int shard, NoteVerifier key, ArchiveReader reader) {
        this.window = new ShardWindow(shard, key);
        this.key = key;
        this.shard = shard;
        this.reader = reader;
        this.packed = new PackedLeaves(shard, reader);
    }

    void know(PackName pack) {
        packed.know(pack);
    }

    /** Whether what an epoch adds is in logged packs: the outcomes behind its last leaf are in the pack of the next one. */
    boolean isPacked(EpochIntent intent) {
        ShardHead head = intent.heads().get(shard);
        return head.nextOffset() == nextOffset
                || packed.nameOf(head.size().value()).isPresent();
    }

    /** What became of all records up to here; empty behind an object that could not be used. */
    Optional<Counts> counts() {
        return known && countsKnown ? Optional.of(counts) : Optional.empty();
    }

    /** The compact range up to here; empty behind an object that could not be used. */
    Optional<CompactRange> range() {
        return known ? Optional.of(range.copy()) : Optional.empty();
    }

    /** What a snapshot here has to remember; empty behind an object that could not be used. */
    Optional<ShardWindow> window() {
        return windowKnown ? Optional.of(window) : Optional.empty();
    }

    /** They were found wrong once; that need not be said of every epoch behind. */
    void giveUpCounts() {
        countsKnown = false;
    }

    long leaves() {
        return leaves;
    }

    /** What the last leaf takes in memory, with its payload. */
    long leafSizeBytes() {
        return leafSizeBytes;
    }

    /** Payloads that were held against their digest. */
    long payloads() {
        return payloads;
    }

    /** Payloads whose digest only the holder of their key can compute. */
    long encrypted() {
        return encrypted;
    }

    /** Payloads of which nothing but the name of their key is left. */
    long erased() {
        return erased;
    }

    /** Keys of erased payloads, each with the first that was met: to be found unless the ledger says that it was destroyed. */
    Map<Erasure.Logged, ErasedRow> erasedUnder() {
        return erasedUnder;
    }

    /** An erased payload. There may be as many keys as there are subjects, so no text is made before one is to be found. */
    record ErasedRow(String object, int shard, long index, long dataSizeBytes) {
        ArchiveCheck.Finding finding(Erasure.Logged key) {
            return new ArchiveCheck.Finding(
                    object,
                    payloadOf(shard, index, dataSizeBytes) + ", or a leaf that says key " + key.keyId()
                            + " of its tenant was destroyed",
                    "erased, and no leaf says so");
        }
    }

    private static String payloadOf(int shard, long index, long dataSizeBytes) {
        return "payload of leaf " + index + " of shard " + shard + ": " + dataSizeBytes + " bytes";
    }

    /** Keys of which the shard says that they were destroyed. */
    Set<Erasure.Logged> logged() {
        return logged;
    }

    /** As {@link #logged}, in leaves that are what was published. */
    Set<Erasure.Logged> proven() {
        return proven;
    }

    /**
     * Takes the next epoch.
     *
     * @param segment of it; empty if it is gone or of no use
     * @param payloadObject of it; empty as the segment
     * @param taker of its leaves, before the root over them is held against the published one
     */
    void grow(
            EpochIntent intent,
            Optional<Segment> segment,
            Optional<PayloadObject> payloadObject,
            ArchiveCheck.Taker taker)
            throws IOException {
        ShardHead head = intent.heads().get(shard);
        long from = size;
        size = head.size().value();
        long fromOffset = nextOffset;
        nextOffset = head.nextOffset();
        Optional<Segment> rows = segment.filter(there -> hasRows(intent, there, from));
        growOutcomes(intent, fromOffset, rows, taker);
        if (from == size) {
            return;
        }
        lastOffset = fromOffset - 1;
        packed.begin(intent.epoch(), from, size);
        for (long index = from; index < size; index++) {
            grow(intent, index, rows, payloadObject, taker);
        }
        packed.end(size);
        requireRoot(intent, head, from);
        if (known) {
            proven.addAll(loggedInEpoch);
        }
        logged.addAll(loggedInEpoch);
        loggedInEpoch.clear();
    }

    private boolean hasRows(EpochIntent intent, Segment segment, long from) {
        boolean has = segment.shards().contains(shard);
        try {
            if (has ? segment.firstIndex(shard) == from && segment.count(shard) == size - from : size == from) {
                return true;
            }
            reader.find(
                    intent.segment(),
                    "leaves [" + from + ", " + size + ") of shard " + shard,
                    has ? segment.count(shard) + " leaves from " + segment.firstIndex(shard) : "no leaves of it");
        } catch (InvalidFormat e) {
            throw new IllegalStateException("the segment has this shard", e);
        }
        return false;
    }

    private void grow(
            EpochIntent intent,
            long index,
            Optional<Segment> segment,
            Optional<PayloadObject> payloadObject,
            ArchiveCheck.Taker taker)
            throws IOException {
        Optional<LeafRecord> stored = segment.flatMap(there -> leaf(intent, there, index));
        Optional<LeafRecord> merged = packed.leaf(index, known ? Optional.of(range) : Optional.empty());
        if (stored.isPresent() && merged.isPresent() && !isSame(stored.get(), merged.get())) {
            reader.find(
                    packed.objectOf(index),
                    "leaf " + index + " of shard " + shard + " as " + intent.segment() + " has it",
                    "another kind, offset, time or entry");
        }
        Optional<LeafRecord> leaf = stored.or(() -> merged);
        if (leaf.isEmpty()) {
            known = false;
            windowKnown = false;
            packed.payload(index); // its damage is not to hide behind that of the leaf
            return;
        }
        leaves++;
        counts = counts.plus(Counts.of(leaf.get().kind()));
        String object = stored.isPresent() ? intent.segment() : packed.objectOf(index);
        if (leaf.get().kind() == EntryKind.GENESIS) {
            checkGenesis(object, index, leaf.get());
        }
        if (known) {
            range.append(Rfc6962.leafHash(leaf.get().entry()));
            taker.leaf(shard, leaf.get());
        }
        try {
            check(object, intent, index, leaf.get(), payloadObject, taker);
        } catch (InvalidFormat e) {
            windowKnown = false;
            reader.find(object, "an entry as leaf " + index + " of shard " + shard, describe(e));
        }
    }

    /** The first record of a life of topic events, on the tree it says it goes on from. */
    private void checkGenesis(String object, long index, LeafRecord leaf) {
        try {
            Control control = ControlRecord.read(leaf.entry(), key);
            if (!(control instanceof Control.Genesis genesis) || genesis.shard() != shard) {
                throw new InvalidFormat("genesis", "is another control record");
            }
            long first = LedgerOffset.first(genesis.incarnation());
            long priorSize = genesis.prior().map(prior -> prior.size().value()).orElse(0L);
            if (leaf.offset() != first || priorSize != index) {
                reader.find(
                        object,
                        "the genesis of incarnation " + genesis.incarnation() + " as leaf " + priorSize + " of shard "
                                + shard + ", at offset " + first,
                        "leaf " + index + ", offset " + leaf.offset());
            }
            Hash priorRoot = genesis.prior().map(prior -> prior.range().root()).orElse(Rfc6962.EMPTY_ROOT);
            if (known && !priorRoot.equals(range.root())) {
                reader.find(
                        object,
                        "the genesis of shard " + shard + " on root "
                                + range.root().base64(),
                        "on root " + priorRoot.base64());
            }
        } catch (InvalidFormat e) {
            reader.find(object, "the genesis of shard " + shard + " as leaf " + index, describe(e));
        }
    }

    private void growOutcomes(EpochIntent intent, long fromOffset, Optional<Segment> segment, ArchiveCheck.Taker taker)
            throws IOException {
        Optional<List<OutcomeRecord>> stored = segment.flatMap(there -> outcomes(intent, there));
        // Where nothing was read, nothing can be missing: its size may be the end of the last pack.
        Optional<List<OutcomeRecord>> merged =
                fromOffset == nextOffset ? Optional.of(List.of()) : packed.outcomesTo(nextOffset, size);
        if (stored.isPresent() && merged.isPresent() && !stored.equals(merged)) {
            reader.find(
                    packed.nameOf(size).map(PackName::name).orElse(intent.segment()),
                    "the outcomes of shard " + shard + " up to offset " + (nextOffset - 1) + " as " + intent.segment()
                            + " has them",
                    "others");
        }
        Optional<List<OutcomeRecord>> outcomes = stored.or(() -> merged);
        withoutLeaf = new HashSet<>();
        countsKnown &= outcomes.isPresent();
        if (outcomes.isPresent() && !outcomes.get().isEmpty()) {
            String object = stored.isPresent() ? intent.segment() : packed.objectOf(size);
            outcomes.get().forEach(outcome -> {
                check(object, outcome, fromOffset);
                taker.outcome(shard, outcome);
            });
        }
    }

    private Optional<List<OutcomeRecord>> outcomes(EpochIntent intent, Segment segment) {
        try {
            return Optional.of(segment.outcomes(shard));
        } catch (InvalidFormat e) {
            reader.find(intent.segment(), "outcomes of shard " + shard, describe(e));
            return Optional.empty();
        }
    }

    private void check(String object, OutcomeRecord outcome, long fromOffset) {
        withoutLeaf.add(outcome.offset());
        if (outcome.offset() < fromOffset || outcome.offset() >= nextOffset) {
            reader.find(
                    object,
                    "outcomes of shard " + shard + " of offsets from " + fromOffset + " to " + (nextOffset - 1),
                    "one of offset " + outcome.offset());
        }
        counts = counts.plus(Counts.of(outcome));
        if (outcome instanceof OutcomeRecord.Duplicate duplicate && duplicate.leafIndex() >= size) {
            reader.find(
                    object,
                    "offset " + outcome.offset() + " of shard " + shard + " as a duplicate of a leaf below " + size,
                    "of leaf " + duplicate.leafIndex());
        }
    }

    private Optional<LeafRecord> leaf(EpochIntent intent, Segment segment, long index) {
        try {
            return Optional.of(segment.leaf(shard, index));
        } catch (InvalidFormat e) {
            reader.find(intent.segment(), "leaf " + index + " of shard " + shard, describe(e));
            return Optional.empty();
        }
    }

    private static boolean isSame(LeafRecord one, LeafRecord other) {
        return one.kind() == other.kind()
                && one.offset() == other.offset()
                && one.timestampMillis() == other.timestampMillis()
                && Arrays.equals(one.entry(), other.entry());
    }

    private void requireRoot(EpochIntent intent, ShardHead head, long from) {
        if (known && !range.root().equals(head.root())) {
            known = false;
            reader.find(
                    packed.nameOf(from).map(PackName::name).orElse(intent.segment()),
                    "root " + head.root().base64() + " of shard " + shard + " at size " + size,
                    "root " + range.root().base64());
        }
    }

    private void check(
            String object,
            EpochIntent intent,
            long index,
            LeafRecord leaf,
            Optional<PayloadObject> payloadObject,
            ArchiveCheck.Taker taker)
            throws InvalidFormat, IOException {
        EntryView entry = CanonicalEntry.parse(leaf.entry());
        String what = "leaf " + index + " of shard " + shard;
        if (entry.kind() != leaf.kind()) {
            reader.find(object, what + " of kind " + entry.kind(), "kind " + leaf.kind());
        }
        if (leaf.offset() <= lastOffset || leaf.offset() >= nextOffset) {
            reader.find(
                    object,
                    what + " of an offset from " + (lastOffset + 1) + " to " + (nextOffset - 1),
                    "offset " + leaf.offset());
        }
        if (withoutLeaf.contains(leaf.offset())) {
            reader.find(object, what + " of an offset of its own", "offset " + leaf.offset() + ", which is no leaf");
        }
        lastOffset = Math.max(lastOffset, leaf.offset());
        Erasure.of(entry).ifPresent(loggedInEpoch::add);
        if (entry instanceof EntryView.Event event) {
            if (event.timeMillis() != leaf.timestampMillis()) {
                reader.find(object, what + " of time " + event.timeMillis() + " ms", leaf.timestampMillis() + " ms");
            }
            Optional<Payload> payload = checkPayload(intent, index, event, payloadObject);
            remember(index, leaf, identity(event), payload.orElse(new Payload.None()), taker);
        } else {
            remember(index, leaf, new byte[IdentityDigest.SIZE_BYTES], new Payload.None(), taker);
        }
    }

    /** Conflicts are not deduplicated against, so they are remembered without their identity. */
    static byte[] identity(EntryView.Event event) {
        if (event.kind() != EntryKind.EVENT) {
            return new byte[IdentityDigest.SIZE_BYTES];
        }
        Map<String, String> attributes = event.attributes();
        return IdentityDigest.compute(
                event.tenant(),
                attributes.getOrDefault("source", ""),
                attributes.get("partitionkey"),
                attributes.getOrDefault("id", ""));
    }

    private void remember(long index, LeafRecord leaf, byte[] identity, Payload payload, ArchiveCheck.Taker taker)
            throws IOException {
        windowKnown &= leaf.kind().isControl() || !(payload instanceof Payload.None);
        if (windowKnown) {
            Decision.Leaf known = new Decision.Leaf(
                    leaf.offset(),
                    index,
                    leaf.kind(),
                    leaf.timestampMillis(),
                    leaf.entry(),
                    new byte[0],
                    identity,
                    Payload.contentTag(payload),
                    payload);
            leafSizeBytes = known.sizeBytes() + sealedSizeBytes(payload, leaf);
            Optional<ShardWindow.Block> full = window.add(known);
            if (full.isPresent()) {
                taker.block(full.get());
            }
        }
    }

    /** What was erased counts as what it was: the state after an erasure is that before it. */
    private static long sealedSizeBytes(Payload payload, LeafRecord leaf) {
        try {
            return payload instanceof Payload.Erased
                            && CanonicalEntry.parse(leaf.entry()) instanceof EntryView.Event event
                    ? PayloadEnvelope.ciphertextSizeBytes(event.dataSizeBytes())
                    : 0;
        } catch (InvalidFormat e) {
            throw new IllegalStateException("the entry was parsed before", e);
        }
    }

    private Optional<Payload> checkPayload(
            EpochIntent intent, long index, EntryView.Event event, Optional<PayloadObject> payloadObject)
            throws IOException {
        Optional<Payload> merged = packed.payload(index);
        Optional<Payload> stored = payloadObject.flatMap(there -> payload(intent, there, index));
        merged.ifPresent(payload -> check(packed.payloadsOf(index), index, event, payload));
        stored.ifPresent(payload -> check(intent.payloads(), index, event, payload));
        if (stored.isPresent() && merged.isPresent()) {
            requireSame(index, merged.get(), stored.get());
        }
        Optional<Payload> checked = stored.or(() -> merged);
        checked.ifPresent(payload -> {
            payloads += payload instanceof Payload.Plain ? 1 : 0;
            encrypted += payload instanceof Payload.Encrypted ? 1 : 0;
        });
        erased += merged.orElse(null) instanceof Payload.Erased ? 1 : 0;
        return checked;
    }

    /** Of what is encrypted or erased no digest says whether it is the right one. */
    private void requireSame(long index, Payload merged, Payload stored) {
        boolean left = merged instanceof Payload.Erased what && what.isLeftOf(stored);
        boolean haveDigests = merged instanceof Payload.Plain && stored instanceof Payload.Plain;
        if (!haveDigests && !left && !Payload.isSame(merged, stored)) {
            reader.find(
                    packed.payloadsOf(index),
                    "payload of leaf " + index + " of shard " + shard + " as its epoch stored it",
                    "another");
        }
    }

    private Optional<Payload> payload(EpochIntent intent, PayloadObject payloadObject, long index) {
        try {
            return Optional.of(payloadObject.payload(shard, index));
        } catch (InvalidFormat e) {
            reader.find(intent.payloads(), "payload of leaf " + index + " of shard " + shard, describe(e));
            return Optional.empty();
        }
    }

    private void check(String object, long index, EntryView.Event event, Payload payload) {
        String what = payloadOf(shard, index, event.dataSizeBytes());
        boolean hasKey = payload instanceof Payload.Encrypted || payload instanceof Payload.Erased;
        if (payload instanceof Payload.None) {
            reader.find(object, what, "none");
        } else if (hasKey && !event.attributes().containsKey("subject")) {
            reader.find(
                    object,
                    what + ", in the clear: the event has no subject",
                    payload instanceof Payload.Erased ? "erased" : "encrypted");
        } else if (payload instanceof Payload.Erased gone) {
            erasedUnder.putIfAbsent(
                    new Erasure.Logged(gone.keyId(), event.tenant()),
                    new ErasedRow(object, shard, index, event.dataSizeBytes()));
        } else if (payload instanceof Payload.Plain plain) {
            byte[] digest = DataDigest.compute(plain.salt(), plain.data());
            if (plain.data().length != event.dataSizeBytes() || !Arrays.equals(digest, event.dataDigest())) {
                reader.find(
                        object,
                        what + ", digest " + hex(event.dataDigest()),
                        plain.data().length + " bytes, digest " + hex(digest));
            }
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static String describe(InvalidFormat e) {
        return String.valueOf(e.getMessage());
    }
}
