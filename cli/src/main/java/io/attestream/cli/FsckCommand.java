// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.note.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Recomputes what the object store holds. */
@Command(
        name = "fsck",
        mixinStandardHelpOptions = true,
        header = "Recompute every hash in the object store and hold it against what was published.",
        description = {
            "Reads topic checkpoints and every object a published epoch names: the digest of each, every leaf hash from the"
                    + " stored entry, every shard's root at every published size, every payload against the digest in its"
                    + " entry, every guard copy. Changes nothing. Exit code 3 if anything is not as it must be; everything"
                    + " found is named. What Kafka holds is checked by attestream rebuild.",
            "With --alone no Kafka is asked: the published epochs are those the object store itself has, each signed by the"
                    + " ledger's key. That its newest are missing, nothing in it says: give a checkpoint you kept.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream fsck --data-dir ./attestream-data",
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

    @Override
    public Integer call() throws InterruptedException {
        Output output = form.output();
        if (mibPerSecondMax < 1) {
            throw new CliException(
                    ExitCode.USAGE, "--max-mib-per-second must be at least 1, not " + mibPerSecondMax, "");
        }
        ArchiveCheck.Result result = check(objects.open(connection), new ArchiveCheck.Listener() {
                    @Override
                    public void progress(long epochs, long total) {
                        output.progress("epochs checked", epochs, total);
                    }
                })
                .run(Checkpoints.kept(checkpoint, connection.ledgerKey()));
        if (result instanceof ArchiveCheck.Result.Checked checked) {
            return report(output, checked.report());
        }
        String detail = ((ArchiveCheck.Result.Undecided) result).detail();
        output.json(Output.object("status", "undecided", "detail", detail));
        output.print(output.paint(Tone.WARNING, "undecided") + "  " + detail);
        return ExitCode.UNAVAILABLE;
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
                topics.bootstrapServers(connection),
                topics.topics(),
                topics.definition(connection),
                store,
                mibPerSecondMax * MIB,
                listener);
    }

    private static int report(Output output, ArchiveCheck.Report report) {
        boolean good = report.found() == 0;
        output.json(Output.object(
                "status", good ? "good" : "damaged",
                "epochs", report.epochs(),
                "leaves", report.leaves(),
                "payloads", report.payloads(),
                "encrypted", report.encrypted(),
                "checkpoint", report.newest().map(Checkpoint::text).orElse(""),
                "sizeBytes", report.sizeBytes(),
                "found", report.found(),
                "findings", report.findings(),
                "unreferenced", report.unreferenced()));
        if (!good) {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("object", "expected", "actual"));
            report.findings()
                    .forEach(finding -> rows.add(List.of(finding.object(), finding.expected(), finding.actual())));
            Output.table(rows).forEach(output::print);
        }
        if (!report.unreferenced().isEmpty()) {
            output.print(report.unreferenced().size() + " objects are named by no epoch, which a checkpointer that died"
                    + " leaves behind, or which is to be logged next; first "
                    + report.unreferenced().get(0));
        }
        String looked = report.epochs() + " epochs, " + report.leaves() + " leaves, " + report.payloads()
                + " payloads held against their digest, " + report.encrypted() + " encrypted, "
                + report.sizeBytes() / MIB + " MiB";
        output.print(
                good
                        ? output.paint(Tone.GOOD, "good") + "  " + looked
                        : output.paint(Tone.BAD, "DAMAGED") + "  " + report.found() + " found in " + looked);
        report.newest()
                .ifPresent(newest -> output.print("held against the checkpoint of size " + newest.size() + ", root "
                        + newest.root().base64()));
        if (!good) {
            output.print("What Kafka still holds comes back with: attestream restore objects");
        }
        return good ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
    }
}
