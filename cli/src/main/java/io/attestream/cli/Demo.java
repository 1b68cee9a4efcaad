// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.ledger.ShardHead;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.schemas.cloudevents.CloudEvent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The demo's steps, through the public API only. */
final class Demo {
    private static final Duration PUBLISHED_TIMEOUT = Duration.ofMinutes(2);
    private static final long POLL_NANOS = 10_000_000;

    private final Api ingester;
    private final Api auditor;
    private final NoteVerifier key;
    private final BundleVerifier verifier;
    private final Output output;

    Demo(Api ingester, Api auditor, NoteVerifier key, Output output) {
        this.ingester = ingester;
        this.auditor = auditor;
        this.key = key;
        this.verifier = new BundleVerifier(key);
        this.output = output;
    }

    /** An event on its way. */
    private static final class Sent {
        private final byte[] line;
        private String status = "unknown";
        private String href = "";
        private String problem = "";
        private int shard;
        private long offset = -1;
        private long acceptedNanos;
        private long publishedNanos = -1;

        Sent(byte[] line) {
            this.line = line;
        }

        boolean isAcknowledged() {
            return offset >= 0;
        }
    }

    /** What the ledger log says at its newest epoch. */
    private record Newest(long epoch, long eventLeaves, List<ShardHead> heads) {}

    Result run(List<byte[]> lines) {
        List<Sent> sent = send(lines, "sending events");
        awaitPublished(sent);
        Map<String, Integer> statuses = new LinkedHashMap<>();
        List<String> failures = new ArrayList<>();
        int verified = 0;
        int done = 0;
        @Nullable ProofBundle toTamper = null;
        @Nullable CloudEvent tampered = null;
        for (Sent event : sent) {
            CloudEvent held = Events.parse(event.line, "event " + (done + 1));
            JsonNode receipt = receipt(event);
            String status = receipt.path("status").asText("unknown");
            statuses.merge(status, 1, Integer::sum);
            ProofBundle bundle = bundle(receipt);
            if (bundle == null) {
                failures.add("event " + (done + 1) + ": " + status + " "
                        + receipt.path("reason").asText(""));
            } else {
                BundleReport report = verify(bundle, held);
                if (report.ok()) {
                    verified++;
                    if (held.payload().length > 0) {
                        toTamper = bundle;
                        tampered = held;
                    }
                } else {
                    failures.add("event " + (done + 1) + ": "
                            + report.firstFailure().map(Object::toString).orElse("unproved"));
                }
            }
            output.progress("verifying offline", ++done, sent.size());
        }
        Newest before = newest();
        Newest after = resend(lines);
        boolean tamperDetected = toTamper != null && tampered != null && showTamper(toTamper, tampered);
        return new Result(
                key,
                lines.size(),
                (int) sent.stream().filter(Sent::isAcknowledged).count(),
                statuses.getOrDefault("duplicate", 0),
                after,
                verified,
                failures,
                after.eventLeaves() - before.eventLeaves(),
                tamperDetected,
                latencies(sent));
    }

    private List<Sent> send(List<byte[]> lines, String what) {
        List<Sent> sent = lines.stream().map(Sent::new).toList();
        int[] done = {0};
        ingester.append(lines, result -> {
            Sent event = sent.get(result.path("index").asInt(done[0]));
            event.status = result.path("status").asText();
            event.acceptedNanos = System.nanoTime();
            event.problem = result.path("problem").path("detail").asText("");
            if (result.has("receipt")) {
                event.shard = result.path("receipt").path("shard").asInt();
                event.offset = result.path("receipt").path("offset").asLong();
                event.href = result.path("receipt").path("href").asText();
            }
            output.progress(what, ++done[0], lines.size());
        });
        return sent;
    }

