// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.config.Secrets;
import io.attestream.operations.replicas.ReplicaMetrics;
import io.attestream.operations.replicas.ReplicaReader;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks now and then how the brokers hold the ledger's topics: {@code attestream_kafka_partitions}. As often as at lag. */
@ApplicationScoped
public class TopicReplicas {
    private static final Logger LOG = LoggerFactory.getLogger(TopicReplicas.class);

    private final GatewayConfig config;
    private final Secrets secrets;
    private final ReplicaMetrics metrics;
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "topic-replicas");
        thread.setDaemon(true);
        return thread;
    });
    private @Nullable ReplicaReader reader;
    /** Said once, not every few seconds. */
    private boolean unanswered;

    TopicReplicas(GatewayConfig config, Secrets secrets, MeterRegistry registry) {
        this.config = config;
        this.secrets = secrets;
        this.metrics = new ReplicaMetrics(registry);
    }

    void onStart(@Observes StartupEvent event) {
        long intervalMillis = config.lag().interval().toMillis();
        var unused = looking.scheduleWithFixedDelay(this::look, 0, intervalMillis, TimeUnit.MILLISECONDS);
    }

    void onStop(@Observes ShutdownEvent event) {
        looking.execute(() -> {
            if (reader != null) {
                reader.close();
            }
        });
        looking.shutdown();
    }

    private void look() {
        try {
            ReplicaReader open = reader;
            if (open == null) {
                open = new ReplicaReader(
                        secrets.kafkaConnection(), config.topics().prefix());
                reader = open;
            }
            metrics.set(open.look());
            unanswered = false;
        } catch (RuntimeException e) {
            metrics.clear();
            if (!unanswered) {
                LOG.warn("replicas could not be looked at: {}", e.getMessage());
            }
            unanswered = true;
        }
    }
}
