// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.checkpointer.Decision.Leaf;
import io.attestream.checkpointer.Decision.WithoutLeaf;
import io.attestream.proofs.archive.ShardSnapshot;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One shard, recomputed on our own from topic {@code events} and held against what the sequencer claims in {@code sealed}
 * and {@code outcomes}.
 *
 * <p>Three streams come in, each in its own order and none waiting for another: records are decided at once
 * ({@link ShardDecider}); a delta waits until all records below its next offset were decided and must then name exactly
 * their leaves; an outcome waits until its offset was decided and must then be the next one due. A head is <em>verified</em>
 * when its delta matched and no outcome below its next offset is still due. So every committed offset below a verified head
 * is a leaf, a duplicate or a rejection, here and there.
 *
 * <p>A claim that differs is fatal. A claim that never comes cannot be told from a late one, so it is fatal only when
 * everything readable was read and {@link #OVERDUE_MILLIS} went by ({@link #requireNothingOverdue}).
 *
 * <p>Not thread-safe: guarded by {@link Backlog}.
 */
final class ShardReplica {
    /** Longer than a transaction may stay open (10 s) and the coordinator needs to abort it (10 s). */
    static final long OVERDUE_MILLIS = 30_000;

    static final int DELTAS_WAITING_MAX = 256;
    static final int OUTCOMES_WAITING_MAX = 10_000;
    static final int OUTCOMES_DUE_MAX = 100_000;
    static final int UNNAMED_MAX = 100_000;

    private final int shard;
    private final int incarnation;
    private final int generation;
    private final long unpublishedBytesMax;
    private final ShardDecider decider;
    /** Over the leaves that deltas have matched. */
    private CompactRange range = CompactRange.empty();
    /** Over the leaves that were taken. */
    private CompactRange takenRange = CompactRange.empty();

    /** Decided records no delta has covered yet, in offset order. */
    private final ArrayDeque<Decision> decided = new ArrayDeque<>();
    /** Decided records whose outcome has not come yet, in offset order. */
    private final ArrayDeque<WithoutLeaf> outcomesDue = new ArrayDeque<>();
    /** Claims that came before the records they speak of. */
    private final ArrayDeque<SealedDelta> deltasWaiting = new ArrayDeque<>();

    private final ArrayDeque<OutcomeClaim> outcomesWaiting = new ArrayDeque<>();
    /** Heads whose deltas matched, not taken yet. */
    private final ArrayDeque<VerifiedHead> heads = new ArrayDeque<>();
    /** Leaves below the last of {@link #heads}, not taken yet. */
    private final ArrayDeque<Leaf> leaves = new ArrayDeque<>();
    /** The other records below it, not taken yet. */
    private final ArrayDeque<WithoutLeaf> withoutLeaf = new ArrayDeque<>();

    private VerifiedHead matched;
    private VerifiedHead taken;

    /** Where the last delta that came ends. */
    private long sealedSize;

    private long sealedNextOffset;

    /** Heads an older generation published are met first; they stand where its deltas ended. */
    private boolean recomputing;

    private boolean newGeneration;
    /** Leaves below those heads, without content, that no delta of this generation has named yet. */
    private final ArrayDeque<Leaf> unnamed = new ArrayDeque<>();
    /** All committed records below it were decided. */
    private long decidedTo;

    private long unpublishedBytes;
    /** Next offset of a published head that is waited for. */
    private long awaitedOffset;

    private long overdueSinceMillis = -1;
    /** What was missing then: the offset of a record or of an outcome. */
    private long overdueOffset;

    private @Nullable String stoppedReason;
    private int newestGeneration;

    /** Claims before the first that goes on from here are behind the snapshot this began with. */
    private final long resumedOffset;

    private boolean deltasBehind;
    private boolean outcomesBehind;
    private final ReadBounds sealedBounds;
    private final ReadBounds outcomesBounds;
    private long outcomesClaimedTo;
    private long leafSizeBytes;
    /** Of the heads met by recomputation the last, until a delta of this generation ends there. */
    private @Nullable VerifiedHead unsealed;

    /**
     * From where this shard can be resumed: the head taken last, and what is behind it.
     *
     * @param range of the head
     * @param sealedOffset at which to begin to read deltas
     * @param outcomesOffset at which to begin to read outcomes
     * @param leafSizeBytes of a leaf with its payload in memory, roughly
     */
    record ResumePoint(
            VerifiedHead head, CompactRange range, long sealedOffset, long outcomesOffset, long leafSizeBytes) {}

    /** From the shard's first record on. */
    ShardReplica(int shard, int incarnation, int generation, ShardDecider decider, long unpublishedBytesMax) {
        this(shard, incarnation, generation, decider, unpublishedBytesMax, new ReadBounds(0), new ReadBounds(0), -1);
    }

    /**
     * From a snapshot on: what was published up to there was recomputed before it was taken.
     *
     * @param stateGeneration of the snapshot; if it is an older one, heads it published behind the snapshot are met first
     * @param decider resumed from the same snapshot
     */
    static ShardReplica resumed(
            ShardSnapshot state,
            int stateGeneration,
            int incarnation,
            int generation,
            ShardDecider decider,
            long unpublishedBytesMax) {
        ShardReplica replica = new ShardReplica(
                state.head().shard(),
                incarnation,
                generation,
                decider,
                unpublishedBytesMax,
                new ReadBounds(state.sealedOffset()),
                new ReadBounds(state.outcomesOffset()),
                state.head().nextOffset());
        replica.range = state.range();
        replica.takenRange = state.range();
        replica.matched = new VerifiedHead(state.head(), Counts.of(state.counts()));
        replica.taken = replica.matched;
        replica.sealedSize = state.head().size().value();
        replica.sealedNextOffset = state.head().nextOffset();
        replica.outcomesClaimedTo = state.head().nextOffset();
        // Behind a lost topic this one's first record goes on.
        replica.decidedTo = Math.max(state.head().nextOffset(), LedgerOffset.first(incarnation));
        replica.leafSizeBytes = state.leafSizeBytes();
        // Also behind a state that was made for this generation, an older one may have published.
        replica.recomputing = generation > 1;
        replica.newGeneration = generation > stateGeneration;
        return replica;
    }

    private ShardReplica(
            int shard,
            int incarnation,
            int generation,
            ShardDecider decider,
            long unpublishedBytesMax,
            ReadBounds sealedBounds,
            ReadBounds outcomesBounds,
            long resumedOffset) {
        this.sealedBounds = sealedBounds;
        this.outcomesBounds = outcomesBounds;
        this.resumedOffset = resumedOffset;
        this.deltasBehind = resumedOffset >= 0;
        this.outcomesBehind = resumedOffset >= 0;
        this.shard = shard;
        this.incarnation = incarnation;
        this.generation = generation;
        this.recomputing = generation > 1;
        this.newGeneration = recomputing && resumedOffset < 0;
        this.newestGeneration = generation;
        this.decider = decider;
        this.unpublishedBytesMax = unpublishedBytesMax;
        this.matched = new VerifiedHead(new ShardHead(shard, new TreeSize(0), range.root(), 0), Counts.NONE);
        this.taken = matched;
    }

    // ---- what comes in

    /** The next committed record of the partition. */
    void onEvent(long offset, long timestampMillis, byte @Nullable [] value) {
        if (stoppedReason != null) {
            return; // nothing after an undecidable record can be decided, and no head can cover it
        }
        if (offset < decidedTo) {
            throw doubt("offset %d of topic events was read although all below %d was decided", offset, decidedTo);
        }
        ShardDecider.Verdict verdict = decider.decide(offset, timestampMillis, value);
        if (verdict instanceof ShardDecider.Undecidable undecidable) {
            stoppedReason = undecidable.reason();
            return;
        }
        Decision decision = ((ShardDecider.Decided) verdict).decision();
        decided.add(decision);
        unpublishedBytes += sizeBytes(decision);
        if (decision instanceof WithoutLeaf due) {
            outcomesDue.add(due);
        }
        decidedTo = offset + 1;
        settle();
    }

    /** No committed record below this offset is left unread: the consumer stepped over markers and aborted batches. */
    void onEventsReadTo(long offset) {
        if (stoppedReason == null && offset > decidedTo) {
            decidedTo = offset;
            settle();
        }
    }

    /** The next record of topic {@code sealed}. */
    void onSealed(SealedDelta delta) {
        if (delta.generation() != generation) {
            newestGeneration = Math.max(newestGeneration, delta.generation());
            return; // another life of the processors; generations are switched in topic checkpoints only
        }
        if (deltasBehind && delta.nextOffset() <= resumedOffset) {
            return;
        }
        deltasBehind = false;
        requireWellFormed(delta);
        sealedSize = delta.size();
        sealedNextOffset = delta.nextOffset();
        deltasWaiting.add(delta);
        settle();
    }

    /** The next record of topic {@code outcomes}. */
    void onOutcome(OutcomeClaim claim) {
        if (claim.generation() != generation) {
            return;
        }
        if (claim.shard() != shard || claim.incarnation() != incarnation) {
            throw doubt(
                    "outcome of offset %d names shard %d incarnation %d, expected shard %d incarnation %d",
                    claim.offset(), claim.shard(), claim.incarnation(), shard, incarnation);
        }
        if (outcomesBehind && claim.offset() < resumedOffset) {
            return;
        }
        outcomesBehind = false;
        outcomesClaimedTo = Math.max(outcomesClaimedTo, claim.offset() + 1);
        outcomesWaiting.add(claim);
        settle();
    }

    /** All records of the partition of topic {@code sealed} before this offset came in. */
    void onSealedReadTo(long offset) {
        sealedBounds.readTo(offset, sealedNextOffset);
    }

    /** All records of the partition of topic {@code outcomes} before this offset came in. */
    void onOutcomesReadTo(long offset) {
        outcomesBounds.readTo(offset, outcomesClaimedTo);
    }

    // ---- what goes out

    /** The newest verified head, or the last taken one. */
    VerifiedHead newestVerified() {
        VerifiedHead newest = taken;
        for (VerifiedHead head : heads) {
            if (!isVerified(head)) {
                break;
            }
            newest = head;
        }
        return newest;
    }

    /**
     * The newest verified head within limits; the next verified one when already that exceeds them, and the last taken one
     * when there is none.
     */
    VerifiedHead newestVerified(long leavesMax, long bytesMax) {
        VerifiedHead newest = taken;
        long leafCount = 0;
        long bytes = 0;
        var leaf = leaves.iterator();
        for (VerifiedHead head : heads) {
            if (!isVerified(head)) {
                break;
            }
            long index = newest.head().size().value();
            for (; index < head.head().size().value(); index++) {
                bytes += leaf.next().sizeBytes();
                leafCount++;
            }
            boolean first = newest.equals(taken);
            if (!first && (leafCount > leavesMax || bytes > bytesMax)) {
                break;
            }
            newest = head;
        }
        return newest;
    }

    /**
     * The head a published epoch names, recomputed.
     *
     * @return empty while records or claims it needs have not been read
     * @throws FatalDoubtException if it can no longer be reached, or its root differs
     */
    Optional<VerifiedHead> verified(ShardHead published) {
        VerifiedHead newest = taken;
        if (sameHead(newest, published)) {
            return Optional.of(newest);
        }
        for (VerifiedHead head : heads) {
            if (!isVerified(head)) {
                break;
            }
            newest = head;
            if (sameHead(head, published)) {
                return Optional.of(head);
            }
        }
        if (newest.head().nextOffset() >= published.nextOffset()) {
            throw doubt(
                    "published head %s does not exist in what was recomputed, which went past it to %s: events, sealed or "
                            + "checkpoints were rewritten",
                    published, newest.head());
        }
        awaitedOffset = Math.max(awaitedOffset, published.nextOffset());
        return Optional.empty();
    }

    /**
     * The head an epoch of an older generation names, recomputed from the records alone: the deltas of this generation end
     * elsewhere.
     *
     * @return empty while records it needs have not been read, or the sequencer of this generation is too far behind
     * @throws FatalDoubtException if it can no longer be reached, or its root differs
     */
    Optional<VerifiedHead> recomputed(ShardHead published) {
        if (!sameHead(matched, published)) {
            if (matched.head().nextOffset() > published.nextOffset()) {
                throw doubt("published head %s lies behind what was recomputed, %s", published, matched.head());
            }
            if (decidedTo < published.nextOffset() || unnamed.size() >= UNNAMED_MAX) {
                awaitedOffset = Math.max(awaitedOffset, published.nextOffset());
                return Optional.empty();
            }
            meet(published);
            settle();
        }
        return Optional.of(matched);
    }

    private void meet(ShardHead published) {
        Counts counts = matched.counts();
        while (!decided.isEmpty() && decided.element().offset() < published.nextOffset()) {
            Decision decision = accountFor(decided.remove());
            counts = counts.plus(one(decision));
            if (decision instanceof Leaf leaf) {
                unnamed.add(leaf.withoutContent());
            }
        }
        VerifiedHead own =
                new VerifiedHead(new ShardHead(shard, range.size(), range.root(), published.nextOffset()), counts);
        sameHead(own, published);
        add(own);
        unsealed = own;
    }

    /** From here on heads are those the sequencer of this generation seals. */
    void follow() {
        if (recomputing) {
            recomputing = false;
            settle();
        }
    }

    private boolean sameHead(VerifiedHead own, ShardHead published) {
        ShardHead head = own.head();
        if (head.nextOffset() != published.nextOffset()) {
            return false;
        }
        if (!head.equals(published)) {
            throw doubt(
                    "at next offset %d size %s root %s was published, recomputed are size %s root %s: history was rewritten",
                    published.nextOffset(), published.size(), published.root(), head.size(), head.root());
        }
        return true;
    }

    /** Whether the sequencer's heads were held against the records up to this offset. */
    boolean hasMatched(long nextOffset) {
        return matched.head().nextOffset() >= nextOffset;
    }

    /** Whether this verified head was not taken yet. */
    boolean isNew(VerifiedHead head) {
        return !head.equals(taken);
    }

    /** Removes and returns all records below a verified head; they belong to the caller from now on. */
    Added take(VerifiedHead head) {
        long first = takenRange.size().value();
        while (!taken.equals(head)) {
            taken = heads.remove();
            unpublishedBytes -= Added.SMALL_OBJECT_BYTES;
        }
        sealedBounds.behind(taken.head().nextOffset());
        outcomesBounds.behind(taken.head().nextOffset());
        List<Leaf> below = new ArrayList<>();
        while (!leaves.isEmpty()
                && leaves.element().index() < head.head().size().value()) {
            Leaf leaf = leaves.remove();
            unpublishedBytes -= leaf.sizeBytes();
            takenRange.append(leaf.leafHash(), 0);
            below.add(leaf);
        }
        if (!below.isEmpty()) {
            leafSizeBytes = below.stream().mapToLong(Leaf::sizeBytes).sum() / below.size();
        }
        List<WithoutLeaf> others = new ArrayList<>();
        while (!withoutLeaf.isEmpty()
                && withoutLeaf.element().offset() < head.head().nextOffset()) {
            unpublishedBytes -= Added.SMALL_OBJECT_BYTES;
            others.add(withoutLeaf.remove());
        }
        return new Added(first, below, others);
    }

    /** Whether it begins where an older generation did, whose claims may be gone. */
    boolean beginsANewGeneration() {
        return newGeneration;
    }

    /** Of topic {@code events}. */
    int incarnation() {
        return incarnation;
    }

    /** Whether the claims of this generation go on exactly from the head taken last. */
    boolean canResume() {
        return unsealed == null || !unsealed.equals(taken);
    }

    /** At the head taken last. */
    ResumePoint resumePoint() {
        long nextOffset = taken.head().nextOffset();
        return new ResumePoint(
                taken, takenRange(), sealedBounds.behind(nextOffset), outcomesBounds.behind(nextOffset), leafSizeBytes);
    }

    /** The compact range of the head taken last; a copy. */
    CompactRange takenRange() {
        return takenRange.copy();
    }

    // ---- limits

    /**
     * Whether more records should be read. A delta or a published head that waits for records is given them whatever the
     * limit, else neither could ever move: an epoch may have been published under a higher limit.
     */
    boolean wantsEvents() {
        if (stoppedReason != null || outcomesDue.size() >= OUTCOMES_DUE_MAX) {
            return false;
        }
        return unpublishedBytes < unpublishedBytesMax
                || (heads.isEmpty() && !recomputing && !deltasWaiting.isEmpty())
                || decidedTo < awaitedOffset;
    }

    boolean wantsSealed() {
        return deltasWaiting.size() < DELTAS_WAITING_MAX;
    }

    boolean wantsOutcomes() {
        return outcomesWaiting.size() < OUTCOMES_WAITING_MAX;
    }

    /** Timestamp of the first leaf that was decided and is in no epoch; empty if there is none. */
    OptionalLong oldestUnpublishedMillis() {
        return Stream.concat(
                        leaves.stream(),
                        decided.stream().filter(Leaf.class::isInstance).map(Leaf.class::cast))
                .mapToLong(Leaf::timestampMillis)
                .findFirst();
    }

    long unpublishedBytes() {
        return unpublishedBytes;
    }

    /** Why this shard stands still for good, or null: its records need a newer version of this program. */
    @Nullable String stoppedReason() {
        return stoppedReason;
    }

    /** The newest generation of which records were seen; only those of this process's own count. */
    int newestGeneration() {
        return newestGeneration;
    }

    /** Next input offset of this replica: all committed records below it were decided. */
    long decidedTo() {
        return decidedTo;
    }

    /**
     * Refuses to wait for ever for a record or an outcome that was claimed to exist.
     *
     * @param eventsAtEnd whether every record of {@code events} that was readable when it was last asked was read; says
     *     nothing while reading is paused
     * @param outcomesAtEnd whether every readable record of {@code outcomes} was read
     */
    void requireNothingOverdue(long nowMillis, boolean eventsAtEnd, boolean outcomesAtEnd) {
        boolean deltasWait = !recomputing && !deltasWaiting.isEmpty();
        boolean eventsRead = eventsAtEnd && (wantsEvents() || stoppedReason != null);
        boolean recordsOverdue = eventsRead && (deltasWait || !outcomesWaiting.isEmpty() || decidedTo < awaitedOffset);
        boolean outcomesMissing = !recomputing
                && (heads.isEmpty()
                        ? deltasWait && outcomesDue.size() >= OUTCOMES_DUE_MAX
                        : !isVerified(heads.element()));
        boolean outcomesOverdue = outcomesAtEnd && outcomesMissing;
        if (!recordsOverdue && !outcomesOverdue) {
            overdueSinceMillis = -1;
            return;
        }
        long missing = outcomesOverdue ? outcomesDue.element().offset() : decidedTo;
        if (overdueSinceMillis < 0 || missing != overdueOffset) {
            overdueSinceMillis = nowMillis; // something else than last time: that came
            overdueOffset = missing;
        } else if (nowMillis - overdueSinceMillis >= OVERDUE_MILLIS) {
            throw overdue(outcomesOverdue);
        }
    }

    private FatalDoubtException overdue(boolean outcomesOverdue) {
        if (outcomesOverdue) {
            return doubt(
                    "outcome missing for offset %d, expected %s",
                    outcomesDue.element().offset(), outcomesDue.element());
        }
        if (stoppedReason != null) {
            return doubt("the sequencer sealed a record that cannot be decided here: %s", stoppedReason);
        }
        if (awaitedOffset > decidedTo) {
            return doubt(
                    "a head was published up to next offset %d, topic events ends at %d: it lost records",
                    awaitedOffset, decidedTo);
        }
        return doubt(
                "sealed and outcomes speak of records up to offset %d, topic events ends at %d: it lost records",
                claimedTo() - 1, decidedTo);
    }

    private long claimedTo() {
        long delta = deltasWaiting.isEmpty() ? 0 : deltasWaiting.getLast().nextOffset();
        long outcome = outcomesWaiting.isEmpty() ? 0 : outcomesWaiting.getLast().offset() + 1;
        return Math.max(delta, outcome);
    }

    // ---- holding claims against decisions

    private void settle() {
        // With one due, a later one need not wait for its record: it shows that the one due was left out.
        while (!outcomesWaiting.isEmpty()
                && (outcomesWaiting.element().offset() < decidedTo || !outcomesDue.isEmpty())) {
            requireEqual(outcomesWaiting.remove());
        }
        while (!deltasWaiting.isEmpty() && isDue(deltasWaiting.element())) {
            match(deltasWaiting.remove());
        }
    }

    private boolean isDue(SealedDelta delta) {
        return delta.nextOffset() < matched.head().nextOffset() || (!recomputing && delta.nextOffset() <= decidedTo);
    }

    private boolean isVerified(VerifiedHead head) {
        return outcomesDue.isEmpty()
                || outcomesDue.element().offset() >= head.head().nextOffset();
    }

    private void requireEqual(OutcomeClaim claim) {
        WithoutLeaf due = outcomesDue.peek();
        if (due == null || claim.offset() < due.offset()) {
            throw doubt("outcome %s, expected none: %s", claim, describeOffset(claim.offset()));
        }
        if (claim.offset() > due.offset()) {
            throw doubt(
                    "outcome missing for offset %d, expected %s, next is %s%s",
                    due.offset(), due, claim, perhapsNoSnapshot());
        }
        if (claim.kind() != due.kind()
                || !claim.reference().equals(due.reference())
                || !claim.reason().equals(due.reason())) {
            throw doubt("outcome of offset %d is %s, expected %s", due.offset(), claim, due);
        }
        outcomesDue.remove();
    }

    /** What else a first claim may say that does not follow from the first record. */
    private String perhapsNoSnapshot() {
        return newGeneration && sealedSize == 0
                ? ". If this generation began with a snapshot, that is gone: restore it, or begin another generation with"
                        + " attestream restore state"
                : "";
    }

    private String describeOffset(long offset) {
        for (Decision decision : decided) {
            if (decision.offset() == offset && decision instanceof Leaf leaf) {
                return "offset " + offset + " is leaf " + leaf.index() + " (" + leaf.kind() + ")";
            }
        }
        return "offset " + offset + " is a leaf, has had its outcome, or is no committed record";
    }

    /** Fails on everything that can be seen wrong in the delta itself or against the head before it. */
    private void requireWellFormed(SealedDelta delta) {
        long size = sealedSize;
        long nextOffset = sealedNextOffset;
        int n = delta.leaves();
        if (delta.shard() != shard || delta.incarnation() != incarnation) {
            throw doubt(
                    "sealed delta names shard %d incarnation %d, expected shard %d incarnation %d",
                    delta.shard(), delta.incarnation(), shard, incarnation);
        }
        if (delta.firstIndex() != size) {
            throw doubt("sealed delta begins at leaf %d, expected %d%s", delta.firstIndex(), size, perhapsNoSnapshot());
        }
        if (delta.hashes().length != 32 * n
                || delta.offsets().length != n
                || delta.timestampsMillis().length != n
                || delta.identityDigests().length != 16 * n) {
            throw doubt("sealed delta at leaf %d has arrays for different numbers of leaves", size);
        }
        if (n > SealedDelta.LEAVES_MAX - (size % SealedDelta.LEAVES_MAX)) {
            throw doubt("sealed delta at leaf %d has %d leaves and crosses a multiple of 256", size, n);
        }
        if (delta.size() != size + n) {
            throw doubt("sealed head has size %d after leaf %d and %d leaves", delta.size(), size, n);
        }
        if (delta.nextOffset() < nextOffset) {
            throw doubt("sealed head goes back to next offset %d after %d", delta.nextOffset(), nextOffset);
        }
        if (n > 0 && delta.nextOffset() == nextOffset) {
            throw doubt("sealed head has %d leaves more at the same next offset %d", n, nextOffset);
        }
    }

    private void match(SealedDelta delta) {
        ShardHead before = matched.head();
        if (unsealed != null && delta.nextOffset() == unsealed.head().nextOffset()) {
            unsealed = null;
        }
        int named = nameAgain(delta);
        if (delta.nextOffset() < before.nextOffset()) {
            if (named < delta.leaves()) {
                throw doubt(
                        "sealed leaf %d below next offset %d is none", delta.firstIndex() + named, delta.nextOffset());
            }
            requireNoneLeftOut(delta);
            return; // the head it ends in is between two that were published
        }
        Counts counts = matched.counts();
        long accountedTo = before.nextOffset();
        requireNoneLeftOut(delta);
        int i = named;
        while (!decided.isEmpty() && decided.element().offset() < delta.nextOffset()) {
            Decision decision = decided.remove();
            accountedTo = decision.offset() + 1;
            if (decision instanceof Leaf leaf) {
                if (i == delta.leaves()) {
                    throw doubt(
                            "sealed head goes to next offset %d and leaves out offset %d, which is leaf %d",
                            delta.nextOffset(), leaf.offset(), leaf.index());
                }
                requireEqual(delta, i++, leaf);
            }
            counts = counts.plus(one(accountFor(decision)));
        }
        if (i < delta.leaves()) {
            throw doubt(
                    "sealed leaf %d is said to be offset %d, which is no leaf below next offset %d",
                    delta.firstIndex() + i, delta.offsets()[i], delta.nextOffset());
        }
        if (delta.nextOffset() != accountedTo) {
            throw doubt("sealed head has next offset %d, expected %d", delta.nextOffset(), accountedTo);
        }
        Hash root = range.root();
        if (!Arrays.equals(root.bytes(), delta.root())) {
            throw doubt(
                    "sealed head of size %d has root %s, expected %s",
                    delta.size(), HexFormat.of().formatHex(delta.root()), root.hex());
        }
        if (delta.nextOffset() == before.nextOffset()) {
            return; // said again; nothing is new
        }
        add(new VerifiedHead(new ShardHead(shard, range.size(), root, delta.nextOffset()), counts));
    }

    private void add(VerifiedHead head) {
        matched = head;
        heads.add(head);
        unpublishedBytes += Added.SMALL_OBJECT_BYTES;
    }

    /** A decision that the next head covers. */
    private Decision accountFor(Decision decision) {
        if (decision instanceof Leaf leaf) {
            range.append(leaf.leafHash(), 0);
            leaves.add(leaf);
        } else {
            withoutLeaf.add((WithoutLeaf) decision);
        }
        return decision;
    }

    /** Holds those leaves of a delta that an older generation published against what they are; how many there were. */
    private int nameAgain(SealedDelta delta) {
        int i = 0;
        while (i < delta.leaves() && !unnamed.isEmpty()) {
            requireEqual(delta, i++, unnamed.remove());
        }
        return i;
    }

    private void requireNoneLeftOut(SealedDelta delta) {
        if (!unnamed.isEmpty() && unnamed.element().offset() < delta.nextOffset()) {
            throw doubt(
                    "sealed head goes to next offset %d and leaves out offset %d, which is leaf %d",
                    delta.nextOffset(),
                    unnamed.element().offset(),
                    unnamed.element().index());
        }
    }

    private void requireEqual(SealedDelta delta, int i, Leaf leaf) {
        if (delta.offsets()[i] != leaf.offset()) {
            throw doubt("sealed leaf %d has offset %d, expected %d", leaf.index(), delta.offsets()[i], leaf.offset());
        }
        if (delta.kinds()[i] != leaf.kind().code()) {
            throw doubt(
                    "sealed leaf %d (offset %d) has kind %d, expected %d (%s)",
                    leaf.index(), leaf.offset(), delta.kinds()[i], leaf.kind().code(), leaf.kind());
        }
        if (!Arrays.equals(delta.hashes(), 32 * i, 32 * i + 32, leaf.leafHash(), 0, 32)) {
            throw doubt(
                    "sealed leaf %d (offset %d) has hash %s, expected %s",
                    leaf.index(),
                    leaf.offset(),
                    HexFormat.of().formatHex(delta.hashes(), 32 * i, 32 * i + 32),
                    HexFormat.of().formatHex(leaf.leafHash()));
        }
        if (delta.timestampsMillis()[i] != leaf.timestampMillis()) {
            throw doubt(
                    "sealed leaf %d (offset %d) has time %d ms, expected %d ms",
                    leaf.index(), leaf.offset(), delta.timestampsMillis()[i], leaf.timestampMillis());
        }
        if (!Arrays.equals(delta.identityDigests(), 16 * i, 16 * i + 16, leaf.identityDigest(), 0, 16)) {
            throw doubt(
                    "sealed leaf %d (offset %d) has identity digest %s, expected %s",
                    leaf.index(),
                    leaf.offset(),
                    HexFormat.of().formatHex(delta.identityDigests(), 16 * i, 16 * i + 16),
                    HexFormat.of().formatHex(leaf.identityDigest()));
        }
    }

    private static Counts one(Decision decision) {
        if (decision instanceof Leaf leaf) {
            return Counts.of(leaf.kind());
        }
        return ((WithoutLeaf) decision).kind() == OutcomeClaim.Kind.DUPLICATE
                ? new Counts(0, 0, 0, 1, 0)
                : new Counts(0, 0, 0, 0, 1);
    }

    private static long sizeBytes(Decision decision) {
        return decision instanceof Leaf leaf ? leaf.sizeBytes() : Added.SMALL_OBJECT_BYTES;
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be one more dependency
    private FatalDoubtException doubt(String format, Object... args) {
        return new FatalDoubtException("shard " + shard + ": " + String.format(format, args));
    }
}
