// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.ClusterFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Go program on {@code golang.org/x/mod/sumdb} verifies a ledger that the demo made, over the public API. */
@Tag("go")
class GoInteropIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BUNDLES = 20;

    @TempDir
    private Path scratch;

    @Test
    void aGoClientVerifiesCheckpointsInclusionAndConsistency() throws Exception {
        // given a ledger made by the demo, running
        Path data = scratch.resolve("data");
        Script.Ended demo =
                Script.run(scratch, Duration.ofMinutes(4), "demo", "-o", "json", "--data-dir", data.toString());
        assertThat(demo.exitCode()).as(demo.err()).isZero();
        try (Up up = Up.start(scratch, data)) {
            Path bundles = saveBundles(data);

            // when, then
            String said = runGo(up.cluster(), data, bundles, up.cluster().ledgerKey());
            assertThat(said.lines().reduce((first, second) -> second))
                    .hasValueSatisfying(last -> assertThat(last).startsWith("OK"));

            // and it notices what is wrong
            Path one = bundles.resolve("0.attest.json");
            String bundle = Files.readString(one);
            String head = JSON.readTree(bundle).path("head").asText();
            String other = JSON.readTree(Files.readString(bundles.resolve("1.attest.json")))
                    .path("entry")
                    .asText();
            String entry = JSON.readTree(bundle).path("entry").asText();
            assertThat(head).isNotEmpty();
            Files.writeString(one, bundle.replace(entry, other));
            assertThat(goExitCode(up.cluster(), data, bundles, up.cluster().ledgerKey()))
                    .isNotZero();
        }
    }

    private Path saveBundles(Path data) throws Exception {
        Path bundles = Files.createDirectory(scratch.resolve("bundles"));
        Script.Ended appended = Script.run(
                scratch,
                Duration.ofMinutes(1),
                "append",
                "--data-dir",
                data.toString(),
                "-o",
                "json",
                Script.HOME.resolve("samples/github-webhooks.ndjson").toString());
        JsonNode results = JSON.readTree(appended.out()).path("results");
        for (int i = 0; i < BUNDLES; i++) {
            Script.Ended saved = Script.run(
                    scratch,
                    Duration.ofMinutes(1),
                    "receipt",
                    "--data-dir",
                    data.toString(),
                    results.path(i).path("receipt").path("href").asText(),
                    "--wait",
                    "30",
                    "--save",
                    bundles.resolve(i + ".attest.json").toString());
            assertThat(saved.exitCode()).as(saved.err()).isZero();
        }
        return bundles;
    }

    private String runGo(ClusterFile cluster, Path data, Path bundles, String key) throws Exception {
        Path log = scratch.resolve("go.log");
        int exit = go(cluster, data, bundles, key, log);
        String said = Files.readString(log);
        assertThat(exit).as(said).isZero();
        return said;
    }

    private int goExitCode(ClusterFile cluster, Path data, Path bundles, String key) throws Exception {
        return go(cluster, data, bundles, key, scratch.resolve("go-refused.log"));
    }

    private static int go(ClusterFile cluster, Path data, Path bundles, String key, Path log)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                        "go",
                        "run",
                        ".",
                        "-url",
                        cluster.url(),
                        "-key",
                        key,
                        "-shards",
                        Integer.toString(cluster.shards()),
                        "-bundles",
                        bundles.toString(),
                        "-token",
                        ClusterFile.tokenFile(data, "auditor").toString())
                .directory(Script.HOME.resolve("proofs/interop").toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("GO111MODULE", "off");
        builder.environment().put("GOFLAGS", "");
        // Where Debian keeps golang.org/x/mod.
        builder.environment().put("GOPATH", "/usr/share/gocode");
        Process go = builder.start();
        try {
            assertThat(go.waitFor(5, TimeUnit.MINUTES)).isTrue();
            return go.exitValue();
        } finally {
            go.destroyForcibly();
        }
    }
}
