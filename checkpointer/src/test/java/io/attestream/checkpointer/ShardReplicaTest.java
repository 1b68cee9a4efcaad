// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.checkpointer.Decision.WithoutLeaf;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.TreeSize;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every way in which the sequencer's claims can differ from the committed records is found. */
class ShardReplicaTest {
    private final TestLedger ledger = new TestLedger(2);
    private TestShard shard = TestShard.withEveryOutcome(ledger, 1);
    private ShardReplica replica = shard.replica(1 << 20);

    @BeforeEach
    void newShard() {
        shard = TestShard.withEveryOutcome(ledger, 1);
        replica = shard.replica(1 << 20);
    }

    // ---- the truth

    @Test
    void verifiesAHeadWhoseRecordsLeavesAndOutcomesAgree() {
        // given
        SealedDelta delta = shard.seal();

        // when
        shard.feed(replica);

        // then
        VerifiedHead head = replica.newestVerified();
        assertThat(head.head().size()).isEqualTo(new TreeSize(5));
        assertThat(head.head().root().bytes()).isEqualTo(delta.root());
        assertThat(head.head().nextOffset()).isEqualTo(delta.nextOffset());
        assertThat(head.counts()).isEqualTo(new Counts(3, 1, 1, 1, 1));
        Added added = replica.take(head);
        assertThat(added.leaves()).hasSize(5);
        assertThat(added.withoutLeaf())
                .extracting(WithoutLeaf::kind)
                .containsExactly(OutcomeClaim.Kind.DUPLICATE, OutcomeClaim.Kind.REJECTED);
        assertThat(replica.unpublishedBytes()).isZero();
    }

    @Test
    void verifiesWhateverStreamComesFirst() {
        // given
        SealedDelta delta = shard.seal();

        // when
        replica.onSealed(delta);
        shard.sequencer.outcomes.forEach(replica::onOutcome);
        assertThat(replica.newestVerified().head().size().isEmpty()).isTrue();
        shard.feedEvents(replica);

        // then
        assertThat(replica.newestVerified().head().size()).isEqualTo(new TreeSize(5));
    }

    @Test
    void aHeadIsNotVerifiedWhileAnOutcomeBelowItIsDue() {
        // given
        replica.onSealed(shard.seal());

        // when
        shard.feedEvents(replica);
        replica.onOutcome(shard.sequencer.outcomes.get(0));

        // then
        assertThat(replica.newestVerified().head().size().isEmpty()).isTrue();
        replica.onOutcome(shard.sequencer.outcomes.get(1));
        assertThat(replica.newestVerified().head().size()).isEqualTo(new TreeSize(5));
    }

    @Test
    void aDeltaWithoutLeavesMovesTheInputPosition() {
        // given
        shard.seal();
        shard.event("a", "payload a");
        SealedDelta moved = shard.seal();

        // when
        shard.feed(replica);

        // then
        assertThat(moved.leaves()).isZero();
        VerifiedHead head = replica.newestVerified();
        assertThat(head.head().nextOffset()).isEqualTo(moved.nextOffset());
        assertThat(head.counts().duplicates()).isEqualTo(2);
    }

    @Test
    void deltasEndAtAFullTile() {
        // given
        for (int i = 0; i < 300; i++) {
            shard.event("many-" + i, "p");
        }
        shard.seal();

        // when
        shard.feed(replica);

        // then
        assertThat(shard.sequencer.deltas).hasSize(2);
        assertThat(replica.newestVerified().head().size()).isEqualTo(new TreeSize(305));
    }

    @Test
    void doesNotReadOtherGenerations() {
        // given
        SealedDelta delta = shard.seal();
        replica.onSealed(new SealedDelta(
                1, 1, 2, 77, new byte[0], new byte[0], new long[0], new long[0], new byte[0], 77, new byte[32], 500));
        replica.onOutcome(new OutcomeClaim(1, 1, 2, 0, OutcomeClaim.Kind.REJECTED, OptionalLong.empty(), "x"));

        // when
        shard.feed(replica);

        // then
        assertThat(replica.newestGeneration()).isEqualTo(2);
        assertThat(replica.newestVerified().head().nextOffset()).isEqualTo(delta.nextOffset());
    }

    // ---- lies in sealed

    @Test
    void findsASealedLeafWithAnotherHash() {
        refusesDelta("sealed leaf 2 (offset 2) has hash", delta -> with(delta, hashes(delta, 2 * 32)));
    }

