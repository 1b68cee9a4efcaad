// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** {@code attestream chaos} with what it does not take: exit code 2, what to do next, and nothing touched. */
class ChaosCommandTest {
    @TempDir
    private Path data;

    private final StringWriter err = new StringWriter();

    @BeforeEach
    void writeAClusterOfAnEarlierLife() throws IOException {
        write(true);
        Files.writeString(data.resolve("compose.yml"), "");
    }

    private void write(boolean allowed) throws IOException {
        Files.writeString(data.resolve("cluster.json"), """
                {"origin":"o","ledgerKey":"","shards":1,"url":"http://127.0.0.1:1","managementUrl":"","bootstrapServers":
                "127.0.0.1:1","ports":{},"chaosAllowed":%s,"processes":[{"name":"gateway-0","pid":1,"startedAtMillis":1}]}
                """.formatted(allowed));
    }

    private int run(List<String> arguments) {
        CommandLine commandLine = Main.commandLine();
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            chaos                                                | Missing required parameter     | attestream chaos --help
            chaos kill                                           | no service is named            | chaos kill processors-0
            chaos nuke gateway-0                                 | there is no verb nuke          | kill, stop, pause
            chaos kill gateway-7                                 | there is no service gateway-7  | There are gateway-0
            chaos kill gateway-0                                 | gateway-0 does not run         | attestream restart gateway-0
            chaos kill gateway-0 --for 11m                       | 1 s to 10 min                  | --for 30s
            chaos kill gateway-0 --for 0s                        | 1 s to 10 min                  | --for 30s
            chaos kill gateway-0 --for soon                      | soon' is no duration           | --help
            chaos kill gateway-0 --for 99999999999h              | is no duration                 | --help
            chaos kill gateway-0 --target moon                   | Invalid value                  | --help
            chaos kill gateway-0 --abort-when ok                 | cannot be watched              | http URL
            chaos kill gateway-0 --abort-when http://127.0.0.1:1 | the abort condition holds      | --abort-when
            chaos cpu gateway-0 --percent 100                    | percent are 1 to 95            | --help
            chaos delay gateway-0 --delay 0ms                    | 1 ms to 60 s                   | --help
            chaos bandwidth gateway-0 --rate 0                   | a rate is 1 to                 | --help
            chaos clock-skew gateway-0 --skew 25h                | up to a day                    | --help
            chaos kill gateway-0 --target compose                | no compose project is allowed  | --allow <project>
            chaos kill gateway-0 --target compose --allow ../x   | cannot be called ../x          | docker compose ls
            chaos kill gateway-0 --target compose --allow x --compose-file none | there is no file none | --compose-file
            """)
    void badInputIsToldAndNothingIsTouched(String line, String says, String next) {
        List<String> arguments = new ArrayList<>(List.of(line.split(" ")));
        if (!line.endsWith("chaos") && !line.endsWith("kill")) {
            arguments.addAll(List.of("--data-dir", data.toString()));
        }
        if (line.contains("compose") && !line.contains("--compose-file")) {
            arguments.addAll(
                    List.of("--compose-file", data.resolve("compose.yml").toString()));
        }
        assertThat(run(arguments)).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains(says, next);
        assertThat(data.resolve("chaos")).doesNotExist();
    }

    @Test
    void aClusterThatDoesNotAllowItIsRefused() throws Exception {
        write(false);
        assertThat(run(List.of("chaos", "kill", "gateway-0", "--data-dir", data.toString())))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("does not allow faults", "attestream up --chaos --data-dir " + data);
    }

    @Test
    void aToxiproxyElsewhereIsRefused() {
        assertThat(run(List.of(
                        "chaos",
                        "partition",
                        "gateway",
                        "--target",
                        "compose",
                        "--allow",
                        "demo",
                        "--toxiproxy",
                        "http://192.0.2.1:8474",
                        "--compose-file",
                        data.resolve("compose.yml").toString(),
                        "--data-dir",
                        data.toString())))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("is not on this machine's loopback");
    }

    @Test
    void thereIsNothingToHealWhereNothingWasDone() {
        assertThat(run(List.of("chaos", "heal", "--data-dir", data.toString()))).isEqualTo(ExitCode.OK);
        assertThat(data.resolve("chaos")).doesNotExist();
    }

    @Test
    void whereNoClusterEverRanNothingIsSaidToBeHealed() {
        Path typo = data.resolve("typo");
        assertThat(run(List.of("chaos", "heal", "--data-dir", typo.toString()))).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("holds no cluster and no journal of faults", "--data-dir");
        assertThat(typo).doesNotExist();
    }
}
