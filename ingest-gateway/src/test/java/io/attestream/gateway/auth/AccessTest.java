// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.gateway.support.FakeLedgerSource;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Surroundings;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.keys.HmacKey;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may do what, over HTTP, with real tokens. */
@QuarkusTest
@WithTestResource(Surroundings.class)
class AccessTest {
    private static final byte[] EVENT =
            "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}".getBytes(StandardCharsets.UTF_8);

    IdentityProvider issuer;

    @Inject
    FakeLedgerSource ledger;

    @BeforeEach
    void setUp() {
        ledger.log().reset();
        ledger.setOpen(true);
    }

    record BadToken(String name, String reason, Function<IdentityProvider, String> token) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<BadToken> badTokens() {
        return Stream.of(
                new BadToken("expired", "expired", issuer -> {
                    JwtClaims claims = good();
                    claims.setIssuedAt(IdentityProvider.in(-1_000));
                    claims.setExpirationTime(IdentityProvider.in(-100));
                    return issuer.sign(claims, header -> {});
                }),
                new BadToken("not yet valid", "not-yet-valid", issuer -> {
                    JwtClaims claims = good();
                    claims.setNotBefore(IdentityProvider.in(100));
                    return issuer.sign(claims, header -> {});
                }),
                new BadToken("lives too long", "lives-too-long", issuer -> {
                    JwtClaims claims = good();
                    claims.setExpirationTime(IdentityProvider.in(90_000));
                    return issuer.sign(claims, header -> {});
                }),
                without("iss", "wrong-issuer"),
                without("aud", "wrong-audience"),
                without("sub", "subject-missing"),
                without("exp", "expiry-missing"),
                without("iat", "issued-at-missing"),
                new BadToken("wrong issuer", "wrong-issuer", issuer -> {
                    JwtClaims claims = good();
                    claims.setIssuer(IdentityProvider.ISSUER + "/");
                    return issuer.sign(claims, header -> {});
                }),
                new BadToken("wrong audience", "wrong-audience", issuer -> {
                    JwtClaims claims = good();
                    claims.setAudience("attestream2", "other");
                    return issuer.sign(claims, header -> {});
                }),
                new BadToken("algorithm none", "algorithm-not-allowed", issuer -> {
                    String[] parts = issuer.token("acme", "ingester").split("\\.", -1);
                    String header = base64("{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"key-1\"}");
                    return header + "." + parts[1] + ".";
                }),
                new BadToken(
                        "HS256 with the public key",
                        "algorithm-not-allowed",
                        issuer -> issuer.sign(good(), jws -> {
                            jws.setAlgorithmHeaderValue("HS256");
                            jws.setKey(new HmacKey(issuer.key().getPublicKey().getEncoded()));
                        })),
                new BadToken(
                        "algorithm not on the list",
                        "algorithm-not-allowed",
                        issuer -> issuer.sign(good(), jws -> jws.setAlgorithmHeaderValue("RS512"))),
                new BadToken(
                        "no key id",
                        "key-id-missing",
                        issuer -> issuer.sign(good(), jws -> jws.setKeyIdHeaderValue(null))),
                new BadToken(
                        "critical header",
                        "critical-header",
                        issuer -> issuer.sign(good(), jws -> jws.setCriticalHeaderNames("exp"))),
                new BadToken(
                        "no type",
                        "type-not-allowed",
                        issuer -> issuer.sign(good(), jws -> jws.setHeader("typ", null))),
                new BadToken(
                        "logout token",
                        "type-not-allowed",
                        issuer -> issuer.sign(good(), jws -> jws.setHeader("typ", "logout+jwt"))),
                new BadToken(
                        "signed by another key of the same name",
                        "bad-signature",
                        issuer ->
                                IdentityProvider.sign(good().toJson(), IdentityProvider.newKey("key-1"), header -> {})),
                new BadToken("changed claims", "bad-signature", issuer -> {
                    String[] parts = issuer.token("acme", "ingester").split("\\.", -1);
                    return parts[0] + "." + base64(good().toJson().replace("alice", "mallory")) + "." + parts[2];
                }),
                new BadToken("duplicate claim", "malformed", issuer -> {
                    String json = good().toJson();
                    return IdentityProvider.sign("{\"sub\":\"root\"," + json.substring(1), issuer.key(), header -> {});
                }),
                new BadToken("five parts", "malformed", issuer -> "a.b.c.d.e"),
                new BadToken("not a token", "malformed", issuer -> "hello"),
                new BadToken("too long", "token-too-long", issuer -> "x".repeat(8_193)),
                new BadToken("bad tenant", "bad-tenant", issuer -> issuer.token("a/b", "ingester")));
    }

    private static BadToken without(String claim, String reason) {
        return new BadToken("no " + claim, reason, issuer -> {
            JwtClaims claims = good();
            claims.unsetClaim(claim);
            return issuer.sign(claims, header -> {});
        });
    }

