// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.monitoring;

/** A program that is needed is not installed; names it and the command that installs it. */
public final class MissingProgram extends RuntimeException {
    MissingProgram(String program) {
        super(program + " is not on the path: install it with deploy/prometheus/install.sh");
    }
}
