// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import io.netty.channel.Channel;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Vertx;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Stops listening while what was accepted is still served. The server by itself closes its connections first and listens a
 * little longer: however long it waited for what was in flight, those who had just connected would get no answer.
 */
@ApplicationScoped
public class Listener {
    /** Half of {@code quarkus.shutdown.delay}; the other half is for the requests of those who connected last. */
    private static final Duration AFTER = Duration.ofMillis(500);

    private final Vertx vertx;
    /** Known from the first request on. */
    private volatile @Nullable Channel socket;

    private volatile boolean closing;

    Listener(Vertx vertx) {
        this.vertx = vertx;
    }

    void onFilters(@Observes Filters filters) {
        filters.register(this::see, PathGuard.PRIORITY + 1);
    }

    private void see(RoutingContext context) {
        if (socket == null && context.request().connection() instanceof ConnectionBase connection) {
            socket = connection.channel().parent();
            if (closing) {
                closeSocket(); // this was the first
            }
        }
        context.next();
    }

    void onStop(@Observes ShutdownDelayInitiatedEvent event) {
        vertx.setTimer(AFTER.toMillis(), timer -> {
            closing = true;
            closeSocket();
        });
    }

    private void closeSocket() {
        Channel listening = socket;
        if (listening != null) {
            var unused = listening.close();
        }
    }
}