    @Test
    void findsAnotherOffset() {
        refusesDelta("sealed leaf 3 has offset 4, expected 5", delta -> {
            long[] offsets = delta.offsets().clone();
            offsets[3] = 4;
            return change(
                    delta, delta.kinds(), delta.hashes(), offsets, delta.timestampsMillis(), delta.identityDigests());
        });
    }

    @Test
    void findsTwoLeavesSwapped() {
        refusesDelta("sealed leaf 1", delta -> {
            long[] offsets = delta.offsets().clone();
            offsets[1] = delta.offsets()[2];
            offsets[2] = delta.offsets()[1];
            byte[] hashes = delta.hashes().clone();
            System.arraycopy(delta.hashes(), 64, hashes, 32, 32);
            System.arraycopy(delta.hashes(), 32, hashes, 64, 32);
            return change(delta, delta.kinds(), hashes, offsets, delta.timestampsMillis(), delta.identityDigests());
        });
    }

    @Test
    void findsAnotherKind() {
        refusesDelta("sealed leaf 3 (offset 5) has kind 0, expected 1", delta -> {
            byte[] kinds = delta.kinds().clone();
            kinds[3] = 0;
            return change(
                    delta, kinds, delta.hashes(), delta.offsets(), delta.timestampsMillis(), delta.identityDigests());
        });
    }

    @Test
    void findsAnotherTime() {
        refusesDelta("sealed leaf 1 (offset 1) has time", delta -> {
            long[] times = delta.timestampsMillis().clone();
            times[1]++;
            return change(delta, delta.kinds(), delta.hashes(), delta.offsets(), times, delta.identityDigests());
        });
    }

    @Test
    void findsAnotherIdentityDigest() {
        refusesDelta("sealed leaf 4 (offset 7) has identity digest", delta -> {
            byte[] digests = delta.identityDigests().clone();
            digests[4 * 16] ^= 1;
            return change(delta, delta.kinds(), delta.hashes(), delta.offsets(), delta.timestampsMillis(), digests);
        });
    }

    @Test
    void findsASkippedRecord() {
        refusesDelta("leaves out offset 7, which is leaf 4", delta -> cut(delta, 4));
    }

    @Test
    void findsAnInventedLeaf() {
        // given
        SealedDelta delta = shard.seal();
        SealedDelta longer = new SealedDelta(
                1,
                1,
                1,
                0,
                grow(delta.kinds(), 1),
                grow(delta.hashes(), 32),
                new long[] {0, 1, 2, 5, 7, 8},
                new long[] {0, 0, 0, 0, 0, 0},
                grow(delta.identityDigests(), 16),
                6,
                delta.root(),
                delta.nextOffset());
        for (int i = 0; i < 5; i++) {
            longer.timestampsMillis()[i] = delta.timestampsMillis()[i];
        }

        // then
        refuses("sealed leaf 5 is said to be offset 8, which is no leaf", () -> {
            shard.feedEvents(replica);
            replica.onSealed(longer);
        });
    }

    @Test
    void findsAnotherRoot() {
        refusesDelta("sealed head of size 5 has root", delta -> {
            byte[] root = delta.root().clone();
            root[31] ^= 1;
            return head(delta, delta.size(), root, delta.nextOffset());
        });
    }

    @Test
    void findsANextOffsetInAGapBetweenRecords() {
        refusesDelta("has next offset 9, expected 8", delta -> head(delta, delta.size(), delta.root(), 9));
    }

    @Test
    void findsANextOffsetThatLeavesOutALeaf() {
        refusesDelta("sealed leaf 4 is said to be offset 7", delta -> head(delta, delta.size(), delta.root(), 7));
    }

    @Test
    void findsAHeadThatShrinks() {
        // given
        SealedDelta delta = shard.seal();
        shard.feed(replica);

        // then
        refuses("has size 4 after leaf 5", () -> replica.onSealed(empty(delta, 5, 4, delta.nextOffset())));
        refuses("begins at leaf 4, expected 5", () -> replica.onSealed(empty(delta, 4, 4, delta.nextOffset())));
        refuses("goes back to next offset 7", () -> replica.onSealed(empty(delta, 5, 5, 7)));
    }

    @Test
    void findsADeltaThatLeavesOutLeaves() {
        // given
        SealedDelta delta = shard.seal();

        // then
        refuses("begins at leaf 3, expected 0", () -> replica.onSealed(empty(delta, 3, 3, 4)));
    }

