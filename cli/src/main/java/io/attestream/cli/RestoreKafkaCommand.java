// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.checkpointer.ArchiveRestoreKafka;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.note.NoteSigner;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.Topics;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lets a ledger go on in a new Kafka cluster. */
@Command(
        name = "kafka",
        mixinStandardHelpOptions = true,
        header = "Let a ledger whose Kafka cluster was lost go on in a new one, from the object store.",
        description = {
            "Origin, key, trees and receipts stay what they were: topic events begins a new incarnation, whose genesis names"
                    + " the tree it goes on from. What was published is all there. What was acknowledged and not published is"
                    + " lost: its receipts say so, and who sends it again gets a leaf for it. Reads and verifies the whole"
                    + " archive first; only an epoch that was about to be signed is finished before. Refuses an archive that"
                    + " is not what was published, or that is shorter than what else the store has or than a checkpoint you"
                    + " kept: give one, an old copy of a whole store holds by itself. Refuses a cluster in which a ledger"
                    + " works, and stops if a checkpointer of the lost one is alive. A run that was cut off is finished by"
                    + " running it again. Exit code 3 if it refuses.",
            "Then start processors, checkpointer and gateway with the new attestream.generation, on empty state directories.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  attestream restore kafka --bootstrap-servers new-kafka:9092 --key-file ledger.skey \\",
            "      --objects 's3://ledger/objects?region=eu-central-1' --generation 2 \\",
            "      --checkpoint last-week.checkpoint"
        })
final class RestoreKafkaCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Mixin
    private Connection connection = new Connection();

    @Mixin
    private ObjectStoreOption objects = new ObjectStoreOption();

    @Option(
            names = "--bootstrap-servers",
            required = true,
            paramLabel = "<host:port,…>",
            description = "Kafka brokers of the new cluster.")
    private String bootstrapServers = "";

    @Mixin
    private CommandConfig commandConfig = new CommandConfig();

    @Option(
            names = "--prefix",
            defaultValue = Topics.DEFAULT_PREFIX,
            paramLabel = "<prefix>",
            description = "First part of every topic name (default: ${DEFAULT-VALUE}).")
    private String prefix = Topics.DEFAULT_PREFIX;

    @Option(
            names = "--key-file",
            required = true,
            paramLabel = "<file>",
            description =
                    "The ledger's first signing key, which signs the new genesis; once more for each key that signs now,"
                            + " if it is another.")
    private List<Path> keyFiles = List.of();

    @Option(
            names = "--generation",
            required = true,
            paramLabel = "<n>",
            description = "The processors' new generation: one more than any that ever ran.")
    private int generation;

    @Option(
            names = "--checkpoint",
            paramLabel = "<file>",
            description = "A checkpoint you kept (attestream checkpoint --save), which must be among those published.")
    private @Nullable Path checkpoint;

    @Option(names = "--dev", description = "Accept one replica. For one machine only.")
    private boolean dev;

    @Override
    public Integer call() throws InterruptedException {
        Output output = form.output();
        List<NoteSigner> signers = keyFiles.stream().map(Bootstrap::read).toList();
        if (signers.stream().map(NoteSigner::keyName).distinct().count() > 1) {
            throw new CliException(ExitCode.USAGE, "the keys of --key-file have different names", "Check the files.");
        }
        NoteVerifier key = signers.get(0).verifier();
        ObjectStore store = objects.openForWriting(connection);
        Topics topics = new Topics(prefix);
        Map<String, Object> kafka = commandConfig.connection(bootstrapServers);
        ArchiveCheck.Listener listener = new ArchiveCheck.Listener() {
            @Override
            public void progress(long epochs, long total) {
                output.progress("epochs read", epochs, total);
            }
        };
        ArchiveRestoreKafka.Result result = new ArchiveRestoreKafka(
                        new ArchiveRestoreKafka.Target(kafka, topics, generation, dev),
                        signers,
                        store,
                        Checkpoints.kept(checkpoint, () -> LedgerKeys.stored(store, key)),
                        new ProcessorStates(kafka, topics, key, dev),
                        listener)
                .run();
        return report(output, result);
    }

    private static int report(Output output, ArchiveRestoreKafka.Result result) {
        if (result instanceof ArchiveRestoreKafka.Result.Restored restored) {
            output.json(Output.object(
                    "status", "restored",
                    "incarnation", restored.incarnation(),
                    "generation", restored.generation(),
                    "epoch", restored.epoch(),
                    "leaves", restored.leaves()));
            output.print(output.paint(Tone.GOOD, "restored") + "  " + restored.leaves() + " leaves up to epoch "
                    + restored.epoch() + "; incarnation " + restored.incarnation()
                    + " of topic events begins. Start the services with ATTESTREAM_GENERATION="
                    + restored.generation());
            return ExitCode.OK;
        }
        if (result instanceof ArchiveRestoreKafka.Result.Refused refused) {
            output.json(Output.object("status", "refused", "reasons", refused.reasons()));
            refused.reasons().forEach(reason -> output.print(output.paint(Tone.BAD, "REFUSED") + "  " + reason));
            return ExitCode.VERIFICATION_FAILED;
        }
        String detail = ((ArchiveRestoreKafka.Result.Undecided) result).detail();
        output.json(Output.object("status", "undecided", "detail", detail));
        output.print(output.paint(Tone.WARNING, "undecided") + "  " + detail);
        return ExitCode.UNAVAILABLE;
    }
}
