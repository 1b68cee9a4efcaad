// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.ArchiveRestore;
import io.attestream.checkpointer.ArchiveRestoreKafka;
import io.attestream.checkpointer.ArchiveRestorePoint;
import io.attestream.checkpointer.ArchiveRestoreState;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.ledger.NewGeneration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Brings back what was lost. */
@Command(
        name = "restore",
        mixinStandardHelpOptions = true,
        header = "Bring back what was lost, one command for each case.",
        description = {
            "Every restore verifies what it brings back against what was published, and refuses anything else.",
            ""
        },
        subcommands = {
            RestoreCommand.State.class,
            RestoreStoresCommand.class,
            RestoreKafkaCommand.class,
            RestoreCommand.Objects.class,
            RestoreCommand.PointInTime.class
        },
        footer = {"", "Example:", "  attestream restore objects --data-dir ./attestream-data"})
final class RestoreCommand {
    @Command(
            name = "state",
            mixinStandardHelpOptions = true,
            header = "Let the processors begin a new generation, whose state is made again from topic events.",
            description = {
                "For lost or parted state: a state directory, a changelog or the group's offsets were lost, or one of them is"
                        + " of another time than the rest. Stop the processors and the checkpointer, run this, and start them"
                        + " with the new attestream.generation. Nothing of the older generations is touched or used. The"
                        + " checkpointer holds every published head, and everything the new processors seal, against the"
                        + " records again before it signs. Whoever still runs in an older generation is refused from then on.",
                "With --from-archive topic events is not sequenced again up to the epoch published last: the state there is made"
                        + " of the object store, all of which is verified up to that epoch, and signed as a snapshot from which"
                        + " the checkpointer goes on. Exit code 3 if the object store is not what was published: nothing is"
                        + " begun then. An earlier epoch is begun with only when --epoch names it.",
                "After restore kafka topic events begins in the middle of the ledger; then the object store is read, too.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream restore state --bootstrap-servers kafka:9092 --generation 2 \\",
                "      --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…'",
                "  attestream restore state --data-dir ./attestream-data --generation 2 \\",
                "      --from-archive --key-file ./attestream-data/keys/ledger.skey --dev",
                "a local cluster does it when it starts:",
                "  attestream up --data-dir ./attestream-data --new-generation"
            })
    static final class State implements Callable<Integer> {
        private static final Duration TIMEOUT = Duration.ofSeconds(60);

        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Connection connection = new Connection();

        @Mixin
        private LedgerTopics topics = new LedgerTopics();

        @Mixin
        private ObjectStoreOption objects = new ObjectStoreOption();

        @Option(
                names = "--generation",
                required = true,
                paramLabel = "<n>",
                description = "The new generation: one more than any that ever ran.")
        private int generation;

        @Option(names = "--dev", description = "Accept one replica. For one machine only.")
        private boolean dev;

        @ArgGroup(exclusive = false, heading = "%nOut of the object store:%n")
        private @Nullable FromArchive archived;

        @Override
        public Integer call() {
            Output output = form.output();
            Map<String, Object> kafka = topics.connection(connection);
            LedgerDefinition ledger = topics.definition(connection);
            if (archived != null && archived.wanted) {
                return beginFromArchive(output, ledger, archived);
            }
            NewGeneration.Result result = Bootstrap.begin(
                    new NewGeneration(kafka, topics.topics(), ledger, TIMEOUT),
                    generation,
                    ledger.incarnation() == 1
                            ? Optional.empty()
                            : Optional.of(() -> new ProcessorStates(kafka, topics.topics(), ledger.key(), dev)
                                    .writeSeam(
                                            ledger,
                                            objects.openForWriting(connection),
                                            generation,
                                            (epochs, total) -> output.progress("epochs read", epochs, total))));
            boolean begun = result instanceof NewGeneration.Result.Begun;
            output.json(Output.object("status", begun ? "begun" : "already-begun", "generation", generation));
            printNext(output, begun, "");
            return ExitCode.OK;
        }

