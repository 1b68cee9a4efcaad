// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import java.util.Locale;

/** The kinds of problems and their HTTP status. */
public enum ProblemCode {
    BAD_REQUEST(400, "The request is malformed"),
    BAD_PATH(400, "The path has characters or segments that are not accepted"),
    BAD_PARAMETER(400, "A parameter is missing or malformed"),
    MALFORMED_BODY(400, "The body is malformed"),
    INVALID_EVENT(400, "The event is not a valid CloudEvent"),
    UNAUTHENTICATED(401, "A valid token is needed"),
    FORBIDDEN(403, "The token does not allow this"),
    TENANT_MISSING(403, "The token names no tenant"),
    FOREIGN_TENANT(403, "This belongs to another tenant"),
    NOT_FOUND(404, "There is no such thing"),
    METHOD_NOT_ALLOWED(405, "The method is not allowed here"),
    NOT_ACCEPTABLE(406, "None of the accepted media types is available"),
    BODY_TIMEOUT(408, "The body did not arrive in time"),
    CONFLICT(409, "An event with this identity and other content is already in the ledger"),
    TOO_LARGE(413, "A size limit is exceeded"),
    URI_TOO_LONG(414, "The URI is too long"),
    UNSUPPORTED_MEDIA_TYPE(415, "The media type is not supported"),
    QUOTA_EXCEEDED(429, "A quota is used up"),
    HEADERS_TOO_LARGE(431, "The header fields are too large"),
    INTERNAL(500, "Something went wrong on our side"),
    BUNDLE_DOES_NOT_VERIFY(500, "The proof bundle does not verify and is not served"),
    OVERLOADED(503, "Too much is in flight"),
    UNAVAILABLE(503, "A part of the ledger is not available"),
    NOT_READY(503, "This instance is not ready"),
    AUTHENTICATION_UNAVAILABLE(503, "The token cannot be decided just now"),
    OUTCOME_UNKNOWN(504, "It is not known whether the event was written");

    private final int status;
    private final String title;

    ProblemCode(int status, String title) {
        this.status = status;
        this.title = title;
    }

    public int status() {
        return status;
    }

    public String title() {
        return title;
    }

    /** The last part of the problem type. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether the same request may succeed later. */
    public boolean isRetryable() {
        return status == 408 || status == 429 || status >= 503;
    }
}
