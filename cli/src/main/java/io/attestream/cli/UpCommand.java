// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.LedgerBootstrap;
import io.attestream.chaos.LocalCluster;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.archive.DirectoryObjectStore;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs the local cluster. */
@Command(
        name = "up",
        mixinStandardHelpOptions = true,
        header = "Run all of Attestream on this machine until Ctrl-C.",
        description = {
            "Starts a Kafka broker, a schema registry, gateway, processors and checkpointer, each a process of its own on a"
                    + " free loopback port, and prints the addresses. Starting again on the same directory continues the"
                    + " same ledger. A process that ends by itself is told; the others go on, and \"attestream restart\" starts"
                    + " it again.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  attestream up --data-dir ./attestream-data",
            "and in a second terminal:",
            "  attestream append --data-dir ./attestream-data \\",
            "      samples/github-webhooks.ndjson"
        })
final class UpCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Option(
            names = "--data-dir",
            paramLabel = "<dir>",
            defaultValue = "attestream-data",
            description = "Everything the cluster keeps (default: ${DEFAULT-VALUE}).")
    private Path dataDirectory = Path.of("attestream-data");

    @Option(
            names = "--shards",
            defaultValue = "4",
            paramLabel = "<n>",
            description = "Shards of a new ledger (default: ${DEFAULT-VALUE}).")
    private int shards;

    @Option(
            names = "--processors",
            defaultValue = "1",
            paramLabel = "<n>",
            description = "Processor instances (default: ${DEFAULT-VALUE}).")
    private int processors;

    @Option(
            names = "--gateways",
            defaultValue = "1",
            paramLabel = "<n>",
            description = "Gateway instances (default: ${DEFAULT-VALUE}).")
    private int gateways;

    @Option(
            names = "--dedup-window",
            paramLabel = "<leaves>",
            defaultValue = "" + Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES,
            description =
                    "Dedup window of a new ledger: a power of two from 256 to 67108864 (default: ${DEFAULT-VALUE}).")
    private long dedupWindowLeaves;

    @Option(
            names = "--new-generation",
            description =
                    "Give up the processors' state, as when some of it was lost, and make it again from topic events.")
    private boolean newGeneration;

    @Option(
            names = "--from-archive",
            description =
                    "With --new-generation: begin with the state of the epoch published last, out of the object store.")
    private boolean fromArchive;

    @Option(
            names = "--restore-kafka",
            description = "The broker lost its directory: go on from the object store. What was acknowledged and not"
                    + " published is lost.")
    private boolean restoreKafka;

    @Option(
            names = "--checkpoint",
            paramLabel = "<file>",
            description =
                    "With --restore-kafka: a checkpoint you kept (attestream checkpoint --save), which must be among"
                            + " those published.")
    private @Nullable Path checkpoint;

    @Option(
            names = "--encrypt-payloads",
            description =
                    "Encrypt payloads of events with a subject from now on, so that \"attestream erase\" can erase them."
                            + " Stays so at later starts.")
    private boolean encryptPayloads;

    @Option(
            names = "--chaos",
            description =
                    "Allow faults to be done to it with \"attestream chaos\": services reach Kafka through proxies.")
    private boolean chaos;

    @Option(
            names = "--kafka-security",
            description =
                    "The brokers ask every client for a token (SASL/OAUTHBEARER), and ACLs let each do only what it needs."
                            + " For your own clients: keys/kafka-producer.properties, kafka-operator.properties.")
    private boolean kafkaSecurity;

    @Override
    public Integer call() {
        Output output = form.output();
        Limits.check("--shards", shards, 1, Limits.LOCAL_SHARDS_MAX);
        Limits.check("--processors", processors, 1, Limits.LOCAL_INSTANCES_MAX);
        Limits.check("--gateways", gateways, 1, Limits.LOCAL_INSTANCES_MAX);
        Limits.checkDedupWindow(dedupWindowLeaves);
        if (fromArchive && !newGeneration) {
            throw new CliException(ExitCode.USAGE, "--from-archive is for --new-generation", "");
        }
        if (checkpoint != null && !restoreKafka) {
            throw new CliException(ExitCode.USAGE, "--checkpoint is for --restore-kafka", "");
        }
        LedgerBootstrap bootstrap = restoreKafka ? restoreBootstrap() : bootstrap();
        output.say(Tone.STRONG, "Starting the local cluster in " + dataDirectory);
        LocalCluster.Options options = new LocalCluster.Options(
                dataDirectory,
                shards,
                processors,
                gateways,
                bootstrap,
                line -> output.say("  " + line),
                Map.of(),
                newGeneration || restoreKafka);
        if (chaos) {
            options = options.withTopology(LocalCluster.Topology.FOR_CHAOS);
        }
        if (kafkaSecurity) {
            options = options.withTopology(options.topology().withSecurity());
        }
        try (RunningCluster cluster = RunningCluster.start(options, this::encrypt, () -> {})) {
            printAddresses(output, cluster.cluster());
            output.say("Ctrl-C stops everything.");
            return cluster.runUntilStopped(output, true);
        }
    }

    private void encrypt() {
        if (encryptPayloads) {
            PayloadKeysCommand.encryptPayloads(dataDirectory);
        }
    }

    /** What is given is looked at before anything is started. */
    private LedgerBootstrap restoreBootstrap() {
        if (newGeneration) {
            throw new CliException(
                    ExitCode.USAGE,
                    "--restore-kafka makes a new generation by itself, out of the object store",
                    "Leave --new-generation and --from-archive away.");
        }
        Path key = LocalCluster.signingKey(dataDirectory);
        if (!Files.exists(key)) {
            throw new CliException(
                    ExitCode.USAGE,
                    dataDirectory + " has no ledger that could go on: there is no " + key,
                    "Check --data-dir.");
        }
        if (checkpoint != null && !Files.exists(checkpoint)) {
            throw new CliException(ExitCode.USAGE, "there is no file " + checkpoint, "Check --checkpoint.");
        }
        return new RestoreBootstrap(
                Checkpoints.kept(checkpoint, () -> keys(Bootstrap.read(key).verifier())));
    }

    private KeyHistory keys(NoteVerifier first) {
        try {
            return LedgerKeys.stored(new DirectoryObjectStore(dataDirectory.resolve("objects")), first);
        } catch (IOException e) {
            throw LocalFiles.failure("read", dataDirectory.resolve("objects"), e);
        }
    }

    private Bootstrap bootstrap() {
        Bootstrap bootstrap = new Bootstrap(OptionalLong.of(dedupWindowLeaves));
        return fromArchive ? bootstrap.fromArchive(OptionalLong.empty()) : bootstrap;
    }

    static void printAddresses(Output output, LocalCluster cluster) {
        output.json(Output.object(
                "url", cluster.gatewayUrl(0).toString(),
                "managementUrl", cluster.managementUrl(0).toString(),
                "bootstrapServers", cluster.broker().bootstrapServers(),
                "registryUrl", cluster.registryApi().toString(),
                "origin", cluster.ledger().origin(),
                "ledgerKey", cluster.ledger().verifierKey(),
                "dataDir", cluster.data().toString()));
        List<List<String>> rows = new ArrayList<>(List.of(
                List.of("gateway", cluster.gatewayUrl(0).toString()),
                List.of("management", cluster.managementUrl(0).toString()),
                List.of("Kafka", cluster.broker().bootstrapServers()),
                List.of("schema registry", cluster.registryApi().toString()),
                List.of("ledger key", cluster.ledger().verifierKey()),
                List.of("data", cluster.data().toString()),
                List.of("tokens", cluster.data().resolve("keys") + "/{ingester,auditor,admin}.jwt"),
                List.of("logs", cluster.data().resolve("logs").toString())));
        cluster.toxiproxyUrl().ifPresent(url -> rows.add(List.of("faults allowed", "Toxiproxy at " + url)));
        Output.table(rows).forEach(output::print);
    }
}