    @Test
    void findsADeltaOfAnotherShardOrIncarnation() {
        // given
        SealedDelta d = shard.seal();

        // then
        refuses(
                "names shard 0 incarnation 1",
                () -> replica.onSealed(new SealedDelta(
                        0,
                        1,
                        1,
                        0,
                        d.kinds(),
                        d.hashes(),
                        d.offsets(),
                        d.timestampsMillis(),
                        d.identityDigests(),
                        5,
                        d.root(),
                        8)));
        refuses(
                "names shard 1 incarnation 2",
                () -> replica.onSealed(new SealedDelta(
                        1,
                        2,
                        1,
                        0,
                        d.kinds(),
                        d.hashes(),
                        d.offsets(),
                        d.timestampsMillis(),
                        d.identityDigests(),
                        5,
                        d.root(),
                        8)));
    }

    @Test
    void findsADeltaThatCrossesAFullTile() {
        // given
        int n = 257;
        SealedDelta crossing = new SealedDelta(
                1,
                1,
                1,
                0,
                new byte[n],
                new byte[32 * n],
                new long[n],
                new long[n],
                new byte[16 * n],
                n,
                new byte[32],
                n);

        // then
        refuses("crosses a multiple of 256", () -> replica.onSealed(crossing));
    }

    @Test
    void findsArraysOfDifferentLengths() {
        // given
        SealedDelta d = shard.seal();

        // then
        refuses(
                "different numbers of leaves",
                () -> replica.onSealed(
                        change(d, d.kinds(), d.hashes(), new long[4], d.timestampsMillis(), d.identityDigests())));
    }

    // ---- lies in outcomes

    @Test
    void findsAFalseDuplicate() {
        // given
        shard.feedEvents(replica);

        // then
        refuses(
                "offset 1 is leaf 1 (EVENT)",
                () -> replica.onOutcome(
                        new OutcomeClaim(1, 1, 1, 1, OutcomeClaim.Kind.DUPLICATE, OptionalLong.of(0), "")));
    }

    @Test
    void findsAFalseDuplicateThatCameBeforeItsRecord() {
        // given
        replica.onOutcome(new OutcomeClaim(1, 1, 1, 1, OutcomeClaim.Kind.DUPLICATE, OptionalLong.of(0), ""));

        // then
        refuses("offset 1 is leaf 1 (EVENT)", () -> shard.feedEvents(replica));
    }

    @Test
    void findsAFalseDuplicateInSealedAlone() {
        // given: a sequencer that drops the event at offset 7 and seals an honest-looking head without it
        TestShard without = new TestShard(ledger, 1);
        without.event("a", "payload a");
        SealedDelta delta = without.seal();
        ShardReplica fresh = without.replica(1 << 20);
        without.feedEvents(fresh);
        fresh.onEvent(2, 1L, ledger.eventValue(1, "dropped", "x"));

        // then
        assertThatThrownBy(() -> fresh.onSealed(head(delta, delta.size(), delta.root(), 3)))
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageContaining("shard 1")
                .hasMessageContaining("leaves out offset 2, which is leaf 2");
    }

    @Test
    void findsAnOutcomeLeftOut() {
        // given
        shard.feedEvents(replica);

        // then
        refuses("outcome missing for offset 4", () -> replica.onOutcome(shard.sequencer.outcomes.get(1)));
    }

    @Test
    void findsAnOutcomeOfAnotherKindReferenceOrReason() {
        // given
        shard.feedEvents(replica);

        // then
        refuses(
                "outcome of offset 4 is",
                () -> replica.onOutcome(
                        new OutcomeClaim(1, 1, 1, 4, OutcomeClaim.Kind.REJECTED, OptionalLong.empty(), "misrouted")));
        refuses(
                "outcome of offset 4 is",
                () -> replica.onOutcome(
                        new OutcomeClaim(1, 1, 1, 4, OutcomeClaim.Kind.REJECTED, OptionalLong.of(1), "")));
        refuses(
                "outcome of offset 4 is",
                () -> replica.onOutcome(
                        new OutcomeClaim(1, 1, 1, 4, OutcomeClaim.Kind.DUPLICATE, OptionalLong.of(2), "")));
        refuses(
                "outcome of offset 4 is",
                () -> replica.onOutcome(
                        new OutcomeClaim(1, 1, 1, 4, OutcomeClaim.Kind.DUPLICATE, OptionalLong.of(1), "because")));
    }

    @Test
    void findsAnOutcomeSaidTwice() {
        // given
        shard.seal();
        shard.feed(replica);

        // then
        refuses("expected none", () -> replica.onOutcome(shard.sequencer.outcomes.get(1)));
    }

