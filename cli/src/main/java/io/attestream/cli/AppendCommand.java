// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Sends events. */
@Command(
        name = "append",
        mixinStandardHelpOptions = true,
        header = "Send events and print a receipt for each.",
        description = {
            "Sends CloudEvents, one JSON event a line. Sending an event again is safe: it is logged at most once. What the"
                    + " ledger could not take for the moment is sent again a few times; what then is still undecided gives"
                    + " exit code 6, a refused event exit code 1.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream append --data-dir ./attestream-data samples/github-webhooks.ndjson",
            "  attestream append --url https://ledger.example.com \\",
            "      --token-file token.jwt - < events.ndjson"
        })
final class AppendCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Parameters(paramLabel = "<file>", description = "NDJSON file; - for standard input.")
    private Path file = Path.of("-");

    @Override
    public Integer call() {
        Output output = form.output();
        Map<String, Integer> byStatus = new TreeMap<>();
        // In the order of the events, also where some were sent twice; of no use, and too much, for people.
        TreeMap<Long, JsonNode> results = new TreeMap<>();
        try (Events.Lines lines = Events.open(file)) {
            long sent = new Sender(connection.api("ingester")).send(lines, (index, result) -> {
                byStatus.merge(result.path("status").asText("unknown"), 1, Integer::sum);
                output.print(line(index, result));
                if (output.isJson()) {
                    results.put(index, result);
                }
            });
            if (sent == 0) {
                throw new CliException(
                        ExitCode.ERROR, file + " has no event", "It must hold one CloudEvent in JSON a line.");
            }
        } catch (CliException e) {
            // The receipts of what was taken before are not lost with it.
            if (!byStatus.isEmpty()) {
                report(output, byStatus, results);
            }
            throw e;
        }
        report(output, byStatus, results);
        return exitCode(byStatus);
    }

    private static void report(Output output, Map<String, Integer> byStatus, Map<Long, JsonNode> results) {
        output.json(Output.object("counts", byStatus, "results", results.values()));
        output.say(byStatus.entrySet().stream()
                .map(count -> count.getValue() + " " + count.getKey())
                .collect(Collectors.joining(", ")));
    }

    private static String line(long index, JsonNode result) {
        String status = result.path("status").asText();
        String where = result.path("receipt").path("href").asText("");
        String why = result.path("problem").path("detail").asText("");
        // What was refused may have no id to know it by; its place among the events says which it was.
        return String.join(
                "  ",
                status,
                result.path("id").asText("-"),
                where.isEmpty() ? "event " + (index + 1) + ": " + why : where);
    }

    private static int exitCode(Map<String, Integer> byStatus) {
        if (Stream.of("unavailable", "unknown", "throttled").anyMatch(byStatus::containsKey)) {
            return ExitCode.UNAVAILABLE;
        }
        return byStatus.containsKey("rejected") ? ExitCode.ERROR : ExitCode.OK;
    }
}
