// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import java.util.EnumSet;
import java.util.Set;

/** Something a {@link SimulatedLedger} does wrong once, what it is found as, and what else it makes wrong with it. */
enum PlantedFlaw {
    NO_FINAL_READ(AnomalyKind.UNREAD),
    ACKNOWLEDGED_IS_DROPPED(AnomalyKind.LOST),
    ACKNOWLEDGED_CONFLICT_IS_DROPPED(AnomalyKind.LOST),
    ACKNOWLEDGED_IS_REJECTED(AnomalyKind.LOST),
    TOLD_LOST_WITHOUT_A_LOSS(AnomalyKind.LOST, AnomalyKind.MISRESOLVED),
    RETRY_BECOMES_A_SECOND_LEAF(AnomalyKind.DUPLICATED, AnomalyKind.ANSWERED_TWICE),
    EVENT_IS_IN_TWO_SHARDS(AnomalyKind.DUPLICATED),
    UNKNOWN_IS_THERE_TWICE(AnomalyKind.DUPLICATED),
    OTHER_CONTENT_BECOMES_A_SECOND_LEAF(AnomalyKind.DUPLICATED),
    CONFLICT_IS_THERE_TWICE(AnomalyKind.DUPLICATED),
    RETRY_BECOMES_A_CONFLICT(AnomalyKind.FALSE_CONFLICT),
    NEW_EVENT_BECOMES_A_CONFLICT(AnomalyKind.FALSE_CONFLICT),
    REFUSED_IS_WRITTEN(AnomalyKind.ABORTED_READ),
    OTHERS_ARE_THERE_TWICE(AnomalyKind.DUPLICATED),
    OTHERS_BECOME_A_CONFLICT(AnomalyKind.FALSE_CONFLICT),
    NOBODY_SENT_IT(AnomalyKind.PHANTOM),
    NOBODY_OF_ANOTHER_TENANT_SENT_IT(AnomalyKind.PHANTOM),
    CONTENT_IS_ALTERED(AnomalyKind.PHANTOM),
    RECEIPT_SHOWS_WHAT_IS_NOT_THERE(AnomalyKind.DIRTY_READ),
    RECEIPT_SHOWS_A_LEAF_BEYOND_THE_END(AnomalyKind.DIRTY_READ),
    LOG_SIZE_IS_BEYOND_THE_END(AnomalyKind.DIRTY_READ, AnomalyKind.SHRUNK),
    SHARD_SIZE_IS_BEYOND_THE_END(AnomalyKind.DIRTY_READ, AnomalyKind.SHRUNK),
    SHARD_ROOT_IS_WRONG(AnomalyKind.WRONG_ROOT, AnomalyKind.FORKED),
    LEAF_IS_ALTERED_AFTERWARDS(AnomalyKind.WRONG_ROOT),
    LEAF_IS_MISSING(AnomalyKind.INDEX_GAP),
    LEAF_AT_THE_END_IS_MISSING(AnomalyKind.INDEX_GAP, AnomalyKind.FORKED),
    LEAF_HAS_NO_HEAD(AnomalyKind.INDEX_GAP, AnomalyKind.SHRUNK, AnomalyKind.DIRTY_READ),
    LEAF_SHARES_ITS_INDEX(AnomalyKind.TWO_LEAVES, AnomalyKind.WRONG_ROOT),
    ORDER_IS_SWAPPED(AnomalyKind.REORDERED),
    LOG_IS_FORKED(AnomalyKind.FORKED),
    SHARD_IS_FORKED(AnomalyKind.FORKED, AnomalyKind.WRONG_ROOT),
    OLD_CHECKPOINT_COMES_AGAIN(AnomalyKind.SHRUNK),
    TIME_GOES_BACK(AnomalyKind.TIME_WENT_BACK),
    PROOF_IS_BAD(AnomalyKind.UNVERIFIED),
    CHECKPOINT_IS_BAD(AnomalyKind.UNVERIFIED),
    RECEIPT_LEADS_TO_ANOTHER_EVENT(AnomalyKind.MISRESOLVED),
    RECEIPT_LEADS_TO_ANOTHER_SHARD(AnomalyKind.MISRESOLVED, AnomalyKind.DIRTY_READ),
    LEAF_NAMES_THE_RECEIPT_OF_ANOTHER(AnomalyKind.MISRESOLVED),
    RECEIPT_LEADS_TO_ANOTHER_KIND(AnomalyKind.MISRESOLVED),
    RECEIPT_LEADS_TO_THE_LEAF_OF_ANOTHER_RECORD(AnomalyKind.MISRESOLVED),
    LEAF_IS_SAID_TO_BE_A_DUPLICATE(AnomalyKind.MISRESOLVED),
    DUPLICATE_IS_SAID_TO_BE_THE_LEAF(AnomalyKind.MISRESOLVED),
    RECEIPT_MOVES(AnomalyKind.MISRESOLVED, AnomalyKind.DIRTY_READ),
    RECEIPT_IS_REJECTED_LATER(AnomalyKind.MISRESOLVED),
    ACKNOWLEDGED_WITH_A_WRONG_INDEX(AnomalyKind.MISRESOLVED),
    SAID_TO_BE_AT_TWO_PLACES(AnomalyKind.ANSWERED_TWICE, AnomalyKind.DIRTY_READ, AnomalyKind.MISRESOLVED),
    RECEIPT_IS_GIVEN_AGAIN(AnomalyKind.ONE_RECEIPT_TWICE);

    final AnomalyKind kind;
    /** May be found beside it. */
    final Set<AnomalyKind> beside;

    PlantedFlaw(AnomalyKind kind, AnomalyKind... beside) {
        this.kind = kind;
        this.beside = EnumSet.noneOf(AnomalyKind.class);
        this.beside.addAll(Set.of(beside));
    }
}
