// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.schemas.cloudevents.CloudEvent;
import io.attestream.schemas.cloudevents.EventResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** One event as a producer sends it, awaited and verified as an auditor does it: with the public key and nothing else. */
final class Canary {
    /** Of its events: whoever looks at a ledger can tell them. */
    static final String SOURCE = "/attestream/canary";

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    /** Who hangs for longer came to nothing, whatever it waits for. */
    private static final Duration LIMIT = TIMEOUT.plusSeconds(30);

    /** One gateway may be behind the other while they are started anew; not for longer. */
    private static final Duration LOST_AFTER = Duration.ofSeconds(10);

    private static final String NOT_FOUND = "urn:attestream:problem:not-found";
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int UNDER_WAY_MAX = 100;

    private final Api producer;
    private final Api auditor;
    private final KeyHistory keys;
    private final Duration timeout;
    private final Duration lostAfter;

    /** What came of it. */
    enum Outcome {
        VERIFIED,
        /** The token is the canary's own trouble: it says nothing of the ledger. */
        NOT_ALLOWED,
        /** Or nobody answered. */
        NOT_ACCEPTED,
        /** Accepted, and without a proof in time; or nothing came of it within the limit. */
        NOT_PROVED,
        /** Acknowledged with a receipt of which the ledger says, and goes on to say, that nothing was ever written there. */
        LOST,
        DOES_NOT_VERIFY
    }

    Canary(Api producer, Api auditor, KeyHistory keys) {
        this(producer, auditor, keys, TIMEOUT, LOST_AFTER);
    }

    /**
     * @param keys what is known of the ledger's, at least the first
     * @param timeout in which the proof has to come
     * @param lostAfter how long a receipt is to be unknown before its event is called lost; also when the time is up meanwhile
     */
    Canary(Api producer, Api auditor, KeyHistory keys, Duration timeout, Duration lostAfter) {
        this.producer = producer;
        this.auditor = auditor;
        this.keys = keys;
        this.timeout = timeout;
        this.lostAfter = lostAfter;
    }

    /** Is told what came of each. */
    interface Results {
        void came(Outcome outcome, long nanos);
    }

    /**
     * Sends one every so often, whatever became of those before: who waits for one that hangs sees nothing else meanwhile.
     *
     * @return what ends it when it is shut down
     */
    ExecutorService sendEvery(Duration interval, Results results) {
        return sendEvery(interval, LIMIT, results);
    }

    ExecutorService sendEvery(Duration interval, Duration limit, Results results) {
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(Canary::daemon);
        Executor senders =
                new ThreadPoolExecutor(0, UNDER_WAY_MAX, 1, TimeUnit.MINUTES, new SynchronousQueue<>(), Canary::daemon);
        var unused = clock.scheduleAtFixedRate(
                () -> sendOne(senders, limit, results), 0, interval.toMillis(), TimeUnit.MILLISECONDS);
        return clock;
    }

    private void sendOne(Executor senders, Duration limit, Results results) {
        long begunNanos = System.nanoTime();
        var unused =
                outcome(senders, limit).thenAccept(outcome -> results.came(outcome, System.nanoTime() - begunNanos));
    }

    /** Of one that is sent now; a bug is not taken for a proof, and does not end the sending. */
    private CompletableFuture<Outcome> outcome(Executor senders, Duration limit) {
        try {
            return CompletableFuture.supplyAsync(this::send, senders)
                    .completeOnTimeout(Outcome.NOT_PROVED, limit.toMillis(), TimeUnit.MILLISECONDS)
                    .exceptionally(any -> Outcome.NOT_PROVED);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.completedFuture(Outcome.NOT_PROVED); // so many hang already
        }
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "canary");
        thread.setDaemon(true);
        return thread;
    }

    Outcome send() {
        byte[] line = ("{\"specversion\":\"1.0\",\"id\":\"" + UUID.randomUUID() + "\",\"source\":\"" + SOURCE
                        + "\",\"type\":\"attestream.canary\",\"data\":{\"sent\":true}}")
                .getBytes(StandardCharsets.UTF_8);
        List<JsonNode> results = new ArrayList<>();
        try {
            producer.append(List.of(line), results::add);
        } catch (CliException e) {
            return e.exitCode() == ExitCode.AUTH ? Outcome.NOT_ALLOWED : Outcome.NOT_ACCEPTED;
        }
        String receipt = results.get(0).path("receipt").path("href").asText();
        if (receipt.isEmpty()) {
            return Outcome.NOT_ACCEPTED;
        }
        try {
            Api.Reply reply = await(receipt);
            if (reply.status() == 200) {
                return verifies(line, reply.json()) ? Outcome.VERIFIED : Outcome.DOES_NOT_VERIFY;
            }
            if (reply.status() == 401 || reply.status() == 403) {
                return Outcome.NOT_ALLOWED;
            }
            return isUnknown(reply) ? Outcome.LOST : Outcome.NOT_PROVED;
        } catch (CliException e) {
            return Outcome.NOT_PROVED;
        }
    }

    /** What is said of a receipt when it is final, or when the time is up; that it is unknown only when it was so for long enough. */
    private Api.Reply await(String receipt) {
        long deadline = System.nanoTime() + timeout.toNanos();
        long giveUp = deadline;
        boolean wasUnknown = false;
        while (true) {
            Api.Reply reply = auditor.get(receipt, "application/json");
            long now = System.nanoTime();
            boolean unknown = isUnknown(reply);
            if (unknown != wasUnknown) {
                giveUp = unknown ? now + lostAfter.toNanos() : deadline;
                wasUnknown = unknown;
            }
            boolean mayChange = unknown || reply.status() == 202 || reply.status() == 503;
            if (!mayChange || now > giveUp) {
                return reply;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** Whether the gateway itself says so: a proxy that knows no such path knows nothing of events. */
    private static boolean isUnknown(Api.Reply reply) {
        return reply.status() == 404
                && reply.header("Content-Type").orElse("").startsWith("application/problem+json")
                && reply.json().path("type").asText().equals(NOT_FOUND);
    }

    private boolean verifies(byte[] line, JsonNode answer) {
        try {
            ProofBundle bundle =
                    ProofBundle.parse(answer.path("bundle").toString().getBytes(StandardCharsets.UTF_8));
            CloudEvent event = ((EventResult.Accepted) Events.read(line)).event();
            return new BundleVerifier(LedgerKeys.told(auditor, keys))
                    .verify(bundle, new EventToCheck(event.attributes(), event.payload()))
                    .okUnlessSuperseded();
        } catch (InvalidFormat e) {
            return false;
        } catch (CliException e) {
            if (e.exitCode() == ExitCode.VERIFICATION_FAILED) {
                return false; // of the keys
            }
            throw e;
        }
    }
}
