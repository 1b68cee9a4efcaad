// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ledger;

import io.attestream.gateway.ingest.EventIntake;
import io.attestream.gateway.ingest.EventLog;
import io.attestream.proofs.note.NoteVerifier;

/**
 * A ledger whose genesis records were all read back and verified.
 *
 * @param key the ledger's public key; its name is the origin
 * @param intake turns what producers send into records
 */
public record OpenLedger(NoteVerifier key, int shards, int incarnation, EventIntake intake, EventLog log) {}
