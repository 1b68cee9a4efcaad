// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import org.jspecify.annotations.Nullable;

/**
 * Problem details (RFC 9457).
 *
 * @param type {@code urn:attestream:problem:} and a stable code
 * @param title what kind of problem, the same for all of a type
 * @param detail what was wrong this time and what to do; never internals
 * @param field attribute, member, header or parameter at fault
 * @param limit the limit that was exceeded
 * @param retryAfterSeconds when the same may succeed, if that is known
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonPropertyOrder({"type", "title", "status", "detail", "field", "limit", "retryAfterSeconds"})
public record Problem(
        String type,
        String title,
        int status,
        String detail,
        @Nullable String field,
        @Nullable Long limit,
        @Nullable Long retryAfterSeconds) {
    public static final String MEDIA_TYPE = "application/problem+json";
    private static final String TYPE_PREFIX = "urn:attestream:problem:";

    public static Problem of(ProblemCode code, String detail) {
        return of(code, detail, null, null);
    }

    public static Problem of(ProblemCode code, String detail, @Nullable String field) {
        return of(code, detail, field, null);
    }

    public static Problem of(ProblemCode code, String detail, @Nullable String field, @Nullable Long limit) {
        return new Problem(TYPE_PREFIX + code.word(), code.title(), code.status(), detail, field, limit, null);
    }

    /** A problem that ends by itself. */
    public static Problem retryAfter(ProblemCode code, String detail, String field, long limit, long seconds) {
        return new Problem(TYPE_PREFIX + code.word(), code.title(), code.status(), detail, field, limit, seconds);
    }

    /** A problem whose code another module gave, such as the one that reads CloudEvents. */
    public static Problem of(
            String word, ProblemCode kind, String detail, @Nullable String field, @Nullable Long limit) {
        return new Problem(TYPE_PREFIX + word, kind.title(), kind.status(), detail, field, limit, null);
    }

    /** The last part of the type. */
    public String code() {
        return type.substring(TYPE_PREFIX.length());
    }
}