    @Test
    void findsAnOutcomeForAMarker() {
        // given
        shard.feedEvents(replica);

        // then
        refuses(
                "outcome OutcomeClaim",
                () -> replica.onOutcome(
                        new OutcomeClaim(1, 1, 1, 3, OutcomeClaim.Kind.REJECTED, OptionalLong.empty(), "misrouted")));
    }

    // ---- claims that never come

    @Test
    void anOutcomeThatNeverComesIsFatalOnlyWhenAllWasReadAndTimeWentBy() {
        // given
        replica.onSealed(shard.seal());
        shard.feedEvents(replica);

        // when
        replica.requireNothingOverdue(0, true, true);
        replica.requireNothingOverdue(ShardReplica.OVERDUE_MILLIS - 1, true, true);
        replica.requireNothingOverdue(ShardReplica.OVERDUE_MILLIS, true, false);
        replica.requireNothingOverdue(2 * ShardReplica.OVERDUE_MILLIS, true, true);

        // then
        refuses(
                "outcome missing for offset 4",
                () -> replica.requireNothingOverdue(3 * ShardReplica.OVERDUE_MILLIS, true, true));
    }

    @Test
    void recordsThatSealedSpeaksOfAndEventsLacksAreFatalAfterATime() {
        // given
        SealedDelta delta = shard.seal();
        replica.onSealed(delta);
        shard.records.subList(0, 3).forEach(r -> replica.onEvent(r.offset(), r.timestampMillis(), r.value()));

        // when
        replica.requireNothingOverdue(0, true, true);

        // then
        refuses(
                "up to offset 7, topic events ends at 3: it lost records",
                () -> replica.requireNothingOverdue(ShardReplica.OVERDUE_MILLIS, true, true));
    }

    @Test
    void claimsThatAreAlwaysALittleLateAreNeverOverdue() {
        // given: at every look another outcome and another record is missing, the one before has come
        for (int i = 0; i < 10; i++) {
            long millis = i * (ShardReplica.OVERDUE_MILLIS - 1);
            replica.onSealed(shard.seal());
            replica.requireNothingOverdue(millis, true, true);
            shard.records.forEach(r -> replica.onEvent(r.offset(), r.timestampMillis(), r.value()));
            shard.records.clear();
            replica.requireNothingOverdue(millis + 1, true, true);
            shard.sequencer.outcomes.forEach(replica::onOutcome);
            shard.sequencer.outcomes.clear();
            replica.take(replica.newestVerified());

            // when
            shard.event("a", "payload a");
        }

        // then
        assertThat(replica.newestVerified().head().nextOffset()).isEqualTo(shard.endOffset() - 1);
    }

    @Test
    void recordsBelowAPublishedHeadThatNeverComeAreOverdue() {
        // given: nothing else speaks of them
        shard.seal();
        shard.feed(replica);
        ShardHead published = new ShardHead(1, new TreeSize(6), Hash.of(new byte[32]), shard.endOffset() + 1);
        assertThat(replica.verified(published)).isEmpty();

        // then
        replica.requireNothingOverdue(0, true, true);
        refuses(
                "a head was published up to next offset " + (shard.endOffset() + 1) + ", topic events ends at "
                        + shard.endOffset() + ": it lost records",
                () -> replica.requireNothingOverdue(ShardReplica.OVERDUE_MILLIS, true, true));
    }

    @Test
    void recordsAreNotOverdueWhileReadingIsPaused() {
        // given: the limit is reached, so nobody asks whether there are more records
        ShardReplica small = shard.replica(1_000);
        shard.seal();
        shard.feed(small);
        shard.event("d", "payload d");
        small.onSealed(shard.seal());
        assertThat(small.wantsEvents()).isFalse();

        // when
        small.requireNothingOverdue(0, true, true);

        // then
        small.requireNothingOverdue(ShardReplica.OVERDUE_MILLIS, true, true);
    }

    // ---- the input

    @Test
    void refusesARecordReadTwice() {
        // given
        shard.feedEvents(replica);
        TestShard.Committed again = shard.records.get(2);

        // then
        refuses(
                "offset 2 of topic events was read although all below 9 was decided",
                () -> replica.onEvent(again.offset(), again.timestampMillis(), again.value()));
    }

