// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.Installation;
import io.attestream.chaos.LocalCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The main job from end to end, on real parts. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Starts a local cluster, ingests real events, waits until all are published, verifies every proof offline with",
            "only the public key, sends everything again to show that nothing is added, and flips a byte to show that it is",
            "found. Exit code 0 only when all of that held."
        },
        footer = {
            "",
            "Examples:",
            "  attestream demo",
            "  attestream demo my-events.ndjson --keep",
            "  attestream demo -o json"
        })
final class DemoCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Parameters(
            arity = "0..1",
            paramLabel = "<file>",
            description = "NDJSON file of CloudEvents (default: samples/github-webhooks.ndjson).")
    private @Nullable Path file;

    @Option(
            names = "--data-dir",
            paramLabel = "<dir>",
            description = "Keep everything here (default: a temporary directory that is removed at the end).")
    private @Nullable Path dataDirectory;

    @Option(
            names = "--shards",
            defaultValue = "4",
            paramLabel = "<n>",
            description = "Shards of the ledger (default: ${DEFAULT-VALUE}).")
    private int shards;

    @Option(names = "--keep", description = "Leave the cluster running until Ctrl-C and print its addresses.")
    private boolean keep;

    @Override
    public Integer call() throws IOException {
        Output output = form.output();
        Path events = file == null ? Installation.find().home().resolve("samples/github-webhooks.ndjson") : file;
        List<byte[]> lines = Events.lines(events);
        Path data = dataDirectory == null ? Files.createTempDirectory("attestream-demo-") : dataDirectory;
        boolean failed = true;
        try (RunningCluster cluster = start(data, output)) {
            Demo demo = new Demo(api(cluster, "ingester"), api(cluster, "auditor"), key(cluster), output);
            Demo.Result result = demo.run(lines);
            result.print(output);
            output.json(result.json());
            failed = !result.ok();
            if (keep) {
                UpCommand.printAddresses(new Output(System.err, System.err, false, false), cluster.cluster());
                output.say("The cluster runs until Ctrl-C.");
                int ended = cluster.runUntilStopped(output);
                return failed ? result.exitCode() : ended;
            }
            return result.exitCode();
        } catch (RuntimeException e) {
            output.say("attestream: the demo stopped; everything is kept in " + data + ", logs in "
                    + data.resolve("logs"));
            throw e;
        } finally {
            if (dataDirectory == null && !failed) {
                delete(data);
            }
        }
    }

    private RunningCluster start(Path data, Output output) {
        output.say("Starting a local cluster in " + data);
        return RunningCluster.start(new LocalCluster.Options(
                data,
                shards,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                line -> output.say("  " + line)));
    }

    private static Api api(RunningCluster cluster, String role) throws IOException {
        Path token = ClusterFile.tokenFile(cluster.cluster().data(), role);
        return new Api(cluster.cluster().gatewayUrl(0), Files.readString(token).strip());
    }

    private static io.attestream.proofs.note.NoteVerifier key(RunningCluster cluster) {
        return Connection.parseKey(cluster.cluster().ledger().verifierKey());
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
