// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import static io.attestream.access.AuthVariable.*;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a service may start. A pure function of the environment: it opens nothing and logs nothing. Missing
 * configuration never starts it. A policy that is none is {@code jwks_strict}, in which nobody reads what is not of its tenant.
 *
 * <p>Every service of a ledger asks, with the same variables: those that check tokens, and those behind them, so that no part of a
 * deployment runs under a policy that the others refuse.
 */
public final class StartGate {
    /** What jose4j verifies; no symmetric algorithm, for a public key must never serve as a secret. */
    public static final Set<String> SUPPORTED_ALGORITHMS =
            Set.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA");

    private static final Set<String> PRODUCTION = Set.of("prod", "production");
    /** What frameworks fill in by themselves, with keys that everybody has. */
    private static final Set<String> BUILT_IN_ISSUERS =
            Set.of("https://quarkus.io/issuer", "https://server.example.com");

    private static final Set<String> DEVELOPMENT_PROFILES = Set.of("dev", "test");
    /** Also under the name of a profile: {@code %x.attestream.dev}, {@code _X_ATTESTREAM_DEV}. */
    private static final Predicate<String> IS_DEV =
            Pattern.compile("(_.*_)?ATTESTREAM_DEV").asMatchPredicate();

    private static final Pattern PROFILE =
            Pattern.compile("(_.*_)?(QUARKUS|SMALLRYE_CONFIG|MP_CONFIG|QUARKUS_CONFIG)_PROFILE(_PARENT)?");

    private final Environment environment;
    private final List<String> reasons = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    private StartGate(Environment environment) {
        this.environment = environment;
    }

    /** Of the same environment always the same; all reasons at once. */
    public static Start decide(Environment environment) {
        return new StartGate(environment).decide();
    }

    private Start decide() {
        AuthPolicy policy = policy();
        @Nullable AuthSettings settings = policy == AuthPolicy.DEV ? dev() : tokens(policy);
        requireNoQuotes();
        requireNothingRelaxed();
        return settings == null || !reasons.isEmpty()
                ? new Start.Refuse(reasons)
                : new Start.Policy(settings, profile(), notes);
    }

    private void requireNothingRelaxed() {
        reasons.addAll(Relaxed.reasons(environment));
        if (!isProduction()) {
            return;
        }
        environment.values().forEach((name, value) -> {
            String variable = Environment.variableName(name);
            if (IS_DEV.test(variable) && !value.isBlank() && !value.strip().equalsIgnoreCase("false")) {
                reasons.add(name + " must be false in production: acknowledged events could be lost with one broker");
            }
            if (PROFILE.matcher(variable).matches()
                    && list(value).stream()
                            .map(profile -> profile.toLowerCase(Locale.ROOT))
                            .anyMatch(DEVELOPMENT_PROFILES::contains)) {
                reasons.add(name + " must not be dev or test in production: unset it");
            }
        });
    }

    /** A value in quotes is one that a shell would have read otherwise: some launchers strip them and some do not. */
    private void requireNoQuotes() {
        for (AuthVariable variable : AuthVariable.values()) {
            environment
                    .value(variable.name())
                    .filter(value -> value.startsWith("\"") || value.startsWith("'"))
                    .ifPresent(value -> reasons.add(variable + " begins with a quote: set it without"));
        }
    }

    /** {@code production}, {@code dev}, what the variables say, or {@code none}. */
    private String profile() {
        if (isProduction()) {
            return Start.PRODUCTION;
        }
        List<String> profiles = profiles().distinct().toList();
        return profiles.isEmpty() ? "none" : printable(String.join(",", profiles));
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
        String issuer = issuer();
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

    private String issuer() {
        String issuer = required(JWT_ISSUER);
        if (BUILT_IN_ISSUERS.contains(issuer)) {
            reasons.add("JWT_ISSUER is one that frameworks have built in, whose keys everybody has: set your issuer's");
        }
        return issuer;
    }

    private Set<String> audiences() {
        String text = required(JWT_AUDIENCE);
        Set<String> audiences = list(text);
        if (audiences.isEmpty() && !text.isEmpty()) {
            reasons.add("JWT_AUDIENCE must have at least one audience");
        }
        if (audiences.stream().anyMatch(audience -> audience.contains("*"))) {
            reasons.add("JWT_AUDIENCE must not have a wildcard: name the audience of this ledger");
        }
        return audiences;
    }

    private Set<String> types() {
        Set<String> types = new LinkedHashSet<>();
        list(value(JWT_ALLOWED_TYPES)).forEach(type -> types.add(AuthSettings.Tokens.normalizeType(type)));
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
        return environment.value(variable.name()).orElse(variable.defaultValue());
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
        return text.length() > 40 || !text.chars().allMatch(c -> c > 0x20 && c < 0x7f) ? "this" : text;
    }
}
