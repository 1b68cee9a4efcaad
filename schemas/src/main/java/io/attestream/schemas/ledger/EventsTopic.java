// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.ledger;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;

/**
 * Looks whether topic {@code events} is still the one genesis names. Of one that was made again under a running process a
 * consumer reads on at its old position, as if nothing had happened. Thread-safe.
 */
public final class EventsTopic implements AutoCloseable {
    private final Admin admin;
    private final String topic;
    private final LedgerDefinition ledger;
    private final Duration timeout;

    /**
     * @param connection settings of Kafka's clients
     * @param timeout of a look
     */
    public EventsTopic(Map<String, Object> connection, String topic, LedgerDefinition ledger, Duration timeout) {
        this.admin = Admin.create(connection);
        this.topic = topic;
        this.ledger = ledger;
        this.timeout = timeout;
    }

    /**
     * Asks the brokers each time: what was read since they were asked last may be of another topic.
     *
     * @return in which way it is another one; empty if it is the same
     * @throws KafkaException if the brokers do not tell
     */
    public Optional<String> difference() throws InterruptedException {
        return difference(describe(), ledger);
    }

    /**
     * Of a topic as somebody else saw it.
     *
     * @return in which way it is another one than genesis names; empty if it is the same
     */
    public static Optional<String> difference(TopicDescription described, LedgerDefinition ledger) {
        String topic = described.name();
        String id = described.topicId().toString();
        int partitions = described.partitions().size();
        if (!id.equals(ledger.topicId())) {
            return Optional.of("topic " + topic + " has id " + id + ", genesis was made for " + ledger.topicId()
                    + ": it was deleted and made again. Restore the ledger");
        }
        if (partitions != ledger.shards()) {
            return Optional.of("topic " + topic + " has " + partitions + " partitions, genesis was made for "
                    + ledger.shards() + ": keys go to other shards now. Restore the ledger");
        }
        return Optional.empty();
    }

    private TopicDescription describe() throws InterruptedException {
        try {
            Map<String, TopicDescription> described =
                    admin.describeTopics(List.of(topic)).allTopicNames().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return Objects.requireNonNull(described.get(topic), "asked for");
        } catch (ExecutionException e) {
            throw new KafkaException("topic " + topic + " could not be looked at: " + e.getCause(), e);
        } catch (TimeoutException e) {
            throw new KafkaException(
                    "topic " + topic + " could not be looked at: no answer in " + timeout.toMillis() + " ms", e);
        }
    }

    @Override
    public void close() {
        admin.close(timeout);
    }
}
