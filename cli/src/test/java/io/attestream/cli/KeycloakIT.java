// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.chaos.LocalCluster;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A whole ledger whose gateways believe a real Keycloak. The first is set up as in production, apart from its one broker: keys
 * over https, types as they are by default. The second accepts tokens without a type.
 */
@Tag("keycloak")
class KeycloakIT {
    private static final int DEFAULT = 0;
    private static final int UNTYPED = 1;
    private static final String REALM = "ledger";
    private static final String OTHER_REALM = "other";
    /** After this long without Keycloak the first gateway believes nobody. It asks for keys four times in it. */
    private static final int STALE_SECONDS = 60;

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Pattern REASON = Pattern.compile("error_description=\"([a-z-]+)\"");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path scratch;

    private static Keycloak keycloak;
    private static LocalCluster cluster;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeAll
    static void start() throws Exception {
        Path store = KeySetServer.makeStore(scratch);
        keycloak = Keycloak.start(scratch, store);
        String realm = Files.readString(Script.HOME.resolve("cli/src/test/resources/keycloak/realm.json"));
        keycloak.createRealm(realm);
        keycloak.createRealm(realm.replace("\"realm\": \"" + REALM + "\"", "\"realm\": \"" + OTHER_REALM + "\""));
        Map<String, String> both = Map.of(
                "JWT_ISSUER",
                keycloak.issuer(REALM),
                "JWT_AUDIENCE",
                "attestream",
                "JWT_CLOCK_SKEW_SECONDS",
                "0",
                "JWT_MAX_TOKEN_TTL_SECONDS",
                "3600",
                "JWKS_URL",
                keycloak.jwksUrl(REALM),
                "JDK_JAVA_OPTIONS",
                String.join(" ", KeySetServer.trust(store)));
        cluster = LocalCluster.start(new LocalCluster.Options(
                scratch.resolve("data"),
                1,
                1,
                2,
                new Bootstrap(OptionalLong.of(1 << 16)),
                line -> {},
                Map.of(
                        "gateway",
                        both,
                        "gateway-" + DEFAULT,
                        Map.of("ENV", "staging", "JWKS_MAX_STALE_SECONDS", Integer.toString(STALE_SECONDS)),
                        "gateway-" + UNTYPED,
                        Map.of("JWT_ALLOWED_TYPES", "at+jwt,JWT", "JWKS_URL", keycloak.plainJwksUrl(REALM))),
                false));
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
        if (keycloak != null) {
            keycloak.close();
        }
    }

    // ---- what a client of the realm may do

    @Test
    void whatAnIngesterAppendsIsReadByItsTenantAndByAuditors() throws Exception {
        // given
        Api ingester = api("ingester");
        Api auditor = api("auditor");

        // when
        HttpResponse<String> appended = post(DEFAULT, token("ingester"));

        // then
        assertThat(appended.statusCode()).as(appended.body()).isEqualTo(202);
        String receipt =
                JSON.readTree(appended.body()).at("/results/0/receipt/href").asText();
        assertThat(ReceiptCommand.await(auditor, receipt, PATIENCE)
                        .path("status")
                        .asText())
                .isEqualTo("leaf");
        assertThat(get(ingester, receipt)).isEqualTo("200");
        assertThat(get(api("ingester-of-globex"), receipt)).isEqualTo("403 foreign-tenant");
        assertThat(get(api("nobody"), receipt)).isEqualTo("403 forbidden");
        assertThat(get(api("admin"), receipt)).isEqualTo("200");

        // and only who reads the whole ledger gets entries of all tenants
        String entries = "/shard/0/tile/entries/000.p/1";
        assertThat(get(ingester, entries)).isEqualTo("403 forbidden");
        assertThat(get(auditor, entries)).isEqualTo("200");
        assertThat(get(api("admin"), entries)).isEqualTo("200");
    }

    @ParameterizedTest
    @CsvSource({
        "ingester,                  202",
        "ingester-of-globex,        202",
        "ingester-with-es256,       202",
        "ingester-with-eddsa,       202",
        "ingester-with-ps256,       401 algorithm-not-allowed",
        "ingester-without-type,     401 type-not-allowed",
        "ingester-without-audience, 401 wrong-audience",
        "ingester-for-hours,        401 lives-too-long",
        "ingester-without-tenant,   403 tenant-missing",
        "auditor,                   403 forbidden",
        "admin,                     403 forbidden",
        "nobody,                    403 forbidden",
    })
    void aClientAppendsOrIsToldWhyNot(String client, String outcome) throws Exception {
        eventually(DEFAULT, token(client), outcome);
    }

