// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;

/** What the gate let through. */
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

        /** A header {@code typ} as types are compared (RFC 7515 section 4.1.9). */
        public static String normalizeType(String type) {
            String lower = type.toLowerCase(Locale.ROOT);
            return lower.startsWith("application/") ? lower.substring("application/".length()) : lower;
        }
    }
}
