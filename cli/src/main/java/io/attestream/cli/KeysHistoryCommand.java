// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteVerifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows which keys a ledger had when, verified from its first one on. */
@Command(
        name = "history",
        mixinStandardHelpOptions = true,
        header = "Show and verify the history of a ledger's keys.",
        description = {
            "Fetches the history from the gateway and verifies it with the ledger's first key: each change is signed by the key"
                    + " before it and logged in the ledger. Exit code 3 if it does not hold. Keep it (--save) to verify offline:"
                    + " attestream verify --keys.",
            ""
        },
        footer = {"", "Example:", "  attestream keys history --data-dir ./attestream-data --save ledger.keys.json"})
final class KeysHistoryCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Mixin
    private KeptKeys keptKeys = new KeptKeys();

    @Option(names = "--save", paramLabel = "<file>", description = "File for the history, to verify with.")
    private @Nullable Path save;

    @Override
    public Integer call() {
        return form.reportingFailure("verified", () -> show(form.output()));
    }

    private int show(Output output) {
        NoteVerifier first = connection.ledgerKey();
        String published = connection
                .api("auditor")
                .require("/v1/keys", "application/json")
                .text();
        byte[] bytes = published.getBytes(StandardCharsets.UTF_8);
        KeyHistory history = LedgerKeys.verified(bytes, first, "the key history of the gateway");
        if (!LedgerKeys.longer(history, keptKeys.read(first)).equals(history)) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "the key history of the gateway is older than the one that was kept",
                    "Ask another gateway, or try again.");
        }
        if (save != null) {
            LocalFiles.writeText(save, published);
            output.say("Saved " + save + ". Offline: attestream verify … --keys " + save);
        }
        List<Map<String, Object>> keys = new ArrayList<>();
        for (KeyHistory.Span span : history.spans()) {
            String until = span.retiredFromEpoch().isPresent()
                    ? " until epoch " + (span.retiredFromEpoch().getAsLong() - 1)
                    : "";
            output.print(span.key().vkey() + "  signs from epoch " + span.fromEpoch() + " on" + until);
            keys.add(Output.object(
                    "key", span.key().vkey(),
                    "fromEpoch", span.fromEpoch(),
                    "retiredFromEpoch",
                            span.retiredFromEpoch().isPresent()
                                    ? span.retiredFromEpoch().getAsLong()
                                    : -1));
        }
        output.json(Output.object("verified", true, "keys", keys));
        return ExitCode.OK;
    }
}
