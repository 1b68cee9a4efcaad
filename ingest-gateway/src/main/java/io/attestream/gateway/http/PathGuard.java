// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * Refuses what no resource should have to see. First of all paths that two layers could read differently (CVE-2026-50559 and its kin: encoded slashes, matrix parameters,
 * dot segments). No path of this API needs any of them, so nothing is decoded or cleaned: it is refused before anything
 * else looks at it.
 */
@ApplicationScoped
public class PathGuard {
    /** Authentication runs at 200; higher runs earlier. */
    static final int PRIORITY = 10_000;

    static final int MAX_URI_LENGTH = 4_000;
    static final int MAX_HEADERS_LENGTH = 24_000;

    private static final Pattern AMBIGUOUS = Pattern.compile("(?i)%2f|%5c|%3b|%25|%00|%2e|[;\\\\]|//|/\\.\\.?(/|$)");

    /** RFC 9110 section 8.3.1, parameters unread. What is none makes the layers behind fail on it, each in its own way. */
    private static final Pattern MEDIA_TYPE =
            Pattern.compile("[ \\t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \\t]*(;.*)?");

    private final ErrorMapping errors;
    private final long maxBodyBytes;

    PathGuard(ErrorMapping errors, @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxBodySize) {
        this.errors = errors;
        this.maxBodyBytes = maxBodySize.asLongValue();
    }

    void onFilters(@Observes Filters filters) {
        filters.register(this::check, PRIORITY);
    }

    private void check(RoutingContext context) {
        HttpServerRequest request = context.request();
        // Answers may be compressed, and tiles are for shared caches.
        context.response().putHeader("Vary", "Accept-Encoding");
        String path = request.path();
        if (path == null || isAmbiguous(path)) {
            errors.write(
                    context.response(),
                    Problem.of(
                            ProblemCode.BAD_PATH,
                            "Send the path without encoded slashes, semicolons, backslashes, empty or dot segments"));
        } else if (request.uri().length() > MAX_URI_LENGTH) {
            errors.write(context.response(), Problem.of(ProblemCode.URI_TOO_LONG, "Send a shorter URI", null, (long)
                    MAX_URI_LENGTH));
        } else if (headersLength(request) > MAX_HEADERS_LENGTH) {
            errors.write(
                    context.response(),
                    Problem.of(ProblemCode.HEADERS_TOO_LARGE, "Send fewer headers", null, (long) MAX_HEADERS_LENGTH));
        } else if (!isMediaType(request.getHeader("Content-Type"))) {
            errors.write(
                    context.response(),
                    Problem.of(
                            ProblemCode.UNSUPPORTED_MEDIA_TYPE, "Content-Type must be type/subtype", "Content-Type"));
        } else if (announcedBytes(request) > maxBodyBytes) {
            // The server's own limit would answer without saying which. Nobody reads as much only to throw it away, so
            // the connection ends with the answer.
            context.response().putHeader("Connection", "close");
            context.addEndHandler(done -> {
                var unused = request.connection().close();
            });
            errors.write(
                    context.response(),
                    Problem.of(ProblemCode.TOO_LARGE, "The body is too large", "body", maxBodyBytes));
        } else {
            context.next();
        }
    }

    private static boolean isMediaType(@Nullable String contentType) {
        return contentType == null || MEDIA_TYPE.matcher(contentType).matches();
    }

    private static long announcedBytes(HttpServerRequest request) {
        String length = request.getHeader("Content-Length");
        try {
            return length == null ? 0 : Long.parseLong(length);
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    static boolean isAmbiguous(String path) {
        return AMBIGUOUS.matcher(path).find();
    }

    private static long headersLength(HttpServerRequest request) {
        long length = 0;
        for (var header : request.headers()) {
            length += header.getKey().length() + header.getValue().length();
        }
        return length;
    }
}
