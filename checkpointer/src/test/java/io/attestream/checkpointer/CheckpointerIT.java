// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.Installation;
import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.ManagedProcess;
import io.attestream.checkpointer.monitor.HttpCheckpointSource;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorResult;
import io.attestream.checkpointer.monitor.MonitorResult.ViolationKind;
import io.attestream.checkpointer.monitor.MonitorState;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tree.Hash;
import io.attestream.schemas.connection.KafkaConnection;
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
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The checkpointer as a process on a real broker: publishing, dying at every step, two at once, paused and taken over. */
class CheckpointerIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final List<PublishStep> ROLLING_FORWARD = List.of(
            PublishStep.ARCHIVE_READ_BACK,
            PublishStep.GUARDED,
            PublishStep.SIGNED,
            PublishStep.EPOCH_ARCHIVED,
            PublishStep.KEY_STEPS_ARCHIVED,
            PublishStep.PUBLISH_SENT,
            PublishStep.PUBLISHED);

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
        requireGuardsAndEpochObjects();
        assertThat(ledger.rebuild()).isInstanceOfSatisfying(Rebuild.Result.Same.class, same -> {
            assertThat(same.epochs()).isEqualTo(ledger.history().nextEpoch());
            assertThat(same.leaves())
                    .isEqualTo(
                            ledger.sizes().stream().mapToLong(Long::longValue).sum());
        });
    }

    @Test
    void aBitThatFlipsInTheArchiveIsFoundWhilePublishingGoesOn() throws Exception {
        // given
        ledger.grow();
        int port = freePort();
        start(port);
        awaitAllPublished();
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(get(port, "/metrics").body())
                        .contains("attestream_checkpointer_scrub_found{part=\"objects\"} 0.0")
                        .contains("attestream_checkpointer_scrub_age_seconds{part=\"objects\"} "));

        // when
        Path segment;
        try (var segments = Files.list(directory.resolve("objects/segments"))) {
            segment = segments.min(Path::compareTo).orElseThrow();
        }
        byte[] good = Files.readAllBytes(segment);
        byte[] bad = good.clone();
        bad[bad.length - 1] ^= 1;
        Files.write(segment, bad);

        // then
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(get(port, "/metrics").body())
                        .contains("attestream_checkpointer_scrub_found{part=\"objects\"} 1.0"));
        ledger.grow();
        awaitAllPublished();

        // and when it was restored
        Files.write(segment, good);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(get(port, "/metrics").body())
                        .contains("attestream_checkpointer_scrub_found{part=\"objects\"} 0.0"));
    }

    @Test
    void killedAfterEachStepASuccessorCompletesWhatWasMeant() throws Exception {
        // given
        List<LogRecord> before = List.of();
        for (PublishStep step : PublishStep.values()) {
            ledger.grow();

            // when
            awaitDeath(startWith(step, ledger.history().nextEpoch(), "die"));

            // then: what was committed stays, the topic verifies, and each epoch has one intent
            List<LogRecord> after = ledger.log();
            assertThat(after.size()).isGreaterThanOrEqualTo(before.size());
            assertThat(after.subList(0, before.size())).isEqualTo(before);
            ledger.history();
            before = step == PublishStep.INTENT_COMMITTED ? killWhileRollingForward(after) : after;
        }
        start(freePort());
        awaitAllPublished();
        requireOneHistory();
    }

    /** Successors die over the open epoch as well; returns all that is committed then. */
    private List<LogRecord> killWhileRollingForward(List<LogRecord> before) throws IOException {
        LogRecord intent = before.get(before.size() - 1);
        for (PublishStep step : ROLLING_FORWARD) {
            // when
            ManagedProcess victim = startWith(step, intent.epoch(), "die");
            awaitDeath(victim);

            // then: over that epoch, of which nothing but its publication was added
            assertThat(reached(victim)).hasContent(Long.toString(intent.epoch()));
            List<LogRecord> after = ledger.log();
            assertThat(after.subList(0, before.size())).isEqualTo(before);
            assertThat(after).hasSize(before.size() + (step == PublishStep.PUBLISHED ? 1 : 0));
        }
        return ledger.log();
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
        requireOneHistory();
    }

    @Test
    void ofTwoThatStandByForEachOtherOneWaitsUntilTheOtherIsGone() throws Exception {
        // given
        ledger.grow();
        int portOfOne = freePort();
        ManagedProcess one = startStandby(portOfOne);
        awaitAllPublished();
        int portOfTwo = freePort();
        ManagedProcess two = startStandby(portOfTwo);

        // when
        awaitStandingBy(portOfTwo);

        // then the one goes on working, which it could not if the other had taken the topic
        ledger.grow();
        awaitAllPublished();
        assertThat(one.isAlive()).as(one.logTail()).isTrue();

        // and when it is gone, the other works, and it stands by once it is back
        one.kill();
        ledger.grow();
        awaitAllPublished();
        one.start();
        awaitStandingBy(portOfOne);
        ledger.grow();
        awaitAllPublished();
        assertThat(two.isAlive()).as(two.logTail()).isTrue();

        // and when it is told to stop, it does not stay in the group until its session ends
        two.stop();
        assertThat(members()).isEqualTo(1);
        ledger.grow();
        awaitAllPublished();
        assertThat(one.isAlive()).as(one.logTail()).isTrue();
        requireOneHistory();
    }

    /** Its turn went to the other meanwhile, which it cannot know: what it writes next is refused. */
    @Test
    void whoStoodStillWhileItsStandbyTookOverIsFencedWhenItGoesOnAndEnds() throws Exception {
        // given
        ledger.grow();
        ManagedProcess one = startStandby(freePort());
        awaitAllPublished();
        int portOfTwo = freePort();
        ManagedProcess two = startStandby(portOfTwo);
        awaitStandingBy(portOfTwo);

        // when
        one.suspend();
        ledger.grow();
        awaitAllPublished();
        assertThat(one.isAlive()).isTrue();
        one.resume();

        // then
        await().atMost(SOON).until(() -> {
            ledger.grow();
            return !one.isAlive();
        });
        assertThat(one.exitCode()).as(one.logTail()).isEqualTo(1);
        assertThat(one.logTail()).contains("another checkpointer took over");
        awaitAllPublished();
        assertThat(two.isAlive()).as(two.logTail()).isTrue();
        requireOneHistory();
    }

    private static void awaitStandingBy(int port) {
        await().atMost(SOON).ignoreExceptions().untilAsserted(() -> {
            HttpResponse<String> ready = get(port, "/health/ready");
            assertThat(ready.statusCode()).isEqualTo(200);
            assertThat(ready.body()).contains("its turn");
        });
    }

    private static int members() throws Exception {
        String group = "ledger" + NUMBER.get() + ".checkpointer";
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            return admin.describeConsumerGroups(List.of(group))
                    .describedGroups()
                    .get(group)
                    .get()
                    .members()
                    .size();
        }
    }

    @Test
    void aZombieStoppedBetweenIntentAndSignatureSignsTheSameAndIsFenced() throws Exception {
        ManagedProcess zombie = zombieStoppedAt(PublishStep.INTENT_COMMITTED);
        assertThat(signed(zombie)).hasContent(published(0).note());
    }

    /** Its intent was in an open transaction, which the second aborts. */
    @Test
    void aZombieStoppedBeforeItsIntentWasCommittedSignsNothing() throws Exception {
        ManagedProcess zombie = zombieStoppedAt(PublishStep.INTENT_SENT);
        assertThat(signed(zombie)).doesNotExist();
    }

    /** Has ended because it was fenced; what it signed is left to the caller to judge. */
    private ManagedProcess zombieStoppedAt(PublishStep step) throws Exception {
        // given: the first is stopped before it signs
        ledger.grow();
        ManagedProcess zombie = startWith(step, 0, "wait");
        await().atMost(SOON).until(() -> Files.exists(reached(zombie)));
        zombie.suspend();
        assertThat(signed(zombie)).doesNotExist();

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
        requireOneHistory();
        return zombie;
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

    // ---- upstreams that are broken or lie

    /** A leaf of the new delta, or one that was signed before; the root is right for what is claimed then. */
    @ParameterizedTest
    @CsvSource({"6, shard 1: sealed leaf 6 (offset 8) has hash", "1, shard 1: sealed head of size 7 has root"})
    void leavesRewrittenUpstreamStopTheProcessBeforeAnythingIsSigned(int rewritten, String reason) throws Exception {
        // given
        ledger.grow();
        ManagedProcess process = start(freePort());
        awaitAllPublished();
        List<LogRecord> before = epochs();

        // when
        ledger.grow(delta -> delta.shard() == 1 ? forged(delta, ledger.leavesRewritten(1, rewritten)) : delta);

        // then: shard 0, of which nothing was said wrong, may have been published once more
        requireDoubt(process, reason);
        assertThat(epochs()).startsWith(before.toArray(LogRecord[]::new));
        assertThat(ledger.publishedSizes().get(1)).isEqualTo(4);
        requireOneHistory();
    }

    /** The newest delta as it would be over these leaves. */
    private SealedDelta forged(SealedDelta delta, List<Hash> leaves) {
        byte[] hashes = delta.hashes().clone();
        for (int i = 0; i < delta.leaves(); i++) {
            leaves.get(Math.toIntExact(delta.firstIndex()) + i).copyTo(hashes, 32 * i);
        }
        return new SealedDelta(
                delta.shard(),
                delta.incarnation(),
                delta.generation(),
                delta.firstIndex(),
                delta.kinds(),
                hashes,
                delta.offsets(),
                delta.timestampsMillis(),
                delta.identityDigests(),
                delta.size(),
                ledger.head(delta.shard(), leaves).root().bytes(),
                delta.nextOffset());
    }

    @Test
    void aForkedShardInAConsistentLedgerLogIsFoundByTheMonitorAndRefusedByTheNextCheckpointer() throws Exception {
        // given: an honest ledger
        ledger.grow();
        ManagedProcess honest = start(freePort());
        awaitAllPublished();
        honest.stop();
        try (PublicApi api = new PublicApi()) {
            api.show(ledger.log(), List.of(ledger.leaves(0), ledger.leaves(1)));
            NoteVerifier key = ledger.ledger.key.verifier();
            Monitor monitor = new Monitor(
                    TestLedger.ORIGIN,
                    key,
                    new HttpCheckpointSource(api.address(), Optional.empty()),
                    MonitorState.initial(TestLedger.ORIGIN, key));
            assertThat(monitor.check()).isInstanceOf(MonitorResult.Ok.class);

            // when: shard 1 goes on over an old leaf that was rewritten; signature, vector and ledger log are right
            ledger.grow();
            List<Hash> forked = ledger.leavesRewritten(1, 1);
            ledger.publish(List.of(ledger.head(0, ledger.leaves(0)), ledger.head(1, forked)));
            List<LogRecord> log = ledger.log();
            api.show(log, List.of(ledger.leaves(0), forked));

            // then
            assertThat(monitor.check())
                    .isInstanceOfSatisfying(
                            MonitorResult.Violation.class,
                            found -> assertThat(found.kind()).isEqualTo(ViolationKind.SHARD_FORKED));
            requireDoubt(start(freePort()), "history was rewritten");
            assertThat(ledger.log()).isEqualTo(log);
        }
        assertThat(ledger.rebuild()).isInstanceOf(Rebuild.Result.Different.class);
    }

    @Test
    void whatIsNotCommittedIsNotSigned() throws Exception {
        // given
        ledger.grow();
        start(freePort());
        awaitAllPublished();
        long committed = ledger.sizes().get(0);

        // when: of shard 0 in a transaction that is open, of shard 1 outside of it and later
        ledger.growHalfCommitted();
        await().atMost(SOON)
                .until(() ->
                        ledger.publishedSizes().get(1).equals(ledger.sizes().get(1)));

        // then
        assertThat(ledger.publishedSizes().get(0)).isEqualTo(committed);
        ledger.abort();
        ledger.grow();
        awaitAllPublished();
        requireOneHistory();
    }

    @Test
    void eventsMadeAgainUnderARunningProcessAreNotSigned() throws Exception {
        // given
        ledger.grow();
        ManagedProcess process = start(freePort());
        awaitAllPublished();
        List<LogRecord> before = epochs();

        // when: with the same records, so that reading on at the old position finds nothing wrong
        process.suspend();
        ledger.makeEventsAgain();
        ledger.sequence();
        process.resume();

        // then
        requireDoubt(process, "it was deleted and made again");
        assertThat(epochs()).isEqualTo(before);
    }

    @Test
    void eventsWithMorePartitionsThanGenesisNamesAreNotSigned() throws Exception {
        // given
        ledger.grow();
        ManagedProcess process = start(freePort());
        awaitAllPublished();
        List<LogRecord> before = epochs();

        // when
        process.suspend();
        try (Admin admin = Admin.create(new KafkaClients(KafkaConnection.of(broker.bootstrapServers())).common())) {
            admin.createPartitions(Map.of(ledger.topics.events(), NewPartitions.increaseTo(3)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
        ledger.grow();
        process.resume();

        // then
        requireDoubt(process, "has 3 partitions, genesis was made for 2");
        assertThat(epochs()).isEqualTo(before);
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

    /** Prometheus looks every few seconds: a process that is gone at once is one that is down, whatever it found. */
    @Test
    void aDoubtIsToldBeforeTheProcessEnds() throws Exception {
        // given
        ledger.grow();
        int port = freePort();
        Map<String, String> settings = new HashMap<>(ledger.settings(port));
        settings.put("ATTESTREAM_DOUBT_SHOWN_MILLIS", "10000");
        ManagedProcess process = launch("tells", List.of(), "io.attestream.checkpointer.Main", settings);
        awaitAllPublished();
        assertThat(get(port, "/metrics").body()).contains("attestream_doubt 0.0");

        // when
        ledger.lie(1, 0);

        // then
        await().atMost(SOON).until(() -> get(port, "/metrics").body().contains("attestream_doubt 1.0"));
        HttpResponse<String> ready = get(port, "/health/ready");
        assertThat(ready.statusCode()).isEqualTo(503);
        assertThat(ready.body()).contains("shard 1: outcome");
        long epochs = ledger.history().nextEpoch();
        assertThat(process.awaitExit(SOON)).isTrue();
        assertThat(process.exitCode()).isEqualTo(1);
        assertThat(process.log()).content().containsOnlyOnce("stopped: ");
        assertThat(ledger.history().nextEpoch()).isEqualTo(epochs);
    }

    @Test
    void refusesTopicsThatForget() throws Exception {
        // given
        ConfigResource events = new ConfigResource(ConfigResource.Type.TOPIC, ledger.topics.events());
        AlterConfigOp finite = new AlterConfigOp(new ConfigEntry("retention.ms", "3600000"), AlterConfigOp.OpType.SET);
        try (Admin admin = Admin.create(new KafkaClients(KafkaConnection.of(broker.bootstrapServers())).common())) {
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

    private LogRecord.Published published(long epoch) {
        return ledger.log().stream()
                .filter(LogRecord.Published.class::isInstance)
                .map(LogRecord.Published.class::cast)
                .filter(record -> record.epoch() == epoch)
                .findFirst()
                .orElseThrow();
    }

    /** All but notes of shards, which may come at any time. */
    private List<LogRecord> epochs() {
        return ledger.log().stream()
                .filter(record -> !(record instanceof LogRecord.ShardNotes))
                .toList();
    }

    private static void awaitDeath(ManagedProcess victim) {
        assertThat(victim.awaitExit(SOON)).as(victim.logTail()).isTrue();
        assertThat(victim.exitCode()).as(victim.logTail()).isEqualTo(CrashMain.DIED);
    }

    private static void requireDoubt(ManagedProcess process, String reason) {
        assertThat(process.awaitExit(SOON)).as(process.logTail()).isTrue();
        assertThat(process.exitCode()).as(process.logTail()).isEqualTo(1);
        assertThat(process.logTail()).contains(reason);
    }

    /**
     * Of everything that was ever signed and committed: no log has two roots for one size, none shrinks, and records alone
     * give the same. The object store holds for each epoch exactly the text that was published.
     */
    private void requireOneHistory() throws Exception {
        Map<String, Hash> roots = new HashMap<>();
        Map<String, Long> sizes = new HashMap<>();
        for (Checkpoint signed : everythingSigned()) {
            String size = signed.origin() + " " + signed.size();
            assertThat(roots.merge(size, signed.root(), (first, again) -> first))
                    .as(size)
                    .isEqualTo(signed.root());
            assertThat(signed.size().value())
                    .as(signed.origin())
                    .isGreaterThanOrEqualTo(sizes.getOrDefault(signed.origin(), 0L));
            sizes.put(signed.origin(), signed.size().value());
        }
        assertThat(ledger.rebuild()).isInstanceOf(Rebuild.Result.Same.class);
        requireGuardsAndEpochObjects();
    }

    /** Checkpoints of the ledger log, of each shard's head in it, and of the shards' own notes, in the order of the topic. */
    private List<Checkpoint> everythingSigned() throws InvalidFormat {
        List<Checkpoint> signed = new ArrayList<>();
        for (LogRecord record : ledger.log()) {
            if (record instanceof LogRecord.Published published) {
                signed.add(checkpoint(published.note()));
                published
                        .intent()
                        .heads()
                        .forEach(head -> signed.add(new Checkpoint(
                                ledger.ledger.ledger.shardOrigin(head.shard()), head.size(), head.root())));
            } else if (record instanceof LogRecord.ShardNotes shards) {
                for (LogRecord.ShardNote shard : shards.notes()) {
                    signed.add(checkpoint(shard.note()));
                }
            }
        }
        return signed;
    }

    private static Checkpoint checkpoint(String note) throws InvalidFormat {
        return Checkpoint.parse(SignedNote.parse(note).text());
    }

    private void requireGuardsAndEpochObjects() throws IOException {
        for (LogRecord record : ledger.log()) {
            if (record instanceof LogRecord.Published published) {
                Path guard = directory.resolve("objects").resolve(ObjectNames.guard(published.epoch()));
                assertThat(Files.readString(guard))
                        .startsWith(published.intent().noteText() + "\n");
                Path epoch = directory.resolve("objects").resolve(ObjectNames.epoch(published.epoch()));
                assertThat(Files.readAllBytes(epoch)).isEqualTo(EpochObjects.published(published));
            }
        }
    }

    private ManagedProcess start(int port) {
        return launch("plain-" + processes.size(), List.of(), "io.attestream.checkpointer.Main", ledger.settings(port));
    }

    private ManagedProcess startStandby(int port) {
        Map<String, String> settings = new HashMap<>(ledger.settings(port));
        settings.put("ATTESTREAM_CHECKPOINTER_STANDBY", "true");
        return launch("standby-" + processes.size(), List.of(), "io.attestream.checkpointer.Main", settings);
    }

    private ManagedProcess startWith(PublishStep step, long from, String then) throws IOException {
        String name = "at-" + step + "-" + processes.size();
        List<String> properties = List.of(
                "-Dat=" + step,
                "-Dfrom=" + from,
                "-Dthen=" + then,
                "-Dreached=" + directory.resolve(name + ".reached"),
                "-Dsigned=" + directory.resolve(name + ".signed"),
                "-Dgo=" + directory.resolve(name + ".go"));
        return launch(name, properties, CrashMain.class.getName(), ledger.settings(freePort()));
    }

    private Path reached(ManagedProcess process) {
        return directory.resolve(process.name() + ".reached");
    }

    private Path signed(ManagedProcess process) {
        return directory.resolve(process.name() + ".signed");
    }

    private Path go(ManagedProcess process) {
        return directory.resolve(process.name() + ".go");
    }

    private ManagedProcess launch(String name, List<String> properties, String main, Map<String, String> settings) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-javaagent:" + Installation.find().home().resolve("chaos/target/agent/child-agent.jar")));
        command.addAll(properties);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        Map<String, String> environment = new HashMap<>(settings);
        environment.putAll(Map.of("ENV", "dev", "AUTH_POLICY", "dev"));
        ManagedProcess process = new ManagedProcess(name, command, environment, directory.resolve(name + ".log"));
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
