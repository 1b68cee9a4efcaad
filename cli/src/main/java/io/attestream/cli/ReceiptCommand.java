// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What became of an event. */
@Command(
        name = "receipt",
        mixinStandardHelpOptions = true,
        header = "Say what became of an event, and save its proof bundle.",
        description = {
            "Says leaf, duplicate (of a leaf with equal content), conflict (a leaf whose identity was there before with"
                    + " other content) or rejected. Exit code 5 while the event is not published.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  attestream receipt --data-dir ./attestream-data /v1/receipts/1/0/17 \\",
            "      --wait 10 --save event.attest.json"
        })
final class ReceiptCommand implements Callable<Integer> {
    private static final long POLL_NANOS = 100_000_000;

    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Parameters(
            paramLabel = "<receipt>",
            description =
                    "As append prints it: /v1/receipts/<incarnation>/<shard>/<offset>, or the three numbers with slashes.")
    private String receipt = "";

    @Option(names = "--save", paramLabel = "<file>", description = "File for the proof bundle.")
    private @Nullable Path save;

    @Option(
            names = "--wait",
            paramLabel = "<seconds>",
            defaultValue = "0",
            description = "Wait so long for publication (default: ${DEFAULT-VALUE}).")
    private int waitSeconds;

    @Override
    public Integer call() {
        Output output = form.output();
        Limits.check("--wait", waitSeconds, 0, Limits.WAIT_SECONDS_MAX);
        String path = receipt.startsWith("/v1/receipts/") ? receipt : "/v1/receipts/" + receipt;
        if (!path.matches("/v1/receipts/[0-9]+/[0-9]+/[0-9]+")) {
            throw new CliException(ExitCode.USAGE, "not a receipt: " + receipt, "It looks like /v1/receipts/1/0/17.");
        }
        JsonNode answer = await(connection.api("auditor"), path, Duration.ofSeconds(waitSeconds));
        output.print(answer.path("status").asText()
                + (answer.has("leafIndex")
                        ? "  shard " + answer.path("shard").asText() + " leaf "
                                + answer.path("leafIndex").asText()
                        : "  " + answer.path("reason").asText("")));
        if (save != null) {
            if (!answer.has("bundle")) {
                throw new CliException(ExitCode.ERROR, "there is no proof bundle to save", "The event was not logged.");
            }
            LocalFiles.writeText(save, answer.path("bundle").toString());
            output.say("Saved " + save + ". Verify it with: attestream verify " + save
                    + " --event <event.json> --ledger-key <vkey>");
        }
        output.json(answer);
        return ExitCode.OK;
    }

    /** The final answer; fails as pending when the time is up. */
    static JsonNode await(Api api, String path, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            Api.Reply reply = api.get(path, "application/json");
            boolean mayChange = reply.status() == 202 || reply.status() == 503;
            if (!mayChange || System.nanoTime() > deadline) {
                return Api.good("GET " + path, reply).json();
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
