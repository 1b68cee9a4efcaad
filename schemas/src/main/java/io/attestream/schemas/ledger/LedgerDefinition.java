// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import io.attestream.proofs.control.Control.Genesis;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.wire.SchemaBook;
import java.util.List;

/**
 * What a ledger is, as all its genesis records agree on.
 *
 * @param origin of the ledger log; also the key's name
 * @param key the ledger's public key
 * @param genesis one for each shard, in shard order
 * @param schemas of shard 0's genesis, the same in all
 */
public record LedgerDefinition(String origin, NoteVerifier key, List<Genesis> genesis, SchemaBook schemas) {
    public LedgerDefinition {
        genesis = List.copyOf(genesis);
    }

    /** Number of shards. */
    public int shards() {
        return genesis.size();
    }

    public int incarnation() {
        return genesis.get(0).incarnation();
    }

    public String clusterId() {
        return genesis.get(0).clusterId();
    }

    public String topicId() {
        return genesis.get(0).topicId();
    }

    /** The log origin, and key name, of one shard's own checkpoints. */
    public String shardOrigin(int shard) {
        return origin + "/shard/" + shard;
    }
}
