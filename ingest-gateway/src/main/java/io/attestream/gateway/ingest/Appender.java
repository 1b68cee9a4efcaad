// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.quota.Quotas;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Appends events that were read and turns what the log says into results. */
final class Appender {
    private final EventLog log;
    private final int incarnation;
    private final Quotas.Account quota;

    Appender(EventLog log, int incarnation, Quotas.Account quota) {
        this.log = log;
        this.quota = quota;
        this.incarnation = incarnation;
    }

    /**
     * Appends events in their order. Behind one that could not be sent none is: each would wait for the same brokers as
     * long again, a full batch for a quarter of an hour.
     */
    List<CompletableFuture<ResultItem>> appendAll(List<Intake> intakes) {
        List<CompletableFuture<ResultItem>> results = new ArrayList<>(intakes.size());
        boolean sending = true;
        for (int index = 0; index < intakes.size(); index++) {
            Intake intake = intakes.get(index);
            if (sending || intake instanceof Intake.Refused) {
                CompletableFuture<ResultItem> result = append(index, intake);
                sending &= !isUnavailable(result);
                results.add(result);
            } else {
                String id = ((Intake.Ready) intake).id();
                results.add(CompletableFuture.completedFuture(ResultItem.unavailable(
                        index, id, ProblemCode.UNAVAILABLE, "an event before it could not be sent")));
            }
        }
        return results;
    }

    private static boolean isUnavailable(CompletableFuture<ResultItem> result) {
        return result.isDone() && result.join().status() == ResultItem.Status.UNAVAILABLE;
    }

    /** Never completes exceptionally. May wait for the producer's buffer: call it on a worker thread. */
    CompletableFuture<ResultItem> append(int index, Intake intake) {
        if (intake instanceof Intake.Refused refused) {
            return CompletableFuture.completedFuture(ResultItem.rejected(index, refused.id(), refused.problem()));
        }
        Intake.Ready ready = (Intake.Ready) intake;
        LogRecord record = ready.record();
        long bytes = (long) record.key().length + record.value().length;
        Optional<Problem> refused = quota.take(bytes);
        if (refused.isPresent()) {
            return CompletableFuture.completedFuture(ResultItem.throttled(index, ready.id(), refused.get()));
        }
        return log.append(record).thenApply(result -> {
            if (result instanceof AppendResult.NotWritten || result instanceof AppendResult.TooLarge) {
                quota.giveBack(bytes);
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
