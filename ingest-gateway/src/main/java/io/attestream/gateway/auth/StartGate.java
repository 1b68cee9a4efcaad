// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import static io.attestream.gateway.auth.AuthVariable.*;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether the gateway may start. A pure function of the environment: it opens nothing and logs nothing. Missing
 * configuration never starts it, and no typing error leads to less security than asked for.
 */
public final class StartGate {
    /** What jose4j verifies; no symmetric algorithm, for a public key must never serve as a secret. */
    static final Set<String> SUPPORTED_ALGORITHMS =
            Set.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA");

    private static final Set<String> PRODUCTION = Set.of("prod", "production");

    private final Function<String, Optional<String>> environment;
    private final List<String> reasons = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    private StartGate(Function<String, Optional<String>> environment) {
        this.environment = environment;
    }

    /** @param environment the value of a variable, if it is set */
    public static Start decide(Function<String, Optional<String>> environment) {
        return new StartGate(environment).decide();
    }

    private Start decide() {
        AuthPolicy policy = policy();
        @Nullable AuthSettings settings = policy == AuthPolicy.DEV ? dev() : tokens(policy);
        return settings == null || !reasons.isEmpty() ? new Start.Refuse(reasons) : new Start.Policy(settings, notes);
    }

    /** Whether the environment says production anywhere; then nothing may be relaxed. */
    public static boolean isProduction(Function<String, Optional<String>> environment) {
        return new StartGate(environment).isProduction();
    }

    private AuthPolicy policy() {
        String word = value(AUTH_POLICY).toLowerCase(Locale.ROOT);
        return AuthPolicy.ofWord(word).orElseGet(() -> {
            notes.add("AUTH_POLICY is not dev, jwks_strict or jwks_rbac: taken as jwks_strict");
            return AuthPolicy.JWKS_STRICT;
        });
    }

    private AuthSettings dev() {
        if (isProduction()) {
            reasons.add(
                    "AUTH_POLICY=dev is refused in production (ENV or DEPLOYMENT says so): set jwks_strict or jwks_rbac");
        } else if (!isDevAllowed()) {
            reasons.add("AUTH_POLICY=dev needs ENV=dev, or ALLOW_INSECURE_DEV=true outside production");
        } else {
            notes.add("AUTH_POLICY=dev: no tokens are checked; everybody may append and read everything");
        }
        return new AuthSettings.Dev();
    }

    private AuthSettings.@Nullable Tokens tokens(AuthPolicy policy) {
        Optional<URI> jwksUrl = jwksUrl();
        String issuer = required(JWT_ISSUER);
        Set<String> audiences = audiences();
        Set<String> algorithms = algorithms();
        Set<String> types = types();
        Duration skew = seconds(JWT_CLOCK_SKEW_SECONDS, 0, 300);
        Duration ttl = seconds(JWT_MAX_TOKEN_TTL_SECONDS, 1, 604_800);
        Duration stale = seconds(JWKS_MAX_STALE_SECONDS, 60, 604_800);
        if (jwksUrl.isEmpty()) {
            return null;
        }
        return new AuthSettings.Tokens(
                policy, jwksUrl.get(), issuer, audiences, algorithms, types, skew, ttl, value(JWT_TENANT_CLAIM), stale);
    }

    private Optional<URI> jwksUrl() {
        String text = required(JWKS_URL);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            URI url = new URI(text);
            if (url.getHost() == null || url.getRawUserInfo() != null || url.getRawFragment() != null) {
                reasons.add("JWKS_URL must be an https URL with a host, without user or fragment");
            } else if ("https".equalsIgnoreCase(url.getScheme())) {
                return Optional.of(url);
            } else if (!"http".equalsIgnoreCase(url.getScheme())) {
                reasons.add("JWKS_URL must be an https URL");
            } else if (!isLoopback(url.getHost()) || !isDevAllowed()) {
                reasons.add("JWKS_URL may be http only on loopback and with ENV=dev: use https");
            } else {
                notes.add("JWKS_URL is http on loopback: for development only");
                return Optional.of(url);
            }
        } catch (URISyntaxException e) {
            reasons.add("JWKS_URL is not a URL");
        }
        return Optional.empty();
    }

    private static boolean isLoopback(String host) {
        return host.equals("localhost") || host.equals("[::1]") || host.matches("127(\\.\\d{1,3}){3}");
    }

    private Set<String> algorithms() {
        Set<String> algorithms = list(value(JWT_ALLOWED_ALGS));
        for (String algorithm : algorithms) {
            if (!SUPPORTED_ALGORITHMS.contains(algorithm)) {
                reasons.add("JWT_ALLOWED_ALGS must not have " + printable(algorithm) + ": choose out of "
                        + String.join(
                                ", ", SUPPORTED_ALGORITHMS.stream().sorted().toList()));
            }
        }
        if (algorithms.isEmpty()) {
            reasons.add("JWT_ALLOWED_ALGS must have at least one algorithm");
        }
        return algorithms;
    }

    private Set<String> audiences() {
        String text = required(JWT_AUDIENCE);
        Set<String> audiences = list(text);
        if (audiences.isEmpty() && !text.isEmpty()) {
            reasons.add("JWT_AUDIENCE must have at least one audience");
        }
        return audiences;
    }

    private Set<String> types() {
        Set<String> types = new LinkedHashSet<>();
        list(value(JWT_ALLOWED_TYPES)).forEach(type -> types.add(TokenVerifier.normalizeType(type)));
        if (types.isEmpty()) {
            reasons.add("JWT_ALLOWED_TYPES must have at least one type, such as at+jwt");
        }
        return types;
    }

    private Duration seconds(AuthVariable variable, long min, long max) {
        String text = value(variable);
        if (text.matches("\\d{1,9}")) {
            long seconds = Long.parseLong(text);
            if (seconds >= min && seconds <= max) {
                return Duration.ofSeconds(seconds);
            }
        }
        reasons.add(variable + " must be a number of seconds from " + min + " to " + max);
        return Duration.ZERO;
    }

    private boolean isProduction() {
        return Stream.concat(profiles(), Stream.of(value(DEPLOYMENT).toLowerCase(Locale.ROOT)))
                .anyMatch(PRODUCTION::contains);
    }

    private boolean isDevAllowed() {
        Set<String> profiles = new LinkedHashSet<>(profiles().toList());
        boolean dev = profiles.equals(Set.of("dev"));
        boolean insecure = value(ALLOW_INSECURE_DEV).equalsIgnoreCase("true");
        return !isProduction() && (dev || insecure);
    }

    private Stream<String> profiles() {
        return Stream.of(ENV, APP_ENV, ENVIRONMENT, DEPLOY_ENV)
                .map(variable -> value(variable).toLowerCase(Locale.ROOT))
                .filter(profile -> !profile.isEmpty());
    }

    private String required(AuthVariable variable) {
        String text = value(variable);
        if (text.isEmpty()) {
            reasons.add(variable + " is not set: AUTH_POLICY jwks_strict and jwks_rbac need it");
        }
        return text;
    }

    private String value(AuthVariable variable) {
        return environment
                .apply(variable.name())
                .map(String::strip)
                .filter(text -> !text.isEmpty())
                .orElse(variable.defaultValue());
    }

    private static Set<String> list(String text) {
        Set<String> values = new LinkedHashSet<>();
        for (String part : text.split(",", -1)) {
            if (!part.isBlank()) {
                values.add(part.strip());
            }
        }
        return values;
    }

    private static String printable(String text) {
        return text.length() > 20 || !text.chars().allMatch(c -> c > 0x20 && c < 0x7f) ? "this" : text;
    }
}
