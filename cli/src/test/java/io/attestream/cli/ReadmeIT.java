// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the commands the README shows, as they stand there; only the data directory is moved. */
class ReadmeIT {
    private static final String DATA = "./attestream-data";

    @TempDir
    private Path scratch;

    @Test
    void everyMarkedCommandWorks() throws Exception {
        for (String commands : blocks("")) {
            runShell(commands);
        }
        Path data = scratch.resolve("data");
        assertThat(blocks("up")).singleElement().asString().contains("./attestream up --data-dir " + DATA);
        try (Up up = Up.start(scratch, data)) {
            List<String> withCluster = blocks("with-cluster");
            assertThat(withCluster).isNotEmpty();
            for (String commands : withCluster) {
                runShell(commands.replace(DATA, data.toString()));
            }
            assertThat(up.cluster().shards()).isPositive();
        }
    }

    @Test
    void namesTheTestCommandThatCiRuns() throws IOException {
        assertThat(blocks("build")).singleElement().isEqualTo("mvn verify\n");
        assertThat(Files.readString(Script.HOME.resolve(".ci/run")))
                .contains("mvn")
                .contains("verify");
    }

    @Test
    void linksToFilesThatExist() throws IOException {
        Matcher link = Pattern.compile("\\]\\(((?!https?:)[^)#]+)\\)").matcher(readme());
        Stream<String> targets = link.results().map(result -> result.group(1));
        assertThat(targets)
                .isNotEmpty()
                .allSatisfy(target -> assertThat(Script.HOME.resolve(target)).exists());
    }

    private static String readme() throws IOException {
        return Files.readString(Script.HOME.resolve("README.md"));
    }

    private static List<String> blocks(String kind) throws IOException {
        return ShellBlocks.of(Script.HOME.resolve("README.md"), kind);
    }

    private void runShell(String commands) throws IOException, InterruptedException {
        ShellBlocks.Ended ended = ShellBlocks.run(scratch, Script.HOME, commands);
        assertThat(ended.exitCode()).as(commands + ended.output()).isZero();
    }
}
