// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class StartGateTest {
    private static final Map<String, String> STRICT = Map.of(
            "JWKS_URL", "https://issuer.test/jwks",
            "JWT_ISSUER", "https://issuer.test",
            "JWT_AUDIENCE", "a, b");

    private static Start decide(Map<String, String> environment) {
        return StartGate.decide(name -> Optional.ofNullable(environment.get(name)));
    }

    private static Start decide(Map<String, String> base, String... more) {
        Map<String, String> environment = new HashMap<>(base);
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return decide(environment);
    }

    private static List<String> reasons(Start start) {
        assertThat(start).isInstanceOf(Start.Refuse.class);
        return ((Start.Refuse) start).reasons();
    }

    private static AuthSettings settings(Start start) {
        assertThat(start).isInstanceOf(Start.Policy.class);
        return ((Start.Policy) start).settings();
    }

    private static AuthSettings.Tokens tokens(Start start) {
        return (AuthSettings.Tokens) settings(start);
    }

    @Test
    void anEmptyEnvironmentIsRefusedWithAllReasonsAtOnce() {
        assertThat(reasons(decide(Map.of())))
                .hasSize(3)
                .anySatisfy(reason -> assertThat(reason).contains("JWKS_URL"))
                .anySatisfy(reason -> assertThat(reason).contains("JWT_ISSUER"))
                .anySatisfy(reason -> assertThat(reason).contains("JWT_AUDIENCE"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "off", "none", "dev2", "JWKS"})
    void anUnknownPolicyIsTheStrictOne(String policy) {
        assertThat(settings(decide(STRICT, "AUTH_POLICY", policy)).policy()).isEqualTo(AuthPolicy.JWKS_STRICT);
        assertThat(reasons(decide(Map.of("AUTH_POLICY", policy, "ENV", "dev")))).hasSize(3);
    }

    @Test
    void readsWhatIsSetAndFillsInWhatIsNot() {
        // when
        AuthSettings.Tokens tokens = tokens(decide(STRICT, "AUTH_POLICY", "jwks_rbac", "JWT_CLOCK_SKEW_SECONDS", "5"));

        // then
        assertThat(tokens.policy()).isEqualTo(AuthPolicy.JWKS_RBAC);
        assertThat(tokens.audiences()).containsExactlyInAnyOrder("a", "b");
        assertThat(tokens.algorithms()).isEqualTo(Set.of("RS256", "ES256", "EdDSA"));
        assertThat(tokens.types()).isEqualTo(Set.of("at+jwt", "jwt"));
        assertThat(tokens.clockSkew()).hasSeconds(5);
        assertThat(tokens.maxTokenTtl()).hasSeconds(86_400);
        assertThat(tokens.tenantClaim()).isEqualTo("tenant");
    }

    static Stream<Map<String, String>> devAllowed() {
        return Stream.of(
                Map.of("ENV", "dev"),
                Map.of("APP_ENV", "DEV"),
                Map.of("ENVIRONMENT", " dev "),
                Map.of("DEPLOY_ENV", "dev", "ENV", "dev"),
                Map.of("ALLOW_INSECURE_DEV", "true"),
                Map.of("ALLOW_INSECURE_DEV", "true", "ENV", "staging"),
                Map.of("ENV", "dev", "DEPLOYMENT", "laptop"));
    }

    @ParameterizedTest
    @MethodSource("devAllowed")
    void devStartsWhereItIsAskedForOutsideProduction(Map<String, String> environment) {
        assertThat(settings(decide(environment, "AUTH_POLICY", "dev")).policy()).isEqualTo(AuthPolicy.DEV);
    }

    static Stream<Map<String, String>> devRefused() {
        return Stream.of(
                Map.of(),
                Map.of("ENV", "test"),
                Map.of("ENV", "development"),
                Map.of("ENV", "dev", "APP_ENV", "test"),
                Map.of("ALLOW_INSECURE_DEV", "yes"),
                Map.of("ENV", "prod"),
                Map.of("ENV", "Production"),
                Map.of("ENV", "dev", "DEPLOYMENT", "production"),
                Map.of("ENV", "dev", "DEPLOY_ENV", "prod"),
                Map.of("ENV", "prod", "ALLOW_INSECURE_DEV", "true"),
                Map.of("DEPLOYMENT", "PROD", "ALLOW_INSECURE_DEV", "true"),
                Map.of("ENVIRONMENT", "production", "ALLOW_INSECURE_DEV", "true"));
    }

    @ParameterizedTest
    @MethodSource("devRefused")
    void devNeverStartsAnywhereElse(Map<String, String> environment) {
        assertThat(reasons(decide(environment, "AUTH_POLICY", "dev")))
                .singleElement()
                .asString()
                .contains("AUTH_POLICY=dev");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://issuer.test/jwks",
                "http://127.0.0.1.evil.test/jwks",
                "ftp://issuer.test/jwks",
                "file:///etc/passwd",
                "https://user:secret@issuer.test/jwks",
                "https:///jwks",
                "not a url"
            })
    void theKeySetComesByHttpsOnly(String url) {
        assertThat(reasons(decide(STRICT, "JWKS_URL", url, "ENV", "dev")))
                .singleElement()
                .asString()
                .contains("JWKS_URL")
                .doesNotContain("secret");
    }

    @Test
    void aKeySetByHttpOnLoopbackIsForDevelopment() {
        for (String url : List.of("http://127.0.0.1:1/jwks", "http://localhost/jwks", "http://[::1]:1/jwks")) {
            assertThat(tokens(decide(STRICT, "JWKS_URL", url, "ENV", "dev")).jwksUrl())
                    .hasToString(url);
            assertThat(reasons(decide(STRICT, "JWKS_URL", url))).hasSize(1);
            assertThat(reasons(decide(STRICT, "JWKS_URL", url, "ENV", "prod", "ALLOW_INSECURE_DEV", "true")))
                    .hasSize(1);
        }
    }

    @Test
    void aListOfNoAudiencesIsNone() {
        assertThat(reasons(decide(STRICT, "JWT_AUDIENCE", " , ")))
                .singleElement()
                .asString()
                .contains("JWT_AUDIENCE");
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "HS256", "RS256,HS512", "rs256", "*", ","})
    void onlyKnownAsymmetricAlgorithmsAreAllowed(String algorithms) {
        assertThat(reasons(decide(STRICT, "JWT_ALLOWED_ALGS", algorithms)))
                .allSatisfy(reason -> assertThat(reason).contains("JWT_ALLOWED_ALGS"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"JWT_CLOCK_SKEW_SECONDS", "JWT_MAX_TOKEN_TTL_SECONDS", "JWKS_MAX_STALE_SECONDS"})
    void numbersAreChecked(String variable) {
        for (String bad : List.of("-1", "x", "1.5", "99999999999", "604801")) {
            assertThat(reasons(decide(STRICT, variable, bad)))
                    .singleElement()
                    .asString()
                    .contains(variable);
        }
    }
}
