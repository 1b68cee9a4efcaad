// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.OutcomeRecord;
import io.attestream.proofs.archive.Segment;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.ledger.EpochLeaf;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.MlDsaVerifier;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Rfc6962;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the ledger's keys and signs only what extends what it signed last; guards too. A checkpoint is signed by all keys the
 * ledger has at its epoch, everything else by the newest of them.
 *
 * <p>A ledger log can be perfectly consistent while a shard inside it was forked, and whoever hands over heads can be wrong.
 * So the signer trusts nobody: it keeps, for the ledger log and for every shard, the compact range of its last signed head.
 * Before it signs it reads the epoch's segment back from the object store, extends each shard's range by the entries found
 * there, and demands exactly the new head's size and root; it extends the ledger range by the epoch leaf and demands exactly
 * the note's. What cannot be extended from the archive cannot be signed, so everything signed can be restored from there.
 *
 * <p>After a start it is given ranges again ({@link #resume}) and accepts them only if they hash to what the last published
 * note, verified with the ledger's public keys, commits to.
 *
 * <p>Used by the publishing thread only. No key leaves this class, and none is ever printed.
 */
final class Signer {
    private static final Logger LOG = LoggerFactory.getLogger(Signer.class);

    private final SigningKeys signingKeys;
    private final Ledger ledger;
    private final EpochArchive archive;
    private final LoggedObjects loggedObjects;
    /** The ledger's keys behind the epoch signed last. */
    private KeyHistory keys;
    /** The keys that sign now, oldest first, under each shard's origin; made when they are needed. */
    private Map<Integer, List<NoteSigner>> shardKeys = new HashMap<>();

    private CompactRange ledgerRange = CompactRange.empty();
    private List<ShardHead> signedHeads;
    private List<CompactRange> shardRanges = new ArrayList<>();
    private Counts signedCounts = Counts.NONE;
    /** The epoch that was guarded, and is signed next. */
    private Optional<Extended> verified = Optional.empty();

    /** A signer that has signed nothing yet. */
    Signer(SigningKeys signingKeys, Ledger ledger, EpochArchive archive, LoggedObjects loggedObjects) {
        this.signingKeys = signingKeys;
        this.keys = KeyHistory.of(ledger.key());
        this.ledger = ledger;
        this.archive = archive;
        this.loggedObjects = loggedObjects;
        this.signedHeads = ledger.emptyHeads();
        for (int shard = 0; shard < ledger.shards(); shard++) {
            shardRanges.add(CompactRange.empty());
        }
    }

    /**
     * Takes up the state after the last published epoch.
     *
     * @param last what was published last
     * @param ledgerRange the ledger log including that epoch
     * @param shardRanges all shards at that epoch's heads, in shard order
     * @param history the ledger's keys behind that epoch
     * @throws FatalDoubtException if they are not what that epoch's signed note commits to
     */
    void resume(
            LogRecord.Published last, CompactRange ledgerRange, List<CompactRange> shardRanges, KeyHistory history) {
        EpochIntent intent = last.intent();
        ledger.requireSigned(last.note(), intent.noteText(), intent.epoch(), history);
        Checkpoint checkpoint = checkpoint(intent);
        requireSame("ledger log", checkpoint.size(), checkpoint.root(), ledgerRange);
        EpochLeaf leaf = epochLeaf(intent);
        ledger.requireVector(intent.heads(), leaf.vectorRoot(), intent.epoch());
        for (ShardHead head : intent.heads()) {
            requireSame("shard " + head.shard(), head.size(), head.root(), shardRanges.get(head.shard()));
        }
        this.ledgerRange = ledgerRange.copy();
        this.signedHeads = intent.heads();
        this.shardRanges = copy(shardRanges);
        this.signedCounts = Counts.of(leaf.counts());
        use(history);
    }

    private void use(KeyHistory history) {
        keys = history;
        shardKeys = new HashMap<>();
    }

    /**
     * Signs the checkpoint of the next epoch and from then on refuses whatever does not extend it.
     *
     * @throws FatalDoubtException if anything in the intent does not extend what was signed last
     */
    SignedNote sign(EpochIntent intent) {
        Extended extended =
                verified.filter(known -> known.intent().equals(intent)).orElseGet(() -> verify(intent));
        SignedNote note = hybrid(sign(intent.noteText(), signingKeys.active(keys)));
        ledgerRange = extended.ledgerRange();
        shardRanges = extended.shardRanges();
        signedCounts = extended.counts();
        signedHeads = intent.heads();
        verified = Optional.empty();
        if (!extended.keys().equals(keys)) {
            use(extended.keys());
        }
        return note;
    }

    /**
     * Looks at the ML-DSA-44 line of a note that was read back, which no other key of the ledger covers. A note without one is of a
     * process that was given no such key.
     *
     * @throws FatalDoubtException if there is one by this process's key that does not verify
     */
    void requireHybridVerifies(String archived) {
        if (signingKeys.hybrid().isEmpty()) {
            return;
        }
        MlDsaVerifier key = signingKeys.hybrid().get().verifier();
        try {
            SignedNote note = SignedNote.parse(archived);
            boolean isThere = note.signatures().stream()
                    .anyMatch(line ->
                            line.keyId() == key.keyId() && line.keyName().equals(key.keyName()));
            if (isThere && !key.verifies(note)) {
                throw new FatalDoubtException("the archived note has a line by the ML-DSA-44 key " + key
                        + " that does not verify: who can write to the object store changed it. Nothing was published;"
                        + " remove that epoch object, it is made again");
            }
            if (!isThere) {
                LOG.warn(
                        "an epoch is published without the line of the ML-DSA-44 key {}: it was archived without", key);
            }
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("the archived note cannot be read: " + e.getMessage(), e);
        }
    }

    private SignedNote hybrid(SignedNote note) {
        try {
            return signingKeys.hybrid().isPresent()
                    ? note.with(List.of(signingKeys.hybrid().get().sign(note.text())))
                    : note;
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("the checkpoint cannot be signed with ML-DSA-44: " + e.getMessage(), e);
        }
    }

    private static SignedNote sign(String text, List<NoteSigner> signers) {
        return new SignedNote(
                text, signers.stream().map(signer -> signer.sign(text)).toList());
    }

    /** What is signed last when an intent is signed that extends what is now. */
    private record Extended(
            EpochIntent intent,
            CompactRange ledgerRange,
            List<CompactRange> shardRanges,
            Counts counts,
            KeyHistory keys) {}

    private Extended verify(EpochIntent intent) {
        if (intent.epoch() != nextEpoch()) {
            throw refused(intent, "the next epoch to sign is " + nextEpoch());
        }
        CompactRange extendedLedger = extendLedger(intent);
        List<Counts> added = new ArrayList<>();
        List<CompactRange> extendedShards = extendShards(intent, added);
        Counts counts = added.stream().reduce(signedCounts, Counts::plus);
        requireCounts(intent, counts);
        return new Extended(intent, extendedLedger, extendedShards, counts, ledger.keysAfter(keys, epochLeaf(intent)));
    }

    /**
     * The guard copy of the epoch that is signed next, which is verified before: what is guarded can be finished.
     *
     * @throws FatalDoubtException if anything in the intent does not extend what was signed last
     */
    byte[] guard(EpochIntent intent) {
        verified = Optional.of(verify(intent));
        return GuardObject.encode(intent, newest());
    }

    /** The only epoch that would be signed now: all before it were. */
    long nextEpoch() {
        return ledgerRange.size().value();
    }

    /** The key that has to sign now. */
    private NoteSigner newest() {
        return signingKeys.require(keys.newest());
    }

    /** Signs a shard's own checkpoint, for the head in the last signed epoch only. */
    SignedNote signShard(int shard) {
        ShardHead head = signedHeads.get(shard);
        String origin = ledger.shardOrigin(shard);
        List<NoteSigner> signers = shardKeys.computeIfAbsent(
                shard,
                any -> signingKeys.active(keys).stream()
                        .map(signer -> signer.withName(origin))
                        .toList());
        return sign(new Checkpoint(origin, head.size(), head.root()).text(), signers);
    }

    /**
     * Signs a snapshot at the last signed epoch only.
     *
     * @param states that its manifest names, in shard order
     * @throws FatalDoubtException if anything in it is not what was signed
     */
    SignedNote signSnapshot(Snapshot snapshot, List<ShardSnapshot> states) {
        if (snapshot.epoch() != nextEpoch() - 1
                || !snapshot.origin().equals(ledger.origin())
                || !snapshot.heads().equals(signedHeads)
                || !snapshot.ledgerFrontier().equals(ledgerRange.hashes())
                || states.size() != shardRanges.size()) {
            throw new FatalDoubtException("signer: refuses a snapshot of epoch " + snapshot.epoch() + " with heads "
                    + snapshot.heads() + ", signed last was epoch " + (nextEpoch() - 1) + " with " + signedHeads);
        }
        Counts counts = Counts.NONE;
        for (int shard = 0; shard < states.size(); shard++) {
            ShardSnapshot state = states.get(shard);
            if (!state.head().equals(signedHeads.get(shard))
                    || !state.frontier().equals(shardRanges.get(shard).hashes())) {
                throw new FatalDoubtException("signer: refuses a snapshot of epoch " + snapshot.epoch()
                        + " whose frontier of shard " + shard + " is not the one signed");
            }
            counts = counts.plus(Counts.of(state.counts()));
        }
        if (!counts.equals(signedCounts)) {
            throw new FatalDoubtException("signer: refuses a snapshot of epoch " + snapshot.epoch() + " with counts "
                    + counts + ", signed were " + signedCounts);
        }
        return SignedNote.sign(snapshot.text(), newest().withName(Snapshot.keyName(ledger.origin())));
    }

    private CompactRange extendLedger(EpochIntent intent) {
        EpochLeaf leaf = epochLeaf(intent);
        if (leaf.epoch() != intent.epoch()) {
            throw refused(intent, "its epoch leaf names epoch " + leaf.epoch());
        }
        loggedObjects.requireVerified(leaf.logged().stream()
                .filter(object -> !KeyChange.isName(object.name())) // keysAfter looks at them
                .toList());
        ledger.requireVector(intent.heads(), leaf.vectorRoot(), intent.epoch());
        CompactRange extended = ledgerRange.copy();
        extended.append(Rfc6962.leafHash(intent.epochLeaf()));
        Checkpoint checkpoint = checkpoint(intent);
        if (!checkpoint.origin().equals(ledger.origin())) {
            throw refused(intent, "its note has origin " + checkpoint.origin());
        }
        if (!checkpoint.extensions().isEmpty()) {
            throw refused(intent, "its note has extension lines");
        }
        if (!checkpoint.text().equals(intent.noteText())) {
            throw refused(intent, "its note text has more than one reading");
        }
        requireSame("ledger log", checkpoint.size(), checkpoint.root(), extended);
        return extended;
    }

    /** @param counts of the records added, those of one shard after the other */
    private List<CompactRange> extendShards(EpochIntent intent, List<Counts> counts) {
        Segment segment = archive.readSegment(intent.segment());
        if (segment.epoch() != intent.epoch()) {
            throw refused(intent, "its segment is that of epoch " + segment.epoch());
        }
        for (int shard : segment.shards()) {
            if (shard >= ledger.shards()) {
                throw refused(
                        intent,
                        "its segment has leaves of shard " + shard + ", the ledger " + ledger.shards() + " shards");
            }
        }
        List<CompactRange> extended = copy(shardRanges);
        for (ShardHead head : intent.heads()) {
            ShardHead signed = signedHeads.get(head.shard());
            if (Long.compareUnsigned(head.size().value(), signed.size().value()) < 0
                    || head.nextOffset() < signed.nextOffset()) {
                throw refused(intent, "shard " + head.shard() + " would go back from " + signed + " to " + head);
            }
            CompactRange range = extended.get(head.shard());
            counts.add(append(segment, signed, head, range));
            requireSame("shard " + head.shard(), head.size(), head.root(), range);
        }
        return extended;
    }

    /**
     * Extends a shard's range by its leaves in the segment, each of a record between the two heads' input positions.
     *
     * @return what became of the shard's records, as the segment has them
     */
    private static Counts append(Segment segment, ShardHead signed, ShardHead head, CompactRange range) {
        int shard = head.shard();
        Counts counts = Counts.NONE;
        if (!segment.shards().contains(shard)) {
            return counts;
        }
        try {
            Set<Long> withoutLeaf = new HashSet<>();
            for (OutcomeRecord outcome : segment.outcomes(shard)) {
                requireWithin(outcome, signed, head);
                withoutLeaf.add(outcome.offset());
                counts = counts.plus(Counts.of(outcome));
            }
            long first = segment.firstIndex(shard);
            if (first != range.size().value()) {
                throw new FatalDoubtException("signer: the segment begins shard " + shard + " at leaf " + first
                        + ", what was signed last ends at " + range.size());
            }
            long nextOffset = signed.nextOffset();
            for (long index = first; index < first + segment.count(shard); index++) {
                LeafRecord leaf = segment.leaf(shard, index);
                if (leaf.offset() < nextOffset || leaf.offset() >= head.nextOffset()) {
                    throw new FatalDoubtException("signer: the segment has leaf " + index + " of shard " + shard
                            + " at offset " + leaf.offset() + ", which must be from " + nextOffset + " to "
                            + (head.nextOffset() - 1));
                }
                if (withoutLeaf.contains(leaf.offset())) {
                    throw new FatalDoubtException("signer: the segment has leaf " + index + " of shard " + shard
                            + " and an outcome at the same offset " + leaf.offset());
                }
                nextOffset = leaf.offset() + 1;
                range.append(Rfc6962.leafHash(leaf.entry()));
                counts = counts.plus(Counts.of(leaf.kind()));
            }
            return counts;
        } catch (InvalidFormat e) {
            throw new FatalDoubtException("signer: the segment cannot be read: " + e.getMessage(), e);
        }
    }

    private static void requireWithin(OutcomeRecord outcome, ShardHead signed, ShardHead head) {
        boolean isOfThisEpoch = outcome.offset() >= signed.nextOffset() && outcome.offset() < head.nextOffset();
        boolean refersBack = !(outcome instanceof OutcomeRecord.Duplicate duplicate)
                || duplicate.leafIndex() < head.size().value();
        if (!isOfThisEpoch || !refersBack) {
            throw new FatalDoubtException("signer: the segment has " + outcome + " of shard " + head.shard()
                    + ", whose offset must be from " + signed.nextOffset() + " to " + (head.nextOffset() - 1)
                    + " and whose leaf below " + head.size());
        }
    }

    /** Every record the leaf speaks of has to be in the archive: no root would miss a duplicate. */
    private void requireCounts(EpochIntent intent, Counts archived) {
        if (!epochLeaf(intent).counts().equals(archived.asMap())) {
            throw refused(
                    intent,
                    "its leaf has counts " + new TreeMap<>(epochLeaf(intent).counts()) + ", what was archived gives "
                            + archived.asMap());
        }
    }

    private static void requireSame(String what, TreeSize size, Hash root, CompactRange range) {
        if (!range.size().equals(size)) {
            throw new FatalDoubtException("signer: " + what + " is to be signed at size " + size
                    + ", what was archived gives size " + range.size());
        }
        if (!range.root().equals(root)) {
            throw new FatalDoubtException("signer: " + what + " of size " + size + " is to be signed with root "
                    + root.base64() + ", which does not extend what was signed last; expected "
                    + range.root().base64());
        }
    }

    private static Checkpoint checkpoint(EpochIntent intent) {
        try {
            return Checkpoint.parse(intent.noteText());
        } catch (InvalidFormat e) {
            throw refused(intent, "its note text is no checkpoint: " + e.getMessage());
        }
    }

    private static EpochLeaf epochLeaf(EpochIntent intent) {
        try {
            return EpochLeaf.parse(intent.epochLeaf());
        } catch (InvalidFormat e) {
            throw refused(intent, "its epoch leaf cannot be read: " + e.getMessage());
        }
    }

    private static List<CompactRange> copy(List<CompactRange> ranges) {
        List<CompactRange> copies = new ArrayList<>();
        for (CompactRange range : ranges) {
            copies.add(range.copy());
        }
        return copies;
    }

    private static FatalDoubtException refused(EpochIntent intent, String why) {
        return new FatalDoubtException("signer: refuses epoch " + intent.epoch() + ": " + why);
    }
}
