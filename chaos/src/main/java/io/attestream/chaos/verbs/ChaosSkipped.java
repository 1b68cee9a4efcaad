// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

/** The fault cannot be done here. Nothing was touched, and nothing was tested. */
public final class ChaosSkipped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param reason what is missing, and what to do about it if there is anything */
    public ChaosSkipped(String reason) {
        super(reason);
    }
}
