// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.Installation;
import io.attestream.chaos.LocalCluster;
import io.attestream.cli.Output.Tone;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
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
        header = "Show all of it on this machine, from an event to its proof.",
        description = {
            "Starts a local cluster, sends real events, waits until all are published, verifies every proof offline with"
                    + " only the public key, sends everything again to show that nothing is added, and flips a byte to"
                    + " show that it is found. Exit code 0 only when all of that held.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream demo",
            "  attestream demo my-events.ndjson --keep",
            "  attestream demo -o json > result.json"
        })
final class DemoCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Parameters(
            arity = "0..1",
            paramLabel = "<file>",
            description = "NDJSON file of CloudEvents (default: the GitHub webhook events in samples).")
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
            description = "Shards of a new ledger (default: ${DEFAULT-VALUE}).")
    private int shards;

    @Option(
            names = "--keep",
            description = "Print the addresses at the end and leave everything running until Ctrl-C; keep the data.")
    private boolean keep;

    /** Whether a temporary directory stays. */
    private final AtomicBoolean keepData = new AtomicBoolean();

    @Override
    public Integer call() {
        Output output = form.output();
        Limits.check("--shards", shards, 1, Limits.LOCAL_SHARDS_MAX);
        Path events = file == null ? Installation.find().home().resolve("samples/github-webhooks.ndjson") : file;
        List<byte[]> lines = Events.lines(events);
        Path data = dataDirectory == null ? temporaryDirectory() : dataDirectory;
        keepData.set(keep || dataDirectory != null);
        output.say(Tone.STRONG, "Starting a local cluster in " + data);
        try (RunningCluster cluster = start(data, output)) {
            Demo demo = demo(cluster, output);
            try {
                return show(cluster, demo, lines, output);
            } catch (RuntimeException e) {
                if (!cluster.isStopping()) {
                    keepData.set(true);
                    output.say(Tone.BAD, "The demo stopped at: " + demo.step());
                    sayWhereEverythingIs(data, output);
                }
                throw e;
            }
        }
    }

    private int show(RunningCluster cluster, Demo demo, List<byte[]> lines, Output output) {
        DemoResult result = demo.run(lines);
        result.print(output);
        output.json(result.json());
        if (!result.ok()) {
            keepData.set(true);
            sayWhereEverythingIs(cluster.cluster().data(), output);
        }
        if (keep) {
            UpCommand.printAddresses(
                    new Output(System.err, System.err, false, Output.Terminals.NONE), cluster.cluster());
            output.say("Everything runs until Ctrl-C; attestream up --data-dir "
                    + cluster.cluster().data() + " goes on with the same ledger later.");
            int ended = cluster.runUntilStopped(output, false);
            return result.ok() ? ended : result.exitCode();
        }
        return result.exitCode();
    }

    private static void sayWhereEverythingIs(Path data, Output output) {
        output.say("Everything is kept in " + data + ", logs in " + data.resolve("logs"));
    }

    private RunningCluster start(Path data, Output output) {
        LocalCluster.Options options = new LocalCluster.Options(
                data,
                shards,
                new Bootstrap(OptionalLong.of(Bootstrap.LOCAL_DEDUP_WINDOW_LEAVES)),
                line -> output.say("  " + line));
        try {
            return RunningCluster.start(options, () -> removeUnlessKept(data));
        } catch (RunningCluster.Stopped e) {
            throw e;
        } catch (RuntimeException e) {
            keepData.set(true);
            output.say(Tone.BAD, "The local cluster did not start");
            sayWhereEverythingIs(data, output);
            throw e;
        }
    }

    private static Demo demo(RunningCluster cluster, Output output) {
        LocalCluster local = cluster.cluster();
        return new Demo(
                api(local, "ingester"),
                api(local, "auditor"),
                Connection.parseKey(local.ledger().verifierKey()),
                shardsOf(local),
                output);
    }

    private static Api api(LocalCluster cluster, String role) {
        return new Api(
                cluster.gatewayUrl(0),
                LocalFiles.readText(ClusterFile.tokenFile(cluster.data(), role)).strip());
    }

    /** Those of a ledger that was there before, whatever was asked for. */
    private static int shardsOf(LocalCluster cluster) {
        try {
            return ClusterFile.read(cluster.data()).orElseThrow().shards();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path temporaryDirectory() {
        try {
            return Files.createTempDirectory("attestream-demo-");
        } catch (IOException e) {
            throw new UncheckedIOException("there is no place for temporary files", e);
        }
    }

    private void removeUnlessKept(Path data) {
        if (keepData.get()) {
            return;
        }
        try (Stream<Path> files = Files.walk(data)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(data + " could not be removed", e);
        }
    }
}
