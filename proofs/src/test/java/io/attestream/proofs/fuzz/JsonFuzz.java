// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.json.JsonValue;

/** What is read as JSON is the same value after its canonical form was written and read. */
public final class JsonFuzz {
    private JsonFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            JsonValue value = Json.parse(input);
            Holds.equal(value, Json.parse(Jcs.encode(value)));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
