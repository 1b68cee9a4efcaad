// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

/**
 * State or input is not what it must be. Nobody may go on from here: the process stops, nothing is lost, and the message says
 * what was found and what to do.
 */
public final class IntegrityException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public IntegrityException(String message) {
        super(message);
    }

    public IntegrityException(String message, Throwable cause) {
        super(message, cause);
    }
}
