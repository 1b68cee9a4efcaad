// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

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
}
