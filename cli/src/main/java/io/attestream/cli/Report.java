// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleReport.Check;
import io.attestream.proofs.ledger.BundleVerifier;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A verification for people and for programs. */
final class Report {
    private static final Map<String, String> EXPLANATIONS = Map.of(
            BundleVerifier.ENTRY_PARSES,
            "The entry is the exact line that was logged. It must be canonical, so that it can be read in one way only.",
            BundleVerifier.EVENT_ATTRIBUTES,
            "Every attribute of your event must be in the entry, and nothing else.",
            BundleVerifier.PAYLOAD_DIGEST,
            "The entry commits to the payload by a digest under a random salt. Recomputed from your payload, it must be equal.",
            BundleVerifier.LEAF_INCLUSION,
            "Hashing the entry up its path must give the root of the shard's tree.",
            BundleVerifier.HEAD_PARSES,
            "The shard head states the shard's size and root.",
            BundleVerifier.VECTOR_INCLUSION,
            "Hashing the shard head up its path must give the root the epoch has for all shards.",
            BundleVerifier.EPOCH_LEAF_PARSES,
            "The epoch leaf is one line of the ledger log.",
            BundleVerifier.LEDGER_INCLUSION,
            "Hashing the epoch leaf up its path must give the root in the signed checkpoint.",
            BundleVerifier.NOTE_SIGNATURE,
            "The checkpoint must carry a signature of the ledger key you trust, for this very ledger.",
            BundleVerifier.WITNESS_COSIGNATURES,
            "Witnesses attest that they saw the same history. Without them the operator alone vouches that there is only one.");

    private Report() {}

    static void print(Output output, BundleReport report, boolean explain) {
        List<List<String>> rows = new ArrayList<>();
        for (Check check : report.checks()) {
            rows.add(List.of(word(check), check.name(), check.detail()));
        }
        List<String> lines = Output.table(rows);
        for (int i = 0; i < lines.size(); i++) {
            Check check = report.checks().get(i);
            output.print(coloured(output, check, lines.get(i)));
            if (explain) {
                output.print(output.dim("            " + EXPLANATIONS.getOrDefault(check.name(), "")));
            }
        }
        output.print("");
        output.print(
                report.ok()
                        ? output.good("VERIFIED") + ": the event is in the ledger, unchanged."
                        : output.bad("NOT VERIFIED")
                                + report.firstFailure()
                                        .map(check -> " at " + check.name() + ": " + check.detail())
                                        .orElse(": a check that is needed could not be made."));
    }

    static Map<String, Object> json(BundleReport report) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("verified", report.ok());
        json.put(
                "checks",
                report.checks().stream()
                        .map(check -> Map.of(
                                "name", check.name(),
                                "outcome",
                                        check.outcome()
                                                .name()
                                                .toLowerCase(java.util.Locale.ROOT)
                                                .replace('_', '-'),
                                "detail", check.detail()))
                        .toList());
        return json;
    }

    private static String word(Check check) {
        return switch (check.outcome()) {
            case PASSED -> "ok";
            case FAILED -> "FAILED";
            case NOT_MADE -> "not made";
        };
    }

    private static String coloured(Output output, Check check, String line) {
        return switch (check.outcome()) {
            case PASSED -> output.good(line);
            case FAILED -> output.bad(line);
            case NOT_MADE -> output.dim(line);
        };
    }
}
