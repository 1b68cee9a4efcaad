// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Kafka Streams application and its life. A doubt about state or positions ends the process; anything else, a broker that
 * was away for example, replaces the thread, within a budget.
 */
final class Application implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Application.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);
    private static final int FAILURES_MAX = 20;
    private static final long FAILURES_WINDOW_MILLIS = 600_000;

    private final String role;
    private final KafkaStreams streams;
    private final Consumer<RuntimeException> fatal;
    private final Supplier<Map<String, Object>> details;
    private final KafkaStreamsMetrics kafkaMetrics;
    private final Counter replaced;
    private final Deque<Long> failures = new ArrayDeque<>();

    /**
     * @param details for the health check
     * @param metrics where its state, its restores and what Kafka tells are exported
     * @param fatal is told why the process must stop
     */
    Application(
            String role,
            Topology topology,
            Properties settings,
            Supplier<Map<String, Object>> details,
            MeterRegistry metrics,
            Consumer<RuntimeException> fatal) {
        this.role = role;
        this.details = details;
        this.fatal = fatal;
        this.streams = new KafkaStreams(topology, settings);
        this.kafkaMetrics = new KafkaStreamsMetrics(streams);
        kafkaMetrics.bindTo(metrics);
        replaced = registerMetrics(metrics);
        streams.setGlobalStateRestoreListener(new RestoreMetrics(role, topology, metrics));
        streams.setUncaughtExceptionHandler(this::onFailure);
        streams.setStateListener((now, before) -> {
            LOG.info("{} is {}", role, now);
            if (now == KafkaStreams.State.ERROR) {
                fatal.accept(new IllegalStateException(role + " cannot go on; see the log above"));
            }
        });
    }

    /** A state that is fatal is seen for a moment only: the process ends. */
    private Counter registerMetrics(MeterRegistry metrics) {
        for (KafkaStreams.State state : KafkaStreams.State.values()) {
            Gauge.builder("attestream.processors.state", streams, s -> s.state() == state ? 1 : 0)
                    .description("1 for the state the role is in, 0 for the others")
                    .tag("role", role)
                    .tag("state", state.name().toLowerCase(Locale.ROOT))
                    .register(metrics);
        }
        return Counter.builder("attestream.processors.threads.replaced")
                .description("Threads that failed and were replaced; more than 20 in ten minutes end the process")
                .tag("role", role)
                .register(metrics);
    }

    /** @throws IntegrityException if what it reads before it runs, as the proofs topology does, is not what it must be */
    void start() {
        try {
            streams.start();
        } catch (RuntimeException e) {
            String doubt = doubtIn(e);
            throw doubt == null ? e : new IntegrityException(role + ": " + doubt, e);
        }
    }

    KafkaStreams streams() {
        return streams;
    }

    /** Up while it works on the shards it was given. Reads of stores may go on when it is not. */
    HealthCheck health() {
        KafkaStreams.State state = streams.state();
        Map<String, Object> data = new LinkedHashMap<>(details.get());
        data.put("state", state.name());
        return new HealthCheck(role, state == KafkaStreams.State.RUNNING, data);
    }

    private synchronized StreamThreadExceptionResponse onFailure(Throwable failure) {
        String doubt = doubtIn(failure);
        if (doubt != null) {
            String why = role + ": " + doubt;
            fatal.accept(
                    isOfTheMachine(failure)
                            ? new IllegalStateException(why, failure)
                            : new IntegrityException(why, failure));
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        LOG.error("{} failed; its thread is replaced", role, failure);
        long now = System.currentTimeMillis();
        failures.addLast(now);
        while (now - failures.getFirst() > FAILURES_WINDOW_MILLIS) {
            failures.removeFirst();
        }
        if (failures.size() > FAILURES_MAX) {
            fatal.accept(new IllegalStateException(
                    role + " failed " + failures.size() + " times in 10 minutes, last with " + failure));
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        replaced.increment();
        return StreamThreadExceptionResponse.REPLACE_THREAD;
    }

    private static boolean isOfTheMachine(Throwable failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at instanceof Error) {
                return true;
            }
        }
        return false;
    }

    /** Why nobody may go on after it; null if another thread may try. */
    static @Nullable String doubtIn(Throwable failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at instanceof IntegrityException) {
                return at.getMessage();
            }
            if (at instanceof FencedInstanceIdException) {
                // Another thread would take the shards back, and the two would go on like that.
                return "another process was started with the same attestream.instance-id, and has its shards now; each"
                        + " process needs an id of its own (" + at.getMessage() + ")";
            }
            if (at instanceof Error) {
                return "the virtual machine cannot go on: " + at;
            }
            if (at instanceof InvalidOffsetException
                    || String.valueOf(at.getMessage()).contains("No valid committed offset found")) {
                return "the group has no committed offset for some shard, or one that does not exist: the group's offsets were"
                        + " deleted or expired. Positions are never guessed; restore them with the state ("
                        + at.getMessage()
                        + ")";
            }
        }
        return null;
    }

    /** Ends it within 10 s. The group member is kept, so that a restart gets its shards back at once. */
    @Override
    public void close() {
        end();
    }

    /** False if not all of its threads ended in time. */
    boolean end() {
        kafkaMetrics.close();
        return streams.close(
                new KafkaStreams.CloseOptions().timeout(CLOSE_TIMEOUT).leaveGroup(false));
    }
}
