// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.cli.Output.Tone;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OutputTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private Output output(boolean json, boolean terminal) {
        return output(json, new Output.Terminals(terminal, terminal, true));
    }

    private Output output(boolean json, Output.Terminals terminals) {
        return new Output(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                json,
                terminals);
    }

    @Test
    void alignsColumnsAndPutsNumbersToTheRight() {
        List<String> lines = Output.table(List.of(List.of("events", "324"), List.of("duplicates", "7")));

        assertThat(lines).containsExactly("events      324", "duplicates    7");
    }

    @Test
    void printsOneJsonObjectAndNothingElseForPrograms() {
        Output output = output(true, false);

        output.print("for people");
        output.json(Map.of("ok", true));

        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("{\"ok\":true}" + System.lineSeparator());
    }

    @Test
    void keepsTalkOffStandardOutput() {
        Output output = output(false, false);

        output.say("talk");
        output.progress("work", 1, 2);

        assertThat(out.size()).isZero();
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("talk").doesNotContain("\r");
    }

    @Test
    void coloursOnATerminalOnly() {
        assertThat(output(false, false).paint(Tone.BAD, "no")).isEqualTo("no");
        assertThat(output(false, true).paint(Tone.BAD, "no")).contains("\u001b[31m");
        assertThat(output(true, true).paint(Tone.BAD, "no")).isEqualTo("no");
        assertThat(output(false, new Output.Terminals(true, true, false)).paint(Tone.BAD, "no"))
                .isEqualTo("no");
    }

    @Test
    void drawsBarsWhereTalkGoesToATerminalThoughTheResultDoesNot() {
        Output output = output(true, new Output.Terminals(false, true, true));

        output.progress("work", 1, 2);

        assertThat(err.toString(StandardCharsets.UTF_8)).contains("\r").contains("1/2");
        assertThat(out.size()).isZero();
    }

    @Test
    void keepsTheOrderOfMembersForPrograms() {
        output(true, false).json(Output.object("z", 1, "a", 2, "m", 3));

        assertThat(out.toString(StandardCharsets.UTF_8).strip()).isEqualTo("{\"z\":1,\"a\":2,\"m\":3}");
    }
}
