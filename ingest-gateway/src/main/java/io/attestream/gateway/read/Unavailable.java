// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

/** The proofs service or the object store does not answer; the same may work in a moment. */
public final class Unavailable extends Exception {
    public Unavailable(String message) {
        super(message, null, false, false);
    }
}
