// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Fetches the newest checkpoint and verifies its signature. */
@Command(
        name = "checkpoint",
        mixinStandardHelpOptions = true,
        header = "Fetch the newest checkpoint and verify its signature.",
        description = {
            "Prints the signed note: origin, number of epochs, root, signatures. Keep one now and then (--save): with it"
                    + " attestream consistency shows later that nothing was rewritten.",
            ""
        },
        footer = {"", "Example:", "  attestream checkpoint --data-dir ./attestream-data --save today.checkpoint"})
final class CheckpointCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Mixin
    private KeptKeys keptKeys = new KeptKeys();

    @Option(
            names = "--save",
            paramLabel = "<file>",
            description = "File for the signed note, to compare with later ones.")
    private @Nullable Path save;

    @Override
    public Integer call() {
        return form.reportingFailure("verified", () -> fetch(form.output()));
    }

    private int fetch(Output output) {
        NoteVerifier key = connection.ledgerKey();
        Api api = connection.api("auditor");
        String note = api.require("/v1/checkpoint", "text/plain").text();
        Checkpoint checkpoint =
                Checkpoints.verified(note, LedgerKeys.told(api, keptKeys.read(key)), "the newest checkpoint");
        if (save != null) {
            LocalFiles.writeText(save, note);
            output.say("Saved " + save + ". Later: attestream consistency " + save);
        }
        output.print(note.stripTrailing());
        output.json(Output.object(
                "verified", true,
                "origin", checkpoint.origin(),
                "size", checkpoint.size().toString(),
                "root", checkpoint.root().base64(),
                "note", note));
        return ExitCode.OK;
    }
}
