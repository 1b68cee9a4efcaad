// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import io.attestream.checkpointer.Rebuild;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import io.attestream.schemas.ledger.GenesisReader;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Builds all trees again from Kafka. */
@Command(
        name = "rebuild",
        mixinStandardHelpOptions = true,
        header = "Build every tree again from offset 0 and compare it with every published head.",
        description = {
            "Reads topic events from its first record on, decides every record and hashes every entry again, and requires"
                    + " the published root at every published size. Reads nothing the processors keep or wrote. It needs read"
                    + " access to events and checkpoints, and changes nothing. Exit code 3 at the first difference, 6 if"
                    + " nothing was published, or reading gets no further for a minute. Nothing in topic checkpoints says"
                    + " that its end was cut off: a checkpoint kept elsewhere does. Payloads are in no leaf but by their"
                    + " digest, and are not looked at: attestream verify holds one against its digest.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream rebuild --data-dir ./attestream-data",
            "  attestream rebuild --bootstrap-servers kafka:9092 \\",
            "      --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…' --checkpoint last-week.checkpoint"
        })
final class RebuildCommand implements Callable<Integer> {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final long PROGRESS_STEP_OFFSETS = 50_000;

    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "<host:port,…>",
            description = "Kafka brokers. Default: those of --data-dir.")
    private @Nullable String bootstrapServers;

    @Option(
            names = "--prefix",
            defaultValue = Topics.DEFAULT_PREFIX,
            paramLabel = "<prefix>",
            description = "First part of every topic name (default: ${DEFAULT-VALUE}).")
    private String prefix = Topics.DEFAULT_PREFIX;

    @Option(
            names = "--generation",
            defaultValue = "1",
            paramLabel = "<n>",
            description = "Generation of the processors (default: ${DEFAULT-VALUE}).")
    private int generation;

    @Option(
            names = "--threads",
            paramLabel = "<n>",
            description = "Threads that divide the shards among them (default: one a processor).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--in-place",
            description = "Read plain events as the sequencer reads them, which takes about half the time of a core,"
                    + " and not by a decoder the sequencer does not use.")
    private boolean inPlace;

    @Option(
            names = "--checkpoint",
            paramLabel = "<file>",
            description = "A checkpoint you kept (attestream checkpoint --save), which must be among those published.")
    private @Nullable Path checkpoint;

    @Override
    public Integer call() throws InterruptedException {
        Output output = form.output();
        if (threads < 1) {
            throw new CliException(ExitCode.USAGE, "--threads must be at least 1, not " + threads, "");
        }
        String servers = bootstrapServers();
        Topics topics = new Topics(prefix);
        NoteVerifier key = connection.ledgerKey();
        Optional<Checkpoint> kept = Optional.ofNullable(checkpoint)
                .map(file -> Checkpoints.verified(LocalFiles.readText(file), key, file.toString()));
        LedgerDefinition ledger = ledger(servers, topics, key);
        long begun = System.nanoTime();
        Rebuild.Result result = new Rebuild(
                        servers,
                        topics,
                        ledger,
                        generation,
                        inPlace ? Rebuild.Reading.IN_PLACE : Rebuild.Reading.DECODED,
                        progressTo(output))
                .run(threads, kept);
        double seconds = (System.nanoTime() - begun) / 1e9;
        return report(output, result, seconds);
    }

    private String bootstrapServers() {
        if (bootstrapServers != null && !bootstrapServers.isBlank()) {
            return bootstrapServers;
        }
        return connection
                .cluster()
                .map(ClusterFile::bootstrapServers)
                .orElseThrow(() -> new CliException(
                        ExitCode.USAGE, "no Kafka cluster was named", "Give --bootstrap-servers or --data-dir."));
    }

    private static LedgerDefinition ledger(String servers, Topics topics, NoteVerifier key) {
        GenesisReader.Result result;
        try {
            result = GenesisReader.read(Map.of("bootstrap.servers", servers), topics, key, TIMEOUT);
        } catch (KafkaException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "Kafka at " + servers + " does not answer: " + e.getMessage(),
                    "Check --bootstrap-servers; attestream doctor looks at a local cluster.");
        }
        if (result instanceof GenesisReader.Result.Ready ready) {
            return ready.ledger();
        }
        if (result instanceof GenesisReader.Result.Refused refused) {
            throw new CliException(
                    ExitCode.VERIFICATION_FAILED,
                    "this is not the ledger of that key: " + refused.reason(),
                    "Check --ledger-key and --prefix.");
        }
        throw new CliException(
                ExitCode.NOT_FOUND_OR_PENDING, ((GenesisReader.Result.NotReady) result).reason(), "Check --prefix.");
    }

    private static Rebuild.Listener progressTo(Output output) {
        AtomicLong shown = new AtomicLong();
        return new Rebuild.Listener() {
            @Override
            public void progress(long offsets, long total) {
                long before = shown.get();
                boolean step = offsets - before >= PROGRESS_STEP_OFFSETS || offsets == total;
                if (step && offsets > before && shown.compareAndSet(before, offsets)) {
                    output.progress("offsets read", offsets, total);
                }
            }
        };
    }

    private static int report(Output output, Rebuild.Result result, double seconds) {
        if (result instanceof Rebuild.Result.Same same) {
            long perSecond = Math.round(same.leaves() / Math.max(seconds, 0.001));
            output.json(Output.object(
                    "status", "same",
                    "epochs", same.epochs(),
                    "leaves", same.leaves(),
                    "seconds", seconds,
                    "shards", same.shards()));
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("shard", "leaves", "without leaf", "published heads met"));
            same.shards()
                    .forEach(shard -> rows.add(List.of(
                            Integer.toString(shard.shard()),
                            Long.toString(shard.leaves()),
                            Long.toString(shard.withoutLeaf()),
                            Integer.toString(shard.heads()))));
            Output.table(rows).forEach(output::print);
            output.print(
                    output.paint(Tone.GOOD, "same") + "  every head of " + same.epochs() + " epochs; " + same.leaves()
                            + " leaves in " + String.format("%.1f", seconds) + " s, " + perSecond + " a second");
            return ExitCode.OK;
        }
        if (result instanceof Rebuild.Result.Different different) {
            output.json(Output.object("status", "different", "detail", different.detail()));
            output.print(output.paint(Tone.BAD, "DIFFERENT") + "  " + different.detail());
            return ExitCode.VERIFICATION_FAILED;
        }
        String detail = ((Rebuild.Result.Undecided) result).detail();
        output.json(Output.object("status", "undecided", "detail", detail));
        output.print(output.paint(Tone.WARNING, "undecided") + "  " + detail);
        return ExitCode.UNAVAILABLE;
    }
}
