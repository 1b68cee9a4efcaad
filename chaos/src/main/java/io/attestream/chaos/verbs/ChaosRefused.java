// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

/** What was asked for is not allowed or makes no sense. Nothing was touched. */
public final class ChaosRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String next;

    /** @param next what to do, for example the next command to run */
    public ChaosRefused(String message, String next) {
        super(message);
        this.next = next;
    }

    public String next() {
        return next;
    }
}
