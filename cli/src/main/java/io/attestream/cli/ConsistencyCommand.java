// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.Continuation;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Proofs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Compares a checkpoint kept earlier with the newest one. */
@Command(
        name = "consistency",
        mixinStandardHelpOptions = true,
        header = "Verify that the ledger only grew since a checkpoint or a proof you kept.",
        description = {
            "Verifies by a consistency proof that nothing in the ledger log was changed or removed since then. Exit code 3"
                    + " if its history was rewritten. For the same of every shard, and continuously, use attestream"
                    + " monitor.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream consistency --data-dir ./attestream-data last-week.checkpoint",
            "",
            "  A proof whose checkpoint a key signed that was replaced since:",
            "  attestream consistency --data-dir ./attestream-data event.attest.json --save newer.json",
            "  attestream verify event.attest.json --event event.json --continued-by newer.json …"
        })
final class ConsistencyCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Mixin
    private KeptKeys keptKeys = new KeptKeys();

    @Parameters(
            paramLabel = "<checkpoint>",
            description = "A checkpoint you kept (attestream checkpoint --save), or a proof bundle with one in it.")
    private Path file = Path.of("");

    @Option(
            names = "--save",
            paramLabel = "<file>",
            description = "Write the newest checkpoint with the proof that it continues yours, for attestream verify"
                    + " --continued-by.")
    private @Nullable Path save;

    @Override
    public Integer call() {
        return form.reportingFailure("consistent", () -> compare(form.output()));
    }

    private int compare(Output output) {
        NoteVerifier key = connection.ledgerKey();
        Api api = connection.api("auditor");
        String newest = api.require("/v1/checkpoint", "text/plain").text();
        KeyHistory keys = LedgerKeys.told(api, keptKeys.read(key)); // behind the checkpoint: it has what that one needs
        Checkpoint old = Checkpoints.verified(note(), keys, file.toString());
        Checkpoint now = Checkpoints.verified(newest, keys, "the newest checkpoint");
        if (!keys.isCurrent(now)) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "the newest checkpoint, of size " + now.size() + ", is signed by an older key than "
                            + keys.newest().vkey() + ", which was announced meanwhile",
                    "Try again; if it stays so, ask the operator.");
        }
        if (now.size().compareTo(old.size()) < 0) {
            throw Checkpoints.failed(
                    "the ledger shrank: " + file + " has size " + old.size() + ", the newest " + now.size());
        }
        List<Hash> path = path(api, old, now);
        if (!old.size().isEmpty() && !Proofs.verifyConsistency(old.size(), now.size(), path, old.root(), now.root())) {
            throw Checkpoints.failed("the ledger of size " + now.size() + " does not extend the one of size "
                    + old.size() + " in " + file + ": its history was rewritten");
        }
        if (save != null) {
            LocalFiles.writeText(save, new String(new Continuation(newest, path).encode(), StandardCharsets.UTF_8));
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

    /** A proof bundle is JSON, and a note is not. */
    private String note() {
        String text = LocalFiles.readText(file);
        if (!text.stripLeading().startsWith("{")) {
            return text;
        }
        try {
            return ProofBundle.parse(text.getBytes(StandardCharsets.UTF_8)).note();
        } catch (InvalidFormat e) {
            throw Checkpoints.failed(file + " is no proof bundle: " + e.getMessage());
        }
    }

    private static List<Hash> path(Api api, Checkpoint old, Checkpoint now) {
        List<Hash> path = new ArrayList<>();
        if (old.size().equals(now.size()) || old.size().isEmpty()) {
            return path;
        }
        JsonNode answer = api.require(
                        "/v1/proofs/consistency?first=" + old.size() + "&second=" + now.size(), "application/json")
                .json();
        try {
            for (JsonNode hash : answer.path("path")) {
                path.add(Hash.ofBase64(hash.asText(), "path"));
            }
        } catch (InvalidFormat e) {
            throw Checkpoints.failed("the consistency proof cannot be read: " + e.getMessage());
        }
        return path;
    }
}
