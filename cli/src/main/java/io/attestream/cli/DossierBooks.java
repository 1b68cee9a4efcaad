// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.cli.DossierDecision.Line;
import io.attestream.cli.DossierManifest.Entry;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The product keeps its own books: the digest, path and commit of each file of evidence are an event of a ledger, and the proof that
 * it is there is kept beside the evidence. The event is made anew of the manifest when a proof is verified, so it proves this very
 * file and no other.
 */
final class DossierBooks {
    private static final String SOURCE = "/attestream/dossier";
    private static final String TYPE = "io.attestream.evidence.v1";
    private static final String PROOFS = "proofs";
    private static final String BUNDLE = "bundle";

    private DossierBooks() {}

    private static byte[] data(Entry entry) {
        return Jcs.encode(new JsonObject(Map.of(
                "commit", new JsonString(entry.commit()),
                "path", new JsonString(entry.path()),
                "sha256", new JsonString(entry.sha256()))));
    }

    /** Its id is the digest of its data: the same file of the same commit is logged once. */
    private static Map<String, String> attributes(Entry entry) {
        return Map.of(
                "specversion",
                "1.0",
                "id",
                DrillEvidence.sha256(data(entry)),
                "source",
                SOURCE,
                "type",
                TYPE,
                "datacontenttype",
                "application/json");
    }

    static byte[] event(Entry entry) {
        StringBuilder event = new StringBuilder("{");
        new TreeMap<>(attributes(entry))
                .forEach((name, value) -> event.append('"')
                        .append(name)
                        .append("\":\"")
                        .append(value)
                        .append("\","));
        return event.append("\"data\":")
                .append(new String(data(entry), StandardCharsets.UTF_8))
                .append('}')
                .toString()
                .getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Appends an event for each file, waits until all are published, and verifies every proof.
     *
     * @param sender may append
     * @param reader may read
     * @return the file that keeps the proofs
     */
    static byte[] record(List<Entry> files, Api sender, Api reader, NoteVerifier key, Duration timeout) {
        Map<Long, String> receipts = new HashMap<>();
        new Sender(sender).send(files.stream().map(DossierBooks::event).iterator(), (index, result) -> {
            String href = result.path("receipt").path("href").asText();
            if (href.isEmpty()) {
                throw new CliException(
                        ExitCode.ERROR,
                        "the ledger did not take the event of "
                                + files.get(Math.toIntExact(index)).path() + ": "
                                + result.path("problem")
                                        .path("detail")
                                        .asText(result.path("status").asText()),
                        "Run it again: an event is logged at most once.");
            }
            receipts.put(index, href);
        });
        List<JsonNode> bundles = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            JsonNode answer = ReceiptCommand.await(reader, receipts.getOrDefault((long) i, ""), timeout);
            String problem = problem(files.get(i), answer.path(BUNDLE), key);
            if (!problem.isEmpty()) {
                throw new CliException(
                        ExitCode.VERIFICATION_FAILED,
                        "the proof of " + files.get(i).path() + " does not verify: " + problem,
                        "Is --ledger-key the key of this ledger?");
            }
            bundles.add(answer.path(BUNDLE));
        }
        return file(files, bundles, key);
    }

    /** @param bundles of these files, in their order */
    static byte[] file(List<Entry> files, List<JsonNode> bundles, NoteVerifier key) {
        List<Map<String, Object>> proofs = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            proofs.add(Output.object("path", files.get(i).path(), BUNDLE, bundles.get(i)));
        }
        return DossierJson.write(Output.object("v", 1, "ledgerKey", key.vkey(), PROOFS, proofs));
    }

    /** A line for each file that has no good proof, or one for all. */
    static List<Line> judge(DossierCheck.Material material) throws IOException {
        NoteVerifier key = Connection.parseKey(material.policy().keys().ledger());
        Map<String, JsonNode> bundles = new HashMap<>();
        for (String file : material.files()) {
            for (JsonNode proof :
                    DossierJson.tree(Files.readAllBytes(material.path(file))).path(PROOFS)) {
                bundles.put(proof.path("path").asText(), proof.path(BUNDLE));
            }
        }
        List<Entry> recorded = recorded(material.manifest(), material.criterion());
        List<Line> lines = new ArrayList<>();
        for (Entry entry : recorded) {
            JsonNode bundle = bundles.get(entry.path());
            String problem = bundle == null ? "no proof" : problem(entry, bundle, key);
            if (!problem.isEmpty()) {
                lines.add(Line.of(entry.path(), entry.path(), "is an event of the ledger", problem, false));
            }
        }
        if (lines.isEmpty()) {
            lines.add(Line.of(
                    "proof bundles",
                    material.files().get(0),
                    "every other file of evidence is an event of ledger " + key.keyName(),
                    recorded.size() + " proofs verify",
                    !recorded.isEmpty()));
        }
        return lines;
    }

    /** All evidence but the proofs themselves. */
    static List<Entry> recorded(DossierManifest manifest, DossierPolicy.Criterion books) {
        return manifest.files().stream()
                .filter(entry -> !books.has(entry.path()))
                .toList();
    }

    /** Empty if it proves that this file was recorded. */
    private static String problem(Entry entry, JsonNode bundle, NoteVerifier key) {
        try {
            BundleReport report = new BundleVerifier(key, key.keyName(), List.of())
                    .verify(
                            ProofBundle.parse(bundle.toString().getBytes(StandardCharsets.UTF_8)),
                            new EventToCheck(attributes(entry), data(entry)));
            return report.ok()
                    ? ""
                    : report.firstFailure()
                            .map(check -> check.name() + ": " + check.detail())
                            .orElse("a check could not be made");
        } catch (InvalidFormat e) {
            return "no proof bundle: " + e.getMessage();
        }
    }
}
