// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import java.time.Instant;

/** The three outcomes of looking at a token. Reasons are codes: tokens and claims are never logged or echoed. */
public sealed interface AuthDecision {
    /**
     * @param keyId key that signed the token
     * @param notBefore the token does not count before
     * @param expiresAt the token does not count from then on, tolerance included
     */
    record Granted(Caller caller, String keyId, Instant notBefore, Instant expiresAt) implements AuthDecision {}

    /** The token is bad: 401. */
    record Denied(String reason) implements AuthDecision {}

    /** Nothing is wrong with the token as far as we can see, but we cannot tell: 503, try again. */
    record Undecidable(String reason) implements AuthDecision {}
}
