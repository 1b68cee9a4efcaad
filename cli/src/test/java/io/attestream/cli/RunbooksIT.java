// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.ClusterControl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs the commands the runbooks show, as they stand there; only the data directory is moved. */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class RunbooksIT {
    private static final Pattern SECTION = Pattern.compile("## ([A-Za-z]+)\\n(.*?)(?=\\n## |\\z)", Pattern.DOTALL);
    private static final Pattern BLOCK = Pattern.compile("```sh\\n(.*?)```", Pattern.DOTALL);
    private static final String DATA = "./attestream-data";
    /** They do not end: LedgerLivesOnIT and OperationsIT run them. */
    private static final Pattern RUNS_ON = Pattern.compile("./attestream (up |monitor .*--metrics-port).*");

    @TempDir
    private static Path scratch;

    private static Up up;

    @BeforeAll
    static void startCluster() throws Exception {
        up = Up.start(scratch, data());
        assertThat(shell("./attestream append --data-dir " + DATA + " samples/github-webhooks.ndjson"))
                .isZero();
    }

    @AfterAll
    static void stop() throws Exception {
        up.close();
    }

    private static Path data() {
        return scratch.resolve("data");
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(Script.HOME.resolve("runbooks"))) {
            return files.filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    private static List<String> commands(Path page, String section) throws IOException {
        List<String> commands = new ArrayList<>();
        Matcher sections = SECTION.matcher(Files.readString(page));
        while (sections.find()) {
            if (sections.group(1).equals(section)) {
                BLOCK.matcher(sections.group(2))
                        .results()
                        .forEach(block -> commands.addAll(block.group(1).lines().toList()));
            }
        }
        return commands;
    }

    private static int shell(String command) throws IOException, InterruptedException {
        Path log = Files.createTempFile(scratch, "shell", ".log");
        Process shell = new ProcessBuilder("sh", "-euc", command.replace(DATA, data().toString()))
                .directory(Script.HOME.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(shell.waitFor(2, TimeUnit.MINUTES)).as(command).isTrue();
            if (shell.exitValue() != 0) {
                System.out.println(command + " ended with " + shell.exitValue() + "\n" + Files.readString(log));
            }
            return shell.exitValue();
        } finally {
            shell.destroyForcibly();
        }
    }

    @Test
    void everyCommandOfEveryPageWorks() throws Exception {
        Set<String> commands = new TreeSet<>();
        for (Path page : pages()) {
            for (String section : List.of("Diagnosis", "Mitigation", "Verification")) {
                commands.addAll(commands(page, section));
            }
        }
        commands.removeIf(command -> RUNS_ON.matcher(command).matches());
        assertThat(commands).hasSizeGreaterThan(5);
        for (String command : commands) {
            assertThat(shell(command)).as(command).isZero();
        }
    }

    /** One that is gone, and one that stands still: both are started again by the same words. */
    @ParameterizedTest
    @CsvSource({
        "processors-0, KILL, AttestreamProcessDown",
        "checkpointer, STOP, SLOCheckpointFreshness",
        "gateway-0, KILL, SLOErrorRate",
        "processors-0, STOP, SLOProofLatencyP95"
    })
    void aProcessThatDoesNotWorkIsBackAfterTheMitigationOfItsPage(String name, String signal, String alert)
            throws Exception {
        // given
        Path page = Script.HOME.resolve("runbooks/" + alert + ".md");
        long pid = pid(name);
        assertThat(shell("kill -" + signal + " " + pid)).isZero();
        await().atMost(30, TimeUnit.SECONDS).until(() -> !isReady(name));

        // when
        List<String> commands = commands(page, "Mitigation");
        assertThat(commands).isNotEmpty();
        for (String command : commands) {
            assertThat(shell(command)).as(command).isZero();
        }

        // then
        assertThat(isReady(name)).isTrue();
        assertThat(pid(name)).isNotEqualTo(pid);
        for (String command : commands(page, "Verification")) {
            assertThat(shell(command)).as(command).isZero();
        }
    }

    private static long pid(String name) throws IOException {
        return up.cluster().processes().stream()
                .filter(process -> process.name().equals(name))
                .findFirst()
                .orElseThrow()
                .pid();
    }

    private static boolean isReady(String name) throws IOException {
        return ClusterControl.of(data()).processes().stream()
                .anyMatch(process -> process.name().equals(name) && process.ready());
    }

    /** Diagnosis names it, mitigation mends it, verification says so. */
    @Test
    void damagedStorageIsMendedAsItsPageSays() throws Exception {
        // given
        Path page = Script.HOME.resolve("runbooks/AttestreamStorageDamaged.md");
        Path segment;
        try (Stream<Path> segments = Files.list(data().resolve("objects/segments"))) {
            // Not the newest: what is not published yet is not looked at, and the checkpointer would stop at it.
            List<Path> sorted = segments.filter(file -> file.toString().endsWith(".seg"))
                    .sorted()
                    .toList();
            segment = sorted.get(sorted.size() - 2);
        }
        byte[] bytes = Files.readAllBytes(segment);
        bytes[bytes.length / 2] ^= 1;
        Files.write(segment, bytes);

        // then
        for (String command : commands(page, "Diagnosis")) {
            assertThat(shell(command)).as(command).isEqualTo(ExitCode.VERIFICATION_FAILED);
        }
        for (String section : List.of("Mitigation", "Verification")) {
            List<String> commands = commands(page, section);
            assertThat(commands).isNotEmpty();
            for (String command : commands) {
                assertThat(shell(command)).as(command).isZero();
            }
        }
    }
}
