// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.annotation.JsonValue;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The result of one event of a request.
 *
 * @param index place in the request, from 0
 * @param id the event's id, as far as it could be read
 * @param retryable whether the same event may be sent again with hope; a retry never makes a second leaf
 * @param receipt where the event went, if it was written; for a duplicate, where this copy went
 * @param problem why it was not accepted, or what is unusual about it
 * @param published what it became, if the caller waited for publication
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonPropertyOrder({"index", "id", "status", "retryable", "receipt", "problem", "published"})
public record ResultItem(
        int index,
        @Nullable String id,
        Status status,
        boolean retryable,
        @Nullable Receipt receipt,
        @Nullable Problem problem,
        @Nullable Published published) {
    /** What became of an event, as far as it is known when the answer is written. */
    public enum Status {
        /** Acknowledged by the brokers: it will be a leaf, a duplicate of one, or a conflict. */
        ACCEPTED,
        /** Acknowledged, and the same event is already a leaf. Known only when the caller waited. */
        DUPLICATE,
        /** Not written and never will be: the event is at fault. */
        REJECTED,
        /** Not written: a quota of the caller is used up. */
        THROTTLED,
        /** Not written; the ledger is at fault. */
        UNAVAILABLE,
        /** It may have been written. */
        UNKNOWN;

        @JsonValue
        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What a published event became.
     *
     * @param outcome {@code leaf}, {@code duplicate} or {@code conflict}
     * @param leafIndex the leaf that holds the event; for a conflict, that of the conflict
     * @param first for a duplicate or a conflict, the leaf that was there before
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Published(
            String outcome,
            int shard,
            long leafIndex,
            @Nullable First first) {}

    /** The leaf that has the identity, and its receipt. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record First(long leafIndex, @Nullable Receipt receipt) {}

    static ResultItem accepted(int index, String id, Receipt receipt) {
        return new ResultItem(index, id, Status.ACCEPTED, false, receipt, null, null);
    }

    static ResultItem rejected(int index, @Nullable String id, Problem problem) {
        return new ResultItem(index, id, Status.REJECTED, false, null, problem, null);
    }

    static ResultItem throttled(int index, String id, Problem problem) {
        return new ResultItem(index, id, Status.THROTTLED, true, null, problem, null);
    }

    static ResultItem unavailable(int index, @Nullable String id, ProblemCode code, String reason) {
        return new ResultItem(
                index, id, Status.UNAVAILABLE, true, null, Problem.of(code, reason + "; send it again later"), null);
    }

    static ResultItem unknown(int index, String id, String reason) {
        String detail = reason + "; send it again with the same id: it is logged at most once";
        return new ResultItem(
                index, id, Status.UNKNOWN, true, null, Problem.of(ProblemCode.OUTCOME_UNKNOWN, detail), null);
    }

    ResultItem withPublished(Published what) {
        return switch (what.outcome()) {
            case "duplicate" -> new ResultItem(index, id, Status.DUPLICATE, false, receipt, null, what);
            case "conflict" ->
                new ResultItem(
                        index,
                        id,
                        status,
                        false,
                        receipt,
                        Problem.of(
                                ProblemCode.CONFLICT,
                                "It is logged as a conflict with the event that was there first; use a new id",
                                "id"),
                        what);
            default -> new ResultItem(index, id, status, retryable, receipt, problem, what);
        };
    }

    /** Whether nothing about it needs the caller's attention. */
    boolean isGood() {
        return problem == null;
    }
}
