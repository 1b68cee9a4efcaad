// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.chaos.LocalBroker;
import io.attestream.chaos.ManagedProcess;
import io.attestream.processors.sequencer.Replay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way in which input position and state can part is refused by name, and nothing is sealed after it. */
class FenceIT {
    private static final String INSTANCE = "p0";

    @TempDir
    private static Path directory;

    private static LocalBroker broker;
    private static int ledgers;

    private LiveLedger live;
    private int deltasBefore;

    @BeforeAll
    static void startBroker() {
        broker = LocalBroker.start(directory.resolve("broker"));
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    @AfterEach
    void nothingWasSealedAfterwards() {
        try (LiveLedger ended = live) {
            assertThat(ended.sealed(0)).hasSize(deltasBefore);
        }
    }

    /** A ledger that was sequenced and then stopped in good order, with two events waiting. */
    private void givenAStoppedLedger() throws IOException {
        live = new LiveLedger(broker.bootstrapServers(), "fence" + ledgers++, 1, directory);
        live.grow("before-", 300);
        try (LiveLedger.Running ignored = live.run(INSTANCE, "sequencer")) {
            live.awaitSealed();
        }
        live.grow("after-", 2);
        deltasBefore = live.sealed(0).size();
    }

    private String refusal() throws Exception {
        return live.run(INSTANCE, "sequencer").awaitRefusal();
    }

    private String group() {
        return live.topics.sequencerGroup(1);
    }

    private void emptyGroup() throws ExecutionException, InterruptedException {
        live.admin
                .removeMembersFromConsumerGroup(group(), new RemoveMembersFromConsumerGroupOptions())
                .all()
                .get();
    }

    private void setGroupOffset(long offset) throws ExecutionException, InterruptedException {
        emptyGroup();
        live.admin
                .alterConsumerGroupOffsets(
                        group(), Map.of(new TopicPartition(live.topics.events(), 0), new OffsetAndMetadata(offset)))
                .all()
                .get();
    }

    private List<String> changelogs() {
        return Stream.of("edge", "window", "rules").map(this::changelog).toList();
    }

    private String changelog(String store) {
        return group() + "-" + store + "-changelog";
    }

    private void deleteTopics(List<String> names) throws ExecutionException, InterruptedException {
        live.admin.deleteTopics(names).all().get();
        Awaitility.await("topics are gone").atMost(LiveLedger.PATIENCE).until(() -> {
            Set<String> present = live.admin.listTopics().names().get();
            return names.stream().noneMatch(present::contains);
        });
    }

    private void deleteState() throws IOException {
        try (Stream<Path> files = Files.walk(live.stateDirectory(INSTANCE))) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private void setTopic(String setting, String value) throws ExecutionException, InterruptedException {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, live.topics.events());
        live.admin
                .incrementalAlterConfigs(Map.of(
                        topic, List.of(new AlterConfigOp(new ConfigEntry(setting, value), AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    /** Deletes a topic and makes another one with the same name, settings and records. */
    private void replaceTopic(String topic) throws Exception {
        replaceTopic(topic, live.records(topic, 0));
    }

    private void replaceTopic(String topic, List<ConsumerRecord<byte[], byte[]>> records) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Map<String, String> settings = new HashMap<>();
        live.admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().stream()
                .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                .forEach(entry -> settings.put(entry.name(), entry.value()));
        deleteTopics(List.of(topic));
        live.admin
                .createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(settings)))
                .all()
                .get();
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(live.connection(), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (ConsumerRecord<byte[], byte[]> record : records) {
                producer.send(new ProducerRecord<>(topic, 0, record.key(), record.value()))
                        .get();
            }
        }
    }

    @Test
    void goesOnWhereItWasWhenNothingParted() throws Exception {
        // given
        givenAStoppedLedger();

        // when
        try (LiveLedger.Running ignored = live.run(INSTANCE, "sequencer")) {
            live.awaitSealed();
        }

        // then
        Replay.requireEqual(live.ledger, 0, live.records(live.topics.events(), 0), live.sealed(0), live.outcomes(0));
        deltasBefore = live.sealed(0).size();
    }

    @Test
    void refusesDeletedGroupOffsets() throws Exception {
        givenAStoppedLedger();
        emptyGroup();
        live.admin.deleteConsumerGroups(List.of(group())).all().get();
        assertThat(refusal()).contains("no committed offset").contains("deleted or expired");
    }

    @Test
    void aDoubtIsToldUntilTheProcessIsToldToStop() throws Exception {
        // given
        givenAStoppedLedger();
        setGroupOffset(250);
        Map<String, String> settings = live.settings(INSTANCE, "sequencer", LiveLedger.freePort());
        settings.put("attestream.doubt-shown-millis", "300000");

        // when
        try (LiveLedger.Running running = live.run(settings)) {
            Awaitility.await()
                    .atMost(LiveLedger.PATIENCE)
                    .until(() -> live.get(running.port, "/metrics").body().contains("attestream_doubt 1.0"));

            // then
            LiveLedger.Reply health = live.get(running.port, "/health/ready");
            assertThat(health.status()).isEqualTo(503);
            assertThat(health.body()).contains("\"doubt\"", "moved back");

            // and
            running.stop();
            assertThat(running.awaitRefusal()).contains("moved back");
        }
    }

    @Test
    void refusesGroupOffsetsThatWereMovedBack() throws Exception {
        givenAStoppedLedger();
        setGroupOffset(250);
        assertThat(refusal()).contains("the group's offset is 250").contains("moved back");
    }

    @Test
    void refusesGroupOffsetsThatWereMovedForward() throws Exception {
        givenAStoppedLedger();
        setGroupOffset(302);
        assertThat(refusal()).contains("go on at offset 302").contains("offset 301 is a committed record");
    }

    @Test
    void refusesDeletedChangelogs() throws Exception {
        givenAStoppedLedger();
        deleteTopics(changelogs());
        assertThat(refusal())
                .contains("its changelog is missing")
                .contains(changelogs().get(0))
                .contains("the group's offsets survived");
    }

    @Test
    void refusesLostStateOfWhichTheGroupOffsetsSurvived() throws Exception {
        givenAStoppedLedger();
        for (String changelog : changelogs()) {
            replaceTopic(changelog, List.of());
        }
        deleteState();
        assertThat(refusal()).contains("the state was lost while the group's offsets survived");
    }

    @ParameterizedTest
    @ValueSource(strings = {"edge", "window", "rules", "edge window rules"})
    void refusesAStateDirectoryOfWhichAChangelogWasReplaced(String stores) throws Exception {
        givenAStoppedLedger();
        for (String store : stores.split(" ", -1)) {
            replaceTopic(changelog(store));
        }
        assertThat(refusal()).contains("a changelog was deleted or replaced");
    }

    @Test
    void refusesStateRestoredFromAReplacedChangelog() throws Exception {
        givenAStoppedLedger();
        replaceTopic(changelogs().get(0));
        deleteState();
        assertThat(refusal()).contains("a changelog was deleted or replaced");
    }

    @Test
    void refusesARecreatedEventsTopic() throws Exception {
        givenAStoppedLedger();
        replaceTopic(live.topics.events());
        assertThat(refusal()).contains("the topic was recreated");
    }

    @Test
    void stopsWhenEventsIsMadeAgainWhileItRuns() throws Exception {
        // given: stopped before what was written last
        givenAStoppedLedger();
        try (LiveLedger.Running running = live.run(INSTANCE, "sequencer")) {
            live.awaitSealed();
            deltasBefore = live.sealed(0).size();

            // when: with the same records, so that reading on at the old position finds nothing wrong
            replaceTopic(live.topics.events());

            // then
            assertThat(running.awaitRefusal()).contains("it was deleted and made again");
        }
    }

    @Test
    void stopsWhenEventsIsGivenMorePartitionsWhileItRuns() throws Exception {
        // given
        givenAStoppedLedger();
        try (LiveLedger.Running running = live.run(INSTANCE, "sequencer")) {
            live.awaitSealed();
            deltasBefore = live.sealed(0).size();

            // when
            live.admin
                    .createPartitions(Map.of(live.topics.events(), NewPartitions.increaseTo(2)))
                    .all()
                    .get();

            // then
            assertThat(running.awaitRefusal()).contains("has 2 partitions, genesis was made for 1");
        }
    }

    @Test
    void refusesAnotherNumberOfPartitions() throws Exception {
        givenAStoppedLedger();
        live.admin
                .createPartitions(Map.of(live.topics.events(), NewPartitions.increaseTo(2)))
                .all()
                .get();
        assertThat(refusal()).contains("was made for 1 partitions, the topic has 2");
    }

    @Test
    void refusesTopicSettingsThatLoseOrForgeRecords() throws Exception {
        givenAStoppedLedger();
        setTopic("retention.ms", "604800000");
        assertThat(refusal()).contains("retention.ms is 604800000, must be -1");
        setTopic("retention.ms", "-1");
        setTopic("message.timestamp.type", "CreateTime");
        assertThat(refusal()).contains("message.timestamp.type is CreateTime, must be LogAppendTime");
    }

    @Test
    void stopsAtAnUnknownSchemaAndLosesNothing() throws Exception {
        // given: everything before it is sealed, and a good event waits behind it
        givenAStoppedLedger();
        try (LiveLedger.Running ignored = live.run(INSTANCE, "sequencer")) {
            live.awaitSealed();
        }
        deltasBefore = live.sealed(0).size();
        long offset = live.write(0, TestLedger.unknownSchemaValue()).join().offset();
        live.writeEvent(0, "behind", "content").join();

        // when
        String refusal = refusal();
        String again = refusal();

        // then: it stands before that record, however often it is started
        assertThat(refusal).contains("offset " + offset).contains("schema id 999");
        assertThat(again).isEqualTo(refusal);
        assertThat(live.admin
                        .listConsumerGroupOffsets(group())
                        .partitionsToOffsetAndMetadata()
                        .get()
                        .get(new TopicPartition(live.topics.events(), 0))
                        .offset())
                .isEqualTo(offset);
    }

    @Test
    void refusesACacheOfZeroBytesWithOneMessage() throws Exception {
        // given
        live = new LiveLedger(broker.bootstrapServers(), "fence" + ledgers++, 1, directory);
        Map<String, String> settings = live.settings(INSTANCE, "sequencer", LiveLedger.freePort());
        settings.put("attestream.state.cache-size-bytes", "0");

        // when
        try (ManagedProcess process = CrashIT.process(live, settings).start()) {
            assertThat(process.awaitExit(LiveLedger.PATIENCE)).isTrue();

            // then
            assertThat(process.exitCode()).isEqualTo(1);
            assertThat(process.log())
                    .content()
                    .contains("refusing to start")
                    .contains("attestream.state.cache-size-bytes must be from 1 MiB to 4 GiB, is 0");
        }
    }

    /** What a crashed processor restores depends on the window and on these, not on the age of the log. */
    @Test
    void keepsChangelogsShort() throws Exception {
        givenAStoppedLedger();
        List<ConfigResource> topics = changelogs().stream()
                .map(changelog -> new ConfigResource(ConfigResource.Type.TOPIC, changelog))
                .toList();
        assertThat(live.admin.describeConfigs(topics).all().get().values())
                .allSatisfy(config -> assertThat(Map.of(
                                "cleanup.policy", config.get("cleanup.policy").value(),
                                "segment.bytes", config.get("segment.bytes").value(),
                                "segment.ms", config.get("segment.ms").value(),
                                "max.compaction.lag.ms",
                                        config.get("max.compaction.lag.ms").value(),
                                "min.cleanable.dirty.ratio",
                                        config.get("min.cleanable.dirty.ratio").value()))
                        .isEqualTo(Map.of(
                                "cleanup.policy", "compact",
                                "segment.bytes", "16777216",
                                "segment.ms", "600000",
                                "max.compaction.lag.ms", "600000",
                                "min.cleanable.dirty.ratio", "0.1")));
    }
}
