// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.config.GatewayConfig;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bounds what is in flight, in bytes and in events, for the whole process. Taken before a body is read; without it a burst
 * ends in the heap instead of in a 503.
 */
@Startup // So that all its series are there from the start.
@ApplicationScoped
public class Admission {
    private final long maxBytes;
    private final long maxEvents;
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong events = new AtomicLong();

    @Inject
    Admission(GatewayConfig config, MeterRegistry metrics) {
        this(config.admission().maxInFlightBytes(), config.admission().maxInFlightEvents());
        Gauge.builder("attestream.admission.in.flight.bytes", bytes, AtomicLong::doubleValue)
                .description("Bytes admitted and not yet answered")
                .register(metrics);
        Gauge.builder("attestream.admission.in.flight.events", events, AtomicLong::doubleValue)
                .description("Events admitted and not yet answered")
                .register(metrics);
    }

    /** For the container's proxy only. */
    @SuppressWarnings("unused")
    Admission() {
        this(0, 0);
    }

    Admission(long maxBytes, long maxEvents) {
        this.maxBytes = maxBytes;
        this.maxEvents = maxEvents;
    }

    /** A permit for nothing yet. */
    public Permit open() {
        return new Permit();
    }

    /** What one request holds; closing gives everything back, once. Thread-safe. */
    public final class Permit implements AutoCloseable {
        private long heldBytes;
        private long heldEvents;
        private boolean closed;

        private Permit() {}

        /** Whether as many more bytes are granted. */
        public synchronized boolean takeBytes(long more) {
            if (closed || !take(bytes, maxBytes, more)) {
                return false;
            }
            heldBytes += more;
            return true;
        }

        /** Whether as many more events are granted. */
        public synchronized boolean takeEvents(long more) {
            if (closed || !take(events, maxEvents, more)) {
                return false;
            }
            heldEvents += more;
            return true;
        }

        /** Of more than turned out to be needed. */
        public synchronized void giveBackEvents(long surplus) {
            if (!closed) {
                heldEvents -= surplus;
                events.addAndGet(-surplus);
            }
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                bytes.addAndGet(-heldBytes);
                events.addAndGet(-heldEvents);
            }
        }
    }

    private static boolean take(AtomicLong taken, long max, long more) {
        if (taken.addAndGet(more) > max) {
            taken.addAndGet(-more);
            return false;
        }
        return true;
    }

    long bytesInFlight() {
        return bytes.get();
    }

    long eventsInFlight() {
        return events.get();
    }
}
