// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import io.attestream.access.AuthSettings;
import io.attestream.access.Environment;
import io.attestream.access.PolicyMetric;
import io.attestream.access.Start;
import io.attestream.access.StartGate;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.config.Config;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The start gate at work, and what it let through. A refused start ends the process before it listens. */
@ApplicationScoped
public class Authentication {
    /** Tenant and actor of policy {@code dev}. */
    public static final String DEV_TENANT = "dev";

    private static final Caller DEV_CALLER =
            new Caller(Optional.of(DEV_TENANT), Caller.actorOf("dev", "dev"), Roles.ALL);

    private static final Logger LOG = LoggerFactory.getLogger(Authentication.class);

    private final Config config;
    private final MeterRegistry metrics;
    private @Nullable AuthSettings settings;
    private @Nullable JwksCache keys;
    private @Nullable Authenticator authenticator;

    Authentication(Config config, MeterRegistry metrics) {
        this.config = config;
        this.metrics = metrics;
    }

    /** Before every other observer, and before the HTTP server listens: what throws here ends the process with 1. */
    void onStart(@Observes @Priority(1) StartupEvent event) {
        Start start = StartGate.decide(environment())
                .withDev(
                        config.getOptionalValue("attestream.dev", Boolean.class).orElse(false));
        if (start instanceof Start.Refuse refuse) {
            LOG.error(refuse.screen());
            throw new StartRefused(refuse.reasons());
        }
        Start.Policy policy = (Start.Policy) start;
        policy.log(LOG);
        settings = policy.settings();
        PolicyMetric.register(policy, metrics);
        if (policy.settings() instanceof AuthSettings.Tokens tokens) {
            JwksCache cache = new JwksCache(tokens, Clock.systemUTC());
            keys = cache;
            authenticator = new Authenticator(tokens, cache, Clock.systemUTC());
            Gauge.builder("attestream.jwks.age", () -> cache.age().toMillis() / 1_000.0)
                    .baseUnit("seconds")
                    .description(
                            "Age of the key set in use; before there is one, as if it had become too old when the process began")
                    .register(metrics);
            Gauge.builder("attestream.jwks.stale.max", () -> tokens.maxStale().toSeconds())
                    .baseUnit("seconds")
                    .description("Age at which a key set that cannot be renewed is used no more, and nobody is let in")
                    .register(metrics);
        }
    }

    /** Behind {@link io.attestream.gateway.CheckOnly}: asks the issuer. */
    void fetchKeys(@Observes @Priority(4) StartupEvent event) {
        if (keys != null) {
            keys.start();
        }
    }

    /** Of all sources the framework reads, as written there; what the process was started with counts first, as in {@code main}. */
    private Environment environment() {
        Map<String, String> values = new HashMap<>();
        for (String name : config.getPropertyNames()) {
            String value = config.getConfigValue(name).getRawValue();
            if (value != null) {
                values.put(name, value);
            }
        }
        return Environment.ofProcess(values);
    }

    void onStop(@Observes ShutdownEvent event) {
        if (keys != null) {
            keys.close();
        }
    }

    /** Whether tokens can be decided now. */
    public boolean isReady() {
        return settings != null && (keys == null || keys.isReady());
    }

    /** The caller every request has; empty unless the policy is {@code dev}. */
    Optional<Caller> fixedCaller() {
        return settings instanceof AuthSettings.Dev ? Optional.of(DEV_CALLER) : Optional.empty();
    }

    CompletionStage<AuthDecision> decide(String token) {
        return authenticator == null
                ? CompletableFuture.completedFuture(new AuthDecision.Undecidable("not-started"))
                : authenticator.decide(token);
    }

    /** Carries all reasons; without a stack trace, for it is no bug. */
    static final class StartRefused extends RuntimeException {
        StartRefused(List<String> reasons) {
            super("refusing to start: " + String.join("; ", reasons), null, false, false);
        }
    }
}