    /** Watches the epochs: an event is published with the first one whose head of its shard went past its offset. */
    private void awaitPublished(List<Sent> sent) {
        long deadline = System.nanoTime() + PUBLISHED_TIMEOUT.toNanos();
        long acknowledged = sent.stream().filter(Sent::isAcknowledged).count();
        long published = 0;
        while (published < acknowledged) {
            if (System.nanoTime() > deadline) {
                throw new CliException(
                        ExitCode.UNAVAILABLE,
                        published + " of " + acknowledged + " events were published within "
                                + PUBLISHED_TIMEOUT.toSeconds() + " s",
                        "Look into the logs of processors and checkpointer.");
            }
            Newest newest = newest();
            long now = System.nanoTime();
            for (Sent event : sent) {
                if (event.isAcknowledged() && event.publishedNanos < 0 && isCovered(event, newest)) {
                    event.publishedNanos = now;
                    published++;
                }
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        output.progress("published", published, acknowledged);
    }

    private static boolean isCovered(Sent event, Newest newest) {
        return event.shard < newest.heads().size()
                && newest.heads().get(event.shard).nextOffset() > event.offset;
    }

    private Newest newest() {
        Api.Reply reply = auditor.get("/v1/epochs/latest", "application/json");
        if (reply.status() == 404) {
            return new Newest(-1, 0, List.of());
        }
        JsonNode epoch = Api.good("GET /v1/epochs/latest", reply).json();
        List<ShardHead> heads = new ArrayList<>();
        try {
            for (JsonNode head : epoch.path("heads")) {
                heads.add(ShardHead.parse(Base64.getDecoder().decode(head.asText())));
            }
        } catch (InvalidFormat e) {
            throw Checkpoints.failed(
                    "epoch " + epoch.path("epoch") + " has a head that cannot be read: " + e.getMessage());
        }
        return new Newest(
                epoch.path("epoch").asLong(),
                epoch.path("leaf").path("counts").path("events").asLong(),
                heads);
    }

    private JsonNode receipt(Sent event) {
        return event.isAcknowledged()
                ? ReceiptCommand.await(auditor, event.href, PUBLISHED_TIMEOUT)
                : com.fasterxml.jackson.databind.node.JsonNodeFactory.instance
                        .objectNode()
                        .put("status", event.status)
                        .put("reason", event.problem);
    }

    private static @Nullable ProofBundle bundle(JsonNode receipt) {
        if (!receipt.has("bundle")) {
            return null;
        }
        try {
            return ProofBundle.parse(receipt.path("bundle").toString().getBytes(StandardCharsets.UTF_8));
        } catch (InvalidFormat e) {
            throw Checkpoints.failed("a proof bundle cannot be read: " + e.getMessage());
        }
    }

    private BundleReport verify(ProofBundle bundle, CloudEvent event) {
        return verifier.verify(bundle, new EventToCheck(event.attributes(), event.payload()));
    }

    /** Sends everything again and waits until each of it is decided; then nothing may have been added. */
    private Newest resend(List<byte[]> lines) {
        List<Sent> again = send(lines, "sending all again");
        awaitPublished(again);
        return newest();
    }

    private boolean showTamper(ProofBundle bundle, CloudEvent event) {
        byte[] flipped = event.payload().clone();
        flipped[flipped.length / 2] ^= 1;
        BundleReport report = verifier.verify(bundle, new EventToCheck(event.attributes(), flipped));
        boolean detected = !report.ok()
                && report.firstFailure()
                        .filter(check -> check.name().equals(BundleVerifier.PAYLOAD_DIGEST))
                        .isPresent();
        output.say("One bit of byte " + flipped.length / 2 + " of event " + event.id() + " was flipped:");
        report.checks()
                .forEach(check -> output.say("  " + check.outcome() + "  " + check.name() + "  " + check.detail()));
        return detected;
    }

    private static long[] latencies(List<Sent> sent) {
        return sent.stream()
                .filter(event -> event.publishedNanos >= 0)
                .mapToLong(event -> Math.max(0, event.publishedNanos - event.acceptedNanos) / 1_000_000)
                .sorted()
                .toArray();
    }

    /** What the demo came to. */
    record Result(
            NoteVerifier key,
            int events,
            int accepted,
            int duplicates,
            Newest newest,
            int verified,
            List<String> failures,
            long resentAdded,
            boolean tamperDetected,
            long[] latenciesMs) {
        boolean ok() {
            return failures.isEmpty() && verified == events && accepted == events && resentAdded == 0 && tamperDetected;
        }

        int exitCode() {
            if (ok()) {
                return ExitCode.OK;
            }
            return failures.isEmpty() && tamperDetected ? ExitCode.ERROR : ExitCode.VERIFICATION_FAILED;
        }

        private long percentile(int percent) {
            if (latenciesMs.length == 0) {
                return 0;
            }
            int rank = (int) Math.ceil(percent / 100.0 * latenciesMs.length);
            return latenciesMs[Math.max(0, rank - 1)];
        }

        Map<String, Object> json() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("events", events);
            json.put("accepted", accepted);
            json.put("duplicates", duplicates);
            json.put("leaves", newest.eventLeaves());
            json.put("epochs", newest.epoch() + 1);
            json.put("verified", verified);
            json.put("failed", failures.size());
            json.put("resentAdded", resentAdded);
            json.put("tamperDetected", tamperDetected);
            json.put("acceptToPublishedMsP50", percentile(50));
            json.put("acceptToPublishedMsP99", percentile(99));
            json.put("ledgerKey", key.vkey());
            json.put("origin", key.keyName());
            return json;
        }

        void print(Output output) {
            failures.stream().limit(10).forEach(failure -> output.say("FAILED  " + failure));
            String perShard = String.join(
                    " ",
                    newest.heads().stream().map(head -> head.size().toString()).toList());
            List<List<String>> rows = List.of(
                    List.of("events", Integer.toString(events)),
                    List.of("accepted", Integer.toString(accepted)),
                    List.of("duplicates", Integer.toString(duplicates)),
                    List.of("event leaves", Long.toString(newest.eventLeaves())),
                    List.of("leaves per shard", perShard),
                    List.of("epochs", Long.toString(newest.epoch() + 1)),
                    List.of("accept to published", "p50 " + percentile(50) + " ms, p99 " + percentile(99) + " ms"),
                    List.of("verified offline", Integer.toString(verified)),
                    List.of("failed", Integer.toString(failures.size())),
                    List.of("added by sending again", Long.toString(resentAdded)),
                    List.of("flipped bit found", tamperDetected ? "yes" : "NO"),
                    List.of("ledger key", key.vkey()));
            output.print("");
            Output.table(rows).forEach(output::print);
            output.print("");
            output.print(ok() ? output.good("ALL OF IT HELD") : output.bad("SOMETHING DID NOT HOLD"));
        }
    }
}
