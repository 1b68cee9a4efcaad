// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.Rebuild;
import io.attestream.cli.Output.Tone;
import io.attestream.processors.StateCheck;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.schemas.ledger.LedgerDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Recomputes what the object store holds. */
@Command(
        name = "fsck",
        mixinStandardHelpOptions = true,
        header = "Recompute every hash there is and hold it against what was published.",
        description = {
            "Of the object store, topic checkpoints and every object a published epoch names: the digest of each, every leaf"
                    + " hash from the stored entry, every shard's root at every published size, every payload against the"
                    + " digest in its entry, every guard copy. Of Kafka, every record of topic events: decided, hashed and"
                    + " every published head met, as attestream rebuild does. Of the processors' state directories, the"
                    + " checksum of every block, and every tile against the one above it. Changes nothing. Exit code 3 if"
                    + " anything is not as it must be; everything found is named.",
            "With --alone no Kafka is asked, and of the object store only: the published epochs are those the object store"
                    + " itself has, each signed by the ledger's key. That its newest are missing, nothing in it says: give a"
                    + " checkpoint you kept.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream fsck --data-dir ./attestream-data",
            "  attestream fsck --data-dir ./attestream-data --record artifacts/fsck",
            "  attestream fsck --bootstrap-servers kafka:9092 --objects /var/lib/attestream/objects \\",
            "      --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…' --max-mib-per-second 20",
            "  attestream fsck --alone --objects 's3://backup/ledger?region=eu-central-1' \\",
            "      --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…'"
        })
final class FsckCommand implements Callable<Integer> {
    private static final long MIB = 1 << 20;

    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Mixin
    private LedgerTopics topics = new LedgerTopics();

    @Mixin
    private ObjectStoreOption objects = new ObjectStoreOption();

    @Option(
            names = "--max-mib-per-second",
            defaultValue = "100",
            paramLabel = "<n>",
            description = "Reads no faster, because others read there too (default: ${DEFAULT-VALUE}).")
    private int mibPerSecondMax;

    @Option(
            names = "--checkpoint",
            paramLabel = "<file>",
            description = "A checkpoint you kept (attestream checkpoint --save), which must be among those published.")
    private @Nullable Path checkpoint;

    @Option(names = "--alone", description = "Ask no Kafka: verify the object store by itself, under the ledger's key.")
    private boolean alone;

    @Option(
            names = "--state",
            paramLabel = "<dir>",
            description =
                    "A state directory of processors on this machine (attestream.state.directory), or one above several."
                            + " Default: that of --data-dir.")
    private @Nullable Path state;

    @Option(
            names = "--record",
            paramLabel = "<dir>",
            description =
                    "Keep what came of it below this directory, for the page /ops and the metrics of gateways whose"
                            + " attestream.ops.evidence-dir is the one above it.")
    private @Nullable Path record;

    @Override
    public Integer call() throws InterruptedException {
        Output output = form.output();
        if (mibPerSecondMax < 1) {
            throw new CliException(
                    ExitCode.USAGE, "--max-mib-per-second must be at least 1, not " + mibPerSecondMax, "");
        }
        if (record != null) {
            FsckRecord.requireDirectory(record);
        }
        ObjectStore store = objects.open(connection);
        Optional<Checkpoint> kept = checkpoint == null
                ? Optional.empty()
                : Checkpoints.kept(checkpoint, () -> LedgerKeys.stored(store, connection.ledgerKey()));
        Report report = new Report(output);
        int processors = Runtime.getRuntime().availableProcessors();
        report.objects(check(store, new ArchiveCheck.Listener() {
                    @Override
                    public void progress(long epochs, long total) {
                        output.progress("epochs checked", epochs, total);
                    }
                })
                .inThreads(processors)
                .run(kept));
        if (!alone) {
            report.attempt("kafka", () -> report.kafka(rebuild(output, store).run(processors, kept)));
        }
        Optional<Path> directory = stateDirectory();
        if (directory.isPresent()) {
            report.attempt("state", () -> report.state(directory.get(), checkState(output, directory.get())));
        }
        int exitCode = report.end();
        return record == null ? exitCode : record(output, record, report.summary(), exitCode);
    }

