// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Follows the runbooks on one cluster: each command on one that is well, and pages in the situation they are for. */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class RunbooksIT {
    /** Of no alert: they change the cluster. */
    private static final Set<String> SITUATIONS =
            Set.of("AddingPartitions", "KeyRotation", "RegionLoss", "Restore", "Upgrading");
    /** They do not end. */
    private static final Pattern RUNS_ON = Pattern.compile("./attestream (up |monitor .*--metrics-port).*");

    @TempDir
    private static Path scratch;

    private static OnCall onCall;

    @BeforeAll
    static void startCluster() throws Exception {
        onCall = new OnCall(scratch, data());
        onCall.follow(List.of(
                "./attestream up --data-dir " + data(),
                "./attestream append --data-dir " + data() + " samples/github-webhooks.ndjson"));
    }

    @AfterAll
    static void stop() throws Exception {
        onCall.close();
    }

    private static Path data() {
        return scratch.resolve("data");
    }

    private static List<String> pages() throws IOException {
        try (Stream<Path> files = Files.list(Script.HOME.resolve("runbooks"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".md"))
                    .map(name -> name.replace(".md", ""))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void everyCommandOfEveryAlertsPageWorks() throws Exception {
        assertThat(pages()).containsAll(SITUATIONS);
        Set<String> commands = new TreeSet<>();
        for (String page : pages()) {
            if (!SITUATIONS.contains(page)) {
                for (String section : List.of("Diagnosis", "Mitigation", "Verification")) {
                    commands.addAll(Runbook.read(OnCall.page(page)).commands(section, data()));
                }
            }
        }
        commands.removeIf(command -> RUNS_ON.matcher(command).matches());
        assertThat(commands).hasSizeGreaterThan(5);
        onCall.follow(List.copyOf(commands));
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
        long pid = onCall.pid(name);
        onCall.signal(signal, name);
        await().atMost(60, TimeUnit.SECONDS).until(() -> !onCall.isReady(name));

        // when
        onCall.follow(alert, "Mitigation");

        // then
        assertThat(onCall.isReady(name)).isTrue();
        assertThat(onCall.pid(name)).isNotEqualTo(pid);
        onCall.follow(alert, "Verification");
    }

    /** Diagnosis names it, mitigation mends it, verification says so. */
    @ParameterizedTest
    @ValueSource(strings = "AttestreamStorageDamaged")
    void damagedStorageIsMendedAsItsPageSays(String alert) throws Exception {
        // given
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
        for (String command : onCall.commands(alert, "Diagnosis")) {
            boolean looks = command.startsWith("./attestream fsck");
            assertThat(onCall.run(command)).as(command).isEqualTo(looks ? ExitCode.VERIFICATION_FAILED : ExitCode.OK);
        }
        onCall.follow(alert, "Mitigation");
        onCall.follow(alert, "Verification");
    }
}
