// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

/** Exit codes, the same for every command. */
final class ExitCode {
    static final int OK = 0;
    static final int ERROR = 1;
    static final int USAGE = 2;
    /** Something did not verify: the one code to alert on. */
    static final int VERIFICATION_FAILED = 3;

    static final int AUTH = 4;
    static final int NOT_FOUND_OR_PENDING = 5;
    static final int UNAVAILABLE = 6;

    private ExitCode() {}
}
