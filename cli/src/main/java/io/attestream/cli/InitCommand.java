// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.control.Rules;
import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerInitializer;
import io.attestream.schemas.ledger.SchemaRegistrar;
import io.attestream.schemas.topics.TopicContract;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a ledger on a Kafka cluster. */
@Command(
        name = "init",
        mixinStandardHelpOptions = true,
        header = "Make a ledger on a Kafka cluster.",
        description = {
            "Makes the topics, writes one genesis record a shard, commits the sequencer's first offset. A run that was cut"
                    + " off is finished by running it again; on a finished ledger nothing is changed. It needs a principal"
                    + " of its own, which may create topics and write to events.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  attestream keys generate --origin ledger.example.com/prod \\",
            "      --key-file ledger.skey",
            "  attestream init --bootstrap-servers kafka:9092 \\",
            "      --command-config client.properties --key-file ledger.skey --shards 8"
        })
final class InitCommand implements Callable<Integer> {
    private static final String AGAIN = "Run the same again: what was done is found done.";

    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--bootstrap-servers",
            required = true,
            paramLabel = "<host:port,…>",
            description = "Kafka brokers.")
    private String bootstrapServers = "";

    @Mixin
    private CommandConfig commandConfig = new CommandConfig();

    @Option(
            names = "--key-file",
            required = true,
            paramLabel = "<file>",
            description = "The ledger's signing key; its name is the origin.")
    private Path keyFile = Path.of("");

    @Option(
            names = "--shards",
            defaultValue = "8",
            paramLabel = "<n>",
            description = "Number of shards, fixed for the life of the ledger (default: ${DEFAULT-VALUE}).")
    private int shards;

    @Option(
            names = "--prefix",
            defaultValue = Topics.DEFAULT_PREFIX,
            paramLabel = "<prefix>",
            description = "First part of every topic name (default: ${DEFAULT-VALUE}).")
    private String prefix = Topics.DEFAULT_PREFIX;

    @Option(
            names = "--registry-url",
            paramLabel = "<url>",
            description = "Schema registry, base of its Confluent API. Without one the schemas are numbered 1 to 4.")
    private @Nullable URI registryUrl;

    @Option(
            names = "--dedup-window",
            paramLabel = "<leaves>",
            description = "Leaves of a shard among which a repeated event is found: a power of two from 256 to 67108864"
                    + " (default: 4194304).")
    private @Nullable Long dedupWindowLeaves;

    @Option(
            names = "--inboxes",
            split = ",",
            paramLabel = "<tenant>",
            description = "Tenants whose producers may write to Kafka: each gets a topic <prefix>.inbox.<tenant>.")
    private List<String> inboxes = new ArrayList<>();

    @Option(names = "--dev", description = "Accept one replica. For one machine only.")
    private boolean dev;

    @Override
    public Integer call() {
        Output output = form.output();
        Limits.check("--shards", shards, 1, Limits.SHARDS_MAX);
        if (dedupWindowLeaves != null) {
            Limits.checkDedupWindow(dedupWindowLeaves);
        }
        NoteSigner signer = Bootstrap.read(keyFile);
        Topics topics = new Topics(prefix);
        List<SchemaText> schemas = schemas(topics);
        OptionalLong window = dedupWindowLeaves == null ? OptionalLong.empty() : OptionalLong.of(dedupWindowLeaves);
        List<String> tenants = tenants();
        LedgerInitializer.Result.Complete result = initialize(new Bootstrap(window), topics, signer, schemas);
        createInboxes(topics, result.ledger().shards(), tenants);
        output.json(Output.object(
                "origin", result.ledger().origin(),
                "ledgerKey", signer.verifier().vkey(),
                "shards", result.ledger().shards(),
                "written", result.written()));
        output.print(
                result.written().isEmpty()
                        ? "The ledger was complete already; nothing was changed."
                        : "The ledger is made: genesis of " + result.written().size() + " shards written.");
        output.print("origin      " + result.ledger().origin());
        output.print("ledger key  " + signer.verifier().vkey());
        return ExitCode.OK;
    }

    private List<String> tenants() {
        List<String> tenants = inboxes.stream().filter(name -> !name.isBlank()).toList();
        tenants.stream().filter(tenant -> !Topics.isTenant(tenant)).forEach(tenant -> {
            throw new CliException(
                    ExitCode.USAGE,
                    "--inboxes has \"" + tenant + "\"",
                    "A tenant with an inbox is named with 1 to 64 letters, digits, - and _.");
        });
        return tenants;
    }

    private void createInboxes(Topics topics, int ofShards, List<String> tenants) {
        if (tenants.isEmpty()) {
            return;
        }
        try (Admin admin = Admin.create(commandConfig.connection(bootstrapServers))) {
            new TopicContract(topics, ofShards, Rules.DEFAULT_MAX_PAYLOAD_BYTES, dev).createInboxes(admin, tenants);
        } catch (KafkaException | IllegalStateException e) {
            throw new CliException(ExitCode.UNAVAILABLE, "the inboxes cannot be made: " + e.getMessage(), AGAIN);
        }
    }

    private List<SchemaText> schemas(Topics topics) {
        try {
            return registryUrl == null
                    ? SchemaRegistrar.withoutRegistry()
                    : new SchemaRegistrar(registryUrl).register(topics);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "the registry does not take the schemas: " + e.getMessage(), AGAIN);
        }
    }

    private LedgerInitializer.Result.Complete initialize(
            Bootstrap bootstrap, Topics topics, NoteSigner signer, List<SchemaText> schemas) {
        try {
            return bootstrap.initialize(
                    commandConfig.connection(bootstrapServers), topics, shards, dev, signer, schemas);
        } catch (KafkaException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "Kafka at " + bootstrapServers + " failed: " + e.getMessage(), AGAIN);
        }
    }
}
