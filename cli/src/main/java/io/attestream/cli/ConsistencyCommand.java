// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Proofs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Compares a checkpoint kept earlier with the newest one. */
@Command(
        name = "consistency",
        mixinStandardHelpOptions = true,
        header = "Verify that the ledger only grew since a checkpoint you kept.",
        description = {
            "Verifies by a consistency proof that nothing in the ledger log was changed or removed since then. Exit code 3"
                    + " if its history was rewritten. For the same of every shard, and continuously, use attestream"
                    + " monitor.",
            ""
        },
        footer = {"", "Example:", "  attestream consistency --data-dir ./attestream-data last-week.checkpoint"})
final class ConsistencyCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Mixin
    private KeptKeys keptKeys = new KeptKeys();

    @Parameters(paramLabel = "<checkpoint>", description = "A checkpoint you kept (attestream checkpoint --save).")
    private Path file = Path.of("");

    @Override
    public Integer call() {
        return form.reportingFailure("consistent", () -> compare(form.output()));
    }

    private int compare(Output output) {
        NoteVerifier key = connection.ledgerKey();
        Api api = connection.api("auditor");
        String newest = api.require("/v1/checkpoint", "text/plain").text();
        KeyHistory keys = LedgerKeys.told(api, keptKeys.read(key)); // behind the checkpoint: it has what that one needs
        Checkpoint old = Checkpoints.verified(LocalFiles.readText(file), keys, file.toString());
        Checkpoint now = Checkpoints.verified(newest, keys, "the newest checkpoint");
        if (now.size().compareTo(old.size()) < 0) {
            throw Checkpoints.failed(
                    "the ledger shrank: " + file + " has size " + old.size() + ", the newest " + now.size());
        }
        if (!isConsistent(api, old, now)) {
            throw Checkpoints.failed("the ledger of size " + now.size() + " does not extend the one of size "
                    + old.size() + " in " + file + ": its history was rewritten");
        }
        output.print(output.paint(Tone.GOOD, "CONSISTENT") + ": size " + old.size() + " to " + now.size()
                + ", nothing was changed");
        output.json(Output.object(
                "consistent",
                true,
                "first",
                old.size().toString(),
                "second",
                now.size().toString()));
        return ExitCode.OK;
    }

    private static boolean isConsistent(Api api, Checkpoint old, Checkpoint now) {
        if (old.size().equals(now.size())) {
            return old.root().equals(now.root());
        }
        JsonNode answer = api.require(
                        "/v1/proofs/consistency?first=" + old.size() + "&second=" + now.size(), "application/json")
                .json();
        List<Hash> path = new ArrayList<>();
        try {
            for (JsonNode hash : answer.path("path")) {
                path.add(Hash.ofBase64(hash.asText(), "path"));
            }
        } catch (InvalidFormat e) {
            throw Checkpoints.failed("the consistency proof cannot be read: " + e.getMessage());
        }
        return old.size().isEmpty() || Proofs.verifyConsistency(old.size(), now.size(), path, old.root(), now.root());
    }
}
