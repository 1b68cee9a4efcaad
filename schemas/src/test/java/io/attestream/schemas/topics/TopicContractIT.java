// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.chaos.LocalBroker;
import io.attestream.schemas.Topics;
import io.attestream.schemas.topics.TopicContract.Violation;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The topic contract on a real broker. Each test has topics of its own. */
class TopicContractIT {
    private static final AtomicInteger PREFIXES = new AtomicInteger();

    @TempDir
    private static Path directory;

    private static LocalBroker broker;
    private static Admin admin;

    private final Topics topics = new Topics("contract" + PREFIXES.incrementAndGet());
    private final TopicContract contract = new TopicContract(topics, 2, 1 << 20, true);

    @BeforeAll
    static void start() {
        broker = LocalBroker.start(directory);
        admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
    }

    @AfterAll
    static void stop() {
        admin.close();
        broker.close();
    }

    @Test
    void whatItCreatesFulfilsIt() throws Exception {
        // when
        contract.create(admin);

        // then
        assertThat(contract.check(admin)).isEmpty();
        var described =
                admin.describeTopics(contract.topicNames()).allTopicNames().get(20, TimeUnit.SECONDS);
        assertThat(described.get(topics.events()).partitions()).hasSize(2);
        assertThat(described.get(topics.sealed()).partitions()).hasSize(2);
        assertThat(described.get(topics.outcomes()).partitions()).hasSize(2);
        assertThat(described.get(topics.checkpoints()).partitions()).hasSize(1);
    }

    @Test
    void creatingAgainChangesNothing() throws Exception {
        contract.create(admin);
        set(topics.events(), "retention.ms", "1000");
        contract.create(admin);
        assertThat(contract.check(admin)).containsExactly(new Violation(topics.events(), "retention.ms", "1000", "-1"));
    }

    @Test
    void missingTopicsAreNamed() {
        assertThat(contract.check(admin))
                .extracting(Violation::object)
                .containsExactlyInAnyOrderElementsOf(contract.topicNames());
        assertThat(contract.check(admin))
                .allSatisfy(violation -> assertThat(violation.toString()).contains("missing", "attestream init"));
    }

    record Wrong(String topic, String setting, String value, String expected) {}

    static Stream<Wrong> wrongSettings() {
        return Stream.of(
                new Wrong("events", "retention.ms", "604800000", "-1"),
                new Wrong("events", "retention.bytes", "1000000", "-1"),
                new Wrong("events", "cleanup.policy", "compact", "delete"),
                new Wrong("events", "cleanup.policy", "compact,delete", "delete"),
                new Wrong("events", "message.timestamp.type", "CreateTime", "LogAppendTime"),
                new Wrong("events", "unclean.leader.election.enable", "true", "false"),
                new Wrong("events", "max.message.bytes", "1179647", "1179648"),
                new Wrong("sealed", "retention.ms", "1", "-1"),
                new Wrong("sealed", "cleanup.policy", "compact", "delete"),
                new Wrong("sealed", "unclean.leader.election.enable", "true", "false"),
                new Wrong("outcomes", "retention.bytes", "1", "-1"),
                new Wrong("outcomes", "unclean.leader.election.enable", "true", "false"),
                new Wrong("checkpoints", "retention.ms", "1", "-1"),
                new Wrong("checkpoints", "cleanup.policy", "compact", "delete"),
                new Wrong("checkpoints", "unclean.leader.election.enable", "true", "false"),
                new Wrong("inbox-outcomes", "cleanup.policy", "compact", "delete"));
    }

    @ParameterizedTest
    @MethodSource("wrongSettings")
    void aSettingThatBreaksAnInvariantIsNamed(Wrong wrong) throws Exception {
        // given
        contract.create(admin);
        String topic = topics.prefix() + "." + wrong.topic();

        // when
        set(topic, wrong.setting(), wrong.value());

        // then
        assertThat(contract.check(admin))
                .containsExactly(new Violation(topic, wrong.setting(), wrong.value(), wrong.expected()));
    }

    @Test
    void largerMessagesThanNeededAreAllowed() throws Exception {
        contract.create(admin);
        set(topics.events(), "max.message.bytes", "2000000");
        assertThat(contract.check(admin)).isEmpty();
    }

    @Test
    void anotherNumberOfPartitionsIsNamed() {
        contract.create(admin);
        TopicContract larger = new TopicContract(topics, 3, 1 << 20, true);
        assertThat(larger.check(admin))
                .containsExactlyInAnyOrder(
                        new Violation(topics.events(), "partitions", "2", "3"),
                        new Violation(topics.sealed(), "partitions", "2", "3"),
                        new Violation(topics.outcomes(), "partitions", "2", "3"));
    }

