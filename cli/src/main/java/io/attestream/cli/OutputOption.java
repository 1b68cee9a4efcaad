// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.util.function.IntSupplier;
import picocli.CommandLine.Option;

/** {@code -o text|json}. */
final class OutputOption {
    /** Forms of a result. */
    enum Form {
        TEXT,
        JSON
    }

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "Form of the result (default: ${DEFAULT-VALUE}).")
    private Form form = Form.TEXT;

    Output output() {
        return Output.of(form == Form.JSON);
    }

    /**
     * Runs a verification. One that fails by an exception is a result too: a program that reads the member gets
     * {@code false}, not an empty output.
     *
     * @param member that says whether it holds
     */
    int reportingFailure(String member, IntSupplier verification) {
        try {
            return verification.getAsInt();
        } catch (CliException e) {
            if (e.exitCode() == ExitCode.VERIFICATION_FAILED) {
                output().json(Output.object(member, false, "detail", String.valueOf(e.getMessage())));
            }
            throw e;
        }
    }
}
