// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.ledger.Continuation;
import io.attestream.proofs.ledger.KeyChange;
import io.attestream.proofs.ledger.KeyChanges;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.KeyStep;
import io.attestream.proofs.ledger.PublishedKeys;

/** What is read of key changes loses nothing; no history has a key that the first key's signatures do not lead to. */
public final class KeyHistoryFuzz {
    private KeyHistoryFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        change(input);
        step(input);
        published(input);
        file(input);
        continuation(input);
    }

    private static void change(byte[] input) {
        try {
            KeyChange change = KeyChange.parse(input);
            Holds.sameBytes(input, change.encode());
            KeyHistory history = KeyHistory.of(Keys.LEDGER).with(change, 0);
            Holds.equal(2, history.spans().size());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static void step(byte[] input) {
        try {
            Holds.sameBytes(input, KeyStep.parse(input).encode());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static void published(byte[] input) {
        try {
            PublishedKeys keys = PublishedKeys.parse(input);
            Holds.sameBytes(Jcs.encode(Json.parse(input)), keys.encode());
            KeyHistory history = keys.verify(Keys.LEDGER);
            Holds.equal(Keys.LEDGER, history.first());
            Holds.equal(keys.steps().size(), history.changes().size());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static void file(byte[] input) {
        try {
            KeyChanges changes = KeyChanges.parse(input);
            Holds.sameBytes(Jcs.encode(Json.parse(input)), changes.encode());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static void continuation(byte[] input) {
        try {
            Continuation continuation = Continuation.parse(input);
            Holds.sameBytes(Jcs.encode(Json.parse(input)), continuation.encode());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
