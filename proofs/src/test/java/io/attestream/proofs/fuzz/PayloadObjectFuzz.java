// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.PayloadObject;

/** Payloads have one object only. */
public final class PayloadObjectFuzz {
    private PayloadObjectFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            PayloadObject object = PayloadObject.parse(input);
            PayloadObject.Builder rebuilt = PayloadObject.builder(object.epoch());
            for (int shard : object.shards()) {
                // The object gives no first index: it is asked for, as its readers do.
                long first = Holds.firstIndex(input, shard);
                rebuilt.startShard(shard, first);
                for (long leaf = first; object.has(shard, leaf); leaf++) {
                    rebuilt.add(object.payload(shard, leaf));
                }
            }
            Holds.sameBytes(input, rebuilt.build());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
