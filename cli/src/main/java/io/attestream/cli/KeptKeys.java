// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Option of commands that ask a gateway which keys the ledger has: what was kept of them before. */
final class KeptKeys {
    @Option(
            names = "--keys",
            paramLabel = "<file>",
            description =
                    "History of the ledger's keys that you kept (attestream keys history --save). The gateway's must go on"
                            + " from it: who has an old key of the ledger, and the gateway, could tell of none.")
    private @Nullable Path file;

    /** @param first the key that is trusted, all that is known where no file was named */
    KeyHistory read(NoteVerifier first) {
        return file == null ? KeyHistory.of(first) : LedgerKeys.kept(file, first);
    }
}
