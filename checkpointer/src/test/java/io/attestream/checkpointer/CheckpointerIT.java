// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.ManagedProcess;
import io.attestream.proofs.archive.ObjectNames;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checkpointer as a process on a real broker: publishing, dying at every step, two at once, paused and taken over. */
class CheckpointerIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir
    static Path brokerDirectory;

    private static LocalBroker broker;

    @TempDir
    Path directory;

    private KafkaLedger ledger;
    private final List<ManagedProcess> processes = new ArrayList<>();

    @BeforeAll
    static void startBroker() {
        broker = LocalBroker.start(brokerDirectory);
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    @BeforeEach
    void makeLedger() throws Exception {
        ledger = new KafkaLedger(broker.bootstrapServers(), "ledger" + NUMBER.incrementAndGet(), 2, directory);
    }

    @AfterEach
    void endProcesses() {
        processes.forEach(ManagedProcess::close);
        ledger.close();
    }

    @Test
    void publishesWhatWasCommittedAndGoesOnAfterARestart() throws Exception {
        // given
        ledger.grow();
        int port = freePort();
        ManagedProcess first = start(port);
        awaitAllPublished();

        // when
        assertThat(get(port, "/health/ready").statusCode()).isEqualTo(200);
        assertThat(get(port, "/health/live").statusCode()).isEqualTo(200);
        assertThat(get(port, "/metrics").body())
                .contains("attestream_checkpointer_shard_published_size{shard=\"1\"} 4.0");
        first.stop();
        long epochs = ledger.history().nextEpoch();
        ledger.grow();
        start(freePort());
        awaitAllPublished();

        // then
        assertThat(ledger.history().nextEpoch()).isGreaterThan(epochs);
        await().atMost(SOON).until(() -> ledger.log().stream().anyMatch(LogRecord.ShardNotes.class::isInstance));
        requireGuards();
        assertThat(ledger.rebuild()).isInstanceOfSatisfying(Rebuild.Result.Same.class, same -> {
            assertThat(same.epochs()).isEqualTo(ledger.history().nextEpoch());
            assertThat(same.leaves())
                    .isEqualTo(
                            ledger.sizes().stream().mapToLong(Long::longValue).sum());
        });
    }

    @Test
    void killedAfterEachStepASuccessorCompletesWhatWasMeant() throws Exception {
        // given
        List<LogRecord> before = List.of();
        for (PublishStep step : PublishStep.values()) {
            ledger.grow();

            // when
            ManagedProcess victim = startWith(step, ledger.history().nextEpoch(), "die");
            assertThat(victim.awaitExit(SOON))
                    .as("%s reached; log: %s", step, victim.logTail())
                    .isTrue();
            assertThat(victim.exitCode()).as("%s: %s", step, victim.logTail()).isEqualTo(CrashMain.DIED);

            // then: what was committed stays, the topic verifies, and each epoch has one intent
            List<LogRecord> after = ledger.log();
            assertThat(after.size()).isGreaterThanOrEqualTo(before.size());
            assertThat(after.subList(0, before.size())).isEqualTo(before);
            ledger.history();
            before = after;
        }
        start(freePort());
        awaitAllPublished();
        requireGuards();
    }

    @Test
    void ofTwoAtOnceOneIsFencedAndNothingIsPublishedTwice() throws Exception {
        // given
        ledger.grow();
        ManagedProcess one = start(freePort());
        ManagedProcess two = start(freePort());

        // when: new events keep coming, so that the loser must try to write
        await().atMost(SOON).until(() -> {
            ledger.grow();
            return !one.isAlive() || !two.isAlive();
        });
        ManagedProcess loser = one.isAlive() ? two : one;
        awaitAllPublished();

        // then
        assertThat(loser.exitCode()).as(loser.logTail()).isEqualTo(1);
        assertThat(loser.logTail()).contains("another checkpointer took over");
        assertThat(one.isAlive() || two.isAlive()).isTrue();
        requireGuards();
    }

    @Test
    void aZombieStoppedBetweenIntentAndSignatureSignsTheSameAndIsFenced() throws Exception {
        // given: the first is stopped right after its intent was committed
        ledger.grow();
        ManagedProcess zombie = startWith(PublishStep.INTENT_COMMITTED, 0, "wait");
        await().atMost(SOON).until(() -> Files.exists(reached(zombie)));
        zombie.suspend();

        // when: more arrives, a second takes over and publishes; then the first goes on
        ledger.grow();
        start(freePort());
        awaitAllPublished();
        Files.createFile(go(zombie));
        zombie.resume();
        assertThat(zombie.awaitExit(SOON)).as(zombie.logTail()).isTrue();

        // then
        assertThat(zombie.exitCode()).as(zombie.logTail()).isEqualTo(1);
        assertThat(zombie.logTail()).contains("another checkpointer took over");
        assertThat(intents(0)).hasSize(1);
        requireGuards();
    }

    @Test
    void aFalseOutcomeStopsTheProcessBeforeAnythingIsSigned() throws Exception {
        // given
        ledger.grow();
        ManagedProcess process = start(freePort());
        awaitAllPublished();
        long epochs = ledger.history().nextEpoch();

        // when: the sequencer calls the shard's first record a duplicate
        ledger.lie(1, 0);
        assertThat(process.awaitExit(SOON)).isTrue();

        // then
        assertThat(process.exitCode()).isEqualTo(1);
        assertThat(process.logTail()).contains("shard 1: outcome");
        assertThat(ledger.history().nextEpoch()).isEqualTo(epochs);
    }

    @Test
    void refusesALedgerThatIsNotItsKeys() throws Exception {
        // given
        KafkaLedger other = new KafkaLedger(
                broker.bootstrapServers(),
                "ledger" + NUMBER.incrementAndGet(),
                1,
                Files.createDirectory(directory.resolve("other")));
        Map<String, String> settings = new HashMap<>(other.settings(freePort()));
        settings.put("ATTESTREAM_TOPICS_PREFIX", ledger.topics.prefix());

        // when
        ManagedProcess process = launch("other-key", List.of(), "io.attestream.checkpointer.Main", settings);
        assertThat(process.awaitExit(SOON)).isTrue();
        other.close();

        // then
        assertThat(process.exitCode()).isEqualTo(1);
        assertThat(process.logTail())
                .contains("is not one of " + other.ledger.key.verifier().vkey());
    }

    @Test
    void refusesTopicsThatForget() throws Exception {
        // given
        ConfigResource events = new ConfigResource(ConfigResource.Type.TOPIC, ledger.topics.events());
        AlterConfigOp finite = new AlterConfigOp(new ConfigEntry("retention.ms", "3600000"), AlterConfigOp.OpType.SET);
        try (Admin admin = Admin.create(new KafkaClients(broker.bootstrapServers()).common())) {
            admin.incrementalAlterConfigs(Map.of(events, List.of(finite))).all().get();
        }

        // when
        ManagedProcess process = start(freePort());
        assertThat(process.awaitExit(SOON)).isTrue();

        // then
        assertThat(process.exitCode()).isEqualTo(1);
        assertThat(process.logTail()).contains(ledger.topics.events() + ": retention.ms is 3600000, must be -1");
        assertThat(ledger.log()).isEmpty();
    }

    // ---- help

    private void awaitAllPublished() {
        await().atMost(SOON).until(() -> ledger.publishedSizes().equals(ledger.sizes()));
    }

    private List<LogRecord> intents(long epoch) {
        return ledger.log().stream()
                .filter(record -> record instanceof LogRecord.Intent && record.epoch() == epoch)
                .toList();
    }

    /** The object store holds for each epoch exactly the text that was published. */
    private void requireGuards() throws IOException {
        for (LogRecord record : ledger.log()) {
            if (record instanceof LogRecord.Published published) {
                Path guard = directory.resolve("objects").resolve(ObjectNames.guard(published.epoch()));
                assertThat(Files.readString(guard)).isEqualTo(published.intent().noteText());
            }
        }
    }

    private ManagedProcess start(int port) {
        return launch("plain-" + processes.size(), List.of(), "io.attestream.checkpointer.Main", ledger.settings(port));
    }

    private ManagedProcess startWith(PublishStep step, long from, String then) throws IOException {
        String name = "at-" + step + "-" + processes.size();
        List<String> properties = List.of(
                "-Dat=" + step,
                "-Dfrom=" + from,
                "-Dthen=" + then,
                "-Dreached=" + directory.resolve(name + ".reached"),
                "-Dgo=" + directory.resolve(name + ".go"));
        return launch(name, properties, CrashMain.class.getName(), ledger.settings(freePort()));
    }

    private Path reached(ManagedProcess process) {
        return directory.resolve(process.name() + ".reached");
    }

    private Path go(ManagedProcess process) {
        return directory.resolve(process.name() + ".go");
    }

    private ManagedProcess launch(String name, List<String> properties, String main, Map<String, String> settings) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC"));
        command.addAll(properties);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        ManagedProcess process = new ManagedProcess(name, command, settings, directory.resolve(name + ".log"));
        processes.add(process);
        return process.start();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .timeout(Duration.ofSeconds(5))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }
}
