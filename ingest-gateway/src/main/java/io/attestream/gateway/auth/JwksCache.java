// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.attestream.access.AuthSettings;
import io.attestream.gateway.http.BoundedBody;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that may sign tokens, renewed in the background.
 *
 * <p>A request never waits for the issuer as long as its key is known: keys are renewed every five minutes with jitter
 * (more often if they may be used for less than twenty), and after a failure with back-off from one second to one minute. The last good set stays in use up to a stated age;
 * junk never replaces it. An unknown key id may cause a fetch out of a small budget, so that a rotation is seen at once
 * but forged ids can neither hammer the issuer nor hide a rotation: a caller whose id could not be looked up is told to
 * try again, not that its token is bad.
 */
public final class JwksCache implements AutoCloseable {
    static final int MAX_BODY_SIZE_BYTES = 256 * 1024;
    static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final Duration REFRESH_INTERVAL_MAX = Duration.ofMinutes(5);
    private static final Duration BACK_OFF_MIN = Duration.ofSeconds(1);
    private static final Duration BACK_OFF_MAX = Duration.ofMinutes(1);
    /** Fetches for unknown key ids: three at once, then one in ten seconds. */
    private static final int BUDGET_BURST = 3;

    private static final Duration BUDGET_REFILL = Duration.ofSeconds(10);
    private static final int UNKNOWN_KEYS_MAX = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(JwksCache.class);

    /** @param fetchedAt when the fetch that brought these keys began */
    private record KeySet(Map<String, PublicJsonWebKey> keys, Instant fetchedAt) {}

    private final AuthSettings.Tokens settings;
    private final Clock clock;
    private final HttpClient http;
    private final ScheduledExecutorService scheduler;
    /** Key ids that a fetch did not bring; not longer than until the next is allowed, for they may be those of tomorrow. */
    private final Cache<String, Boolean> confirmedUnknown;

    private final Instant begunAt;
    private volatile @Nullable KeySet current;
    // The rest is guarded by this.
    private @Nullable CompletableFuture<Boolean> inFlight;
    private int failures;
    private double budget = BUDGET_BURST;
    private Instant budgetAt;

