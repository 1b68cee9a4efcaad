// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.ShardHead;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * What the newest published epoch says.
 *
 * @param epoch −1 before the first
 * @param eventLeaves of all shards, without control records and conflicts
 * @param heads of the shards, in their order
 */
record NewestEpoch(long epoch, long eventLeaves, List<ShardHead> heads) {
    static final NewestEpoch NONE = new NewestEpoch(-1, 0, List.of());

    static NewestEpoch fetch(Api api) {
        Api.Reply reply = api.get("/v1/epochs/latest", "application/json");
        if (reply.status() == 404) {
            return NONE;
        }
        JsonNode epoch = Api.good("GET /v1/epochs/latest", reply).json();
        List<ShardHead> heads = new ArrayList<>();
        try {
            for (JsonNode head : epoch.path("heads")) {
                heads.add(ShardHead.parse(Base64.getDecoder().decode(head.asText())));
            }
        } catch (InvalidFormat | IllegalArgumentException e) {
            throw Checkpoints.failed(
                    "epoch " + epoch.path("epoch") + " has a head that cannot be read: " + e.getMessage());
        }
        long events = epoch.path("leaf").path("counts").path("events").asLong();
        return new NewestEpoch(epoch.path("epoch").asLong(), events, heads);
    }

    /** Whether it accounts for the record at this offset: the shard's head went past it. */
    boolean covers(int shard, long offset) {
        return shard < heads.size() && heads.get(shard).nextOffset() > offset;
    }

    long epochs() {
        return epoch + 1;
    }
}
