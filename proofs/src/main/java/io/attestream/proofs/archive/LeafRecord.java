// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import io.attestream.proofs.entry.EntryKind;

/**
 * A leaf as a segment keeps it. The bytes of the entry are shared, not copied: every leaf of the ledger passes here.
 *
 * @param offset Kafka offset of its record
 * @param timestampMillis of its record
 * @param entry leaf data
 */
public record LeafRecord(EntryKind kind, long offset, long timestampMillis, byte[] entry) {}
