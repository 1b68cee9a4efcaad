// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of environment variables: lines {@code NAME=value}, {@code #} begins a comment. Container engines keep quotes around a value,
 * systemd and shells take them away: a value in quotes is refused, for it would be checked as one and run as the other.
 */
final class EnvironmentFile {
    private EnvironmentFile() {}

    /**
     * All of them.
     *
     * @param file for messages
     * @throws CliException naming the line that is none or has a value in quotes, or the name that is there twice
     */
    static Map<String, String> parse(Path file, String text) {
        Map<String, String> environment = new LinkedHashMap<>();
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int equals = line.indexOf('=');
            String name = equals < 0 ? "" : line.substring(0, equals);
            if (!name.matches("[A-Za-z_][A-Za-z0-9_.-]*")) {
                throw refused(file, i, "is not NAME=value");
            }
            String value = line.substring(equals + 1);
            if (value.startsWith("\"") || value.startsWith("'")) {
                throw refused(
                        file, i, "has " + name + " in quotes, which not every launcher takes away; write it without");
            }
            if (environment.put(name, value) != null) {
                throw refused(file, i, "sets " + name + " again");
            }
        }
        return environment;
    }

    private static CliException refused(Path file, int index, String what) {
        return new CliException(ExitCode.USAGE, file + " line " + (index + 1) + " " + what, "Correct --env-file.");
    }
}
