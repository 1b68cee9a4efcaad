// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.auth.AuthDecision;
import io.attestream.gateway.auth.BearerMechanism;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Counts results. All series exist from the start, so that a rate over them never begins with a gap. */
@Startup // So that all its series are there from the start.
@ApplicationScoped
public class IngestMetrics {
    /** Which runs at 200; higher runs earlier. What is refused for its form runs earlier still. */
    private static final int BEFORE_AUTHENTICATION = 9_000;

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
        /** Nothing was looked at: whose the token is could not be decided. */
        AUTHENTICATION_UNAVAILABLE,
        /** A bug, wherever it is. */
        INTERNAL,
        CONFLICT,
        QUOTA_EXCEEDED
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

    void onFilters(@Observes Filters filters) {
        filters.register(this::watch, BEFORE_AUTHENTICATION);
    }

    /** What no resource sees, because it is not reached or does not foresee it, is known when the answer begins. */
    private void watch(RoutingContext context) {
        HttpServerRequest request = context.request();
        if (request.method().equals(HttpMethod.POST) && request.path().matches("/v1/events/?")) {
            context.addHeadersEndHandler(any -> failure(context).ifPresent(reason -> increment(byReason.get(reason))));
        }
        context.next();
    }

    private static Optional<Reason> failure(RoutingContext context) {
        boolean isUndecided = BearerMechanism.decision(context)
                .filter(AuthDecision.Undecidable.class::isInstance)
                .isPresent();
        return context.response().getStatusCode() == 500
                ? Optional.of(Reason.INTERNAL)
                : isUndecided ? Optional.of(Reason.AUTHENTICATION_UNAVAILABLE) : Optional.empty();
    }

    /** A bug in a stream whose answer has begun: it has no status any more. */
    void countBrokenStream() {
        increment(byReason.get(Reason.INTERNAL));
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
            case THROTTLED -> Reason.QUOTA_EXCEEDED;
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
