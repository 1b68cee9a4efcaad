// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.config.Secrets;
import io.attestream.operations.lag.GroupLag;
import io.attestream.operations.lag.LagHistory;
import io.attestream.operations.lag.LagLook;
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
import jakarta.inject.Inject;
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
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at the consumer groups of the cluster now and then: {@code attestream_lag…} in the metrics, {@code GET /lag} as JSON. */
@ApplicationScoped
public class ConsumerLag {
    private static final Logger LOG = LoggerFactory.getLogger(ConsumerLag.class);
    private static final String NOT_YET = "the brokers did not answer yet; try again";
    /** A look may take this long. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Supplier<Map<String, Object>> connection;
    private final Topics topics;
    private final Duration interval;
    private final LagMetrics metrics;
    private final LagHistory history = new LagHistory();
    private final ScheduledExecutorService looking = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "consumer-lag");
        thread.setDaemon(true);
        return thread;
    });
    private @Nullable LagReader reader;
    private volatile @Nullable Look last;
    private volatile String unanswered = NOT_YET;

    /**
     * What the brokers answered.
     *
     * @param report as it is served
     */
    record Look(Instant time, LagLook all, Generations generations, Map<String, Object> report) {
        static Look of(Instant time, LagLook all, LagHistory history, Topics topics) {
            Generations generations = Generations.of(topics, all.groups());
            return new Look(time, all, generations, LagReport.of(time, all, history, generations::isOther));
        }

        List<GroupLag> groups() {
            return all.groups();
        }

        /** Without those of the ledger that nobody is to process any more, or not yet. */
        LagLook counted() {
            return new LagLook(
                    groups().stream()
                            .filter(group -> !generations.isOther(group))
                            .toList(),
                    all.groupsLeftOut());
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
        Duration tooOld = interval.multipliedBy(3).plus(PATIENCE);
        Instant oldest = Clock.systemUTC().instant().minus(tooOld);
        return Optional.ofNullable(last).filter(look -> look.time().isAfter(oldest));
    }

    @Inject
    ConsumerLag(GatewayConfig config, Secrets secrets, MeterRegistry registry) {
        this(
                secrets::kafkaConnection,
                new Topics(config.topics().prefix()),
                config.lag().interval(),
                registry);
    }

    ConsumerLag(Supplier<Map<String, Object>> connection, Topics topics, Duration interval, MeterRegistry registry) {
        this.connection = connection;
        this.topics = topics;
        this.interval = interval;
        this.metrics = new LagMetrics(registry);
    }

    void onStart(@Observes StartupEvent event) {
        var unused = looking.scheduleWithFixedDelay(
                () -> take(() -> reader().look()), 0, interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    void onStop(@Observes ShutdownEvent event) {
        looking.execute(this::close);
        looking.shutdown();
    }

    void routes(@Observes ManagementInterface management) {
        management.router().get("/lag").handler(context -> {
            Answer answer = answer();
            context.response()
                    .setStatusCode(answer.status())
                    .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                    .end(Json.encode(answer.json()));
        });
    }

    /** Of {@code GET /lag}. */
    record Answer(int status, Map<String, Object> json) {}

    Answer answer() {
        return newest().map(look -> new Answer(200, look.report()))
                .orElseGet(() -> new Answer(503, Map.of("reason", unanswered)));
    }

    private LagReader reader() {
        LagReader open = reader;
        if (open == null) {
            open = new LagReader(connection.get(), Clock.systemUTC());
            reader = open;
        }
        return open;
    }

    /** Asks; what was known before is not said any more if there is no answer. */
    void take(Supplier<LagLook> brokers) {
        try {
            LagLook all = brokers.get();
            history.add(System.currentTimeMillis(), all.groups());
            Look look = Look.of(Clock.systemUTC().instant(), all, history, topics);
            metrics.set(look.counted(), history);
            last = look;
        } catch (RuntimeException e) {
            metrics.clear();
            if (last != null || unanswered.equals(NOT_YET)) { // once, not every few seconds
                LOG.warn("consumer groups could not be looked at: {}", e.getMessage());
            }
            last = null;
            unanswered =
                    "how far consumer groups are behind is not known, the brokers do not answer: " + e.getMessage();
        }
    }

    private void close() {
        if (reader != null) {
            reader.close();
        }
    }
}
