// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.sun.net.httpserver.HttpServer;
import io.attestream.checkpointer.monitor.Monitor;
import io.attestream.checkpointer.monitor.MonitorResult;
import io.attestream.operations.clock.ClockMetrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/** What a monitor sees of a ledger, from outside of it, for Prometheus. Every label is there from the start. */
final class MonitorMetrics {
    private static final int BACKLOG = 16;
    private static final Duration[] CANARY_BOUNDS =
            LongStream.of(1, 2, 5, 10, 20, 30, 60).mapToObj(Duration::ofSeconds).toArray(Duration[]::new);

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<Look, Counter> looks = new EnumMap<>(Look.class);
    private final Map<MonitorResult.ViolationKind, Counter> violations =
            new EnumMap<>(MonitorResult.ViolationKind.class);
    private final Map<Canary.Outcome, Timer> canaries = new EnumMap<>(Canary.Outcome.class);

    private final LongSupplier verifiedEpochs;
    private final LongSupplier steadyNanos;
    private volatile boolean caughtUp;
    private volatile Verified newestVerified;

    /** How many epochs, and when that was first seen here. */
    private record Verified(long epochs, long atNanos) {}

    private enum Look {
        OK,
        BEHIND,
        VIOLATION
    }

    MonitorMetrics(Monitor monitor, LongSupplier nowMillis, LongSupplier steadyNanos) {
        this(() -> monitor.state().ledgerSize().value(), monitor::newestEpochMillis, nowMillis, steadyNanos);
    }

    /**
     * @param verifiedEpochs how many there are
     * @param newestEpochMillis when the newest of them was made, by the clock of who made it
     * @param steadyNanos of a clock that nobody sets
     */
    MonitorMetrics(
            LongSupplier verifiedEpochs,
            Supplier<OptionalLong> newestEpochMillis,
            LongSupplier nowMillis,
            LongSupplier steadyNanos) {
        this.verifiedEpochs = verifiedEpochs;
        this.steadyNanos = steadyNanos;
        this.newestVerified = new Verified(verifiedEpochs.getAsLong(), steadyNanos.getAsLong());
        ClockMetrics.register(Clock.systemUTC(), registry);
        long begunMillis = nowMillis.getAsLong();
        Gauge.builder(
                        "attestream.monitor.checkpoint.age",
                        () -> ageSeconds(newestEpochMillis.get(), begunMillis, nowMillis.getAsLong()))
                .baseUnit("seconds")
                .description(
                        "Since the newest epoch was made whose signature, consistency and heads were verified, and no less"
                                + " than since this was done; before the monitor caught up with the ledger, since it began")
                .register(registry);
        Gauge.builder("attestream.monitor.verified.epochs", verifiedEpochs::getAsLong)
                .description("Epochs that were verified")
                .register(registry);
        for (Look look : Look.values()) {
            looks.put(
                    look,
                    counter("attestream.monitor.looks", "Looks at the ledger, by what came of them", "outcome", look));
        }
        for (MonitorResult.ViolationKind kind : MonitorResult.ViolationKind.values()) {
            violations.put(
                    kind,
                    counter(
                            "attestream.monitor.violations",
                            "Looks that saw the ledger break a promise",
                            "kind",
                            kind));
        }
        for (Canary.Outcome outcome : Canary.Outcome.values()) {
            canaries.put(
                    outcome,
                    Timer.builder("attestream.canary")
                            .description(
                                    "Events that were sent, awaited and verified from outside, by what came of them")
                            .tag("outcome", word(outcome))
                            .serviceLevelObjectives(CANARY_BOUNDS)
                            .register(registry));
        }
    }

    private Counter counter(String name, String description, String tag, Enum<?> value) {
        return Counter.builder(name)
                .description(description)
                .tag(tag, word(value))
                .register(registry);
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /**
     * Also of a ledger that stood still before the monitor began: a value that no limit is held against would never page. An epoch
     * that is verified on the way to the newest says nothing of how old the newest is; and one whose maker's clock is ahead is no
     * younger than the time since it was verified.
     */
    private double ageSeconds(OptionalLong newestEpochMillis, long begunMillis, long nowMillis) {
        long sinceMillis = caughtUp ? newestEpochMillis.orElse(begunMillis) : begunMillis;
        double steadySeconds = (steadyNanos.getAsLong() - newestVerified.atNanos()) / 1e9;
        return Math.max(steadySeconds, (nowMillis - sinceMillis) / 1000.0);
    }

    void looked(MonitorResult result) {
        if (verifiedEpochs.getAsLong() != newestVerified.epochs()) {
            newestVerified = new Verified(verifiedEpochs.getAsLong(), steadyNanos.getAsLong());
        }
        Look look = result instanceof MonitorResult.Ok
                ? Look.OK
                : result instanceof MonitorResult.Behind ? Look.BEHIND : Look.VIOLATION;
        Objects.requireNonNull(looks.get(look)).increment();
        if (result instanceof MonitorResult.Ok ok && ok.newEpochs() < Monitor.EPOCHS_MAX) {
            caughtUp = true;
        }
        if (result instanceof MonitorResult.Violation violation) {
            Objects.requireNonNull(violations.get(violation.kind())).increment();
        }
    }

    void canary(Canary.Outcome outcome, long nanos) {
        Objects.requireNonNull(canaries.get(outcome)).record(nanos, TimeUnit.NANOSECONDS);
    }

    String scrape() {
        return registry.scrape();
    }

    /**
     * Serves {@code /metrics} until the process ends.
     *
     * @param host to listen on
     * @param port 0 for a free one
     * @return the port
     * @throws CliException if it cannot be listened on
     */
    int serve(String host, int port) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(host, port), BACKLOG);
            server.createContext("/metrics", exchange -> {
                try (exchange) {
                    byte[] body = scrape().getBytes(StandardCharsets.UTF_8);
                    exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
                    exchange.sendResponseHeaders(200, body.length);
                    exchange.getResponseBody().write(body);
                }
            });
            server.start();
            return server.getAddress().getPort();
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.ERROR,
                    host + ":" + port + " cannot be listened on: " + e.getMessage(),
                    "Check --metrics-host and --metrics-port.");
        }
    }
}
