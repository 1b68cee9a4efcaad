// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveRestore;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.archive.ObjectStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Brings back what was lost. */
@Command(
        name = "restore",
        mixinStandardHelpOptions = true,
        header = "Bring back what was lost, one command for each case.",
        description = {
            "Every restore verifies what it brings back against what was published, and refuses anything else.",
            ""
        },
        subcommands = {RestoreCommand.Objects.class},
        footer = {"", "Example:", "  attestream restore objects --data-dir ./attestream-data"})
final class RestoreCommand {
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
                            topics.bootstrapServers(connection),
                            topics.topics(),
                            topics.definition(connection),
                            topics.generation(),
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
                report.replaced().forEach(name -> output.print("replaced " + name + ", kept as damaged/" + name));
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
}
