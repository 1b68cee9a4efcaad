// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import java.util.Optional;

/** How callers are authenticated. */
public enum AuthPolicy {
    /** No tokens: everybody is one fixed tenant with all roles. Never in production. */
    DEV("dev"),
    /** Tokens without roles: a caller appends for its tenant and reads what its tenant appended. */
    JWKS_STRICT("jwks_strict"),
    /** Tokens with roles: {@code ingester}, {@code auditor}, {@code admin}. */
    JWKS_RBAC("jwks_rbac");

    private final String word;

    AuthPolicy(String word) {
        this.word = word;
    }

    /** The value of {@code AUTH_POLICY}. */
    public String word() {
        return word;
    }

    static Optional<AuthPolicy> ofWord(String word) {
        for (AuthPolicy policy : values()) {
            if (policy.word.equals(word)) {
                return Optional.of(policy);
            }
        }
        return Optional.empty();
    }
}
