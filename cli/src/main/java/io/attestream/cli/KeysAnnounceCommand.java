// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.note.NoteSigner;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Announces the ledger's next key. Opens no connection. */
@Command(
        name = "announce",
        mixinStandardHelpOptions = true,
        header = "Announce a ledger's next signing key.",
        description = {
            "Writes an announcement, signed by the newest key and by the next one, behind the changes in a file. The checkpointer"
                    + " logs it; from the epoch behind that one on both keys sign. Opens no connection.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  attestream keys announce --changes ledger-changes.json \\",
            "      --key-file ledger.skey --new-key-file ledger-2.skey"
        })
final class KeysAnnounceCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private KeyChangesFile changes = new KeyChangesFile();

    @Option(
            names = "--new-key-file",
            required = true,
            paramLabel = "<file>",
            description = "The next signing key, of the same origin (attestream keys generate).")
    private Path newKeyFile = Path.of("");

    @Override
    public Integer call() {
        NoteSigner newest = changes.newest();
        NoteSigner next = Bootstrap.read(newKeyFile);
        return changes.report(form.output(), changes.append(newest, history -> history.announce(newest, next)));
    }
}
