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
 * and nothing else. Progress bars only where standard error is a terminal, colour only on a terminal and without
 * {@code NO_COLOR}. Thread-safe.
 */
final class Output {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BAR_WIDTH = 30;

    /** What a terminal shows in colour. Never the only carrier of a meaning: the words say it too. */
    enum Tone {
        GOOD("32"),
        BAD("31"),
        WARNING("33"),
        QUIET("2"),
        STRONG("1");

        private final String code;

        Tone(String code) {
            this.code = code;
        }
    }

    /**
     * Which streams are terminals.
     *
     * @param colour whether colour is wanted there
     */
    record Terminals(boolean out, boolean err, boolean colour) {
        static final Terminals NONE = new Terminals(false, false, false);

        /** As the start script found them. */
        static Terminals ofProcess() {
            String noColour = System.getenv("NO_COLOR");
            return new Terminals(
                    Boolean.getBoolean("attestream.terminal.out"),
                    Boolean.getBoolean("attestream.terminal.err"),
                    noColour == null || noColour.isEmpty());
        }
    }

    private final PrintStream out;
    private final PrintStream err;
    private final boolean json;
    private final Terminals terminals;

    Output(PrintStream out, PrintStream err, boolean json, Terminals terminals) {
        this.out = out;
        this.err = err;
        this.json = json;
        this.terminals = terminals;
    }

    static Output of(boolean json) {
        return new Output(System.out, System.err, json, Terminals.ofProcess());
    }

    /** Whether the result goes to a terminal. */
    boolean isTerminal() {
        return terminals.out() && !json;
    }

    boolean isJson() {
        return json;
    }

    /** Talk: not part of the result. */
    void say(String line) {
        err.println(line);
    }

    /** Talk, in colour if its terminal can. */
    void say(Tone tone, String line) {
        err.println(terminals.err() && terminals.colour() ? painted(tone, line) : line);
    }

    /** A line of the result, for people only. */
    void print(String line) {
        if (!json) {
            out.println(line);
        }
    }

    /** A part of a line to {@link #print}. */
    String paint(Tone tone, String text) {
        return terminals.out() && terminals.colour() && !json ? painted(tone, text) : text;
    }

    private static String painted(Tone tone, String text) {
        return "\u001b[" + tone.code + "m" + text + "\u001b[0m";
    }

    /** The result for programs; printed only with {@code -o json}. Members come in the order of the map. */
    void json(Object result) {
        if (json) {
            try {
                out.println(JSON.writeValueAsString(result));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("the result cannot be written as JSON", e);
            }
        }
    }

    /** How far something is; overwrites itself on a terminal, elsewhere one line at the end. */
    synchronized void progress(String what, long done, long total) {
        if (terminals.err()) {
            int filled = total == 0 ? BAR_WIDTH : (int) (BAR_WIDTH * done / total);
            err.printf("\r  %-20s [%s%s] %d/%d", what, "#".repeat(filled), " ".repeat(BAR_WIDTH - filled), done, total);
        }
        if (done >= total) {
            err.println(terminals.err() ? "" : String.format("  %-20s %d/%d", what, done, total));
        }
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
                line.append(isNumber(cell) ? pad + cell : cell + pad).append("  ");
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    private static boolean isNumber(String cell) {
        return cell.matches("-?[0-9][0-9.,]*( ms| %)?");
    }

    /** For {@link #json}: members in this order. */
    static Map<String, Object> object(Object... namesAndValues) {
        Map<String, Object> object = new java.util.LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            object.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return object;
    }
}
