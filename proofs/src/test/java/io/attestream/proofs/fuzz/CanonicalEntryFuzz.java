// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.envelope.Erasure;

/** An event or conflict that can be read has one entry only, of which all know alike whether it is an erasure. */
public final class CanonicalEntryFuzz {
    private CanonicalEntryFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            if (CanonicalEntry.parse(input) instanceof EntryView.Event event) {
                Holds.sameBytes(input, encode(event));
                if (!Erasure.of(input).equals(Erasure.of(event))) {
                    throw new AssertionError("whether it is an erasure");
                }
            }
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static byte[] encode(EntryView.Event event) {
        return event.ref()
                .map(ref -> CanonicalEntry.conflict(
                        event.attributes(),
                        event.tenant(),
                        event.actor(),
                        event.timeMillis(),
                        event.dataDigest(),
                        event.dataSizeBytes(),
                        ref))
                .orElseGet(() -> CanonicalEntry.event(
                        event.attributes(),
                        event.tenant(),
                        event.actor(),
                        event.timeMillis(),
                        event.dataDigest(),
                        event.dataSizeBytes()));
    }
}
