// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import org.jose4j.jwk.PublicJsonWebKey;

/** What the key set says about a key id. */
public sealed interface KeyLookup {
    record Found(PublicJsonWebKey key) implements KeyLookup {}

    /** A key set fetched after this id was first seen does not have it. */
    record NotThere() implements KeyLookup {}

    /** No key set, one too old, or no refresh allowed just now. */
    record CannotTell(String reason) implements KeyLookup {}
}
