// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.topics;

import io.attestream.schemas.Topics;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * What the topics of a ledger must be like. A setting that would break an invariant is a violation: retention or compaction
 * would lose what was acknowledged, producer timestamps can be forged, an unclean leader forgets.
 */
public final class TopicContract {
    /** What a message may be longer than the payload it carries. */
    public static final long MESSAGE_OVERHEAD_BYTES = 128 << 10;

    /** Transactions whose aborted epochs can never be confused with a later one (KIP-890). */
    private static final short MIN_TRANSACTION_VERSION = 2;

    private static final int REPLICATION_FACTOR = 3;
    private static final int MIN_IN_SYNC_REPLICAS = 2;
    private static final long TIMEOUT_SECONDS = 30;

    private final Topics topics;
    private final int shards;
    private final long maxPayloadBytes;
    private final boolean dev;

    /**
     * @param shards number of partitions of events, sealed and outcomes
     * @param dev whether one replica is enough; nothing else is relaxed
     */
    public TopicContract(Topics topics, int shards, long maxPayloadBytes, boolean dev) {
        this.topics = topics;
        this.shards = shards;
        this.maxPayloadBytes = maxPayloadBytes;
        this.dev = dev;
    }

    /** Number of partitions of events, sealed and outcomes. */
    public int shards() {
        return shards;
    }

    /**
     * A setting that is not what the ledger needs.
     *
     * @param object topic, or "cluster"
     */
    public record Violation(String object, String setting, String actual, String expected) {
        @Override
        public String toString() {
            return object + ": " + setting + " is " + actual + ", must be " + expected;
        }
    }

    /** The topics every ledger has. */
    public List<String> topicNames() {
        return List.copyOf(partitions().keySet());
    }

    private Map<String, Integer> partitions() {
        Map<String, Integer> partitions = new LinkedHashMap<>();
        partitions.put(topics.events(), shards);
        partitions.put(topics.sealed(), shards);
        partitions.put(topics.outcomes(), shards);
        partitions.put(topics.checkpoints(), 1);
        partitions.put(topics.inboxOutcomes(), 1);
        return partitions;
    }

    private boolean isInbox(String topic) {
        return topic.startsWith(topics.inboxPrefix());
    }

