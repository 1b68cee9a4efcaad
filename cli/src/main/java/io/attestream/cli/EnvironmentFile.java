// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The file of environment variables that container engines and systemd read: lines {@code NAME=value}, {@code #} begins a comment. */
final class EnvironmentFile {
    private EnvironmentFile() {}

    /**
     * Of a value in single or double quotes, what is between them.
     *
     * @param file for messages
     * @throws CliException naming the line that is none, or the name that is there twice
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
            if (environment.put(name, unquoted(line.substring(equals + 1))) != null) {
                throw refused(file, i, "sets " + name + " again");
            }
        }
        return environment;
    }

    private static String unquoted(String value) {
        boolean quoted = value.length() > 1
                && (value.charAt(0) == '"' || value.charAt(0) == '\'')
                && value.charAt(value.length() - 1) == value.charAt(0);
        return quoted ? value.substring(1, value.length() - 1) : value;
    }

    private static CliException refused(Path file, int index, String what) {
        return new CliException(ExitCode.USAGE, file + " line " + (index + 1) + " " + what, "Correct --env-file.");
    }
}
