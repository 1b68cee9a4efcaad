// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.ledger.ShardHead;

/** A head the sequencer claimed and this process recomputed, with what became of all records below its next offset. */
record VerifiedHead(ShardHead head, Counts counts) {}
