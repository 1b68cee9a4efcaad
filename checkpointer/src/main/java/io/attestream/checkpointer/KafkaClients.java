// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The one place clients are made, so that none reads what is not committed. */
final class KafkaClients {
    /** Longest a staged record may block readers of {@code checkpoints} when its writer dies. */
    static final int TRANSACTION_TIMEOUT_MILLIS = 10_000;
    /** How long a broker may be away before a commit's result counts as unknown, which ends the process. */
    static final int COMMIT_WAIT_MILLIS = 30_000;

    /** After which a member that is silent is taken for dead. */
    private static final int SESSION_TIMEOUT_MILLIS = 6_000;

    private final Map<String, Object> connection;

    /** @param connection {@code bootstrap.servers} and what else it takes to connect */
    KafkaClients(Map<String, Object> connection) {
        this.connection = Map.copyOf(connection);
    }

    Map<String, Object> common() {
        Map<String, Object> config = new HashMap<>(connection);
        config.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000);
        return config;
    }

    /**
     * Without a group: positions are this process's own, and none is ever taken from a default.
     *
     * @param fetchBytesMax most bytes of one partition in one fetch; a larger single record still comes
     */
    KafkaConsumer<byte[], byte[]> reader(int fetchBytesMax) {
        Map<String, Object> config = common();
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        config.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, fetchBytesMax);
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 4000);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** In a group in which each partition stays with whoever has it as long as that one lives. Commits nothing. */
    KafkaConsumer<byte[], byte[]> member(String group) {
        Map<String, Object> config = common();
        config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        config.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        config.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_TIMEOUT_MILLIS);
        config.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, SESSION_TIMEOUT_MILLIS / 5);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    KafkaProducer<byte[], byte[]> transactionalWriter(String transactionalId) {
        return transactionalWriter(transactionalId, TRANSACTION_TIMEOUT_MILLIS);
    }

    /** @param timeoutMillis after which the brokers abort a transaction that is still open */
    KafkaProducer<byte[], byte[]> transactionalWriter(String transactionalId, int timeoutMillis) {
        Map<String, Object> config = common();
        config.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
        config.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, timeoutMillis);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, COMMIT_WAIT_MILLIS);
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, COMMIT_WAIT_MILLIS);
        config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
        config.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        // The coordinator refuses a transaction while it still ends the one before; that takes a few milliseconds.
        config.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 5);
        config.put(ProducerConfig.RETRY_BACKOFF_MAX_MS_CONFIG, 500);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
