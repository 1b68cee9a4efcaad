// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** Commands a page shows, marked {@code <!-- executed -->}, run as they stand there. */
final class ShellBlocks {
    private static final Pattern BLOCK =
            Pattern.compile("<!-- executed(: [a-z-]+)? -->\\n```sh\\n(.*?)```", Pattern.DOTALL);

    private ShellBlocks() {}

    /** @param kind after the mark; empty for none */
    static List<String> of(Path page, String kind) throws IOException {
        String marker = kind.isEmpty() ? "" : ": " + kind;
        return BLOCK.matcher(Files.readString(page))
                .results()
                .filter(block -> marker.equals(block.group(1) == null ? "" : block.group(1)))
                .map(block -> block.group(2))
                .toList();
    }

    /** What a shell that ended left. */
    record Ended(int exitCode, String output) {}

    /** Without who starts it, git is the same for everybody: a hook of git names its own repository, and settings differ. */
    static void leaveOutGitOf(Map<String, String> environment) {
        environment.keySet().removeIf(name -> name.startsWith("GIT_"));
        environment.put("GIT_CONFIG_GLOBAL", "/dev/null");
        environment.put("GIT_CONFIG_NOSYSTEM", "1");
    }

    /** Runs commands until one fails. */
    static Ended run(Path scratch, Path directory, String commands) throws IOException, InterruptedException {
        Path log = Files.createTempFile(scratch, "shell", ".log");
        ProcessBuilder builder = new ProcessBuilder("sh", "-euc", commands)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        leaveOutGitOf(builder.environment());
        Process shell = builder.start();
        try {
            assertThat(shell.waitFor(5, TimeUnit.MINUTES)).as(commands).isTrue();
            return new Ended(shell.exitValue(), Files.readString(log));
        } finally {
            shell.destroyForcibly();
        }
    }
}
