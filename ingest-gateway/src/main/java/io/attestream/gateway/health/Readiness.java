// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.health;

import io.attestream.gateway.auth.Authentication;
import io.attestream.gateway.ledger.LedgerSource;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;

/** What must hold for this instance to take traffic; each check says what is missing. */
@ApplicationScoped
public class Readiness {
    private final LedgerSource ledgers;
    private final Authentication authentication;

    Readiness(LedgerSource ledgers, Authentication authentication) {
        this.ledgers = ledgers;
        this.authentication = authentication;
    }

    /** All genesis records read back and topics checked. {@code fenced} says that the instance must not just be started again. */
    @Produces
    @org.eclipse.microprofile.health.Readiness
    @ApplicationScoped
    HealthCheck ledger() {
        return () -> HealthCheckResponse.named("ledger")
                .status(ledgers.current().isPresent())
                .withData("state", ledgers.state())
                .withData("fenced", ledgers.isFenced())
                .build();
    }

    /** The brokers answer and every partition has a leader. */
    @Produces
    @org.eclipse.microprofile.health.Readiness
    @ApplicationScoped
    HealthCheck brokers() {
        return () -> HealthCheckResponse.named("brokers")
                .status(ledgers.current()
                        .filter(ledger -> ledger.log().isReady())
                        .isPresent())
                .build();
    }

    /** A key set is loaded and not too old. */
    @Produces
    @org.eclipse.microprofile.health.Readiness
    @ApplicationScoped
    HealthCheck keys() {
        return () -> HealthCheckResponse.named("token-keys")
                .status(authentication.isReady())
                .build();
    }
}