    @Test
    void outsideDevelopmentReplicasAreAskedFor() {
        // given
        contract.create(admin);

        // when
        List<Violation> violations = new TopicContract(topics, 2, 1 << 20, false).check(admin);

        // then
        assertThat(violations)
                .contains(
                        new Violation(topics.events(), "replication factor", "1", "at least 3"),
                        new Violation(topics.events(), "min.insync.replicas", "1", "2"),
                        new Violation(topics.checkpoints(), "replication factor", "1", "at least 3"))
                .hasSize(2 * contract.topicNames().size());
    }

    /** Without it a late write of an aborted transaction can hang a partition for good (KIP-890). */
    @Test
    void anOldTransactionProtocolIsNamed() throws Exception {
        // given
        contract.create(admin);

        // when
        transactionVersion((short) 1, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);

        // then
        try {
            assertThat(contract.check(admin)).singleElement().satisfies(violation -> {
                assertThat(violation.object()).isEqualTo("cluster");
                assertThat(violation.setting()).isEqualTo("transaction.version");
                assertThat(violation.actual()).isEqualTo("1");
            });
        } finally {
            transactionVersion((short) 2, FeatureUpdate.UpgradeType.UPGRADE);
        }
    }

    @Test
    void createsInboxesThatTakeAsLargeMessages() throws Exception {
        // given
        NewTopic there = new NewTopic(topics.inbox("there"), 1, (short) 1);
        admin.createTopics(List.of(there.configs(Map.of("message.timestamp.type", "LogAppendTime"))))
                .all()
                .get(20, TimeUnit.SECONDS);

        // when
        contract.createInboxes(admin, List.of("there", "acme"));

        // then
        ConfigResource inbox = new ConfigResource(ConfigResource.Type.TOPIC, topics.inbox("acme"));
        Config settings = admin.describeConfigs(List.of(inbox))
                .all()
                .get(20, TimeUnit.SECONDS)
                .get(inbox);
        assertThat(settings.get("max.message.bytes").value()).isEqualTo("1179648");
        assertThat(settings.get("unclean.leader.election.enable").value()).isEqualTo("false");
        assertThat(settings.get("retention.ms").value()).isNotEqualTo("-1");
        assertThat(settings.get("message.timestamp.type").value()).isEqualTo("LogAppendTime");
    }

    @Test
    void inboxesThatAreThereAreCheckedToo() throws Exception {
        // given an inbox as it is created, and one of another size and number of partitions, which loses nothing
        contract.create(admin);
        contract.createInboxes(admin, List.of("good"));
        NewTopic other = new NewTopic(topics.inbox("other"), 3, (short) 1);
        admin.createTopics(List.of(
                        other.configs(Map.of("max.message.bytes", "1000", "message.timestamp.type", "LogAppendTime"))))
                .all()
                .get(20, TimeUnit.SECONDS);
        await().untilAsserted(() -> assertThat(contract.check(admin)).isEmpty());

        // when one would forget what admission has not read yet, be it by what producers say of their records' age
        set(topics.inbox("good"), "cleanup.policy", "compact");
        set(topics.inbox("other"), "message.timestamp.type", "CreateTime");

        // then it is named
        assertThat(contract.check(admin))
                .containsExactlyInAnyOrder(
                        new Violation(topics.inbox("good"), "cleanup.policy", "compact", "delete"),
                        new Violation(topics.inbox("other"), "message.timestamp.type", "CreateTime", "LogAppendTime"));
        assertThat(new TopicContract(topics, 2, 1 << 20, false).check(admin))
                .contains(new Violation(topics.inbox("other"), "replication factor", "1", "at least 3"));
    }

    private static void transactionVersion(short version, FeatureUpdate.UpgradeType type) throws Exception {
        admin.updateFeatures(
                        Map.of("transaction.version", new FeatureUpdate(version, type)), new UpdateFeaturesOptions())
                .all()
                .get(20, TimeUnit.SECONDS);
        await().until(() -> admin.describeFeatures()
                        .featureMetadata()
                        .get(20, TimeUnit.SECONDS)
                        .finalizedFeatures()
                        .get("transaction.version")
                        .maxVersionLevel()
                == version);
    }

    private static void set(String topic, String setting, String value) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(setting, value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get(20, TimeUnit.SECONDS);
        await().until(() -> admin.describeConfigs(List.of(resource))
                .all()
                .get(20, TimeUnit.SECONDS)
                .get(resource)
                .get(setting)
                .value()
                .equals(value));
    }
}
