// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.Json;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.ProofBundle;

/** A bundle loses nothing when it is read, and whatever is in it, verification gives a report. */
public final class ProofBundleFuzz {
    private ProofBundleFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        try {
            ProofBundle bundle = ProofBundle.parse(input);
            Holds.sameBytes(Jcs.encode(Json.parse(input)), bundle.encode());
            BundleReport report = new BundleVerifier(Keys.LEDGER).verify(bundle, null);
            Holds.holds(report.checks().size() == 10, "a check is missing: " + report);
            Holds.holds(!report.ok(), "ok although no event was given to compare with");
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
