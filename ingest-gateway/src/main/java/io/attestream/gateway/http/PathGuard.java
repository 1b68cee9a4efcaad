// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.regex.Pattern;

/**
 * Refuses paths that two layers could read differently (CVE-2026-50559 and its kin: encoded slashes, matrix parameters,
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

    private final ErrorMapping errors;

    PathGuard(ErrorMapping errors) {
        this.errors = errors;
    }

    void onFilters(@Observes Filters filters) {
        filters.register(this::check, PRIORITY);
    }

    private void check(RoutingContext context) {
        HttpServerRequest request = context.request();
        context.response().putHeader("X-Content-Type-Options", "nosniff");
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
        } else {
            context.next();
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
