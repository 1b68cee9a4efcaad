// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where a command writes: results to standard output, talk to standard error; with {@code -o json} the result is one object
 * and nothing else. Colour and progress bars only on a terminal.
 */
final class Output {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BAR_WIDTH = 30;

    private final PrintStream out;
    private final PrintStream err;
    private final boolean json;
    private final boolean terminal;

    Output(PrintStream out, PrintStream err, boolean json, boolean terminal) {
        this.out = out;
        this.err = err;
        this.json = json;
        this.terminal = terminal;
    }

    static Output of(boolean json) {
        boolean terminal = picocli.CommandLine.Help.Ansi.AUTO.enabled();
        return new Output(System.out, System.err, json, terminal);
    }

    boolean isJson() {
        return json;
    }

    /** Talk: not part of the result. */
    void say(String line) {
        err.println(line);
    }

    /** A line of the result, for people only. */
    void print(String line) {
        if (!json) {
            out.println(line);
        }
    }

    /** The result for programs; printed only with {@code -o json}. */
    void json(Map<String, ?> result) {
        if (json) {
            try {
                out.println(JSON.writeValueAsString(result));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("the result cannot be written as JSON", e);
            }
        }
    }

    /** How far something is; overwrites itself on a terminal, silent elsewhere but for the end. */
    void progress(String what, long done, long total) {
        if (terminal) {
            int filled = total == 0 ? BAR_WIDTH : (int) (BAR_WIDTH * done / total);
            err.printf("\r%-22s [%s%s] %d/%d", what, "#".repeat(filled), " ".repeat(BAR_WIDTH - filled), done, total);
        }
        if (done >= total) {
            err.println(terminal ? "" : String.format("%-22s %d/%d", what, done, total));
        }
    }

    String good(String text) {
        return colour(text, "32");
    }

    String bad(String text) {
        return colour(text, "31");
    }

    String dim(String text) {
        return colour(text, "2");
    }

    private String colour(String text, String code) {
        return terminal && !json ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }

    /** Rows in columns as wide as their widest cell; numbers to the right. */
    static List<String> table(List<List<String>> rows) {
        int columns = rows.stream().mapToInt(List::size).max().orElse(0);
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < row.size(); i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                String cell = row.get(i);
                String pad = " ".repeat(widths[i] - cell.length());
                boolean number = !cell.isEmpty() && cell.matches("[0-9.,]+( ms| %)?");
                line.append(number ? pad + cell : cell + pad).append("  ");
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }
}
