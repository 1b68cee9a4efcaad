// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.replicas;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.common.KafkaException;

/**
 * Asks the brokers how the ledger's topics are replicated, and those without which nothing is committed: group offsets and the state
 * of transactions. Only describes. Not thread-safe.
 */
public final class ReplicaReader implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Set<String> INTERNAL = Set.of("__consumer_offsets", "__transaction_state");

    private final Admin admin;
    private final String prefix;

    /**
     * @param connection how to reach the brokers, as Kafka's clients take it
     * @param prefix of the ledger's topics
     */
    public ReplicaReader(Map<String, Object> connection, String prefix) {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("default.api.timeout.ms", (int) TIMEOUT.toMillis());
        settings.put("request.timeout.ms", (int) TIMEOUT.toMillis() / 2);
        this.admin = Admin.create(settings);
        this.prefix = prefix;
    }

    /**
     * As the brokers know it now.
     *
     * @throws KafkaException if they do not answer in time
     */
    public ReplicaHealth look() {
        try {
            List<String> topics = admin
                    .listTopics(new ListTopicsOptions().listInternal(true))
                    .names()
                    .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                    .stream()
                    .filter(name -> name.startsWith(prefix) || INTERNAL.contains(name))
                    .toList();
            return ReplicaHealth.of(admin.describeTopics(topics)
                    .allTopicNames()
                    .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                    .values());
        } catch (ExecutionException | TimeoutException e) {
            throw new KafkaException("the brokers do not say how topics are replicated", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
