// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmarks' command still runs; how fast anything was is no test's matter. */
@Tag("ledgers")
class BenchmarksIT {
    @TempDir
    private Path scratch;

    @Test
    void measureEveryStreamFigureBesideItsBaseline() throws Exception {
        Path json = scratch.resolve("figures.json");

        String output = run(
                "--figures",
                "sealed,rebuild",
                "--payload-sizes",
                "512",
                "--rounds",
                "1",
                "--events",
                "200000",
                "--directory",
                scratch.resolve("work").toString(),
                "--json",
                json.toString());

        JsonNode all = new ObjectMapper().readTree(json.toFile());
        assertThat(all.get("environment").get("kafka").asText()).isNotBlank();
        assertThat(all.get("figures").findValuesAsText("variant"))
                .as(output)
                .containsExactly(
                        "empty exactly-once topology",
                        "decoding exactly-once topology",
                        "exactly-once topology that reads in place",
                        "sequencer",
                        "sequencer",
                        "sequencer beside proofs and checkpointer",
                        "published beside it",
                        "plain consumer",
                        "independent rebuild from offset 0",
                        "the same, plain events read in place");
        assertThat(all.get("figures"))
                .allSatisfy(figure -> assertThat(figure.get("samples"))
                        .as(figure.toString())
                        .singleElement()
                        .satisfies(sample -> assertThat(sample.asDouble()).isPositive()));
        assertThat(scratch.resolve("work")).doesNotExist();
    }

    private String run(String... arguments) throws Exception {
        Path log = scratch.resolve("run.log");
        List<String> command =
                new ArrayList<>(List.of(Script.HOME.resolve("benchmarks/run").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(process.waitFor(9, TimeUnit.MINUTES)).isTrue();
            assertThat(process.exitValue()).as(Files.readString(log)).isZero();
            return Files.readString(log);
        } finally {
            process.destroyForcibly();
        }
    }
}
