// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.fuzz;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Snapshot;
import io.attestream.proofs.note.SignedNote;
import java.nio.charset.StandardCharsets;

/** What is read has one form, as the text of a note or as a line of its own. */
public final class SnapshotFuzz {
    private static final String ORIGIN = "attestream.example/ledger";

    private SnapshotFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        check(Snapshot.keyName(ORIGIN) + "\n" + new String(input, StandardCharsets.UTF_8) + "\n");
        try {
            check(SignedNote.parse(input).text());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }

    private static void check(String text) {
        try {
            Snapshot snapshot = Snapshot.parse(ORIGIN, text);
            Holds.equal(text, snapshot.text());
            Holds.equal(snapshot.epoch() + 1, snapshot.ledgerRange().size().value());
        } catch (InvalidFormat e) {
            // refused, as it may be
        }
    }
}
