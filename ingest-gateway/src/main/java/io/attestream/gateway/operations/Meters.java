// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.operations.kafka.KafkaMeters;
import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** Applied to the registry before anything is registered. */
final class Meters {
    private Meters() {}

    @Produces
    @Singleton
    static MeterFilter kafka() {
        return KafkaMeters.filter();
    }
}
