// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends streams, bodies that come slowly and waits for publication when this instance was told to stop. A single event or a
 * batch that is here ends by itself; a client that goes on sending would hold up the stop until its timeout.
 */
@ApplicationScoped
public class Draining {
    private final Set<Runnable> streams = ConcurrentHashMap.newKeySet();
    private volatile boolean begun;

    /** Before the server refuses new requests. */
    void onStop(@Observes ShutdownDelayInitiatedEvent event) {
        begun = true;
        streams.forEach(Runnable::run);
    }

    /** Whether this instance was told to stop. */
    boolean hasBegun() {
        return begun;
    }

    /** @param end ends the stream's input; run at once if the stop has begun */
    void add(Runnable end) {
        streams.add(end);
        if (begun) {
            end.run();
        }
    }

    void remove(Runnable end) {
        streams.remove(end);
    }
}
