// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attestream.gateway.support.FakeLedgerSource;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Surroundings;
import io.attestream.gateway.support.TestLedger;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Tokens without roles, and a start while the issuer is away. In order, because keys come but do not go. */
@QuarkusTest
@WithTestResource(
        value = Surroundings.class,
        initArgs = {
            @ResourceArg(name = "AUTH_POLICY", value = "jwks_strict"),
            @ResourceArg(name = Surroundings.ISSUER, value = "down")
        })
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StrictPolicyTest {
    IdentityProvider issuer;
    TestLedger truth;

    @Inject
    FakeLedgerSource ledger;

    private Answer append(String token) {
        return Gateway.post(
                "/v1/events",
                token,
                "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"
                        .getBytes(StandardCharsets.UTF_8),
                "Content-Type",
                "application/cloudevents+json");
    }

    @Test
    @Order(1)
    void withoutKeysATokenIsNeitherAcceptedNorRefused() {
        // when
        Answer answer = append(issuer.token(TestLedger.OWN_TENANT));

        // then
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.header("Retry-After")).isNotEmpty();
        assertThat(answer.header("WWW-Authenticate")).isEmpty();
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:authentication-unavailable");
        assertThat(ledger.log().records()).isEmpty();
        assertThat(Gateway.management("/q/health/ready").status()).isEqualTo(503);
        assertThat(append("").status()).isEqualTo(401);

        // and it is counted: the event was good, for all that is known
        assertThat(Gateway.get("/v1/receipts/1/0/1", issuer.token(TestLedger.OWN_TENANT))
                        .status())
                .isEqualTo(503);
        assertThat(Gateway.metric("attestream_ingest_problems_total{reason=\"authentication_unavailable\"}"))
                .isEqualTo(1);
    }

    @Test
    @Order(2)
    void comesBackWhenTheIssuerDoes() {
        // when
        issuer.answeringKeys();

        // then
        await().atMost(Duration.ofSeconds(20)).until(() -> {
            int status = append(issuer.token(TestLedger.OWN_TENANT)).status();
            assertThat(status).isIn(202, 503);
            return status == 202;
        });
        assertThat(Gateway.management("/q/health/ready").status()).isEqualTo(200);
    }

    @Test
    @Order(3)
    void rolesInATokenGiveNothing() {
        // given
        truth.event(0, 1, TestLedger.OWN_TENANT, "own", "mine");
        truth.event(0, 2, TestLedger.OTHER_TENANT, "other", "not mine");
        truth.publish();

        // when
        String token = issuer.token(TestLedger.OWN_TENANT, "auditor", "admin");

        // then
        assertThat(Gateway.get("/v1/receipts/1/0/1", token).status()).isEqualTo(200);
        assertThat(Gateway.get("/v1/events/0/0", token).status()).isEqualTo(200);
        assertThat(Gateway.get("/v1/receipts/1/0/2", token).status()).isEqualTo(403);
        assertThat(Gateway.get("/v1/events/0/1", token).status()).isEqualTo(403);
        assertThat(Gateway.get("/shard/0/tile/entries/000.p/2", token).status()).isEqualTo(403);
        assertThat(Gateway.get("/shard/0/tile/0/000.p/2", "").status()).isEqualTo(200);
    }
}
