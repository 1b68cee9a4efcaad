// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.cli.Output.Tone;
import io.attestream.proofs.note.NoteVerifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What the demo came to.
 *
 * @param events in the input
 * @param accepted acknowledged when first sent
 * @param duplicates of an event before them in the ledger
 * @param conflicts with the identity of another event and other content
 * @param verified events whose proof held
 * @param misproved events whose proof did not hold: the grave ones among the others
 * @param failures in words, of events neither verified nor answered as expected when sent again
 * @param resentAdded event leaves more after sending everything again
 * @param resentUnlike events not answered as expected when sent again
 * @param latenciesMs from acknowledgement to publication, sorted
 */
record DemoResult(
        NoteVerifier key,
        int events,
        int accepted,
        int duplicates,
        int conflicts,
        NewestEpoch newest,
        int verified,
        int misproved,
        List<String> failures,
        long resentAdded,
        int resentUnlike,
        boolean tamperDetected,
        long[] latenciesMs) {
    private static final int FAILURES_SHOWN = 10;

    DemoResult {
        failures = List.copyOf(failures);
        latenciesMs = latenciesMs.clone();
    }

    boolean ok() {
        return accepted == events
                && verified == events
                && resentAdded == 0
                && resentUnlike == 0
                && failures.isEmpty()
                && tamperDetected;
    }

    int exitCode() {
        if (ok()) {
            return ExitCode.OK;
        }
        boolean proofsAreWrong = misproved > 0 || (verified > 0 && !tamperDetected);
        return proofsAreWrong ? ExitCode.VERIFICATION_FAILED : ExitCode.ERROR;
    }

    /** Nearest rank; 0 without any. */
    long percentileMs(int percent) {
        if (latenciesMs.length == 0) {
            return 0;
        }
        int rank = (int) Math.ceil(percent / 100.0 * latenciesMs.length);
        return latenciesMs[Math.max(0, rank - 1)];
    }

    private int failed() {
        return events - verified;
    }

    /** Its members are an interface: programs read them. */
    Map<String, Object> json() {
        return Output.object(
                "events", events,
                "accepted", accepted,
                "duplicates", duplicates,
                "leaves", newest.eventLeaves(),
                "epochs", newest.epochs(),
                "verified", verified,
                "failed", failed(),
                "resentAdded", resentAdded,
                "tamperDetected", tamperDetected,
                "acceptToPublishedMsP50", percentileMs(50),
                "acceptToPublishedMsP99", percentileMs(99),
                "ledgerKey", key.vkey(),
                "origin", key.keyName());
    }

    void print(Output output) {
        failures.stream().limit(FAILURES_SHOWN).forEach(failure -> output.say(Tone.BAD, "  FAILED  " + failure));
        if (failures.size() > FAILURES_SHOWN) {
            output.say(Tone.BAD, "  and " + (failures.size() - FAILURES_SHOWN) + " more");
        }
        output.print("");
        Output.table(rows()).forEach(output::print);
        output.print("");
        output.print("origin      " + key.keyName());
        output.print("ledger key  " + key.vkey());
        output.print("");
        output.print(
                ok()
                        ? output.paint(Tone.GOOD, "ALL OF IT HELD")
                        : output.paint(Tone.BAD, "NOT ALL OF IT HELD") + ": see above");
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(row("events", events));
        rows.add(row("duplicates", duplicates));
        if (conflicts > 0) {
            rows.add(row("conflicts", conflicts));
        }
        for (int shard = 0; shard < newest.heads().size(); shard++) {
            rows.add(List.of(
                    "leaves of shard " + shard, newest.heads().get(shard).size().toString()));
        }
        rows.add(row("epochs", newest.epochs()));
        rows.add(List.of("accept to published, p50", percentileMs(50) + " ms"));
        rows.add(List.of("accept to published, p99", percentileMs(99) + " ms"));
        rows.add(row("verified offline", verified));
        rows.add(row("failed", failed()));
        rows.add(row("added by sending again", resentAdded));
        rows.add(List.of("flipped byte found", tamperDetected ? "yes" : "NO"));
        return rows;
    }

    private static List<String> row(String name, long value) {
        return List.of(name, Long.toString(value));
    }
}
