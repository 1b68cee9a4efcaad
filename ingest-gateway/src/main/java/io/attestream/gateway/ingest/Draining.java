// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/** Whether this instance was told to stop. Streams end then; a stop does not wait for a client that goes on sending. */
@ApplicationScoped
public class Draining {
    private volatile boolean begun;

    void onDelay(@Observes ShutdownDelayInitiatedEvent event) {
        begun = true;
    }

    void onStop(@Observes ShutdownEvent event) {
        begun = true;
    }

    boolean hasBegun() {
        return begun;
    }
}