    /** What was found comes first: who waits for its exit code is to have it. */
    private int record(Output output, Path directory, Map<String, Object> summary, int exitCode) {
        try {
            Path recorded = FsckRecord.write(directory, alone ? "archive" : "ledger", Instant.now(), summary);
            output.print("recorded in " + recorded);
            return exitCode;
        } catch (CliException e) {
            output.say(Tone.BAD, "not recorded: " + e.getMessage());
            return exitCode == ExitCode.OK ? ExitCode.ERROR : exitCode;
        }
    }

    private Rebuild rebuild(Output output, ObjectStore store) {
        LedgerDefinition ledger = topics.definition(connection);
        return new Rebuild(
                        topics.connection(connection),
                        topics.topics(),
                        ledger,
                        Rebuild.Reading.DECODED,
                        RebuildCommand.progressTo(output))
                .atMost(mibPerSecondMax * MIB)
                .withObjects(store);
    }

    private Optional<Path> stateDirectory() {
        if (alone || state != null) {
            return Optional.ofNullable(state);
        }
        return connection
                .dataDirectory()
                .map(directory -> directory.resolve("state"))
                .filter(Files::isDirectory);
    }

    private StateCheck.Report checkState(Output output, Path directory) throws IOException, InterruptedException {
        StateCheck.Report looked = new StateCheck(
                        directory,
                        mibPerSecondMax * MIB,
                        (stores, total) -> output.progress("stores checked", stores, total))
                .run();
        if (looked.stores() == 0 && state != null) {
            throw new IOException(directory + " has no state store: is it attestream.state.directory?");
        }
        return looked;
    }

