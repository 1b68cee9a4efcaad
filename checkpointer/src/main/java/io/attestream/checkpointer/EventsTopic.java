// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.schemas.ledger.LedgerDefinition;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;

/**
 * Looks whether topic {@code events} is still the one genesis names. Of one that was made again under a running process a
 * consumer reads on at its old position, as if nothing had happened. Used by the publishing thread only.
 */
final class EventsTopic implements AutoCloseable {
    private static final long ANSWER_SECONDS = 30;

    private final Admin admin;
    private final String topic;
    private final LedgerDefinition ledger;

    EventsTopic(KafkaClients clients, String topic, LedgerDefinition ledger) {
        this.admin = Admin.create(clients.common());
        this.topic = topic;
        this.ledger = ledger;
    }

    /**
     * Asks the brokers each time: what was read since they were asked last may be of another topic.
     *
     * @throws FatalDoubtException if it is another one, or the brokers do not tell
     */
    void requireSame() {
        TopicDescription described = describe();
        String id = described.topicId().toString();
        int partitions = described.partitions().size();
        if (!id.equals(ledger.topicId())) {
            throw new FatalDoubtException("topic " + topic + " has id " + id + ", genesis was made for "
                    + ledger.topicId() + ": it was deleted and made again. Restore the ledger");
        }
        if (partitions != ledger.shards()) {
            throw new FatalDoubtException("topic " + topic + " has " + partitions + " partitions, genesis was made for "
                    + ledger.shards() + ": keys go to other shards now. Restore the ledger");
        }
    }

    private TopicDescription describe() {
        try {
            Map<String, TopicDescription> described =
                    admin.describeTopics(List.of(topic)).allTopicNames().get(ANSWER_SECONDS, TimeUnit.SECONDS);
            return Objects.requireNonNull(described.get(topic), "asked for");
        } catch (ExecutionException e) {
            throw new FatalDoubtException("topic " + topic + " could not be looked at: " + e.getCause(), e);
        } catch (TimeoutException e) {
            throw new FatalDoubtException(
                    "topic " + topic + " could not be looked at: no answer in " + ANSWER_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new FatalDoubtException("told to stop while looking at topic " + topic, e);
        }
    }

    @Override
    public void close() {
        admin.close();
    }
}