    @ParameterizedTest
    @CsvSource({
        "ingester,                  202",
        "ingester-without-type,     202",
        "ingester-without-audience, 401 wrong-audience",
        "auditor,                   403 forbidden",
    })
    void whoOptedOutAcceptsTokensWithoutATypeAndIsOtherwiseAsStrict(String client, String outcome) throws Exception {
        eventually(UNTYPED, token(client), outcome);
    }

    @Test
    void neitherAnIdTokenNorARefreshTokenIsAnAccessToken() throws Exception {
        // given: of a client whose access token would do, for our audience
        JsonNode tokens = keycloak.allTokens(REALM, "ingester");
        String id = tokens.path("id_token").asText();
        String refresh = tokens.path("refresh_token").asText();
        assertThat(part(id, 1).path("aud").toString()).contains("attestream");
        assertThat(refresh).isNotEmpty();

        // when, then
        assertThat(append(DEFAULT, tokens.path("access_token").asText())).isEqualTo("202");
        assertThat(append(DEFAULT, id)).isEqualTo("401 type-not-allowed");
        assertThat(append(UNTYPED, id)).isEqualTo("401 not-an-access-token");
        String exchanged = keycloak.exchangeForIdToken(
                REALM, "ingester", tokens.path("access_token").asText());
        assertThat(part(exchanged, 1).has("at_hash")).isFalse();
        assertThat(append(UNTYPED, exchanged)).isEqualTo("401 not-an-access-token");
        assertThat(append(DEFAULT, refresh)).isEqualTo("401 algorithm-not-allowed");
        assertThat(append(UNTYPED, refresh)).isEqualTo("401 algorithm-not-allowed");
    }

    // ---- keys

    @Test
    void anEncryptionKeyBesideTheOthersIsNoneToSignWith() throws Exception {
        assertThat(keycloak.jwks(REALM).findValuesAsText("use")).contains("sig", "enc");
        assertThat(append(DEFAULT, token("ingester"))).isEqualTo("202");
        assertThat(append(UNTYPED, token("ingester"))).isEqualTo("202");
    }

    @Test
    void aTokenOfAnotherRealmIsRefusedEvenIfBothSignWithOneKey() throws Exception {
        // when, then
        eventually(DEFAULT, keycloak.token(OTHER_REALM, "ingester"), "401 unknown-key");

        // when
        String key = newPrivateKey();
        keycloak.rotate(REALM, key);
        keycloak.rotate(OTHER_REALM, key);

        // then
        String own = token("ingester");
        String foreign = keycloak.token(OTHER_REALM, "ingester");
        assertThat(part(foreign, 0).path("kid")).isEqualTo(part(own, 0).path("kid"));
        eventually(DEFAULT, own, "202");
        assertThat(append(DEFAULT, foreign)).isEqualTo("401 wrong-issuer");
    }

    @Test
    void aRotatedKeyCountsAtOnceTheOldOneUntilItIsTakenAway() throws Exception {
        // given
        String old = token("ingester");
        assertThat(append(DEFAULT, old)).isEqualTo("202");

        // when
        String brief = token("ingester-for-seconds");
        keycloak.rotate(REALM);
        String renewed = token("ingester");

        // then
        assertThat(part(renewed, 0).path("kid")).isNotEqualTo(part(old, 0).path("kid"));
        eventually(DEFAULT, renewed, "202");
        assertThat(append(DEFAULT, old)).isEqualTo("202");
        assertThat(append(DEFAULT, brief)).isEqualTo("202");
        eventually(DEFAULT, brief, "401 expired", "202");

        // when
        keycloak.removeKey(REALM, part(old, 0).path("kid").asText());

        // then
        eventually(DEFAULT, old, "401 unknown-key", "202");
        assertThat(append(DEFAULT, renewed)).isEqualTo("202");
    }

    // ---- Keycloak is away

