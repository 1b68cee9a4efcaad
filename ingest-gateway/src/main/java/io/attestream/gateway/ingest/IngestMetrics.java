// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Counts results. All series exist from the start, so that a rate over them never begins with a gap. */
@Startup // So that all its series are there from the start.
@ApplicationScoped
public class IngestMetrics {
    private final Map<ResultItem.Status, Counter> byStatus = new EnumMap<>(ResultItem.Status.class);
    private final Map<Reason, Counter> byReason = new EnumMap<>(Reason.class);

    /** Why an event was not simply accepted: few enough for labels. */
    enum Reason {
        /** Or a request of which no event can be read. */
        INVALID_EVENT,
        TOO_LARGE,
        OVERLOADED,
        NOT_READY,
        BROKERS_UNAVAILABLE,
        NOT_ACKNOWLEDGED,
        CONFLICT
    }

    IngestMetrics(MeterRegistry metrics) {
        for (ResultItem.Status status : ResultItem.Status.values()) {
            byStatus.put(
                    status,
                    Counter.builder("attestream.ingest.events")
                            .description("Events by what they were answered")
                            .tag("status", status.word())
                            .register(metrics));
        }
        for (Reason reason : Reason.values()) {
            byReason.put(
                    reason,
                    Counter.builder("attestream.ingest.problems")
                            .description(
                                    "Events that were not simply accepted, and requests refused as a whole, by reason")
                            .tag("reason", reason.name().toLowerCase(Locale.ROOT))
                            .register(metrics));
        }
    }

    void count(ResultItem item) {
        increment(byStatus.get(item.status()));
        if (item.problem() != null) {
            increment(byReason.get(reasonOf(item)));
        }
    }

    /** Runs what a request begins with; a refusal is counted and goes on its way. */
    <T> T countingRefusals(Supplier<T> beginning) {
        try {
            return beginning.get();
        } catch (ProblemException e) {
            countRefusal(e);
            throw e;
        }
    }

    /** @param error why no event of a request was looked at, if that is so */
    void countRefusal(@Nullable Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        if (cause instanceof ProblemException refusal) {
            increment(byReason.get(reasonOf(refusal.problem())));
        }
    }

    private static Reason reasonOf(Problem problem) {
        return switch (problem.code()) {
            case "overloaded" -> Reason.OVERLOADED;
            case "not-ready" -> Reason.NOT_READY;
            case "too-large" -> Reason.TOO_LARGE;
            default -> Reason.INVALID_EVENT;
        };
    }

    private static Reason reasonOf(ResultItem item) {
        int status = item.problem() == null ? 0 : item.problem().status();
        return switch (item.status()) {
            case ACCEPTED, DUPLICATE -> Reason.CONFLICT;
            case REJECTED -> status == 413 ? Reason.TOO_LARGE : Reason.INVALID_EVENT;
            case UNKNOWN -> Reason.NOT_ACKNOWLEDGED;
            case UNAVAILABLE -> Reason.BROKERS_UNAVAILABLE;
        };
    }

    private static void increment(@Nullable Counter counter) {
        if (counter != null) {
            counter.increment();
        }
    }
}
