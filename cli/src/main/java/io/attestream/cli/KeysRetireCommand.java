// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Retires one of the ledger's keys. Opens no connection. */
@Command(
        name = "retire",
        mixinStandardHelpOptions = true,
        header = "Retire a ledger's signing key that another one follows.",
        description = {
            "Writes the retirement, signed by the newest key, behind the changes in a file. The checkpointer logs it; from the epoch"
                    + " behind that one on the retired key signs nothing, and proves nothing. Opens no connection.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  attestream keys retire --changes ledger-changes.json \\",
            "      --key-file ledger-2.skey --retire 'ledger.example.com/prod+1a2b3c4d+AX…'"
        })
final class KeysRetireCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private KeyChangesFile changes = new KeyChangesFile();

    @Option(
            names = "--retire",
            required = true,
            paramLabel = "<vkey>",
            description = "Public key of the one that is retired (attestream keys show, attestream keys history).")
    private String retired = "";

    @Override
    public Integer call() {
        NoteSigner newest = changes.newest();
        NoteVerifier key = Connection.parseKey(retired);
        return changes.report(form.output(), changes.append(newest, history -> history.retire(newest, key)));
    }
}
