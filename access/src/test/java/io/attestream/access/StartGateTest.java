// SPDX-License-Identifier: Apache-2.0
package io.attestream.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class StartGateTest {
    private static final Map<String, String> STRICT = Map.of(
            "JWKS_URL", "https://issuer.test/jwks",
            "JWT_ISSUER", "https://issuer.test",
            "JWT_AUDIENCE", "a, b");

    private static Start decide(Map<String, String> environment) {
        return StartGate.decide(new Environment(environment));
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
        assertThat(tokens.types()).isEqualTo(Set.of("at+jwt"));
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

    @ParameterizedTest
    @ValueSource(strings = {"https://quarkus.io/issuer", " https://quarkus.io/issuer ", "https://server.example.com"})
    void anIssuerThatAFrameworkHasBuiltInIsRefused(String issuer) {
        assertThat(reasons(decide(STRICT, "JWT_ISSUER", issuer)))
                .singleElement()
                .asString()
                .contains("JWT_ISSUER");
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "a,*", "attestream-*"})
    void anAudienceIsNeverAWildcard(String audience) {
        assertThat(reasons(decide(STRICT, "JWT_AUDIENCE", audience)))
                .singleElement()
                .asString()
                .contains("JWT_AUDIENCE");
    }

    @ParameterizedTest
    @CsvSource({
        "MP_JWT_VERIFY_ISSUER,https://issuer.test",
        "mp.jwt.verify.publickey.location,/key",
        "SMALLRYE_JWT_VERIFY_RELAX_KEY_VALIDATION,true",
        "smallrye.jwt.claims.groups,admin",
        "QUARKUS_OIDC_AUTH_SERVER_URL,https://issuer.test",
        "quarkus.http.auth.basic,true",
        "QUARKUS_HTTP_AUTH_FORM_ENABLED,true",
        "quarkus.http.auth.permission.open.policy,permit",
        "QUARKUS_SECURITY_USERS_EMBEDDED_ENABLED,true",
        "quarkus.security.jaxrs.deny-unannotated-endpoints,false",
        "QUARKUS_SECURITY_JAXRS_DENY_UNANNOTATED_ENDPOINTS,no",
        "quarkus.tls.trust-all,true",
        "QUARKUS_TLS_OTHER_TRUST_ALL,TRUE",
        "quarkus.tls.trust-all,''",
        "jdk.internal.httpclient.disableHostnameVerification,''"
    })
    void whatRelaxesALibraryIsRefusedInEitherSpellingWhateverThePolicy(String name, String value) {
        assertThat(reasons(decide(STRICT, name, value)))
                .singleElement()
                .asString()
                .startsWith(name);
        assertThat(reasons(decide(Map.of("ENV", "dev", "AUTH_POLICY", "dev"), name, value)))
                .hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "quarkus.http.auth.basic,false",
        "quarkus.http.auth.proactive,false",
        "quarkus.security.jaxrs.deny-unannotated-endpoints,true",
        "quarkus.tls.trust-all,false",
        "jdk.internal.httpclient.disableHostnameVerification,false",
        "ATTESTREAM_DEV,true",
        "quarkus.profile,test"
    })
    void whatRelaxesNothingIsNot(String name, String value) {
        assertThat(settings(decide(STRICT, name, value)).policy()).isEqualTo(AuthPolicy.JWKS_STRICT);
    }

    @ParameterizedTest
    @CsvSource({"ENV,prod", "APP_ENV,Production", "DEPLOYMENT,production"})
    void productionRelaxesNothingForOneMachine(String variable, String value) {
        for (String relaxed : List.of(
                "ATTESTREAM_DEV=true",
                "ATTESTREAM_DEV=1",
                "ATTESTREAM_DEV=yes",
                "ATTESTREAM_DEV=${X:true}",
                "attestream.dev= TRUE",
                "%x.attestream.dev=on",
                "_X_ATTESTREAM_DEV=true",
                "QUARKUS_PROFILE=dev",
                "QUARKUS_PROFILE=prod,dev",
                "SMALLRYE_CONFIG_PROFILE=test",
                "mp.config.profile=dev",
                "quarkus.config.profile.parent=dev",
                "quarkus.profile=test")) {
            String[] set = relaxed.split("=", 2);
            assertThat(reasons(decide(STRICT, set[0], set[1], variable, value)))
                    .as(relaxed)
                    .singleElement()
                    .asString()
                    .contains(set[0])
                    .contains("production");
        }
        assertThat(reasons(decide(STRICT, variable, value).withDev(true))).hasSize(1);
        assertThat(settings(decide(STRICT, variable, value).withDev(false))).isNotNull();
        assertThat(settings(decide(STRICT, variable, value, "ATTESTREAM_DEV", "false")))
                .isNotNull();
    }

    @Test
    void settingsForOneMachineAreFineElsewhere() {
        assertThat(settings(decide(STRICT, "ENV", "staging").withDev(true))).isNotNull();
    }

    @Test
    void aVariableIsNotUnsaidByAProperty() {
        Map<String, String> properties = Map.of("ENV", "dev", "AUTH_POLICY", "dev", "JWKS_URL", "https://other.test");
        Map<String, String> variables = Map.of("ENV", "production", "AUTH_POLICY", "jwks_rbac", "JWKS_URL", " ");
        assertThat(Environment.overlaid(properties, variables))
                .containsEntry("ENV", "production")
                .containsEntry("AUTH_POLICY", "jwks_rbac")
                .containsEntry("JWKS_URL", "https://other.test");
    }

    @Test
    void aValueInQuotesIsRefused() {
        assertThat(reasons(decide(STRICT, "ENV", "\"production\"")))
                .singleElement()
                .asString()
                .contains("ENV begins with a quote");
        assertThat(reasons(decide(STRICT, "JWT_ISSUER", "'https://issuer.test'")))
                .singleElement()
                .asString()
                .contains("JWT_ISSUER begins with a quote");
    }

    @Test
    void saysAllReasonsOnOneScreen() {
        // given
        Start start = decide(Map.of(
                        "AUTH_POLICY", "jwks_rbac", "quarkus.tls.trust-all", "true", "JWT_ALLOWED_ALGS", "HS256"))
                .and(List.of("attestream.http.port must be from 0 to 65535"));

        // when
        String screen = ((Start.Refuse) start).screen();

        // then
        assertThat(screen)
                .startsWith("refusing to start, 6 reasons:")
                .contains("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "JWT_ALLOWED_ALGS", "trust-all", "http.port");
        assertThat(screen.lines()).hasSize(7);
    }

    @Test
    void aSettingThatIsWrongRefusesAPolicyThatIsRight() {
        Start good = decide(STRICT);
        assertThat(good.and(List.of())).isSameAs(good);
        assertThat(reasons(good.and(List.of("wrong")))).containsExactly("wrong");
    }

    @Test
    void tellsThePolicyInEffectWithEverythingThatBindsTokens() {
        Start.Policy policy = (Start.Policy) decide(STRICT, "AUTH_POLICY", "jwks_rbac", "DEPLOYMENT", "production");
        assertThat(String.join("\n", policy.lines())).isEqualTo("""
                policy jwks_rbac, profile production
                keys https://issuer.test/jwks, issuer https://issuer.test
                audiences a b, algorithms ES256 EdDSA RS256, types at+jwt
                tenant claim tenant, clock skew 60 s, lifetime at most 86400 s, keys at most 86400 s old""");
    }
}
