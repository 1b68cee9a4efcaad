// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.objects.keys.Eraser;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.DefaultProductionExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler;

/** Settings of the three applications, each with its reason. */
final class StreamsSettings {
    /** With static membership an instance is given its shards back within it; a dead one's are moved after it. */
    private static final int SESSION_TIMEOUT_MILLIS = 6_000;
    /** A crashed transaction blocks readers of sealed for so long. */
    private static final int TRANSACTION_TIMEOUT_MILLIS = 10_000;

    /**
     * The admin client asks a leader it remembers for the end of a changelog until this is over, even if that broker is gone
     * (KAFKA-20673), and a task that comes back waits for it. Not longer than the rest of a failover takes.
     */
    private static final int ADMIN_TIMEOUT_MILLIS = 5_000;

    private static final int ADMISSION_REQUEST_TIMEOUT_MILLIS = 5_000;
    private static final int COMMIT_INTERVAL_MILLIS = 100;

    private final ProcessorsConfig config;
    private final Map<String, Object> connection;
    private final long maxMessageBytes;

    /** @param connection {@code bootstrap.servers} and what else it takes to connect */
    StreamsSettings(ProcessorsConfig config, Map<String, Object> connection, long maxMessageBytes) {
        this.config = config;
        this.connection = Map.copyOf(connection);
        this.maxMessageBytes = maxMessageBytes;
    }

    Properties sequencer(String applicationId) {
        Properties settings = exactlyOnce(applicationId, ProcessorsConfigs.SEQUENCER);
        // Lost offsets must stop the application: any reset would fork the tree or skip records.
        settings.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "none");
        return settings;
    }

    Properties proofs(String applicationId) {
        // Repeats would do no harm. An instance that stood still would: what it has in hand is older than what another
        // wrote
        // meanwhile, and would replace it in the changelog.
        Properties settings = exactlyOnce(applicationId, ProcessorsConfigs.PROOFS);
        settings.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        return settings;
    }

    private Properties exactlyOnce(String applicationId, String role) {
        Properties settings = common(applicationId, role);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(
                StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), TRANSACTION_TIMEOUT_MILLIS);
        return settings;
    }

    Properties admission(String applicationId) {
        Properties settings = common(applicationId, ProcessorsConfigs.ADMISSION);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.ISOLATION_LEVEL_CONFIG), "read_committed");
        settings.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        // What is encrypted is written soon or never: whoever destroys its key waits no longer. Given up, it is read
        // again.
        settings.put(
                StreamsConfig.producerPrefix(ProducerConfig.MAX_BLOCK_MS_CONFIG),
                Eraser.ADMISSION_MAX_BLOCK.toMillis());
        settings.put(
                StreamsConfig.producerPrefix(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG),
                ADMISSION_REQUEST_TIMEOUT_MILLIS);
        settings.put(
                StreamsConfig.producerPrefix(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG),
                Math.toIntExact(Eraser.ADMISSION_DELIVERY_TIMEOUT.toMillis()));
        // Inboxes of several tenants share a task; none waits for another.
        settings.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, StreamsConfig.MAX_TASK_IDLE_MS_DISABLED);
        return settings;
    }

    private Properties common(String applicationId, String role) {
        Properties settings = new Properties();
        settings.putAll(connection);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
        settings.put(StreamsConfig.CLIENT_ID_CONFIG, config.instanceId() + "-" + role);
        settings.put(
                StreamsConfig.STATE_DIR_CONFIG,
                config.state().directory().resolve(role).toString());
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, config.state().standbyReplicas());
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_INTERVAL_MILLIS);
        settings.put(
                StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, config.state().cacheSizeBytes());
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, config.dev() ? 1 : 3);
        // Changelogs must not be lost more easily than what they belong to.
        settings.put(StreamsConfig.topicPrefix(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG), config.dev() ? "1" : "2");
        // A record that cannot be taken stops the application. None is ever skipped.
        settings.put(StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG, LogAndFailExceptionHandler.class);
        settings.put(
                StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG, LogAndFailProcessingExceptionHandler.class);
        settings.put(StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG, DefaultProductionExceptionHandler.class);
        // The streams protocol of 4.1 has no static membership.
        settings.put(StreamsConfig.GROUP_PROTOCOL_CONFIG, "classic");
        // Names of stores are names of topics, for ever.
        settings.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
        settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedRocksDb.class);
        settings.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.NO_OPTIMIZATION);
        settings.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), config.instanceId());
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), SESSION_TIMEOUT_MILLIS);
        settings.put(
                StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), SESSION_TIMEOUT_MILLIS / 4);
        settings.put(
                StreamsConfig.adminClientPrefix(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG), ADMIN_TIMEOUT_MILLIS);
        settings.put(
                StreamsConfig.adminClientPrefix(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG), ADMIN_TIMEOUT_MILLIS);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 2_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.METADATA_MAX_AGE_CONFIG), 30_000);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.ACKS_CONFIG), "all");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG), true);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), (int) maxMessageBytes);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        return settings;
    }
}
