// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagHistory;
import io.attestream.operations.lag.LagMetrics;
import io.attestream.operations.lag.LagReader;
import io.attestream.operations.lag.LagReport;
import io.attestream.schemas.Topics;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.ManagementInterface;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.Json;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    /** A look may take this long. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final GatewayConfig config;
    private final LagMetrics metrics;
    private final LagHistory history = new LagHistory();
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "consumer-lag");
        thread.setDaemon(true);
        return thread;
    });
    private @Nullable LagReader reader;
    private volatile @Nullable Look last;
    /** Said once, not every few seconds. */
    private volatile boolean unanswered;

    /**
     * What the brokers answered.
     *
     * @param report as it is served
     */
    record Look(Instant time, List<GroupLag> groups, Generations generations, Map<String, Object> report) {
        static Look of(Instant time, List<GroupLag> groups, LagHistory history, Topics topics) {
            Generations generations = Generations.of(topics, groups);
            Map<String, Object> report = LagReport.of(time, groups, history, generations::isOther);
            return new Look(time, groups, generations, report);
        }

        /** Without those of the ledger that nobody is to process any more, or not yet. */
        List<GroupLag> counted() {
            return groups.stream().filter(group -> !generations.isOther(group)).toList();
        }

        /** What the report says of a group. */
        Map<String, Object> json(GroupLag group) {
            Map<String, Object> json = new LinkedHashMap<>();
            for (Object each : (List<?>) report.getOrDefault("groups", List.of())) {
                Map<?, ?> members = (Map<?, ?>) each;
                if (group.group().equals(members.get("group"))) {
                    members.forEach((name, value) -> json.put((String) name, value));
                }
            }
            return json;
        }
    }

    /** The newest look; empty if the brokers did not answer when they were asked last, or not for long. */
    Optional<Look> newest() {
        Look look = last;
        Duration tooOld = config.lag().interval().multipliedBy(3).plus(PATIENCE);
        boolean usable = look != null
                && !unanswered
                && look.time().isAfter(Clock.systemUTC().instant().minus(tooOld));
        return usable ? Optional.ofNullable(look) : Optional.empty();
    }

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
            Look look = last;
            context.response()
                    .setStatusCode(look == null ? 503 : 200)
                    .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                    .end(Json.encode(
                            look == null ? Map.of("reason", "the brokers did not answer yet") : look.report()));
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
            Topics topics = new Topics(config.topics().prefix());
            Look look = Look.of(Clock.systemUTC().instant(), groups, history, topics);
            metrics.set(look.counted(), history);
            last = look;
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
