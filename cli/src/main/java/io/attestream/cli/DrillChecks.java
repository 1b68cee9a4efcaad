// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.checkpointer.ArchiveCheck;
import io.attestream.cli.DrillCheck.Outcome;
import io.attestream.cli.DrillCheck.Result;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.schemas.cloudevents.EventResult;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/** Makes the checks of a drill one by one. One that fails ends none of the others. */
final class DrillChecks {
    private final DrillScene scene;
    private final Consumer<Result> listener;

    /** Ends a check that failed. */
    static final class Failed extends Exception {
        private static final long serialVersionUID = 1L;

        Failed(String detail) {
            super(detail, null, false, false);
        }
    }

    DrillChecks(DrillScene scene, Consumer<Result> listener) {
        this.scene = scene;
        this.listener = listener;
    }

    /** @param look returns what was seen; whatever it throws fails the check */
    void run(DrillCheck check, Callable<String> look) {
        long begun = System.nanoTime();
        Outcome outcome;
        String detail;
        try {
            detail = look.call();
            outcome = Outcome.PASSED;
        } catch (Exception e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            detail = e instanceof Failed || e instanceof CliException ? String.valueOf(e.getMessage()) : e.toString();
            outcome = Outcome.FAILED;
        }
        listener.accept(new Result(check, outcome, detail, (System.nanoTime() - begun) / 1_000_000));
    }

    static ProofBundle parse(String json) throws Failed {
        try {
            return ProofBundle.parse(json.getBytes(StandardCharsets.UTF_8));
        } catch (InvalidFormat e) {
            throw new Failed("there is no bundle that can be read: " + e.getMessage());
        }
    }

    /** With the trusted key and the event's own bytes. */
    void requireProves(ProofBundle bundle, byte[] line) throws Failed {
        if (!(Events.read(line) instanceof EventResult.Accepted sent)) {
            throw new Failed("the event cannot be read");
        }
        EventToCheck event =
                new EventToCheck(sent.event().attributes(), sent.event().payload());
        BundleReport report = new BundleVerifier(scene.key())
                .expectingShards(scene.cluster().shards())
                .verify(bundle, event);
        if (!report.ok()) {
            throw new Failed(report.firstFailure()
                    .map(failure -> failure.name() + ": " + failure.detail())
                    .orElse("a check of its bundle could not be made"));
        }
    }

    /** What a look at every object of the archive came to. */
    static String archived(ArchiveCheck.Result result) throws Failed {
        if (!(result instanceof ArchiveCheck.Result.Checked checked)) {
            throw new Failed(((ArchiveCheck.Result.Undecided) result).detail());
        }
        ArchiveCheck.Report report = checked.report();
        if (report.found() > 0) {
            throw new Failed(first(report.findings(), report.found()));
        }
        return report.leaves() + " leaves and " + report.payloads() + " payloads of " + report.epochs() + " epochs";
    }

    static String first(List<ArchiveCheck.Finding> findings, long found) {
        ArchiveCheck.Finding first = findings.get(0);
        return found + " found; first " + first.object() + ": expected " + first.expected() + ", actual "
                + first.actual();
    }
}
