// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Erases the payloads about a subject. */
@Command(
        name = "erase",
        mixinStandardHelpOptions = true,
        header = "Erase the payloads of all events of a tenant about one subject.",
        description = {
            "Destroys the key they are encrypted under, and appends an event to the ledger that says so; prints its receipt."
                    + " Proofs of those events hold as before; attributes, size and digest stay in the ledger. What that means"
                    + " for personal data: docs/privacy.md. Needs the role admin. Cannot be undone. Run it again if it was"
                    + " interrupted: it goes on where it ended.",
            ""
        },
        footer = {"", "Example:", "  attestream erase --data-dir ./attestream-data --subject customer-4711 --yes"})
final class EraseCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Option(
            names = "--subject",
            required = true,
            paramLabel = "<subject>",
            description = "As the events have it in the attribute subject.")
    private String subject = "";

    @Option(names = "--tenant", paramLabel = "<tenant>", description = "Default: that of the token.")
    private @Nullable String tenant;

    @Option(names = "--yes", description = "It cannot be undone, and I know.")
    private boolean yes;

    @Override
    public Integer call() {
        Output output = form.output();
        if (!yes) {
            throw new CliException(
                    ExitCode.USAGE, "what is erased is gone for good, and nothing was erased yet", "Give --yes too.");
        }
        JsonNode answer = connection.api("admin").erase(request()).json();
        for (JsonNode erased : answer.path("erased")) {
            output.print("erased  key " + erased.path("keyId").asText() + "  receipt "
                    + erased.path("receipt").path("href").asText());
        }
        output.print("Events without a subject, and those accepted before payloads were encrypted, are not erased.");
        output.json(answer);
        return ExitCode.OK;
    }

    private byte[] request() {
        ObjectNode request = JSON.createObjectNode().put("subject", subject);
        if (tenant != null) {
            request.put("tenant", tenant);
        }
        try {
            return JSON.writeValueAsBytes(request);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an object of strings can be written", e);
        }
    }
}
