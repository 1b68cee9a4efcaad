// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.Rebuild;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
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
                    + " digest, and are not looked at: attestream verify holds one against its digest. After restore kafka topic"
                    + " events goes on from a snapshot in the object store, whose trees attestream fsck verifies.",
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
    private static final long PROGRESS_STEP_OFFSETS = 50_000;

    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Mixin
    private LedgerTopics topics = new LedgerTopics();

    @Mixin
    private ObjectStoreOption objects = new ObjectStoreOption();

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
        Optional<ObjectStore> store = objects.find(connection);
        Optional<Checkpoint> kept = kept(store, connection.ledgerKey());
        LedgerDefinition ledger = topics.definition(connection);
        Rebuild rebuild = new Rebuild(
                topics.connection(connection),
                topics.topics(),
                ledger,
                inPlace ? Rebuild.Reading.IN_PLACE : Rebuild.Reading.DECODED,
                progressTo(output));
        if (ledger.incarnation() > 1 && store.isEmpty()) {
            objects.open(connection); // says what is missing
        }
        store.ifPresent(rebuild::withObjects);
        long begun = System.nanoTime();
        Rebuild.Result result = rebuild.run(threads, kept);
        double seconds = (System.nanoTime() - begun) / 1e9;
        return report(output, result, seconds);
    }

    /** Without the object store there is the first key alone, which need not be the one that signed it. */
    private Optional<Checkpoint> kept(Optional<ObjectStore> store, NoteVerifier key) {
        if (store.isPresent()) {
            return Checkpoints.kept(checkpoint, () -> LedgerKeys.stored(store.get(), key));
        }
        try {
            return Checkpoints.kept(checkpoint, () -> KeyHistory.of(key));
        } catch (CliException e) {
            throw checkpoint != null && Checkpoints.isOfAnotherKey(LocalFiles.readText(checkpoint), key)
                    ? new CliException(
                            ExitCode.UNAVAILABLE,
                            e.getMessage() + "; the history of the ledger's keys was not asked",
                            "Give --objects, where it is.")
                    : e;
        }
    }

    static Rebuild.Listener progressTo(Output output) {
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
                            Long.toString(shard.heads()))));
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
