// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.control.SchemaText;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.LedgerInitializer;
import io.attestream.schemas.ledger.SchemaRegistrar;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a ledger on a Kafka cluster. */
@Command(
        name = "init",
        mixinStandardHelpOptions = true,
        description = {
            "Makes a ledger on a Kafka cluster: topics, one genesis record a shard, the sequencer's first offset.",
            "A run that was cut off is finished by running it again; on a finished ledger nothing is changed."
        },
        footer = {
            "",
            "Example:",
            "  attestream keys generate --origin ledger.example.com/prod --key-file ledger.skey",
            "  attestream init --bootstrap-servers kafka:9092 --key-file ledger.skey --shards 8"
        })
final class InitCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--bootstrap-servers",
            required = true,
            paramLabel = "<host:port,…>",
            description = "Kafka brokers.")
    private String bootstrapServers = "";

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

    @Option(names = "--dev", description = "Accept one replica. For one machine only.")
    private boolean dev;

    @Override
    public Integer call() throws IOException {
        Output output = form.output();
        NoteSigner signer = Bootstrap.read(keyFile);
        Topics topics = new Topics(prefix);
        List<SchemaText> schemas = registryUrl == null
                ? SchemaRegistrar.withoutRegistry()
                : new SchemaRegistrar(registryUrl).register(topics);
        OptionalLong window = dedupWindowLeaves == null ? OptionalLong.empty() : OptionalLong.of(dedupWindowLeaves);
        LedgerInitializer.Result.Complete result = new Bootstrap(window)
                .initialize(Map.of("bootstrap.servers", bootstrapServers), topics, shards, dev, signer, schemas);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("origin", result.ledger().origin());
        json.put("ledgerKey", signer.verifier().vkey());
        json.put("shards", result.ledger().shards());
        json.put("written", result.written());
        output.json(json);
        output.print(
                result.written().isEmpty()
                        ? "The ledger was complete already; nothing was changed."
                        : "The ledger is made: genesis of " + result.written().size() + " shards written.");
        output.print("origin      " + result.ledger().origin());
        output.print("ledger key  " + signer.verifier().vkey());
        return ExitCode.OK;
    }
}
