// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.admission;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What admission tells; every label from the start. */
public final class AdmissionMetrics {
    static final List<String> CODES =
            List.of("malformed", "missing", "empty", "invalid", "too-long", "too-many", "duplicate", "too-large");

    private final Counter accepted;
    private final Map<String, Counter> refused = new HashMap<>();

    public AdmissionMetrics(MeterRegistry registry) {
        accepted = Counter.builder("attestream.admission.accepted")
                .description("Records of inboxes that were written to topic events")
                .register(registry);
        for (String code : CODES) {
            refused.put(
                    code,
                    Counter.builder("attestream.admission.refused")
                            .description("Records of inboxes that are no events, by code")
                            .tag("code", code)
                            .register(registry));
        }
    }

    void accepted() {
        accepted.increment();
    }

    void refused(String code) {
        Counter counter = refused.get(code);
        if (counter == null) {
            throw new IllegalStateException("no counter was registered for " + code);
        }
        counter.increment();
    }
}
