// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

/** What became of a record that is no leaf, as segments and packs keep it: with the leaves, every record is accounted for. */
public sealed interface OutcomeRecord {
    /** Kafka offset of the record. */
    long offset();

    /**
     * The record has the identity and the content of an earlier leaf.
     *
     * @param leafIndex of that leaf
     */
    record Duplicate(long offset, long leafIndex) implements OutcomeRecord {}

    /**
     * No door would have written the record.
     *
     * @param reason in words, at most 1,024 bytes in UTF-8
     */
    record Rejected(long offset, String reason) implements OutcomeRecord {}
}