    @Test
    void standsStillAtASchemaTheLedgerDoesNotKnow() {
        // given
        SealedDelta delta = shard.seal();
        shard.feed(replica);
        long next = shard.endOffset();

        // when
        replica.onEvent(next, 1L, new byte[] {0, 0, 0, 0, 77, 1, 2, 3});
        replica.onEvent(next + 1, 1L, ledger.eventValue(1, "after", "x"));

        // then
        assertThat(replica.stoppedReason()).contains("schema id 77");
        assertThat(replica.wantsEvents()).isFalse();
        assertThat(replica.newestVerified().head().nextOffset()).isEqualTo(delta.nextOffset());
        assertThat(replica.decidedTo()).isEqualTo(next);
    }

    // ---- what was published before

    @Test
    void findsThatAPublishedHeadHasAnotherRoot() {
        // given
        SealedDelta delta = shard.seal();
        shard.feed(replica);
        ShardHead other = new ShardHead(1, new TreeSize(5), Hash.of(new byte[32]), delta.nextOffset());

        // then
        refuses("history was rewritten", () -> replica.verified(other));
    }

    @Test
    void findsThatAPublishedHeadNeverExisted() {
        // given
        shard.seal();
        shard.feed(replica);
        ShardHead between = new ShardHead(1, new TreeSize(2), Hash.of(new byte[32]), 2);

        // then
        refuses("does not exist in what was recomputed", () -> replica.verified(between));
    }

    @Test
    void waitsForAPublishedHeadNotReachedYet() {
        // given
        SealedDelta delta = shard.seal();
        ShardHead head = new ShardHead(1, new TreeSize(delta.size()), Hash.of(delta.root()), delta.nextOffset());
        replica.onSealed(delta);

        // then
        assertThat(replica.verified(head)).isEmpty();
        shard.feedEvents(replica);
        shard.sequencer.outcomes.forEach(replica::onOutcome);
        assertThat(replica.verified(head)).isPresent();
    }

    // ---- limits

    @Test
    void pausesReadingWhenTooMuchIsUnpublishedUnlessADeltaWaitsForRecords() {
        // given
        ShardReplica small = shard.replica(1_000);
        shard.feedEvents(small);

        // then
        assertThat(small.wantsEvents()).isFalse();
        shard.seal();
        shard.event("d", "payload d");
        SealedDelta waiting = shard.seal();
        shard.sequencer.deltas.forEach(small::onSealed);
        assertThat(small.wantsEvents()).isFalse();

        shard.sequencer.outcomes.forEach(small::onOutcome);
        small.take(small.newestVerified());
        assertThat(small.wantsEvents()).isTrue();
        assertThat(waiting.nextOffset()).isEqualTo(shard.endOffset());
    }

    @Test
    void readsOnAboveTheLimitForAHeadThatWasPublishedUnderAHigherOne() {
        // given
        ShardReplica small = shard.replica(1_000);
        shard.seal();
        shard.feed(small);
        TestShard.Committed later = shard.event("d", "payload d");
        SealedDelta delta = shard.seal();
        ShardHead published = new ShardHead(1, new TreeSize(delta.size()), Hash.of(delta.root()), delta.nextOffset());
        assertThat(small.wantsEvents()).isFalse();

        // when
        assertThat(small.verified(published)).isEmpty();

        // then
        assertThat(small.wantsEvents()).isTrue();
        small.onEvent(later.offset(), later.timestampMillis(), later.value());
        assertThat(small.wantsEvents()).isFalse();
        small.onSealed(delta);
        assertThat(small.verified(published)).isPresent();
    }

    @Test
    void pausesReadingWhenTooManyOutcomesAreDue() {
        // given
        TestShard.Committed genesis = shard.records.get(0);
        ShardReplica large = shard.replica(1L << 40);
        large.onEvent(0, genesis.timestampMillis(), genesis.value());

        // when
        for (long offset = 1; offset <= ShardReplica.OUTCOMES_DUE_MAX; offset++) {
            assertThat(large.wantsEvents()).isTrue();
            large.onEvent(offset, 0, new byte[0]);
        }

        // then
        assertThat(large.wantsEvents()).isFalse();
        large.onOutcome(new OutcomeClaim(1, 1, 1, 1, OutcomeClaim.Kind.REJECTED, OptionalLong.empty(), "undecodable"));
        assertThat(large.wantsEvents()).isTrue();
        large.onEvent(ShardReplica.OUTCOMES_DUE_MAX + 1, 0, new byte[0]);
        large.onSealed(empty(shard.seal(), 0, 0, 1L << 40));
        large.requireNothingOverdue(0, true, true);
        refuses(
                "outcome missing for offset 2",
                () -> large.requireNothingOverdue(ShardReplica.OVERDUE_MILLIS, true, true));
        refuses(
                "outcome missing for offset 2",
                () -> large.onOutcome(new OutcomeClaim(
                        1, 1, 1, 1L << 40, OutcomeClaim.Kind.REJECTED, OptionalLong.empty(), "undecodable")));
    }

