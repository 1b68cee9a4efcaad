// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagHistory;
import io.attestream.operations.lag.LagMetrics;
import io.attestream.operations.lag.LagReader;
import io.attestream.operations.lag.LagReport;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.ManagementInterface;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.Json;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at the consumer groups of the cluster now and then: {@code attestream_lag…} in the metrics, {@code GET /lag} as JSON. */
@ApplicationScoped
public class ConsumerLag {
    private static final Logger LOG = LoggerFactory.getLogger(ConsumerLag.class);

    private final GatewayConfig config;
    private final LagMetrics metrics;
    private final LagHistory history = new LagHistory();
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "consumer-lag");
        thread.setDaemon(true);
        return thread;
    });
    private @Nullable LagReader reader;
    private volatile @Nullable Map<String, Object> last;
    /** Said once, not every few seconds. */
    private boolean unanswered;

    ConsumerLag(GatewayConfig config, MeterRegistry registry) {
        this.config = config;
        this.metrics = new LagMetrics(registry);
    }

    void onStart(@Observes StartupEvent event) {
        long intervalMillis = config.lag().interval().toMillis();
        var unused = looking.scheduleWithFixedDelay(this::look, 0, intervalMillis, TimeUnit.MILLISECONDS);
    }

    void onStop(@Observes ShutdownEvent event) {
        looking.execute(this::close);
        looking.shutdown();
    }

    void routes(@Observes ManagementInterface management) {
        management.router().get("/lag").handler(context -> {
            Map<String, Object> report = last;
            context.response()
                    .setStatusCode(report == null ? 503 : 200)
                    .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                    .end(Json.encode(report == null ? Map.of("reason", "the brokers did not answer yet") : report));
        });
    }

    private void look() {
        try {
            LagReader open = reader;
            if (open == null) {
                open = new LagReader(Map.of("bootstrap.servers", config.kafka().bootstrapServers()), Clock.systemUTC());
                reader = open;
            }
            List<GroupLag> groups = open.look();
            history.add(System.currentTimeMillis(), groups);
            metrics.set(groups, history);
            last = LagReport.of(Clock.systemUTC().instant(), groups, history);
            unanswered = false;
        } catch (RuntimeException e) {
            metrics.clear();
            if (!unanswered) {
                LOG.warn("consumer groups could not be looked at: {}", e.getMessage());
            }
            unanswered = true;
        }
    }

    private void close() {
        if (reader != null) {
            reader.close();
        }
    }
}
