// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.cli.Output.Tone;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleReport.Check;
import io.attestream.proofs.ledger.BundleReport.Outcome;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.EventResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;

/** The demo's steps on a running cluster, through the public API only. */
final class Demo {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int READERS_MAX = 8;
    private static final String CONFLICT = "conflict";
    private static final String DUPLICATE = "duplicate";

    private final Api ingester;
    private final Api auditor;
    private final NoteVerifier key;
    private final BundleVerifier verifier;
    private final Output output;
    private final AtomicReference<Proved> proved = new AtomicReference<>();
    private String step = "start";

    /** @param shards of the ledger: with the public key all that verification knows of it */
    Demo(Api ingester, Api auditor, NoteVerifier key, int shards, Output output) {
        this.ingester = ingester;
        this.auditor = auditor;
        this.key = key;
        this.verifier = new BundleVerifier(key).expectingShards(shards);
        this.output = output;
    }

    /** What became of one event. */
    private record Fate(String status, Optional<String> failure, boolean misproved) {
        static Fate good(String status) {
            return new Fate(status, Optional.empty(), false);
        }

        static Fate notLogged(String status, String why) {
            return new Fate(status, Optional.of(why), false);
        }

        static Fate notProved(String status, String why) {
            return new Fate(status, Optional.of(why), true);
        }
    }

    /** An event whose proof held. */
    private record Proved(ProofBundle bundle, CloudEvent event) {
        boolean hasPayload() {
            return event.payload().length > 0;
        }
    }

    /** The step it is at. */
    String step() {
        return step;
    }

    private void begin(String name) {
        step = name;
        output.say(Tone.STRONG, name);
    }

    DemoResult run(List<byte[]> lines) {
        begin("Sending " + lines.size() + " events and waiting until all are published");
        List<SentEvent> sent = sendAll(lines);

        begin("Verifying every proof offline, with only the public key and the event's own bytes");
        List<Fate> fates = inParallel("verified", sent.size(), index -> prove(sent.get(index)));
        NewestEpoch before = NewestEpoch.fetch(auditor);

        begin("Sending everything again: nothing may be added");
        List<SentEvent> again = sendAll(lines);
        List<String> againStatuses = inParallel("looked up", again.size(), index -> status(again.get(index)));
        NewestEpoch after = NewestEpoch.fetch(auditor);

        begin("Flipping one byte of one event: its proof must fail");
        boolean tamperDetected = showTamper();
        return result(sent, fates, againStatuses, before, after, tamperDetected);
    }

    private List<SentEvent> sendAll(List<byte[]> lines) {
        List<SentEvent> sent = lines.stream().map(SentEvent::new).toList();
        try (PublicationWatch watch = new PublicationWatch(auditor)) {
            int[] answered = {0};
            new Sender(ingester).send(lines.iterator(), (index, result) -> {
                SentEvent event = sent.get((int) index);
                event.answered(result, System.nanoTime());
                if (event.isAcknowledged()) {
                    watch.acknowledged(event);
                }
                output.progress("acknowledged", ++answered[0], lines.size());
            });
            watch.await(PATIENCE, output, "published");
        }
        return sent;
    }

    // ---- verification

    private Fate prove(SentEvent sent) {
        if (!sent.isAcknowledged()) {
            return Fate.notLogged("refused", sent.refusal());
        }
        JsonNode receipt = ReceiptCommand.await(auditor, sent.href(), PATIENCE);
        String status = receipt.path("status").asText("unknown");
        if (!receipt.has("bundle")) {
            return Fate.notLogged(status, status + " " + receipt.path("reason").asText(""));
        }
        EventResult held = Events.read(sent.line());
        if (!(held instanceof EventResult.Accepted accepted)) {
            return Fate.notProved(status, "acknowledged, but it is no valid event");
        }
        return verify(status, receipt, accepted.event());
    }

    private Fate verify(String status, JsonNode receipt, CloudEvent event) {
        ProofBundle bundle;
        try {
            bundle = ProofBundle.parse(receipt.path("bundle").toString().getBytes(StandardCharsets.UTF_8));
        } catch (InvalidFormat e) {
            return Fate.notProved(status, "its bundle cannot be read: " + e.getMessage());
        }
        BundleReport report = check(bundle, event.attributes(), event.payload());
        if (!report.ok()) {
            return Fate.notProved(status, firstFailure(report));
        }
        Proved one = new Proved(bundle, event);
        proved.accumulateAndGet(one, (kept, given) -> kept != null && kept.hasPayload() ? kept : given);
        return Fate.good(status);
    }

