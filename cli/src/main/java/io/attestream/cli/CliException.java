// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

/** Ends a command with a message for people and an exit code for programs. */
class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final String next;

    /**
     * @param message what is wrong, in one line
     * @param next what to do, for example the next command to run
     */
    CliException(int exitCode, String message, String next) {
        super(message);
        this.exitCode = exitCode;
        this.next = next;
    }

    int exitCode() {
        return exitCode;
    }

    String next() {
        return next;
    }
}
