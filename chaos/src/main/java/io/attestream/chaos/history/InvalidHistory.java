// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

/** A file that is no history, or one in which a line is not what it must be. Names the line. */
public final class InvalidHistory extends Exception {
    private static final long serialVersionUID = 1L;

    InvalidHistory(long line, String what) {
        super("line " + line + ": " + what);
    }
}
