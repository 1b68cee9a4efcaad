// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.ClusterFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The start script on what was built: what comes before a cluster is ready. */
class StartIT {
    @TempDir
    private Path scratch;

    @Test
    void whatIsStartedIsStoppedInOrderWhenTheStartIsBrokenOff() throws Exception {
        // given a directory of an earlier life
        Path data = Files.createDirectory(scratch.resolve("data"));
        Files.writeString(data.resolve("cluster.json"), """
                {"origin":"o.example","ledgerKey":"kept","shards":4,"url":"","managementUrl":"","bootstrapServers":"",
                 "registryUrl":"","jwksUrl":"","ports":{},"processes":[]}
                """);
        Script up = Script.start(scratch, "up", "--data-dir", data.toString());
        await().atMost(2, TimeUnit.MINUTES)
                .failFast(() -> !up.isAlive())
                .until(() -> up.err().contains("starting broker") && Files.exists(data.resolve("logs/registry.log")));

        // when
        up.terminate();
        Script.Ended ended = up.await(Duration.ofSeconds(60));

        // then
        assertThat(ended.err()).containsSubsequence("stopping registry", "stopping broker");
        assertThat(Up.livingProcesses(data)).isEmpty();
        assertThat(ClusterFile.read(data).orElseThrow().ledgerKey()).isEqualTo("kept");
    }

    /** Whatever else is installed here. */
    @Test
    void aGameDayWithoutPrometheusIsRefusedAndNothingIsTouched() throws Exception {
        // given
        Path programs = Files.createDirectory(scratch.resolve("bin"));
        for (String program : List.of("sh", "dirname", "readlink", "sed", "head", "find")) {
            Path found = Stream.of("/bin", "/usr/bin")
                    .map(directory -> Path.of(directory, program))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow();
            Files.createSymbolicLink(programs.resolve(program), found);
        }
        Path evidence = scratch.resolve("game-days");

        // when
        Script.Ended ended = Script.run(
                scratch,
                Duration.ofSeconds(60),
                Map.of("PATH", programs.toString(), "JAVA_HOME", System.getProperty("java.home")),
                "gameday",
                "run",
                "processors-down",
                "--dir",
                evidence.toString());

        // then
        assertThat(ended.exitCode()).as(ended.out() + ended.err()).isEqualTo(ExitCode.USAGE);
        assertThat(ended.err()).contains("prometheus");
        assertThat(evidence).doesNotExist();
    }

    @Test
    void namesBeyondAsciiComeAndGoWhereNoLocaleIsSet() throws Exception {
        // given
        String origin = "ledger.example/\u00fc";
        Path out = scratch.resolve("out.json");
        ProcessBuilder builder = new ProcessBuilder(
                        "sh",
                        "-c",
                        "LC_ALL=C \"$0\" keys generate --origin \"$(printf 'ledger.example/\\303\\274')\" --key-file k -o json",
                        Script.HOME.resolve("attestream").toString())
                .directory(scratch.toFile())
                .redirectOutput(out.toFile())
                .redirectError(scratch.resolve("err.txt").toFile());

        // when
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }

        // then
        assertThat(Files.readString(scratch.resolve("err.txt"))).contains("The secret is in k");
        assertThat(new ObjectMapper()
                        .readTree(Files.readString(out, StandardCharsets.UTF_8))
                        .path("origin")
                        .asText())
                .isEqualTo(origin);
    }
}
