// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.quota;

import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What one tenant and one subject may append through this process, in events and in bytes of records. An event is granted by
 * all limits or takes from none, so that a subject that floods does not use up what its tenant may. Asked before an event
 * goes to the brokers; what was acknowledged is never refused. Thread-safe.
 */
@Startup // So that all its series are there from the start.
@ApplicationScoped
public class Quotas {
    public static final long MAX_PER_SECOND = TokenBucket.MAX_PER_SECOND;
    public static final long MAX_BURST_SECONDS = TokenBucket.MAX_BURST_SECONDS;

    /** What can be used up; the names of the settings. */
    public enum Limit {
        TENANT_EVENTS("Your tenant", "events"),
        TENANT_BYTES("Your tenant", "bytes"),
        SUBJECT_EVENTS("The subject of your token", "events"),
        SUBJECT_BYTES("The subject of your token", "bytes");

        private final String who;
        private final String unit;

        Limit(String who, String unit) {
            this.who = who;
            this.unit = unit;
        }

        private String setting() {
            return "attestream.quota." + name().toLowerCase(Locale.ROOT).replace('_', '-') + "-per-second";
        }
    }

    /** Who appends; grants its events. */
    public interface Account {
        /** Everything is granted. */
        Account UNLIMITED = bytes -> Optional.empty();

        /**
         * Takes one event from all limits, or nothing.
         *
         * @param bytes of its record
         * @return why it is not granted, and when it will be
         */
        Optional<Problem> take(long bytes);

        /** Of an event that was granted and certainly not written. */
        default void giveBack(long bytes) {}
    }

    private final Map<Limit, Long> perSecond = new EnumMap<>(Limit.class);
    private final Map<Limit, Counter> refusals = new EnumMap<>(Limit.class);
    private final Map<Limit, Map<String, TokenBucket>> buckets = new EnumMap<>(Limit.class);
    private final long burstSeconds;
    private final LongSupplier nanoTime;

    @Inject
    Quotas(GatewayConfig config, MeterRegistry metrics) {
        this(config.quota(), metrics, System::nanoTime);
    }

    Quotas(GatewayConfig.Quota config, MeterRegistry metrics, LongSupplier nanoTime) {
        perSecond.put(Limit.TENANT_EVENTS, config.tenantEventsPerSecond());
        perSecond.put(Limit.TENANT_BYTES, config.tenantBytesPerSecond());
        perSecond.put(Limit.SUBJECT_EVENTS, config.subjectEventsPerSecond());
        perSecond.put(Limit.SUBJECT_BYTES, config.subjectBytesPerSecond());
        this.burstSeconds = config.burst().toSeconds();
        this.nanoTime = nanoTime;
        for (Limit limit : Limit.values()) {
            buckets.put(limit, leastRecentlyUsed(config.maxRemembered()));
            refusals.put(
                    limit,
                    Counter.builder("attestream.quota.refusals")
                            .description("Events that were not taken because a quota was used up, by quota")
                            .tag("limit", limit.name().toLowerCase(Locale.ROOT))
                            .register(metrics));
        }
        perSecond.values().removeIf(limit -> limit == 0);
    }

    /** For the container's proxy only. */
    @SuppressWarnings("unused")
    Quotas() {
        this.burstSeconds = 0;
        this.nanoTime = () -> 0;
    }

    /** Who was quiet longest is forgotten, which gives back a burst at most. */
    private static Map<String, TokenBucket> leastRecentlyUsed(int most) {
        return new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, TokenBucket> eldest) {
                return size() > most;
            }
        };
    }

    /** @param actor pseudonym of the subject */
    public Account account(String tenant, String actor) {
        String subject = tenant + "/" + actor;
        return new Account() {
            @Override
            public Optional<Problem> take(long bytes) {
                return Quotas.this.take(tenant, subject, bytes);
            }

            @Override
            public void giveBack(long bytes) {
                Quotas.this.giveBack(tenant, subject, bytes);
            }
        };
    }

    /** The most that any limit remembers now. */
    synchronized int remembered() {
        return buckets.values().stream().mapToInt(Map::size).max().orElse(0);
    }

    private synchronized Optional<Problem> take(String tenant, String subject, long bytes) {
        long nowMicros = TimeUnit.NANOSECONDS.toMicros(nanoTime.getAsLong());
        Map<Limit, TokenBucket> asked = new EnumMap<>(Limit.class);
        Limit longest = Limit.TENANT_EVENTS;
        long waitMicros = 0;
        for (Limit limit : perSecond.keySet()) {
            TokenBucket bucket = bucket(limit, isOfTenant(limit) ? tenant : subject, nowMicros);
            asked.put(limit, bucket);
            long wait = bucket.waitMicros(tokens(limit, bytes), nowMicros);
            if (wait > waitMicros) {
                waitMicros = wait;
                longest = limit;
            }
        }
        if (waitMicros > 0) {
            return Optional.of(refused(longest, waitMicros));
        }
        asked.forEach((limit, bucket) -> bucket.take(tokens(limit, bytes)));
        return Optional.empty();
    }

    private synchronized void giveBack(String tenant, String subject, long bytes) {
        for (Limit limit : perSecond.keySet()) {
            TokenBucket bucket = known(limit).get(isOfTenant(limit) ? tenant : subject);
            if (bucket != null) {
                bucket.giveBack(tokens(limit, bytes));
            }
        }
    }

    private TokenBucket bucket(Limit limit, String key, long nowMicros) {
        return known(limit).computeIfAbsent(key, k -> new TokenBucket(rate(limit), burstSeconds, nowMicros));
    }

    private Map<String, TokenBucket> known(Limit limit) {
        return buckets.getOrDefault(limit, Map.of());
    }

    private long rate(Limit limit) {
        return perSecond.getOrDefault(limit, 0L);
    }

    private static boolean isOfTenant(Limit limit) {
        return limit == Limit.TENANT_EVENTS || limit == Limit.TENANT_BYTES;
    }

    private static long tokens(Limit limit, long bytes) {
        return limit == Limit.TENANT_EVENTS || limit == Limit.SUBJECT_EVENTS ? 1 : bytes;
    }

    private Problem refused(Limit limit, long waitMicros) {
        Counter counter = refusals.get(limit);
        if (counter != null) {
            counter.increment();
        }
        long seconds = Math.floorDiv(waitMicros - 1, 1_000_000L) + 1;
        String detail = limit.who + " may append " + rate(limit) + " " + limit.unit + " a second, and " + burstSeconds
                + " times as many at once; send it again in " + seconds + " s";
        return Problem.retryAfter(ProblemCode.QUOTA_EXCEEDED, detail, limit.setting(), rate(limit), seconds);
    }
}
