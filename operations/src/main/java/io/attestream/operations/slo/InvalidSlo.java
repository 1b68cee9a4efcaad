// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

/** A file of an objective that is none; names file, field and what it must be. */
public final class InvalidSlo extends Exception {
    InvalidSlo(String message) {
        super(message);
    }
}
