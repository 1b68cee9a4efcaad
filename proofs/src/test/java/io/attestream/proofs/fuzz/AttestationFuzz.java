// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.attestation.Envelope;
import io.attestream.proofs.attestation.PemKeys;
import io.attestream.proofs.attestation.Statement;
import java.nio.charset.StandardCharsets;

/** What is read is written again as it was understood, and no envelope verifies that nobody signed. */
public final class AttestationFuzz {
    private AttestationFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        envelope(input);
        statement(input);
        keys(new String(input, StandardCharsets.UTF_8));
    }

    private static void envelope(byte[] input) {
        try {
            Envelope envelope = Envelope.parse(input);
            byte[] encoded = envelope.encode();
            Holds.sameBytes(encoded, Envelope.parse(encoded).encode());
            if (envelope.verify(Statement.MEDIA_TYPE, Keys.RELEASE)
                    instanceof Envelope.Verification.Verified verified) {
                Holds.sameBytes(Keys.STATEMENT, verified.payload());
            }
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static void statement(byte[] input) {
        try {
            Statement statement = Statement.parse(input);
            Holds.equal(statement, Statement.parse(statement.encode()));
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static void keys(String input) {
        try {
            PemKeys.parseVerifier(input).verify(new byte[1], new byte[64]);
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
        try {
            Holds.holds(PemKeys.parseSigner(input).sign(new byte[1]).length > 0, "nothing is a signature");
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
