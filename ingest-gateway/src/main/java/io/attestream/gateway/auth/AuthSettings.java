// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import java.net.URI;
import java.time.Duration;
import java.util.Set;

/** What the start gate let through. */
public sealed interface AuthSettings {
    AuthPolicy policy();

    /** No tokens. */
    record Dev() implements AuthSettings {
        @Override
        public AuthPolicy policy() {
            return AuthPolicy.DEV;
        }
    }

    /**
     * Tokens signed by a key of a JWKS.
     *
     * @param algorithms accepted signature algorithms, asymmetric only
     * @param types accepted header {@code typ}, lower case, without {@code application/}
     * @param maxTokenTtl longest time between {@code iat} and {@code exp}
     * @param maxStale how long keys are used when they cannot be renewed
     */
    record Tokens(
            AuthPolicy policy,
            URI jwksUrl,
            String issuer,
            Set<String> audiences,
            Set<String> algorithms,
            Set<String> types,
            Duration clockSkew,
            Duration maxTokenTtl,
            String tenantClaim,
            Duration maxStale)
            implements AuthSettings {
        public Tokens {
            audiences = Set.copyOf(audiences);
            algorithms = Set.copyOf(algorithms);
            types = Set.copyOf(types);
        }
    }
}
