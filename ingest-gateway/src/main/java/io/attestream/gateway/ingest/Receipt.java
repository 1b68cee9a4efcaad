// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * Where an event went. A Kafka offset means something only within one incarnation of the topic.
 *
 * @param offset of the record, not a leaf index
 */
@JsonPropertyOrder({"incarnation", "shard", "offset", "href"})
public record Receipt(int incarnation, int shard, long offset) {
    /** Where the proof is to be had. */
    @JsonProperty
    public String href() {
        return "/v1/receipts/" + incarnation + "/" + shard + "/" + offset;
    }
}
