// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.ClusterFile;
import io.attestream.chaos.toxiproxy.ToxiproxyClient;
import io.attestream.chaos.verbs.FakeClock;
import io.attestream.chaos.verbs.Injection;
import io.attestream.chaos.verbs.LocalTarget;
import io.attestream.chaos.verbs.Parameters;
import io.attestream.chaos.verbs.Verb;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Faults done to a running cluster under load: each takes effect, is undone, and the cluster goes on. What clients did and were told all
 * the time is recorded, and judged at the end.
 */
@Tag("runbooks")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ChaosIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    private static Path scratch;

    private static final int SHARDS = 4;

    private static Up up;
    private static DrillRecord record;
    private static DrillLoad load;

    @BeforeAll
    static void start() throws Exception {
        up = Up.start(scratch, data(), "--chaos", "--shards", Integer.toString(SHARDS));
        record = new DrillRecord(
                new DrillRecord.Ledger(
                        scratch.resolve("history.jsonl"),
                        Connection.parseKey(cluster().ledgerKey()),
                        SHARDS,
                        ChaosIT::api),
                Optional.empty(),
                Set.of());
        load = new DrillLoad(record, 5).start();
        load.expectTrouble(true);
        awaitGoesOn();
    }

    @AfterAll
    static void stop() throws Exception {
        if (up == null) {
            return; // it did not start
        }
        try {
            if (load != null) {
                load.close();
                System.out.println(record.judge());
            }
        } finally {
            if (record != null) {
                record.close();
            }
            up.close();
        }
        assertThat(Up.livingProcesses(data())).isEmpty();
    }

    /** Whatever the fault was: the ledger accounts for what is acknowledged. Whether all of it is there is judged at the end. */
    @AfterEach
    void whatIsAcknowledgedIsAccountedFor() {
        awaitGoesOn();
        List<DrillLoad.Acknowledged> acknowledged = load.acknowledged();
        await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            NewestEpoch newest = NewestEpoch.fetch(api("auditor"));
            return acknowledged.stream().allMatch(event -> newest.covers(event.shard(), event.offset()));
        });
        assertThat(load.refused()).isEmpty();
        assertThat(data().resolve("chaos/journal.json")).doesNotExist();
    }

    private static Path data() {
        return scratch.resolve("data");
    }

    private static ClusterFile cluster() {
        try {
            return up.cluster();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Api api(String role) {
        try {
            String token = Files.readString(ClusterFile.tokenFile(data(), role)).strip();
            return new Api(URI.create(cluster().url()), token);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitGoesOn() {
        int before = load.count();
        await().atMost(PATIENCE).until(() -> load.count() > before + 10);
    }

    private static ClusterFile.ProcessEntry process(String name) {
        return cluster().processes().stream()
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static char state(String name) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + process(name).pid() + "/stat"));
        return stat.charAt(stat.lastIndexOf(')') + 2);
    }

    private static Injection inject(Verb verb, String service, Parameters parameters) {
        return LocalTarget.of(data()).inject(verb, service, parameters);
    }

    private static Script chaos(String... arguments) throws IOException {
        String[] all = new String[arguments.length + 3];
        all[0] = "chaos";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        all[arguments.length + 1] = "--data-dir";
        all[arguments.length + 2] = data().toString();
        return Script.start(scratch, all);
    }

    /** Of an event of its own, in milliseconds. */
    private static long appendMillis(String id) {
        long begun = System.nanoTime();
        boolean[] acknowledged = new boolean[1];
        record.append(
                List.of(DrillLoad.event(id)),
                result -> acknowledged[0] = result.path("receipt").has("href"));
        assertThat(acknowledged[0]).isTrue();
        return Duration.ofNanos(System.nanoTime() - begun).toMillis();
    }

    @Test
    void aKilledServiceIsGoneAndBackAgain() throws Exception {
        ClusterFile.ProcessEntry before = process("processors-0");
        Script.Ended ended =
                chaos("kill", "processors-0", "--for", "1s", "-o", "json").await(PATIENCE);
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        JsonNode result = JSON.readTree(ended.out());
        assertThat(result.path("result").asText()).isEqualTo("done");
        assertThat(result.path("details").path("pid").asLong()).isEqualTo(before.pid());
        assertThat(ProcessHandle.of(before.pid())).isEmpty();
        assertThat(process("processors-0").pid()).isNotEqualTo(before.pid());
        assertThat(Up.livingProcesses(data())).contains("processors-0");
    }

    /** As a game day does it: the runbook's command mends it, not the end of the fault. */
    @Test
    void aKilledServiceIsMendedByTheRunbook() throws Exception {
        try (Injection fault = inject(Verb.KILL, "checkpointer", Parameters.DEFAULT)) {
            assertThat(Up.livingProcesses(data())).doesNotContain("checkpointer");
            Script.Ended mended =
                    Script.run(scratch, PATIENCE, "restart", "checkpointer", "--data-dir", data().toString());
            assertThat(mended.exitCode()).as(mended.err()).isZero();
            fault.mendedByOthers();
        }
        assertThat(Up.livingProcesses(data())).contains("checkpointer");
    }

    /** As they stand there; only the data directory is moved. */
    @Test
    void theCommandsOfThePageWork() throws Exception {
        String page = Files.readString(Script.HOME.resolve("docs/chaos.md"));
        List<String> commands = Pattern.compile("```sh\\n(.*?)```", Pattern.DOTALL)
                .matcher(page)
                .results()
                .flatMap(block -> block.group(1).lines())
                .filter(command -> !command.contains(" up ")) // runs already
                .toList();
        assertThat(commands).hasSizeGreaterThan(3);
        for (String command : commands) {
            Process shell = new ProcessBuilder("sh", "-c", command.replace("./attestream-data", data().toString()))
                    .directory(Script.HOME.toFile())
                    .inheritIO()
                    .start();
            assertThat(shell.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as(command)
                    .isTrue();
            assertThat(shell.exitValue()).as(command).isZero();
        }
    }

    /** What the JVM itself says. */
    private static LocalDateTime clock(String name) throws Exception {
        Process jcmd = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(process(name).pid()),
                        "Thread.print")
                .start();
        String printed = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Matcher time =
                Pattern.compile("^([0-9-]{10}) ([0-9:]{8})$", Pattern.MULTILINE).matcher(printed);
        assertThat(time.find()).as(printed).isTrue();
        return LocalDateTime.parse(time.group(1) + "T" + time.group(2));
    }

    private static boolean isWrong(String name) throws Exception {
        Duration wrong = Duration.between(LocalDateTime.now(ZoneId.systemDefault()), clock(name));
        return wrong.abs().compareTo(Duration.ofMinutes(5)) > 0;
    }

    /** Whether it accepts anything meanwhile is not asked: for a clock that is behind, tokens are of the future. */
    @Test
    void aClockIsWrongUntilItIsUndone() throws Exception {
        assumeTrue(FakeClock.library().isPresent(), "libfaketime is not installed");
        assertThat(isWrong("gateway-0")).isFalse();
        for (Duration skew : List.of(Duration.ofMinutes(10), Duration.ofMinutes(-10))) {
            try (Injection fault = inject(Verb.CLOCK_SKEW, "gateway-0", Parameters.DEFAULT.withSkew(skew))) {
                await().atMost(PATIENCE).until(() -> isWrong("gateway-0"));
                assertThat(Duration.between(LocalDateTime.now(ZoneId.systemDefault()), clock("gateway-0"))
                                .isNegative())
                        .isEqualTo(skew.isNegative());
            }
            await().atMost(PATIENCE).until(() -> !isWrong("gateway-0"));
        }
    }

    /** What cannot be made durable is not published. */
    @Test
    void nothingIsPublishedWhileTheDiskOfTheCheckpointerFails() {
        try (Injection fault = inject(Verb.FSYNC_ERROR, "checkpointer", Parameters.DEFAULT)) {
            long[] before = {NewestEpoch.fetch(api("auditor")).epoch()};
            await().during(Duration.ofSeconds(3)).atMost(PATIENCE).until(() -> {
                long now = NewestEpoch.fetch(api("auditor")).epoch();
                boolean stands = now == before[0];
                before[0] = now;
                return stands;
            });
        }
    }

    @Test
    @Tag("restores")
    void aBitThatFlippedInTheStateIsToldAndPutBack() throws Exception {
        Script.Ended orderly =
                Script.run(scratch, PATIENCE, "restart", "processors-0", "--data-dir", data().toString());
        assertThat(orderly.exitCode()).as(orderly.err()).isZero();
        for (Verb verb : List.of(Verb.BIT_FLIP, Verb.TRUNCATE)) {
            try (Injection fault = inject(verb, "processors-0", Parameters.DEFAULT)) {
                System.out.println(verb + " " + fault.details());
                requireTold(fault.details());
            }
        }
        Script.Ended checked = Script.run(scratch, PATIENCE, "fsck", "--data-dir", data().toString());
        assertThat(checked.exitCode()).as(checked.out()).isZero();
    }

    /** By whoever is started on it, or else by who looks at it: the one that was damaged is named. */
    private static void requireTold(Map<String, String> details) throws Exception {
        assertThat(details).containsKeys("file", "offset", "started");
        if (details.get("started").contains("does not start")) {
            assertThat(Up.livingProcesses(data())).doesNotContain("processors-0");
            return;
        }
        Script.Ended checked = Script.run(scratch, PATIENCE, "fsck", "--data-dir", data().toString());
        assertThat(checked.exitCode()).as(checked.out() + checked.err()).isEqualTo(ExitCode.VERIFICATION_FAILED);
        Path store = Path.of(details.get("file")).getParent();
        assertThat(checked.out())
                .contains(data().resolve("state").relativize(store).toString());
    }

    @Test
    void aPausedServiceAnswersWhenItGoesOn() throws Exception {
        URI health = URI.create(cluster().managementUrl() + "/q/health/live");
        CompletableFuture<HttpResponse<Void>> late;
        try (Injection fault = inject(Verb.PAUSE, "gateway-0", Parameters.DEFAULT)) {
            await().until(() -> state("gateway-0") == 'T');
            late = HTTP.sendAsync(HttpRequest.newBuilder(health).build(), HttpResponse.BodyHandlers.discarding());
            HttpRequest impatient = HttpRequest.newBuilder(health)
                    .timeout(Duration.ofSeconds(1))
                    .build();
            assertThatThrownBy(() -> HTTP.send(impatient, HttpResponse.BodyHandlers.discarding()))
                    .isInstanceOf(HttpTimeoutException.class);
            assertThat(late).isNotDone();
        }
        assertThat(late.get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    }

    @Test
    void acknowledgementsComeLateWhenKafkaAnswersLate() {
        appendMillis("before-delay");
        Parameters parameters = Parameters.DEFAULT.withDelay(Duration.ofMillis(1_500), Duration.ZERO);
        try (Injection fault = inject(Verb.DELAY, "gateway-0", parameters)) {
            assertThat(appendMillis("delayed")).isGreaterThanOrEqualTo(1_500);
        }
        await().atMost(PATIENCE).until(() -> appendMillis("after-delay") < 1_500);
    }

    @Test
    void aServiceWithLittleTimeStandsStillAgainAndAgain() throws Exception {
        try (Injection fault = inject(Verb.CPU, "processors-0", Parameters.DEFAULT)) {
            for (int i = 0; i < 3; i++) {
                await().pollInterval(Duration.ofMillis(5)).until(() -> state("processors-0") == 'T');
                await().pollInterval(Duration.ofMillis(5)).until(() -> state("processors-0") != 'T');
            }
        }
        assertThat(state("processors-0")).isNotEqualTo('T');
    }

    @Test
    void aPartitionOfACommandThatWasKilledIsMendedByHeal() throws Exception {
        // given
        Script command = chaos("partition", "gateway-0", "--for", "5m");
        ToxiproxyClient toxiproxy =
                new ToxiproxyClient(URI.create(String.valueOf(cluster().toxiproxyUrl())));
        await().atMost(PATIENCE).until(() -> toxiproxy.has("kafka-gateway", "chaos-partition-down"));

        // when
        command.kill();

        // then nothing gets through still
        assertThat(toxiproxy.has("kafka-gateway", "chaos-partition-up")).isTrue();
        await().during(Duration.ofSeconds(3)).atMost(PATIENCE).until(ChaosIT::acknowledgesNothing);
        Script.Ended second = chaos("pause", "gateway-0").await(PATIENCE);
        assertThat(second.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(second.err()).contains("was never undone: partition gateway-0", "attestream chaos heal");

        // and heal mends it
        Script.Ended healed = Script.run(scratch, PATIENCE, "chaos", "heal", "--data-dir", data().toString());
        assertThat(healed.exitCode()).as(healed.err()).isZero();
        assertThat(healed.out()).contains("remove toxic chaos-partition-up from kafka-gateway");
    }

    private static int last = -1;

    private static boolean acknowledgesNothing() {
        int before = last;
        last = load.count();
        return last == before;
    }

    @Test
    void aCommandThatIsToldToEndUndoesItsFault() throws Exception {
        Script command = chaos("pause", "checkpointer", "--for", "5m");
        await().atMost(PATIENCE).until(() -> state("checkpointer") == 'T');
        command.terminate();
        command.await(PATIENCE);
        assertThat(state("checkpointer")).isNotEqualTo('T');
    }
}