    @Test
    void withoutKeycloakKnownKeysCountUpToTheStatedAgeAndItsReturnIsSeen() throws Exception {
        // given a token of a key that the gateway had no time to see
        String known = token("ingester");
        eventually(DEFAULT, known, "202");
        eventually(UNTYPED, known, "202");
        await().atMost(PATIENCE).pollInterval(POLL).until(() -> keySetAgeSeconds() < 3);
        keycloak.rotate(REALM);
        String unknown = token("ingester");

        // when
        keycloak.kill();
        try {
            // then
            assertThat(append(DEFAULT, known)).isEqualTo("202");
            assertThat(append(DEFAULT, unknown)).isEqualTo("503 authentication-unavailable");
            assertThat(append(DEFAULT, withOtherClaims(known))).isEqualTo("401 bad-signature");

            // when
            eventually(DEFAULT, known, "503 authentication-unavailable", "202");

            // then
            assertThat(keySetAgeSeconds()).isBetween((double) STALE_SECONDS, STALE_SECONDS + 30.0);
            assertThat(cluster.isReady("gateway-" + DEFAULT)).isFalse();
            assertThat(append(UNTYPED, known)).isEqualTo("202");
        } finally {
            keycloak.startAgain();
        }

        // then: its database may have lost the newest key with its last half second, so of the key it signs with now
        String fresh = token("ingester");
        eventually(DEFAULT, fresh, "202");
        eventually(DEFAULT, known, "202");
        eventually(UNTYPED, fresh, "202");
        assertThat(cluster.isReady("gateway-" + DEFAULT)).isTrue();
    }

    private static double keySetAgeSeconds() {
        return new Api(cluster.managementUrl(DEFAULT), null)
                .require("/q/metrics", "text/plain")
                .text()
                .lines()
                .filter(line -> line.startsWith("attestream_jwks_age_seconds "))
                .mapToDouble(line -> Double.parseDouble(line.split(" ", 2)[1]))
                .sum();
    }

    // ---- asking

    private static String token(String client) {
        return keycloak.token(REALM, client);
    }

    private static Api api(String client) {
        return new Api(cluster.gatewayUrl(DEFAULT), token(client));
    }

    /** Header or claims of a token. */
    private static JsonNode part(String token, int number) throws IOException {
        return JSON.readTree(Base64.getUrlDecoder().decode(token.split("\\.", -1)[number]));
    }

    private static String withOtherClaims(String token) throws IOException {
        String[] parts = token.split("\\.", -1);
        byte[] claims = part(token, 1).toString().replace("acme", "evil").getBytes(UTF_8);
        return parts[0] + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(claims) + "." + parts[2];
    }

    private static String newPrivateKey() throws NoSuchAlgorithmException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        return Base64.getEncoder()
                .encodeToString(generator.generateKeyPair().getPrivate().getEncoded());
    }

    /** Status, and the reason unless it went well. */
    private String append(int gateway, String token) throws Exception {
        HttpResponse<String> answer = post(gateway, token);
        return outcome(answer.statusCode(), answer.headers().map(), answer.body());
    }

    private static String get(Api api, String path) throws IOException {
        Api.Reply reply = api.get(path, "application/json, application/octet-stream");
        return outcome(reply.status(), reply.headers(), reply.text());
    }

    private HttpResponse<String> post(int gateway, String token) throws Exception {
        String event = "{\"specversion\":\"1.0\",\"id\":\"" + UUID.randomUUID()
                + "\",\"source\":\"/keycloak\",\"type\":\"t\"}";
        return http.send(
                HttpRequest.newBuilder(URI.create(cluster.gatewayUrl(gateway) + "/v1/events"))
                        .timeout(Duration.ofSeconds(30))
                        .header("Authorization", "Bearer " + token)
                        .header("Content-Type", "application/cloudevents+json")
                        .POST(HttpRequest.BodyPublishers.ofString(event))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static String outcome(int status, Map<String, List<String>> headers, String body) throws IOException {
        if (status / 100 == 2) {
            return Integer.toString(status);
        }
        if (status == 503) {
            assertThat(headers).containsKey("retry-after");
        }
        Matcher reason = REASON.matcher(
                headers.getOrDefault("www-authenticate", List.of()).toString());
        String type = JSON.readTree(body).path("type").asText();
        return status + " " + (reason.find() ? reason.group(1) : type.substring(type.lastIndexOf(':') + 1));
    }

    /**
     * Waits for this outcome. Until then there may only be the others, and that the gateway cannot tell: lookups of keys have a
     * budget.
     */
    private void eventually(int gateway, String token, String outcome, String... others) {
        await().atMost(PATIENCE).pollInterval(POLL).until(() -> {
            String now = append(gateway, token);
            if (!now.equals(outcome) && !now.equals("503 authentication-unavailable")) {
                assertThat(now).isIn((Object[]) others);
            }
            return now.equals(outcome);
        });
    }
}
