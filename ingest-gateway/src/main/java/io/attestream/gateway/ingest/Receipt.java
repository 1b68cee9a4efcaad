// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.attestream.proofs.ledger.LedgerOffset;

/**
 * Where an event went. A Kafka offset means something only within one incarnation of the topic.
 *
 * @param offset of the record, not a leaf index
 */
@JsonPropertyOrder({"incarnation", "shard", "offset", "href"})
public record Receipt(int incarnation, int shard, long offset) {
    /** @param ledgerOffset as the ledger keeps it, see {@link LedgerOffset} */
    public static Receipt at(int shard, long ledgerOffset) {
        return new Receipt(LedgerOffset.incarnation(ledgerOffset), shard, LedgerOffset.kafka(ledgerOffset));
    }

    /** Where the ledger keeps it. */
    long ledgerOffset() {
        return LedgerOffset.of(incarnation, offset);
    }

    /** Where the proof is to be had. */
    @JsonProperty
    public String href() {
        return "/v1/receipts/" + incarnation + "/" + shard + "/" + offset;
    }
}
