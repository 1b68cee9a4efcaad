// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.quota.Quotas;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/** Appends events that were read and turns what the log says into results. */
final class Appender {
    /** In one request; events behind it that need a key are to be sent again. */
    private static final Duration KEYS_MAX = Duration.ofSeconds(10);

    private final EventLog log;
    private final LongSupplier nanoTime;
    private final int incarnation;
    private final Quotas.Account quota;

    Appender(EventLog log, int incarnation, Quotas.Account quota) {
        this(log, incarnation, quota, System::nanoTime);
    }

    Appender(EventLog log, int incarnation, Quotas.Account quota, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.log = log;
        this.quota = quota;
        this.incarnation = incarnation;
    }

    /**
     * Appends events in their order. Behind one that could not be sent none is: each would wait for the same brokers, or the same
     * keys, as long again, a full batch for a quarter of an hour. A key that is damaged is in nobody's way but its subject's.
     */
    List<CompletableFuture<ResultItem>> appendAll(List<Intake> intakes) {
        List<CompletableFuture<ResultItem>> results = new ArrayList<>(intakes.size());
        boolean sending = true;
        long begunNanos = nanoTime.getAsLong();
        for (int index = 0; index < intakes.size(); index++) {
            Intake intake = intakes.get(index);
            if (intake instanceof Intake.Keyed keyed && nanoTime.getAsLong() - begunNanos > KEYS_MAX.toNanos()) {
                intake = new Intake.KeyUnavailable(keyed.id(), false);
            }
            if (sending || intake instanceof Intake.Refused) {
                Attempt attempt = attempt(index, intake);
                sending &= attempt.isOfSubjectAlone() || !isUnavailable(attempt.result());
                results.add(attempt.result());
            } else {
                results.add(CompletableFuture.completedFuture(ResultItem.unavailable(
                        index, idOf(intake), ProblemCode.UNAVAILABLE, "an event before it could not be sent")));
            }
        }
        return results;
    }

    /** Of an event that was not refused. */
    static String idOf(Intake intake) {
        if (intake instanceof Intake.Ready ready) {
            return ready.id();
        }
        return intake instanceof Intake.Keyed keyed ? keyed.id() : ((Intake.KeyUnavailable) intake).id();
    }

    private static boolean isUnavailable(CompletableFuture<ResultItem> result) {
        return result.isDone() && result.join().status() == ResultItem.Status.UNAVAILABLE;
    }

    /**
     * Never completes exceptionally. May wait for the producer's buffer, and for the store of the keys: call it on a worker
     * thread.
     */
    CompletableFuture<ResultItem> append(int index, Intake intake) {
        return attempt(index, intake).result();
    }

    /** @param isOfSubjectAlone what it failed of, events about others do not */
    private record Attempt(CompletableFuture<ResultItem> result, boolean isOfSubjectAlone) {
        static Attempt of(CompletableFuture<ResultItem> result) {
            return new Attempt(result, false);
        }
    }

    private Attempt attempt(int index, Intake intake) {
        if (intake instanceof Intake.Keyed keyed) {
            return attemptKeyed(index, keyed);
        }
        if (!(intake instanceof Intake.Ready ready)) {
            return notSent(index, intake);
        }
        LogRecord record = ready.record();
        long bytes = (long) record.key().length + record.value().length;
        Optional<Problem> refused = quota.take(bytes);
        return Attempt.of(
                refused.isPresent() ? throttled(index, ready.id(), refused.get()) : send(index, ready, bytes));
    }

    /** No key is made for an event that no quota grants. */
    private Attempt attemptKeyed(int index, Intake.Keyed keyed) {
        Optional<Problem> refused = quota.take(keyed.sizeBytes());
        if (refused.isPresent()) {
            return Attempt.of(throttled(index, keyed.id(), refused.get()));
        }
        Intake made = keyed.making().get();
        if (made instanceof Intake.Ready ready) {
            return Attempt.of(send(index, ready, keyed.sizeBytes()));
        }
        quota.giveBack(keyed.sizeBytes());
        return notSent(index, made);
    }

    private static CompletableFuture<ResultItem> throttled(int index, String id, Problem refused) {
        return CompletableFuture.completedFuture(ResultItem.throttled(index, id, refused));
    }

    private static Attempt notSent(int index, Intake intake) {
        if (intake instanceof Intake.Refused refused) {
            return Attempt.of(
                    CompletableFuture.completedFuture(ResultItem.rejected(index, refused.id(), refused.problem())));
        }
        boolean isOfSubjectAlone = intake instanceof Intake.KeyUnavailable key && key.isOfSubjectAlone();
        String reason =
                isOfSubjectAlone ? "the payload keys of its subject cannot be used" : "the payload keys cannot be had";
        return new Attempt(
                CompletableFuture.completedFuture(
                        ResultItem.unavailable(index, idOf(intake), ProblemCode.UNAVAILABLE, reason)),
                isOfSubjectAlone);
    }

    private CompletableFuture<ResultItem> send(int index, Intake.Ready ready, long granted) {
        return log.append(ready.record()).thenApply(result -> {
            if (result instanceof AppendResult.NotWritten || result instanceof AppendResult.TooLarge) {
                quota.giveBack(granted);
            }
            return item(index, ready.id(), result);
        });
    }

    private ResultItem item(int index, String id, AppendResult result) {
        if (result instanceof AppendResult.Appended appended) {
            return ResultItem.accepted(index, id, new Receipt(incarnation, appended.shard(), appended.offset()));
        }
        if (result instanceof AppendResult.NotWritten notWritten) {
            return ResultItem.unavailable(index, id, ProblemCode.UNAVAILABLE, notWritten.reason());
        }
        if (result instanceof AppendResult.TooLarge tooLarge) {
            return ResultItem.rejected(index, id, Problem.of(ProblemCode.TOO_LARGE, tooLarge.reason(), "data"));
        }
        return ResultItem.unknown(index, id, ((AppendResult.Unknown) result).reason());
    }
}