    private BundleReport check(ProofBundle bundle, Map<String, String> attributes, byte[] payload) {
        return verifier.verify(bundle, new EventToCheck(attributes, payload));
    }

    private static String firstFailure(BundleReport report) {
        return report.firstFailure()
                .map(check -> check.name() + ": " + check.detail())
                .orElse("a check that is needed could not be made");
    }

    /** What became of an event that was sent again. */
    private String status(SentEvent sent) {
        return sent.isAcknowledged()
                ? ReceiptCommand.await(auditor, sent.href(), PATIENCE)
                        .path("status")
                        .asText("unknown")
                : sent.refusal();
    }

    private <T> List<T> inParallel(String what, int count, IntFunction<T> work) {
        int threads = Math.min(READERS_MAX, 2 * Runtime.getRuntime().availableProcessors());
        ExecutorService readers = Executors.newFixedThreadPool(threads);
        try {
            AtomicInteger done = new AtomicInteger();
            List<Future<T>> results = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int index = i;
                results.add(readers.submit(() -> {
                    T result = work.apply(index);
                    output.progress(what, done.incrementAndGet(), count);
                    return result;
                }));
            }
            List<T> all = new ArrayList<>();
            for (Future<T> result : results) {
                all.add(result.get());
            }
            return all;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof CliException expected ? expected : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.ERROR, "interrupted", "");
        } finally {
            readers.shutdownNow();
        }
    }

    // ---- the flipped byte

    private boolean showTamper() {
        Proved one = proved.get();
        if (one == null) {
            output.say(Tone.BAD, "  no event was proved: nothing to flip a byte of");
            return false;
        }
        String where;
        String expected;
        byte[] payload = one.event().payload().clone();
        Map<String, String> attributes = new HashMap<>(one.event().attributes());
        if (one.hasPayload()) {
            int at = payload.length / 2;
            payload[at] ^= 1;
            where = "byte " + at + " of the payload";
            expected = BundleVerifier.PAYLOAD_DIGEST;
        } else {
            attributes.computeIfPresent("type", (name, type) -> flipped(type));
            where = "the last byte of its type";
            expected = BundleVerifier.EVENT_ATTRIBUTES;
        }
        BundleReport report = check(one.bundle(), attributes, payload);
        output.say("  event " + one.event().id() + ", " + where + ":");
        for (Check check : report.checks()) {
            if (check.outcome() != Outcome.NOT_MADE) {
                boolean failed = check.outcome() == Outcome.FAILED;
                output.say(
                        failed ? Tone.BAD : Tone.QUIET,
                        "    "
                                + (failed
                                        ? "FAILED  " + check.name() + ": " + check.detail()
                                        : "ok      " + check.name()));
            }
        }
        return !report.ok()
                && report.firstFailure()
                        .filter(check -> check.name().equals(expected))
                        .isPresent();
    }

    private static String flipped(String text) {
        int last = text.length() - 1;
        return text.substring(0, last) + (text.charAt(last) == 'x' ? 'y' : 'x');
    }

    // ---- the sum

    private DemoResult result(
            List<SentEvent> sent,
            List<Fate> fates,
            List<String> againStatuses,
            NewestEpoch before,
            NewestEpoch after,
            boolean tamperDetected) {
        List<String> failures = new ArrayList<>();
        int unlikeBefore = 0;
        for (int i = 0; i < fates.size(); i++) {
            int number = i + 1;
            Fate fate = fates.get(i);
            fate.failure().ifPresent(why -> failures.add("event " + number + ": " + why));
            // A conflict is one again each time; everything else that was taken is a duplicate now.
            String expected = fate.status().equals(CONFLICT) ? CONFLICT : DUPLICATE;
            if (sent.get(i).isAcknowledged() && !againStatuses.get(i).equals(expected)) {
                unlikeBefore++;
                failures.add("event " + number + " sent again: " + againStatuses.get(i) + ", not " + expected);
            }
        }
        return new DemoResult(
                key,
                fates.size(),
                (int) sent.stream().filter(SentEvent::isAcknowledged).count(),
                count(fates, DUPLICATE),
                count(fates, CONFLICT),
                after,
                (int) fates.stream().filter(fate -> fate.failure().isEmpty()).count(),
                (int) fates.stream().filter(Fate::misproved).count(),
                failures,
                after.eventLeaves() - before.eventLeaves(),
                unlikeBefore,
                tamperDetected,
                sent.stream()
                        .filter(SentEvent::isPublished)
                        .mapToLong(SentEvent::acceptToPublishedMillis)
                        .sorted()
                        .toArray());
    }

    private static int count(List<Fate> fates, String status) {
        return (int) fates.stream().filter(fate -> fate.status().equals(status)).count();
    }
}
