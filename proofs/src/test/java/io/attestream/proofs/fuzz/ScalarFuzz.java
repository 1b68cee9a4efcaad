// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.Base64Text;
import io.attestream.proofs.Decimal;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.LogTime;
import io.attestream.proofs.tree.Hash;
import java.nio.charset.StandardCharsets;

/** Base64, decimals, times and hashes have one text only. */
public final class ScalarFuzz {
    private ScalarFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            Holds.equal(text, Base64Text.encode(Base64Text.decode(text, "field")));
            Holds.equal(text, Hash.ofBase64(text).base64());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, Long.toUnsignedString(Decimal.parseUnsigned(text, "field")));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.equal(text, LogTime.format(LogTime.parse(text, "field")));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