        private int beginFromArchive(Output output, LedgerDefinition ledger, FromArchive from) {
            ArchiveCheck.Listener listener = new ArchiveCheck.Listener() {
                @Override
                public void progress(long epochs, long total) {
                    output.progress("epochs read", epochs, total);
                }
            };
            ObjectStore store = objects.openForWriting(connection);
            ArchiveRestoreState.Result result = StateFromArchive.begin(
                    new ArchiveRestoreKafka.Target(topics.connection(connection), topics.topics(), generation, dev),
                    ledger,
                    List.of(Bootstrap.read(from.keyFile)),
                    store,
                    from.epoch == null ? OptionalLong.empty() : OptionalLong.of(from.epoch),
                    Checkpoints.kept(from.checkpoint, () -> LedgerKeys.stored(store, ledger.key())),
                    listener);
            if (result instanceof ArchiveRestoreState.Result.Begun begun) {
                output.json(Output.object(
                        "status", "begun", "generation", generation, "epoch", begun.epoch(), "leaves", begun.leaves()));
                printNext(output, true, " with " + begun.leaves() + " leaves of epoch " + begun.epoch());
            } else {
                output.json(Output.object("status", "already-begun", "generation", generation));
                printNext(output, false, "");
            }
            return ExitCode.OK;
        }

        private void printNext(Output output, boolean begun, String with) {
            output.print(output.paint(Tone.GOOD, begun ? "begun" : "already begun") + "  generation " + generation
                    + with + ": start processors and checkpointer with ATTESTREAM_GENERATION=" + generation);
        }

        /** Options of which the first asks for the others. */
        static final class FromArchive {
            @Option(
                    names = "--from-archive",
                    required = true,
                    description = "Begin with the state of a published epoch instead of the first records.")
            private boolean wanted;

            @Option(
                    names = "--key-file",
                    required = true,
                    paramLabel = "<file>",
                    description = "The ledger's newest signing key, which signs the snapshot.")
            private Path keyFile = Path.of("");

            @Option(
                    names = "--epoch",
                    paramLabel = "<n>",
                    description = "An earlier epoch than the one published last.")
            private @Nullable Long epoch;

            @Option(
                    names = "--checkpoint",
                    paramLabel = "<file>",
                    description =
                            "A checkpoint you kept (attestream checkpoint --save), which must be among those published.")
            private @Nullable Path checkpoint;
        }
    }

    @Command(
            name = "objects",
            mixinStandardHelpOptions = true,
            header = "Make the objects of a lost or damaged object store again, from Kafka.",
            description = {
                "Reads topics events and checkpoints from their first records on, decides and hashes every record again, and"
                        + " writes each object that is missing, under the name that was published, which is its digest. An"
                        + " object that is not what it must be is kept under damaged/ and replaced; all others are left"
                        + " alone. May run beside everything else. Exit code 3 if Kafka does not hold what was published:"
                        + " nothing is written of that epoch or those behind it.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream restore objects --data-dir ./attestream-data",
                "  attestream restore objects --bootstrap-servers kafka:9092 \\",
                "      --objects 's3://ledger-2/objects?region=eu-central-1' \\",
                "      --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…'"
            })
    static final class Objects implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Connection connection = new Connection();

        @Mixin
        private LedgerTopics topics = new LedgerTopics();

        @Mixin
        private ObjectStoreOption objects = new ObjectStoreOption();

        @Override
        public Integer call() {
            Output output = form.output();
            ObjectStore store = objects.openForWriting(connection);
            ArchiveRestore.Result result = ArchiveRestore.open(
                            topics.connection(connection),
                            topics.topics(),
                            topics.definition(connection),
                            store,
                            new ArchiveRestore.Listener() {
                                @Override
                                public void progress(long epochs, long total) {
                                    output.progress("epochs restored", epochs, total);
                                }
                            })
                    .run();
            return report(output, result);
        }

