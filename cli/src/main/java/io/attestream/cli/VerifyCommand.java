// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleReport.Check;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.Continuation;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.note.MlDsaVerifier;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.cloudevents.CloudEvent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Verifies a proof bundle. Opens no connection. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        header = "Verify offline that this very event is in the ledger.",
        description = {
            "Verifies a proof bundle with nothing but the ledger's public key; opens no connection. Prints every check"
                    + " that was made and every check that could not be made. Exit code 3 if it does not verify.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  attestream verify event.attest.json --event event.json \\",
            "      --ledger-key 'ledger.example.com/prod+1a2b3c4d+AX…' --explain",
            "",
            "  An event that was sent in binary mode: its body and its attributes.",
            "  attestream verify event.attest.json --event body.bin \\",
            "      --attribute specversion=1.0 --attribute id=42 \\",
            "      --attribute source=/orders --attribute type=order.placed \\",
            "      --attribute datacontenttype=application/json",
            "",
            "  An event whose payload was erased: its attributes.",
            "  attestream verify event.attest.json --event event.json \\",
            "      --without-payload"
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
            description =
                    "The event you hold, as it was sent: one CloudEvent in JSON, or a file with one a line that has"
                            + " it; with --attribute the raw payload.")
    private Path eventFile = Path.of("");

    @Option(
            names = "--attribute",
            paramLabel = "<name>=<value>",
            description = "CloudEvents attribute of a raw payload; give every one that was sent.")
    private Map<String, String> attributes = Map.of();

    @Option(
            names = "--without-payload",
            description =
                    "The payload was erased: verify all else, the attributes of --event and the digest's place in the log."
                            + " Without it, what has no payload does not verify.")
    private boolean withoutPayload;

    @Option(
            names = "--ledger-key",
            required = true,
            paramLabel = "<vkey>",
            defaultValue = "${env:ATTESTREAM_LEDGER_KEY}",
            description = "Public key of the ledger you trust, the first it had. Default: ATTESTREAM_LEDGER_KEY.")
    private String ledgerKey = "";

    @Option(
            names = "--keys",
            paramLabel = "<file>",
            description =
                    "History of the ledger's keys (attestream keys history --save), if they changed since the first.")
    private @Nullable Path keysFile;

    @Option(
            names = "--continued-by",
            paramLabel = "<file>",
            description =
                    "Newer checkpoint that continues the bundle's (attestream consistency <bundle> --save), if a newer key"
                            + " was announced behind it: who has the old one could have made the bundle since.")
    private @Nullable Path continuationFile;

    @Option(
            names = "--shards",
            paramLabel = "<n>",
            description = "Number of shards the ledger is known to have; a bundle that says otherwise fails.")
    private @Nullable Integer shards;

    @Option(
            names = "--witness-key",
            paramLabel = "<vkey>",
            description = "Key of a witness that must have cosigned; may be repeated.")
    private List<String> witnessKeys = List.of();

    @Option(
            names = "--ml-dsa-key",
            paramLabel = "<vkey>",
            description =
                    "ML-DSA-44 key the ledger must have signed the checkpoint with too (Java 24 or newer). Without it"
                            + " such a signature is ignored.")
    private @Nullable String mlDsaKey;

    @Option(names = "--explain", description = "Say in plain words what each check means.")
    private boolean explain;

    @Override
    public Integer call() {
        Output output = form.output();
        return form.reportingFailure("verified", () -> verify(output, verifier()));
    }

    private int verify(Output output, BundleVerifier verifier) {
        ProofBundle bundle = bundle();
        CloudEvent event = event(bundle);
        BundleReport report = withMlDsa(verifier.verify(bundle, toCheck(event)), bundle.note());
        Report readable = new Report(report, logged(bundle), withoutPayload);
        readable.print(output, explain);
        output.json(readable.json());
        return readable.ok() ? ExitCode.OK : ExitCode.VERIFICATION_FAILED;
    }

    private EventToCheck toCheck(CloudEvent event) {
        return withoutPayload
                ? EventToCheck.withoutPayload(event.attributes())
                : new EventToCheck(event.attributes(), event.payload());
    }

    /** One check more, if it was asked for. */
    private BundleReport withMlDsa(BundleReport report, String note) {
        if (mlDsaKey == null) {
            return report;
        }
        MlDsaVerifier key = MlDsaKeyOption.parse(mlDsaKey);
        List<Check> checks = new ArrayList<>(report.checks());
        checks.add(MlDsaKeyOption.check(key, note));
        return new BundleReport(checks);
    }

    private BundleVerifier verifier() {
        NoteVerifier key = Connection.parseKey(ledgerKey);
        List<NoteVerifier> witnesses =
                witnessKeys.stream().map(Connection::parseKey).toList();
        KeyHistory keys = keysFile == null ? KeyHistory.of(key) : LedgerKeys.kept(keysFile, key);
        BundleVerifier verifier = new BundleVerifier(keys, key.keyName(), witnesses);
        if (continuationFile != null) {
            verifier = verifier.continuedBy(continuation(continuationFile));
        }
        return shards == null ? verifier : verifier.expectingShards(shards);
    }

    private static Continuation continuation(Path file) {
        try {
            return Continuation.parse(LocalFiles.read(file));
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.VERIFICATION_FAILED,
                    file + " is no continuation: " + e.getMessage(),
                    "Fetch it again with attestream consistency <bundle> --save <file>.");
        }
    }

    private ProofBundle bundle() {
        try {
            return ProofBundle.parse(LocalFiles.read(bundleFile));
        } catch (InvalidFormat e) {
            throw new CliException(
                    ExitCode.VERIFICATION_FAILED,
                    bundleFile + " is no proof bundle: " + e.getMessage(),
                    "Fetch it again with attestream receipt … --save.");
        }
    }

    private CloudEvent event(ProofBundle bundle) {
        if (attributes.isEmpty()) {
            return Events.find(eventFile, logged(bundle));
        }
        return Events.ofRawPayload(attributes, eventFile);
    }

    /** The event the bundle is about; empty if it is about something else. */
    private static Optional<EntryView.Event> logged(ProofBundle bundle) {
        try {
            return CanonicalEntry.parse(bundle.entry()) instanceof EntryView.Event event
                    ? Optional.of(event)
                    : Optional.empty();
        } catch (InvalidFormat e) {
            return Optional.empty(); // the verifier says so
        }
    }
}
