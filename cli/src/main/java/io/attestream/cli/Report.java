// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.Output.Tone;
import io.attestream.proofs.entry.EntryKind;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleReport.Check;
import io.attestream.proofs.ledger.BundleReport.Outcome;
import io.attestream.proofs.ledger.BundleVerifier;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A verification for people and for programs.
 *
 * @param logged what the bundle is about, if that can be read
 * @param withoutPayload whether it is enough that all but the payload verifies
 */
record Report(BundleReport report, Optional<EntryView.Event> logged, boolean withoutPayload) {
    private static final int NAME_WIDTH = 23;

    private static final Map<String, String> EXPLANATIONS = Map.ofEntries(
            Map.entry(
                    BundleVerifier.ENTRY_PARSES,
                    "The entry is the exact line that was logged. It must be canonical: then it can be read in one way only."),
            Map.entry(
                    BundleVerifier.EVENT_ATTRIBUTES,
                    "Every attribute of your event must be in the entry with the same value, and no other."),
            Map.entry(
                    BundleVerifier.PAYLOAD_DIGEST,
                    "The entry commits to the payload by a digest under a random salt. Yours must give the same digest."),
            Map.entry(
                    BundleVerifier.LEAF_INCLUSION,
                    "Hashing the entry up its path must end in the root of its shard's tree."),
            Map.entry(BundleVerifier.HEAD_PARSES, "The shard head says how many leaves the shard has, and their root."),
            Map.entry(
                    BundleVerifier.VECTOR_INCLUSION,
                    "Hashing the shard head up its path must end in the root that the epoch has over all shards."),
            Map.entry(
                    BundleVerifier.EPOCH_LEAF_PARSES,
                    "The epoch leaf is one line of the ledger log: the state of all shards at one moment."),
            Map.entry(
                    BundleVerifier.LEDGER_INCLUSION,
                    "Hashing the epoch leaf up its path must end in the root of the signed checkpoint."),
            Map.entry(
                    BundleVerifier.NOTE_SIGNATURE,
                    "The checkpoint must be signed by the key you trust, for this very ledger."),
            Map.entry(
                    BundleVerifier.CURRENT_KEY,
                    "A key that was replaced may be in other hands by now: what it signed has to be continued by what the newest one signed."),
            Map.entry(
                    MlDsaKeyOption.CHECK,
                    "The checkpoint must carry a signature of this key too, which no quantum computer forges."),
            Map.entry(
                    BundleVerifier.WITNESS_COSIGNATURES,
                    "A witness attests that it saw the same history. Without one, only the operator says that there is one history."));

    boolean ok() {
        return withoutPayload ? report.okWithoutPayload() : report.ok();
    }

    void print(Output output, boolean explain) {
        for (Check check : report.checks()) {
            output.print(output.paint(tone(check), String.format("%-8s", word(check))) + "  "
                    + String.format("%-" + NAME_WIDTH + "s", check.name()) + "  " + check.detail());
            if (explain) {
                output.print("          " + output.paint(Tone.QUIET, EXPLANATIONS.getOrDefault(check.name(), "")));
            }
        }
        output.print("");
        output.print(verdict(output));
    }

    private String verdict(Output output) {
        if (!ok()) {
            return output.paint(Tone.BAD, "NOT VERIFIED")
                    + report.firstFailure()
                            .map(check -> ": " + check.name() + ": " + check.detail())
                            .orElseGet(() -> ": " + missing() + " could not be made, and is needed");
        }
        String verified = output.paint(Tone.GOOD, "VERIFIED")
                + (report.ok()
                        ? ": the event is in the ledger, unchanged"
                        : ": an event with these attributes is in the ledger, unchanged; its payload was not compared");
        return conflictWith()
                .map(first -> verified + "; as a conflict: leaf " + first
                        + " of the same shard has the same identity with other content")
                .orElse(verified);
    }

    private String missing() {
        return report.checks().stream()
                .filter(check -> check.outcome() == Outcome.NOT_MADE)
                .map(Check::name)
                .filter(name -> !name.equals(BundleVerifier.WITNESS_COSIGNATURES))
                .filter(name -> !withoutPayload || !name.equals(BundleVerifier.PAYLOAD_DIGEST))
                .collect(Collectors.joining(", "));
    }

    private Optional<String> conflictWith() {
        return logged.filter(event -> event.kind() == EntryKind.CONFLICT)
                .flatMap(EntryView.Event::ref)
                .map(Object::toString);
    }

    Map<String, Object> json() {
        return Output.object(
                "verified",
                ok(),
                "kind",
                logged.map(event -> event.kind().word()).orElse("unknown"),
                "checks",
                report.checks().stream()
                        .map(check -> Output.object(
                                "name",
                                check.name(),
                                "outcome",
                                check.outcome().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                                "detail",
                                check.detail()))
                        .toList());
    }

    private static String word(Check check) {
        return switch (check.outcome()) {
            case PASSED -> "ok";
            case FAILED -> "FAILED";
            case NOT_MADE -> "not made";
        };
    }

    private static Tone tone(Check check) {
        return switch (check.outcome()) {
            case PASSED -> Tone.GOOD;
            case FAILED -> Tone.BAD;
            case NOT_MADE -> Tone.WARNING;
        };
    }
}