    @Test
    void readsOnAboveTheLimitForADeltaThatCannotBeMatchedYet() {
        // given
        ShardReplica small = shard.replica(100);
        SealedDelta delta = shard.seal();
        small.onSealed(delta);
        TestShard.Committed first = shard.records.get(0);

        // when
        small.onEvent(first.offset(), first.timestampMillis(), first.value());

        // then
        assertThat(small.unpublishedBytes()).isGreaterThan(100);
        assertThat(small.wantsEvents()).isTrue();
    }

    @Test
    void takesTheNewestHeadWithinLimitsAndAtLeastOne() {
        // given
        shard.seal();
        for (int i = 0; i < 10; i++) {
            shard.event("more-" + i, "p");
            shard.seal();
        }
        shard.feed(replica);

        // then
        assertThat(replica.newestVerified(8, 1 << 20).head().size()).isEqualTo(new TreeSize(8));
        assertThat(replica.newestVerified(1, 1 << 20).head().size()).isEqualTo(new TreeSize(5));
        assertThat(replica.newestVerified(1_000, 1).head().size()).isEqualTo(new TreeSize(5));
        assertThat(replica.newestVerified(1_000, 1 << 20).head().size()).isEqualTo(new TreeSize(15));
    }

    // ---- help

    private void refusesDelta(String message, UnaryOperator<SealedDelta> lie) {
        // given
        SealedDelta lying = lie.apply(shard.seal());
        shard.feedEvents(replica);
        List.copyOf(shard.sequencer.outcomes).forEach(replica::onOutcome);

        // then
        refuses(message, () -> replica.onSealed(lying));
    }

    private static void refuses(String message, Runnable action) {
        assertThatThrownBy(action::run)
                .isInstanceOf(FatalDoubtException.class)
                .hasMessageStartingWith("shard 1: ")
                .hasMessageContaining(message);
    }

    private static byte[] hashes(SealedDelta delta, int flip) {
        byte[] hashes = delta.hashes().clone();
        hashes[flip] ^= 1;
        return hashes;
    }

    private static SealedDelta with(SealedDelta d, byte[] hashes) {
        return change(d, d.kinds(), hashes, d.offsets(), d.timestampsMillis(), d.identityDigests());
    }

    private static SealedDelta change(
            SealedDelta d, byte[] kinds, byte[] hashes, long[] offsets, long[] times, byte[] digests) {
        return new SealedDelta(
                d.shard(),
                d.incarnation(),
                d.generation(),
                d.firstIndex(),
                kinds,
                hashes,
                offsets,
                times,
                digests,
                d.size(),
                d.root(),
                d.nextOffset());
    }

    private static SealedDelta head(SealedDelta d, long size, byte[] root, long nextOffset) {
        return new SealedDelta(
                d.shard(),
                d.incarnation(),
                d.generation(),
                d.firstIndex(),
                d.kinds(),
                d.hashes(),
                d.offsets(),
                d.timestampsMillis(),
                d.identityDigests(),
                size,
                root,
                nextOffset);
    }

    private static SealedDelta empty(SealedDelta d, long firstIndex, long size, long nextOffset) {
        return new SealedDelta(
                d.shard(),
                d.incarnation(),
                d.generation(),
                firstIndex,
                new byte[0],
                new byte[0],
                new long[0],
                new long[0],
                new byte[0],
                size,
                d.root(),
                nextOffset);
    }

    /** Only the first leaves, as if the rest had no records, with the head at the same input position. */
    private static SealedDelta cut(SealedDelta d, int leaves) {
        return new SealedDelta(
                d.shard(),
                d.incarnation(),
                d.generation(),
                d.firstIndex(),
                Arrays.copyOf(d.kinds(), leaves),
                Arrays.copyOf(d.hashes(), 32 * leaves),
                Arrays.copyOf(d.offsets(), leaves),
                Arrays.copyOf(d.timestampsMillis(), leaves),
                Arrays.copyOf(d.identityDigests(), 16 * leaves),
                leaves,
                d.root(),
                d.nextOffset());
    }

    private static byte[] grow(byte[] bytes, int by) {
        return Arrays.copyOf(bytes, bytes.length + by);
    }
}