        private static int report(Output output, ArchiveRestore.Result result) {
            if (result instanceof ArchiveRestore.Result.Restored restored) {
                ArchiveRestore.Report report = restored.report();
                output.json(Output.object(
                        "status", "restored",
                        "epochs", report.epochs(),
                        "present", report.present(),
                        "written", report.written(),
                        "replaced", report.replaced()));
                report.replaced()
                        .forEach(name -> output.print("replaced " + name + ", what was there is kept under damaged/"));
                output.print(output.paint(Tone.GOOD, "restored") + "  " + report.epochs() + " epochs: "
                        + report.present() + " objects were there, " + report.written() + " written, "
                        + report.replaced().size() + " replaced");
                return ExitCode.OK;
            }
            if (result instanceof ArchiveRestore.Result.Refused refused) {
                output.json(Output.object("status", "refused", "detail", refused.detail()));
                output.print(output.paint(Tone.BAD, "REFUSED") + "  " + refused.detail());
                return ExitCode.VERIFICATION_FAILED;
            }
            String detail = ((ArchiveRestore.Result.Undecided) result).detail();
            output.json(Output.object("status", "undecided", "detail", detail));
            output.print(output.paint(Tone.WARNING, "undecided") + "  " + detail);
            return ExitCode.UNAVAILABLE;
        }
    }

    @Command(
            name = "point-in-time",
            mixinStandardHelpOptions = true,
            header = "Write the ledger as it was at a published epoch, to be read only.",
            description = {
                "Needs the object store and the ledger's public key, no Kafka. Reads every entry up to the epoch, holds every"
                        + " published head against what comes out, and writes a directory of files as tlog-tiles has them, under"
                        + " the paths of the gateway (log/…, shard/<n>/…), which any web server can serve. The log verifies by"
                        + " log/checkpoint, which is written last; each shard by its head in epochs/<n>.epoch, whose heads the"
                        + " log's last leaf binds. Payloads stay in the object store. Exit code 3 if the archive is not what was"
                        + " published: then nothing is written; restore objects may mend it, out of Kafka.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  attestream restore point-in-time --epoch 1200 --into ./ledger-1200 --data-dir ./attestream-data",
                "  attestream restore point-in-time --epoch 1200 --into ./ledger-1200 \\",
                "      --objects 's3://ledger/objects?region=eu-central-1' --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…'"
            })
    static final class PointInTime implements Callable<Integer> {
        @Mixin
        private OutputOption form = new OutputOption();

        @Mixin
        private Connection connection = new Connection();

        @Mixin
        private ObjectStoreOption objects = new ObjectStoreOption();

        @Option(
                names = "--epoch",
                required = true,
                paramLabel = "<n>",
                description = "Number of the last epoch it is to have.")
        private long epoch;

        @Option(names = "--into", required = true, paramLabel = "<dir>", description = "New or empty directory.")
        private Path directory = Path.of("");

        @Option(
                names = "--checkpoint",
                paramLabel = "<file>",
                description =
                        "A checkpoint you kept (attestream checkpoint --save), which must be among those published.")
        private @Nullable Path checkpoint;

        @Override
        public Integer call() throws InterruptedException {
            Output output = form.output();
            if (epoch < 0) {
                throw new CliException(ExitCode.USAGE, "--epoch must not be negative, is " + epoch, "");
            }
            ArchiveCheck.Listener listener = new ArchiveCheck.Listener() {
                @Override
                public void progress(long epochs, long total) {
                    output.progress("epochs restored", epochs, total);
                }
            };
            ObjectStore store = objects.open(connection);
            ArchiveRestorePoint.Result result = new ArchiveRestorePoint(
                            connection.ledgerKey(),
                            store,
                            epoch,
                            directory,
                            Checkpoints.kept(checkpoint, () -> LedgerKeys.stored(store, connection.ledgerKey())),
                            listener)
                    .run();
            if (result instanceof ArchiveRestorePoint.Result.Restored restored) {
                output.json(Output.object(
                        "status", "restored",
                        "epochs", restored.epochs(),
                        "leaves", restored.leaves(),
                        "checkpoint", restored.checkpoint().text()));
                output.print(output.paint(Tone.GOOD, "restored") + "  " + restored.epochs() + " epochs, "
                        + restored.leaves() + " leaves, into " + directory);
                return ExitCode.OK;
            }
            if (result instanceof ArchiveRestorePoint.Result.Refused refused) {
                output.json(
                        Output.object("status", "refused", "found", refused.found(), "findings", refused.findings()));
                refused.findings()
                        .forEach(finding -> output.print(output.paint(Tone.BAD, "REFUSED") + "  " + finding.object()
                                + ": expected " + finding.expected() + ", found " + finding.actual()));
                return ExitCode.VERIFICATION_FAILED;
            }
            String detail = ((ArchiveRestorePoint.Result.Undecided) result).detail();
            output.json(Output.object("status", "undecided", "detail", detail));
            output.print(output.paint(Tone.WARNING, "undecided") + "  " + detail);
            return ExitCode.UNAVAILABLE;
        }
    }
}