    private static JwtClaims good() {
        return IdentityProvider.claims("acme", "ingester");
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Answer append(String token) {
        return Gateway.post("/v1/events", token, EVENT, "Content-Type", "application/cloudevents+json");
    }

    @ParameterizedTest
    @MethodSource("badTokens")
    void aBadTokenIs401WithAReasonAndAppendsNothing(BadToken bad) {
        // when
        Answer answer = append(bad.token().apply(issuer));

        // then
        assertThat(answer.status()).as(answer.text()).isEqualTo(401);
        assertThat(answer.header("WWW-Authenticate"))
                .startsWith("Bearer realm=")
                .contains("error=\"invalid_token\"")
                .contains("error_description=\"" + bad.reason() + "\"");
        assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:unauthenticated");
        assertThat(answer.text()).doesNotContain("alice");
        assertThat(ledger.log().records()).isEmpty();
    }

    @Test
    void aForeignKeyIdIsEitherRefusedOrCannotBeDecidedButNeverAccepted() {
        // when
        Answer answer =
                append(IdentityProvider.sign(good().toJson(), IdentityProvider.newKey("foreign"), header -> {}));

        // then
        assertThat(answer.status()).isIn(401, 503);
        assertThat(ledger.log().records()).isEmpty();
    }

    @Test
    void aRotatedKeyIsAcceptedAtOnce() {
        // given
        assertThat(append(issuer.token("acme", "ingester")).status()).isEqualTo(202);
        RsaJsonWebKey before = issuer.key();
        try {
            // when
            issuer.rotate(IdentityProvider.newKey("key-2"));

            // then
            assertThat(append(issuer.token("acme", "ingester")).status()).isEqualTo(202);
        } finally {
            issuer.rotate(before);
            assertThat(append(issuer.token("acme", "ingester")).status()).isEqualTo(202);
        }
    }

    @Test
    void noTokenIs401() {
        // when
        Answer answer = append("");

        // then
        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.header("WWW-Authenticate")).isEqualTo("Bearer realm=\"attestream\"");
        assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
        assertThat(ledger.log().records()).isEmpty();
    }

    @Test
    void otherSchemesAndTwoTokensAre401() {
        String token = issuer.token("acme", "ingester");
        assertThat(Gateway.get("/v1/receipts/1/0/0", "", "Authorization", "Basic " + token)
                        .status())
                .isEqualTo(401);
        assertThat(Gateway.get("/v1/receipts/1/0/0", token, "Authorization", "Bearer " + token)
                        .status())
                .isEqualTo(401);
    }

    @Test
    void aBodyWithoutATokenIsRefusedBeforeItsSizeIsLookedAt() {
        // when
        Answer answer =
                Gateway.post("/v1/events", "", new byte[300_000], "Content-Type", "application/cloudevents+json");

        // then
        assertThat(answer.status()).isEqualTo(401);
    }

    @Test
    void theRightRoleIsNeeded() {
        for (String token :
                List.of(issuer.token("acme"), issuer.token("acme", "auditor"), issuer.token("acme", "root"))) {
            // when
            Answer answer = append(token);

            // then
            assertThat(answer.status()).isEqualTo(403);
            assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:forbidden");
        }
        assertThat(Gateway.get("/v1/receipts/1/0/0", issuer.token("acme")).status())
                .isEqualTo(403);
        assertThat(Gateway.get("/shard/0/tile/entries/000", issuer.token("acme", "ingester"))
                        .status())
                .isEqualTo(403);
        assertThat(ledger.log().records()).isEmpty();
    }

    @Test
    void aScopeIsAsGoodAsARole() {
        // given
        JwtClaims claims = IdentityProvider.claims("acme");
        claims.setClaim("scope", "openid ingester");

        // when, then
        assertThat(append(issuer.sign(claims, header -> {})).status()).isEqualTo(202);
    }

    @Test
    void appendingNeedsATenant() {
        // given
        JwtClaims claims = good();
        claims.unsetClaim("tenant");

        // when
        Answer answer = append(issuer.sign(claims, header -> {}));

        // then
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:tenant-missing");
        assertThat(ledger.log().records()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/receipts/1/0/0",
                "/v1/events/0/0",
                "/v1/proofs/inclusion",
                "/v1/proofs/consistency",
                "/shard/0/tile/entries/000"
            })
    void whatIsNotDeclaredPublicNeedsAToken(String path) {
        assertThat(Gateway.get(path, "").status()).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/checkpoint",
                "/v1/epochs/0",
                "/v1/keys",
                "/log/checkpoint",
                "/log/tile/0/000.p/1",
                "/log/tile/entries/000.p/1",
                "/shard/0/checkpoint",
                "/shard/0/tile/0/000.p/1",
                "/openapi"
            })
    void whatIsDeclaredPublicNeedsNoneAndDoesNotFailOnABadOne(String path) {
        assertThat(Gateway.get(path, "").status()).isIn(200, 404);
        assertThat(Gateway.get(path, "junk").status()).isIn(200, 404);
    }
}
