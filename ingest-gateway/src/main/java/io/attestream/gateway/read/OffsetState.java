// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

/** What a committed record became, as the proofs service knows it. */
public sealed interface OffsetState {
    /** @param kind as in the entry: event, conflict, genesis, rules */
    record Leaf(String kind, long leafIndex) implements OffsetState {}

    /** @param reference leaf index of the event that was there first */
    record Duplicate(long reference) implements OffsetState {}

    record Rejected(String reason) implements OffsetState {}

    /** @param nextOffset every record below is accounted for */
    record Pending(long nextOffset) implements OffsetState {}

    /** Below what is accounted for, and neither a leaf nor an outcome: no event was ever there. */
    record NeverThere() implements OffsetState {}
}
