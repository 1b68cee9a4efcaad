// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Sends events. */
@Command(
        name = "append",
        mixinStandardHelpOptions = true,
        description = {
            "Sends CloudEvents, one JSON event a line, and prints a receipt for each.",
            "Sending an event again is safe: it is logged at most once."
        },
        footer = {
            "",
            "Examples:",
            "  attestream append --data-dir ./attestream-data samples/github-webhooks.ndjson",
            "  attestream append --url https://ledger.example.com --token-file token.jwt - < events.ndjson"
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
        List<byte[]> lines = Events.lines(file);
        List<JsonNode> results = new ArrayList<>();
        connection.api("ingester").append(lines, results::add);
        Map<String, Integer> byStatus = new TreeMap<>();
        for (JsonNode result : results) {
            byStatus.merge(result.path("status").asText("unknown"), 1, Integer::sum);
            output.print(line(result));
        }
        int missing = lines.size() - results.size();
        if (missing > 0) {
            byStatus.merge("unknown", missing, Integer::sum);
            output.say("attestream: " + missing + " events got no result; send them again");
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("counts", byStatus);
        json.put("results", results);
        output.json(json);
        output.say(byStatus.toString());
        return exitCode(byStatus);
    }

    private static String line(JsonNode result) {
        String status = result.path("status").asText();
        String where = result.path("receipt").path("href").asText("");
        String why = result.path("problem").path("detail").asText("");
        return String.join("  ", status, result.path("id").asText("-"), where.isEmpty() ? why : where);
    }

    private static int exitCode(Map<String, Integer> byStatus) {
        if (byStatus.containsKey("unavailable") || byStatus.containsKey("unknown")) {
            return ExitCode.UNAVAILABLE;
        }
        return byStatus.containsKey("rejected") ? ExitCode.ERROR : ExitCode.OK;
    }
}
