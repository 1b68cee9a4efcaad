// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.FreePorts;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    /** Of no alert: they change the cluster, and are followed by tests of their own, here and in {@link RunbooksOfLossIT}. */
    private static final Set<String> SITUATIONS =
            Set.of("AddingPartitions", "KeyRotation", "RegionLoss", "Restore", "Upgrading");
    /** They do not end. */
    private static final Pattern RUNS_ON = Pattern.compile("./attestream (up |monitor .*--metrics-port).*");

    private static final List<String> SERVICES = List.of("checkpointer", "processors-0", "gateway-0");

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
        "processors-0, STOP, SLOProofLatencyP95",
        "broker, STOP, SLOIngestLatencyP95"
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
    @ValueSource(strings = {"AttestreamStorageDamaged", "SLOIntegrityViolated"})
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

    @Test
    void aMonitorIsStartedAsItsPageSaysAndItsCanariesAreProved() throws Exception {
        // given
        int port = FreePorts.pick();
        List<String> commands = onCall.commands("AttestreamNotMonitored", "Mitigation");
        assertThat(commands).singleElement().asString().contains("--metrics-port 9402 ");

        // when
        Process monitor = new ProcessBuilder(
                        "sh", "-euc", "exec " + commands.get(0).replace("9402", Integer.toString(port)))
                .directory(Script.HOME.toFile())
                .redirectErrorStream(true)
                .redirectOutput(scratch.resolve("monitor.log").toFile())
                .start();

        // then
        try {
            Api metrics = new Api(URI.create("http://127.0.0.1:" + port), null);
            await().atMost(60, TimeUnit.SECONDS)
                    .ignoreExceptions()
                    .until(() -> Pattern.compile("attestream_canary_seconds_count\\{outcome=\"verified\"} [1-9]")
                            .matcher(metrics.get("/metrics", "text/plain").text())
                            .find());
        } finally {
            monitor.destroy();
            assertThat(monitor.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void tokensAndTheInternalSecretAreReplacedAsTheirPageSays() throws Exception {
        // given
        List<List<String>> mitigation = onCall.blocks("KeyRotation", "Mitigation");
        String token = onCall.token("auditor");
        String secret =
                LocalFiles.readText(data().resolve("keys/internal.secret")).strip();
        onCall.follow("KeyRotation", "Diagnosis");

        // when rotated in its turn
        onCall.follow(mitigation.get(0));

        // then the old token holds, and the new one does
        String second = onCall.token("auditor");
        assertThat(second).isNotEqualTo(token);
        assertThat(statusOfALeaf(token)).isEqualTo(200);
        assertThat(statusOfALeaf(second)).isEqualTo(200);

        // when the first leaked
        onCall.follow(mitigation.get(1));

        // then it holds no more
        assertThat(statusOfALeaf(token)).isEqualTo(401);
        assertThat(statusOfALeaf(second)).isEqualTo(200);
        assertThat(statusOfALeaf(onCall.token("auditor"))).isEqualTo(200);

        // when
        onCall.follow(mitigation.get(2));

        // then
        Api processors = new Api(
                URI.create("http://127.0.0.1:" + onCall.cluster().ports().get("processors-0")), secret);
        assertThat(processors.get("/internal/v1/ledger/checkpoint", "*/*").status())
                .isEqualTo(401);
        onCall.follow("KeyRotation", "Verification");

        // and what is done when the ledger's own key leaked works
        onCall.follow(mitigation.get(3));
        assertThat(mitigation).hasSize(4);
    }

    /** Checkpoints are public, leaves are not. */
    private static int statusOfALeaf(String token) throws IOException {
        return new Api(URI.create(onCall.cluster().url()), token)
                .get("/v1/events/0/0", "application/json")
                .status();
    }

    @Test
    void everyServiceIsReplacedUnderLoadAsThePageOnUpgradingSaysAndNothingIsLost() throws Exception {
        // given
        Map<String, Long> before = pids();
        onCall.follow("Upgrading", "Diagnosis");
        Map<String, String> acknowledged;
        try (Producers load = new Producers(
                        List.of(URI.create(onCall.cluster().url())), onCall.token("ingester"), "upgrade-")
                .start(1)) {
            await().atMost(60, TimeUnit.SECONDS).until(() -> load.acknowledgedCount() > 20);

            // when
            onCall.follow("Upgrading", "Mitigation");

            // then
            int count = load.acknowledgedCount();
            await().atMost(60, TimeUnit.SECONDS).until(() -> load.acknowledgedCount() > count);
            acknowledged = load.acknowledged();
            assertThat(load.broken()).isEmpty();
        }
        pids().forEach((name, pid) -> assertThat(pid).as(name).isNotEqualTo(before.get(name)));
        onCall.follow("Upgrading", "Verification");
        Api api = onCall.api("auditor");
        assertThat(acknowledged)
                .allSatisfy((id, receipt) -> await(id)
                        .pollDelay(Duration.ZERO)
                        .atMost(60, TimeUnit.SECONDS)
                        .untilAsserted(() -> assertThat(
                                        api.get(receipt, "application/json").status())
                                .isEqualTo(200)));
        System.out.println(acknowledged.size() + " events were acknowledged meanwhile");
    }

    private static Map<String, Long> pids() throws IOException {
        Map<String, Long> pids = new HashMap<>();
        for (String name : SERVICES) {
            pids.put(name, onCall.pid(name));
        }
        return pids;
    }
}
