// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.ShardHead;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * What the newest published epoch, or one before it, says.
 *
 * @param epoch −1 before the first
 * @param eventLeaves of all shards, without control records and conflicts
 * @param records leaves, duplicates and rejections
 * @param heads of the shards, in their order
 */
record NewestEpoch(long epoch, long eventLeaves, long records, List<ShardHead> heads) {
    static final NewestEpoch NONE = new NewestEpoch(-1, 0, 0, List.of());

    static NewestEpoch fetch(Api api) {
        return fetch(api, "latest");
    }

    /** Of that number. */
    static NewestEpoch fetch(Api api, long epoch) {
        return fetch(api, Long.toString(epoch));
    }

    private static NewestEpoch fetch(Api api, String which) {
        String path = "/v1/epochs/" + which;
        Api.Reply reply = api.get(path, "application/json");
        if (reply.status() == 404) {
            return NONE;
        }
        JsonNode epoch = Api.good("GET " + path, reply).json();
        List<ShardHead> heads = new ArrayList<>();
        try {
            for (JsonNode head : epoch.path("heads")) {
                heads.add(ShardHead.parse(Base64.getDecoder().decode(head.asText())));
            }
        } catch (InvalidFormat | IllegalArgumentException e) {
            throw Checkpoints.failed(
                    "epoch " + epoch.path("epoch") + " has a head that cannot be read: " + e.getMessage());
        }
        JsonNode counts = epoch.path("leaf").path("counts");
        long events = counts.path("events").asLong();
        long records = counts.path("leaves").asLong()
                + counts.path("duplicates").asLong()
                + counts.path("rejected").asLong();
        return new NewestEpoch(epoch.path("epoch").asLong(), events, records, heads);
    }

    /** Whether it accounts for the record at this offset: the shard's head went past it. */
    boolean covers(int shard, long offset) {
        return shard < heads.size() && heads.get(shard).nextOffset() > offset;
    }

    long epochs() {
        return epoch + 1;
    }
}
