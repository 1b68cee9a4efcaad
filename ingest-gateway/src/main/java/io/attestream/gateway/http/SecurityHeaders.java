// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import io.quarkus.vertx.http.ManagementInterface;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/** What every answer of both ports says to browsers and caches, whoever writes it. Pages bring a policy of their own. */
@ApplicationScoped
public class SecurityHeaders {
    /** Nothing here is a page: what a browser is made to take for one does nothing and is in no frame. */
    private static final String POLICY =
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** A year, as RFC 6797 section 6.1.1 has it in its examples. Without subdomains: they are not ours. */
    private static final String HSTS = "max-age=31536000";

    private final ErrorMapping errors;

    SecurityHeaders(ErrorMapping errors) {
        this.errors = errors;
    }

    /** Before the path guard, whose refusals have them too. */
    void onFilters(@Observes Filters filters) {
        filters.register(this::add, PathGuard.PRIORITY + 2);
    }

    void onManagement(@Observes ManagementInterface management) {
        management.router().route().order(Integer.MIN_VALUE).handler(this::add);
        errors.onFailures(management.router());
    }

    private void add(RoutingContext context) {
        HttpServerResponse response = context.response();
        response.putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                .putHeader("Content-Security-Policy", POLICY);
        if (context.request().isSSL()) {
            response.putHeader("Strict-Transport-Security", HSTS);
        }
        // What does not say that it may be kept is kept nowhere.
        context.addHeadersEndHandler(any -> {
            if (!response.headers().contains("Cache-Control")) {
                response.putHeader("Cache-Control", "no-store");
            }
        });
        context.next();
    }
}
