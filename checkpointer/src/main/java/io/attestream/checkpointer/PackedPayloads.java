// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.objects.ZstdBlocks;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.archive.PayloadPack;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Whether a payload pack holds certain payloads: its bytes do not say, another version of the library compresses otherwise. */
final class PackedPayloads {
    private PackedPayloads() {}

    /** Payloads by leaf index. */
    interface Expected {
        Payload at(long leafIndex) throws IOException, InvalidFormat;
    }

    /** False if there is none, it is damaged, or any payload is another. What is erased may still be there, encrypted. */
    static boolean hold(ObjectStore store, PackName name, Expected expected) throws IOException, InvalidFormat {
        Optional<PayloadPack> pack = open(store, name);
        if (pack.isEmpty()) {
            return false;
        }
        PayloadPack.Rows rows = new PayloadPack.Rows(name.first(), List.of(), 0);
        for (long index = name.first(); index < name.end(); index++) {
            if (!rows.has(index)) {
                try {
                    rows = pack.get().block(index);
                } catch (InvalidFormat e) {
                    return false; // damaged
                }
            }
            Payload right = expected.at(index);
            Payload there = rows.payload(index);
            if (!Payload.isSame(there, right) && !(right instanceof Payload.Erased erased && erased.isLeftOf(there))) {
                return false;
            }
        }
        return true;
    }

    /** Whether a pack that could be read says that a payload was erased which is expected to be there. */
    static boolean sayErased(ObjectStore store, PackName name, Expected expected) throws IOException, InvalidFormat {
        Optional<PayloadPack> pack = open(store, name);
        PayloadPack.Rows rows = new PayloadPack.Rows(name.first(), List.of(), 0);
        for (long index = name.first(); pack.isPresent() && index < name.end(); index++) {
            if (!rows.has(index)) {
                try {
                    rows = pack.get().block(index);
                } catch (InvalidFormat e) {
                    return false; // damaged: nothing was swept in it
                }
            }
            if (rows.payload(index) instanceof Payload.Erased erased && erased.isLeftOf(expected.at(index))) {
                return true;
            }
        }
        return false;
    }

    private static Optional<PayloadPack> open(ObjectStore store, PackName name) throws IOException {
        try {
            return PayloadPack.open(store, name, new ZstdBlocks());
        } catch (InvalidFormat e) {
            return Optional.empty();
        }
    }
}
