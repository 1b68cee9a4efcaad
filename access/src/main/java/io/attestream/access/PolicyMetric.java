// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** The policy in effect as a metric, {@code attestream_access_policy}: a process that runs under another than the rest shows. */
public final class PolicyMetric {
    private PolicyMetric() {}

    /** Registers a gauge that is 1, labelled {@code policy} and {@code profile}. */
    public static void register(Start.Policy policy, MeterRegistry registry) {
        Gauge.builder("attestream.access.policy", () -> 1)
                .description("1, labelled with the authentication policy in effect and the profile of the environment")
                .tag("policy", policy.settings().policy().word())
                .tag("profile", policy.profile())
                .register(registry);
    }
}