    public JwksCache(AuthSettings.Tokens settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
        this.confirmedUnknown = Caffeine.newBuilder()
                .maximumSize(UNKNOWN_KEYS_MAX)
                .expireAfterWrite(BUDGET_REFILL)
                .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
                .build();
        this.begunAt = clock.instant();
        this.budgetAt = begunAt;
        this.http = HttpClient.newBuilder()
                .connectTimeout(TIMEOUT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
        this.scheduler = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "jwks-refresh");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Begins to fetch; returns at once. */
    public void start() {
        scheduler.execute(this::refreshAndSchedule);
    }

    /** Whether tokens can be decided now. */
    public boolean isReady() {
        return usable().isPresent();
    }

    /** Of the keys in use; before the first, as of keys that became too old when this began: nobody is let in either way. */
    public Duration age() {
        KeySet keys = current;
        Instant fetchedAt = keys == null ? begunAt.minus(settings.maxStale()) : keys.fetchedAt();
        return Duration.between(fetchedAt, clock.instant());
    }

    /** Looks at what is known, without any fetch. */
    public KeyLookup known(String keyId) {
        Optional<KeySet> keys = usable();
        if (keys.isEmpty()) {
            return new KeyLookup.CannotTell("no-keys");
        }
        PublicJsonWebKey key = keys.get().keys().get(keyId);
        if (key != null) {
            return new KeyLookup.Found(key);
        }
        return confirmedUnknown.getIfPresent(keyId) != null
                ? new KeyLookup.NotThere()
                : new KeyLookup.CannotTell("unknown-key");
    }

    /** As {@link #known}; an unknown key id causes a fetch if the budget allows. Completes within two seconds. */
    public CompletionStage<KeyLookup> find(String keyId) {
        KeyLookup known = known(keyId);
        if (!(known instanceof KeyLookup.CannotTell)) {
            return CompletableFuture.completedFuture(known);
        }
        Instant asked = clock.instant();
        Optional<CompletableFuture<Boolean>> fetch = fetchIfAllowed();
        if (fetch.isEmpty()) {
            return CompletableFuture.completedFuture(known);
        }
        return fetch.get().thenApply(renewed -> {
            // A fetch that was under way already may have been answered before the key was published.
            KeySet keys = current;
            boolean fetchedSince = renewed && keys != null && !keys.fetchedAt().isBefore(asked);
            if (fetchedSince && known(keyId) instanceof KeyLookup.CannotTell) {
                confirmedUnknown.put(keyId, Boolean.TRUE);
            }
            return known(keyId);
        });
    }

    /** One that is under way costs nothing: of a crowd that comes with a new key, one fetches. */
    private synchronized Optional<CompletableFuture<Boolean>> fetchIfAllowed() {
        return isUnderWay() || takeBudget() ? Optional.of(refresh()) : Optional.empty();
    }

    private boolean isUnderWay() {
        return inFlight != null && !inFlight.isDone();
    }

    private Optional<KeySet> usable() {
        KeySet keys = current;
        return keys == null || keys.fetchedAt().plus(settings.maxStale()).isBefore(clock.instant())
                ? Optional.empty()
                : Optional.of(keys);
    }

    private boolean takeBudget() {
        Instant now = clock.instant();
        double refilled = (double) Duration.between(budgetAt, now).toMillis() / BUDGET_REFILL.toMillis();
        budget = Math.min(BUDGET_BURST, budget + Math.max(0, refilled));
        budgetAt = now;
        if (budget < 1) {
            return false;
        }
        budget--;
        return true;
    }

    private void refreshAndSchedule() {
        var unused = refresh().whenComplete((renewed, error) -> scheduleNext(Boolean.TRUE.equals(renewed)));
    }

    private void scheduleNext(boolean renewed) {
        Duration delay = renewed ? refreshInterval(settings.maxStale()) : backOff();
        long jittered = (long) (delay.toMillis() * ThreadLocalRandom.current().nextDouble(0.8, 1.2));
        if (!scheduler.isShutdown()) {
            var unused = scheduler.schedule(this::refreshAndSchedule, jittered, TimeUnit.MILLISECONDS);
        }
    }

    /** Four times in the life of a key set, so that one that is not renewed shows before it is of no use any more. */
    static Duration refreshInterval(Duration maxStale) {
        Duration interval = maxStale.dividedBy(4);
        return interval.compareTo(REFRESH_INTERVAL_MAX) > 0 ? REFRESH_INTERVAL_MAX : interval;
    }

    private synchronized Duration backOff() {
        int doublings = Math.min(Math.max(0, failures - 1), 6);
        Duration delay = BACK_OFF_MIN.multipliedBy(1L << doublings);
        return delay.compareTo(BACK_OFF_MAX) > 0 ? BACK_OFF_MAX : delay;
    }

    /** One fetch at a time: who comes while one is under way shares it. The future never fails. */
    private synchronized CompletableFuture<Boolean> refresh() {
        CompletableFuture<Boolean> underWay = inFlight;
        if (underWay != null && !underWay.isDone()) {
            return underWay;
        }
        Instant begun = clock.instant();
        CompletableFuture<Boolean> fetch = fetch().handle((body, error) -> {
            if (error != null) {
                Throwable cause = error.getCause() == null ? error : error.getCause();
                return failed(cause.toString());
            }
            return accept(body, begun);
        });
        inFlight = fetch;
        return fetch;
    }

    private CompletableFuture<byte[]> fetch() {
        HttpRequest request = HttpRequest.newBuilder(settings.jwksUrl())
                .timeout(TIMEOUT)
                .header("Accept", "application/jwk-set+json, application/json")
                .build();
        // The request's own timeout ends with the headers; the second one bounds a body that trickles.
        return http.sendAsync(request, JwksCache::boundedBody)
                .orTimeout(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .thenApply(HttpResponse::body);
    }

    private boolean accept(byte[] body, Instant begun) {
        try {
            Map<String, PublicJsonWebKey> keys = JwksParser.parse(body);
            KeySet before = current;
            current = new KeySet(keys, begun);
            confirmedUnknown.invalidateAll(keys.keySet());
            synchronized (this) {
                failures = 0;
            }
            if (before == null || !before.keys().keySet().equals(keys.keySet())) {
                LOG.info("key set {} now has {} usable keys", settings.jwksUrl(), keys.size());
            }
            return true;
        } catch (JwksParser.Junk e) {
            return failed(e.getMessage());
        }
    }

    private synchronized boolean failed(@Nullable String reason) {
        failures++;
        LOG.warn("key set {} not renewed ({}); attempt {} in a row", settings.jwksUrl(), reason, failures);
        return false;
    }

    @Override
    public void close() {
        scheduler.shutdownNow();
    }

    private static HttpResponse.BodySubscriber<byte[]> boundedBody(HttpResponse.ResponseInfo info) {
        return info.statusCode() == 200
                ? BoundedBody.atMost(MAX_BODY_SIZE_BYTES)
                : BoundedBody.refused("the answer is not 200");
    }
}
