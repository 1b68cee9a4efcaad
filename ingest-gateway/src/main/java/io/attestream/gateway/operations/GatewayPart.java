// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.TreeMap;

/** This gateway's own figures, since it began. */
final class GatewayPart {
    private GatewayPart() {}

    /** @param ledgerState that of the ledger source: what is missing, or that it is open */
    static Part of(boolean isOpen, String ledgerState, MeterRegistry registry) {
        Part part = new Part("gateway");
        part.put("ledger", Part.text(ledgerState));
        part.put("events", counts(registry, "attestream.ingest.events", "status"));
        part.put("problems", counts(registry, "attestream.ingest.problems", "reason"));
        Gauge inFlight = registry.find("attestream.admission.in.flight.events").gauge();
        part.put("inFlightEvents", inFlight == null ? Part.UNKNOWN : (Object) Math.round(inFlight.value()));
        if (!isOpen) {
            boolean refused = ledgerState.startsWith("refused");
            part.found(
                    refused ? State.CRITICAL : State.ATTENTION,
                    Part.text("this gateway accepts nothing: " + ledgerState));
        }
        return part;
    }

    private static Map<String, Long> counts(MeterRegistry registry, String name, String tag) {
        Map<String, Long> counts = new TreeMap<>();
        for (Counter counter : registry.find(name).counters()) {
            counts.put(String.valueOf(counter.getId().getTag(tag)), Math.round(counter.count()));
        }
        return counts;
    }
}