    private ArchiveCheck check(ObjectStore store, ArchiveCheck.Listener listener) {
        if (alone) {
            try {
                return ArchiveCheck.openAlone(connection.ledgerKey(), store, mibPerSecondMax * MIB, listener);
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.UNAVAILABLE, "the object store cannot be read: " + e.getMessage(), "Check --objects.");
            }
        }
        return ArchiveCheck.open(
                topics.connection(connection),
                topics.topics(),
                topics.definition(connection),
                store,
                mibPerSecondMax * MIB,
                listener);
    }

    /** Says of each part what was found, and at the end the worst. */
    private static final class Report {
        private final Output output;
        private final Map<String, Object> json = new LinkedHashMap<>();
        private boolean damaged;
        private boolean undecided;

        Report(Output output) {
            this.output = output;
        }

        void objects(ArchiveCheck.Result result) {
            if (result instanceof ArchiveCheck.Result.Checked checked) {
                objects(checked.report());
            } else {
                undecided("objects", String.valueOf(((ArchiveCheck.Result.Undecided) result).detail()));
            }
        }

        private void objects(ArchiveCheck.Report report) {
            json.put("epochs", report.epochs());
            json.put("leaves", report.leaves());
            json.put("payloads", report.payloads());
            json.put("encrypted", report.encrypted());
            json.put("erased", report.erased());
            json.put("erasures", report.erasures());
            json.put("checkpoint", report.newest().map(Checkpoint::text).orElse(""));
            json.put("sizeBytes", report.sizeBytes());
            json.put("found", report.found());
            json.put("findings", report.findings());
            json.put("unreferenced", report.unreferenced());
            List<List<String>> rows = new ArrayList<>();
            report.findings()
                    .forEach(finding -> rows.add(List.of(finding.object(), finding.expected(), finding.actual())));
            print("object", rows);
            if (!report.unreferenced().isEmpty()) {
                output.print(
                        report.unreferenced().size() + " objects are named by no epoch, which a checkpointer that died"
                                + " leaves behind, or which is to be logged next; first "
                                + report.unreferenced().get(0));
            }
            String looked = report.epochs() + " epochs, " + report.leaves() + " leaves, " + report.payloads()
                    + " payloads held against their digest, " + report.encrypted() + " encrypted, "
                    + (report.erasures() == 0
                            ? ""
                            : report.erased() + " erased by " + report.erasures() + " erasures that are logged, ")
                    + report.sizeBytes() / MIB + " MiB";
            verdict(
                    "objects",
                    report.found(),
                    looked,
                    "What Kafka still holds comes back with: attestream restore objects");
            report.newest()
                    .ifPresent(newest -> output.print("held against the checkpoint of size " + newest.size() + ", root "
                            + newest.root().base64()));
        }

        void kafka(Rebuild.Result result) {
            if (result instanceof Rebuild.Result.Same same) {
                long others = same.shards().stream()
                        .mapToLong(Rebuild.ShardTotal::withoutLeaf)
                        .sum();
                json.put("kafka", Output.object("status", "good", "leaves", same.leaves(), "withoutLeaf", others));
                verdict("Kafka", 0, same.leaves() + " leaves and " + others + " other records decided again", "");
            } else if (result instanceof Rebuild.Result.Different different) {
                json.put("kafka", Output.object("status", "damaged", "detail", different.detail()));
                output.print(different.detail());
                verdict(
                        "Kafka",
                        1,
                        "topic events",
                        "Restore the topic from another broker, or attestream restore kafka");
            } else {
                undecided("kafka", ((Rebuild.Result.Undecided) result).detail());
            }
        }

        void state(Path directory, StateCheck.Report report) {
            json.put(
                    "state",
                    Output.object(
                            "status", report.findings().isEmpty() ? "good" : "damaged",
                            "stores", report.stores(),
                            "records", report.records(),
                            "tiles", report.tiles(),
                            "sizeBytes", report.sizeBytes(),
                            "findings", report.findings()));
            List<List<String>> rows = new ArrayList<>();
            report.findings()
                    .forEach(finding -> rows.add(List.of(finding.store(), finding.expected(), finding.actual())));
            print("store in " + directory, rows);
            String looked = report.stores() + " stores, " + report.records() + " records, " + report.tiles()
                    + " tiles held against the one above, " + report.sizeBytes() / MIB + " MiB";
            verdict(
                    "state",
                    report.findings().size(),
                    looked,
                    "Stop those processors, delete the task's directory (that with rocksdb in it), start them: all of it comes"
                            + " back from its changelog. The store alone would not: .checkpoint beside it says it is there");
        }

        private void print(String what, List<List<String>> rows) {
            if (!rows.isEmpty()) {
                List<List<String>> table = new ArrayList<>(List.of(List.of(what, "expected", "actual")));
                table.addAll(rows);
                Output.table(table).forEach(output::print);
            }
        }

        private void verdict(String part, long found, String looked, String next) {
            output.print(
                    found == 0
                            ? output.paint(Tone.GOOD, "good") + "  " + part + ": " + looked
                            : output.paint(Tone.BAD, "DAMAGED") + "  " + part + ": " + found + " found in " + looked);
            if (found > 0) {
                damaged = true;
                output.print(next);
            }
        }

        private void undecided(String part, String detail) {
            undecided = true;
            if (part.equals("objects")) {
                json.put("detail", detail);
            } else {
                json.put(part, Output.object("status", "undecided", "detail", detail));
            }
            output.print(output.paint(Tone.WARNING, "undecided") + "  " + part + ": " + detail);
        }

        private interface Part {
            void look() throws IOException, InterruptedException;
        }

        /** One that cannot be looked at takes nothing from what was found in another. */
        void attempt(String part, Part look) throws InterruptedException {
            try {
                look.look();
            } catch (CliException | IOException e) {
                undecided(part, String.valueOf(e.getMessage()));
            }
        }

        Map<String, Object> all() {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("status", damaged ? "damaged" : undecided ? "undecided" : "good");
            all.putAll(json);
            return all;
        }

        /** Of it what a page shows: lists may be longer than whoever reads it takes. */
        Map<String, Object> summary() {
            Map<String, Object> summary = all();
            summary.replaceAll((name, value) -> value instanceof List<?> list ? list.size() : value);
            summary.computeIfPresent(
                    "state",
                    (name, value) -> value instanceof Map<?, ?> state
                            ? Map.of("status", String.valueOf(state.get("status")))
                            : value);
            return summary;
        }

        int end() {
            output.json(all());
            return damaged ? ExitCode.VERIFICATION_FAILED : undecided ? ExitCode.UNAVAILABLE : ExitCode.OK;
        }
    }
}