    private Map<String, String> settings(String topic) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("cleanup.policy", "delete");
        settings.put("unclean.leader.election.enable", "false");
        boolean inbox = isInbox(topic);
        // What admission has read, and what it said about it, need not be kept for ever.
        if (!inbox && !topic.equals(topics.inboxOutcomes())) {
            settings.put("retention.ms", "-1");
            settings.put("retention.bytes", "-1");
        }
        if (inbox || topic.equals(topics.events())) {
            // Retention goes by timestamps: with one of its own a producer had its inbox deleted unread, or kept for
            // ever.
            settings.put("message.timestamp.type", "LogAppendTime");
            settings.put("max.message.bytes", Long.toString(maxPayloadBytes + MESSAGE_OVERHEAD_BYTES));
        }
        if (!dev) {
            settings.put("min.insync.replicas", Integer.toString(MIN_IN_SYNC_REPLICAS));
        }
        return settings;
    }

    /**
     * Creates the topics that are missing. Existing ones are left as they are: {@link #check} says whether they will do.
     *
     * @throws IllegalStateException if the cluster refuses or does not answer within 30 s
     */
    public void create(Admin admin) {
        createAll(admin, partitions());
    }

    /** Creates the inboxes of these tenants that are missing. */
    public void createInboxes(Admin admin, Collection<String> tenants) {
        Map<String, Integer> inboxes = new LinkedHashMap<>();
        tenants.forEach(tenant -> inboxes.put(topics.inbox(tenant), 1));
        createAll(admin, inboxes);
    }

    private void createAll(Admin admin, Map<String, Integer> partitions) {
        List<NewTopic> missing = new ArrayList<>();
        partitions.forEach(
                (name, count) -> missing.add(new NewTopic(name, count, replicationFactor()).configs(settings(name))));
        createMissing(admin, missing);
    }

    private short replicationFactor() {
        return dev ? 1 : (short) REPLICATION_FACTOR;
    }

    private static void createMissing(Admin admin, List<NewTopic> topics) {
        request(admin, topics);
        awaitVisible(admin, topics.stream().map(NewTopic::name).toList());
    }

    /** A new topic is known to the controller first; the broker that is asked next may still deny it. */
    private static void awaitVisible(Admin admin, List<String> topics) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (!get(admin.listTopics().names(), "listing topics").containsAll(topics)) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        "not all of " + topics + " can be seen " + TIMEOUT_SECONDS + " s after they were created");
            }
            pause();
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("waiting for new topics was interrupted", e);
        }
    }

    private static void request(Admin admin, List<NewTopic> topics) {
        admin.createTopics(topics).values().forEach((name, future) -> {
            try {
                get(future, "creating topic " + name);
            } catch (IllegalStateException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }
            }
        });
    }

    /**
     * All violations, also those of the inboxes that are there; empty if the cluster and the topics will do.
     *
     * @throws IllegalStateException if the cluster does not answer within 30 s
     */
    public List<Violation> check(Admin admin) {
        List<Violation> violations = new ArrayList<>();
        checkFeatures(admin, violations);
        Map<String, TopicDescription> described = describe(admin, violations);
        Map<ConfigResource, Config> configs = get(
                admin.describeConfigs(described.keySet().stream()
                                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                                .toList())
                        .all(),
                "reading topic settings");
        described.forEach((topic, description) -> {
            checkShape(description, violations);
            Config config = configs.get(new ConfigResource(ConfigResource.Type.TOPIC, topic));
            required(topic).forEach((setting, expected) -> {
                String actual = config == null || config.get(setting) == null
                        ? "unknown"
                        : String.valueOf(config.get(setting).value());
                if (!isEnough(setting, actual, expected)) {
                    violations.add(new Violation(topic, setting, actual, expected));
                }
            });
        });
        return violations;
    }

    private Map<String, TopicDescription> describe(Admin admin, List<Violation> violations) {
        Map<String, TopicDescription> described = new HashMap<>();
        Set<String> wanted = new LinkedHashSet<>(partitions().keySet());
        get(admin.listTopics().names(), "listing topics").stream()
                .filter(this::isInbox)
                .forEach(wanted::add);
        admin.describeTopics(wanted).topicNameValues().forEach((topic, future) -> {
            try {
                described.put(topic, get(future, "describing topic " + topic));
            } catch (IllegalStateException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
                if (!isInbox(topic)) {
                    violations.add(new Violation(topic, "existence", "missing", "created by attestream init"));
                }
            }
        });
        return described;
    }

    private void checkFeatures(Admin admin, List<Violation> violations) {
        Map<String, FinalizedVersionRange> features = get(
                        admin.describeFeatures().featureMetadata(), "reading cluster features")
                .finalizedFeatures();
        FinalizedVersionRange transactions = features.get("transaction.version");
        int version = transactions == null ? 0 : transactions.maxVersionLevel();
        if (version < MIN_TRANSACTION_VERSION) {
            violations.add(new Violation(
                    "cluster",
                    "transaction.version",
                    Integer.toString(version),
                    MIN_TRANSACTION_VERSION + " (kafka-features upgrade --feature transaction.version=2)"));
        }
    }

    private void checkShape(TopicDescription description, List<Violation> violations) {
        Integer expected = partitions().get(description.name());
        int actual = description.partitions().size();
        if (expected != null && actual != expected) {
            violations.add(
                    new Violation(description.name(), "partitions", Integer.toString(actual), expected.toString()));
        }
        int replicas = description.partitions().stream()
                .mapToInt(partition -> partition.replicas().size())
                .min()
                .orElse(0);
        if (!dev && replicas < REPLICATION_FACTOR) {
            violations.add(new Violation(
                    description.name(),
                    "replication factor",
                    Integer.toString(replicas),
                    "at least " + REPLICATION_FACTOR));
        }
    }

    /** Settings without which something would be lost or forged. An inbox may take shorter messages: their producer is told. */
    private Map<String, String> required(String topic) {
        Map<String, String> required = settings(topic);
        if (isInbox(topic)) {
            required.remove("max.message.bytes");
        }
        return required;
    }

    private static boolean isEnough(String setting, String actual, String expected) {
        if (setting.equals("max.message.bytes") || setting.equals("min.insync.replicas")) {
            try {
                return Long.parseLong(actual) >= Long.parseLong(expected);
            } catch (NumberFormatException e) {
                return false;
            }
        }
        return actual.equals(expected);
    }

    private static <T> T get(KafkaFuture<T> future, String what) {
        try {
            return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(what + " failed: " + e.getMessage(), e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException(what + " was not answered within " + TIMEOUT_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(what + " was interrupted", e);
        }
    }
}
