// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleReport.Check;
import io.attestream.proofs.ledger.BundleReport.Outcome;
import io.attestream.proofs.note.MlDsaVerifier;
import io.attestream.proofs.note.SignedNote;

/** Keys of ML-DSA-44, where this Java platform has it. */
final class MlDsaKeyOption {
    static final String CHECK = "ml-dsa-signature";

    private MlDsaKeyOption() {}

    /** Ends the command if there is no ML-DSA-44 here: a check that was asked for is not left out. */
    static void requireSupported() {
        if (!MlDsaVerifier.isSupported()) {
            throw new CliException(
                    ExitCode.ERROR,
                    "Java " + Runtime.version().feature() + " has no ML-DSA-44",
                    "Run attestream with Java 24 or newer (JAVA_HOME).");
        }
    }

    static MlDsaVerifier parse(String vkey) {
        requireSupported();
        try {
            return MlDsaVerifier.parse(vkey);
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.USAGE, "not an ML-DSA-44 key: " + e.getMessage(), "A vkey is name+keyid+key; quote it.");
        }
    }

    static Check check(MlDsaVerifier key, String note) {
        try {
            return key.verifies(SignedNote.parse(note))
                    ? new Check(CHECK, Outcome.PASSED, "signed by " + key)
                    : new Check(CHECK, Outcome.FAILED, "no good signature of " + key);
        } catch (InvalidFormat e) {
            return new Check(CHECK, Outcome.FAILED, String.valueOf(e.getMessage()));
        }
    }
}
