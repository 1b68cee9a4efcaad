// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.cloudevents.CloudEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Verifies a proof bundle. Opens no connection. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        description = {
            "Verifies a proof bundle offline: that this very event is in the ledger, with nothing but its public key.",
            "Prints every check that was made and every check that could not be made. Exit code 3 if it does not verify."
        },
        footer = {
            "",
            "Example:",
            "  attestream verify event.attest.json --event event.json --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…'"
        })
final class VerifyCommand implements Callable<Integer> {
    @Mixin
    private OutputOption form = new OutputOption();

    @Parameters(paramLabel = "<bundle>", description = "Proof bundle (.attest.json).")
    private Path bundleFile = Path.of("");

    @Option(
            names = "--event",
            required = true,
            paramLabel = "<file>",
            description = "The event you hold: one CloudEvent in JSON, as it was sent.")
    private Path eventFile = Path.of("");

    @Option(
            names = "--ledger-key",
            required = true,
            paramLabel = "<vkey>",
            defaultValue = "${env:ATTESTREAM_LEDGER_KEY}",
            description = "Public key of the ledger you trust. Default: ATTESTREAM_LEDGER_KEY.")
    private String ledgerKey = "";

    @Option(
            names = "--witness-key",
            paramLabel = "<vkey>",
            description = "Key of a witness that must have cosigned; may be repeated.")
    private List<String> witnessKeys = List.of();

    @Option(names = "--explain", description = "Say what each check means.")
    private boolean explain;

    @Override
    public Integer call() {
        Output output = form.output();
        NoteVerifier key = Connection.parseKey(ledgerKey);
        List<NoteVerifier> witnesses =
                witnessKeys.stream().map(Connection::parseKey).toList();
        List<byte[]> lines = Events.lines(eventFile);
        byte[] event = lines.size() == 1 ? lines.get(0) : read(eventFile);
        CloudEvent parsed = Events.parse(event, eventFile.toString());
        BundleReport report = verify(key, witnesses, parsed);
        Report.print(output, report, explain);
        output.json(Report.json(report));
        return report.ok() ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
    }

    private BundleReport verify(NoteVerifier key, List<NoteVerifier> witnesses, CloudEvent event) {
        ProofBundle bundle;
        try {
            bundle = ProofBundle.parse(read(bundleFile));
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.VERIFICATION_FAILED,
                    bundleFile + " is no proof bundle: " + e.getMessage(),
                    "Fetch it again with attestream receipt … --save.");
        }
        return new BundleVerifier(key, key.keyName(), witnesses)
                .verify(bundle, new EventToCheck(event.attributes(), event.payload()));
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new CliException(ExitCode.ERROR, "cannot read " + file + ": " + e.getMessage(), "Check the path.");
        }
    }
}
