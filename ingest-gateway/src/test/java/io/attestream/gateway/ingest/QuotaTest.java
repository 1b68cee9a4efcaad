// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.support.FakeLedgerSource;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Surroundings;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jose4j.jwt.JwtClaims;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Quotas over HTTP: five events at once, and then one a second. */
@QuarkusTest
@WithTestResource(
        value = Surroundings.class,
        initArgs = {
            @ResourceArg(name = "attestream.quota.subject-events-per-second", value = "1"),
            @ResourceArg(name = "attestream.quota.tenant-bytes-per-second", value = "10000"),
            @ResourceArg(name = "attestream.quota.burst", value = "5s")
        })
class QuotaTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SUBJECT_EVENTS = "attestream.quota.subject-events-per-second";
    private static final String SERIES = "attestream_quota_refusals_total{limit=\"subject_events\"}";

    IdentityProvider issuer;

    @Inject
    FakeLedgerSource ledger;

    @BeforeEach
    void setUp() {
        ledger.log().reset();
        ledger.setOpen(true);
    }

    private String token(String tenant, String subject) {
        JwtClaims claims = IdentityProvider.claims(tenant, "ingester");
        claims.setSubject(subject);
        return issuer.sign(claims, header -> {});
    }

    private static String event(int id) {
        return event(id, "");
    }

    private static String event(int id, String data) {
        return "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/s\",\"type\":\"t\",\"data\":\"" + data
                + "\"}";
    }

    private static Answer post(String type, String token, String body) {
        return Gateway.post("/v1/events", token, body.getBytes(StandardCharsets.UTF_8), "Content-Type", type);
    }

    private static Answer one(String token, String event) {
        return post("application/cloudevents+json", token, event);
    }

    @Test
    void beyondTheQuotaTheAnswerIs429AndTheBrokersAreNotTroubled() {
        // given
        double before = Gateway.metric(SERIES);
        String token = token("t1", "single");

        // when
        int accepted = 0;
        Answer answer = one(token, event(0));
        while (answer.status() == 202) {
            assertThat(++accepted).isLessThan(100);
            answer = one(token, event(accepted));
        }

        // then
        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
        assertThat(answer.header("Retry-After")).isEqualTo("1");
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:quota-exceeded");
        assertThat(answer.json().path("field").asText()).isEqualTo(SUBJECT_EVENTS);
        assertThat(answer.json().path("limit").asLong()).isEqualTo(1);
        assertThat(answer.json().path("retryAfterSeconds").asLong()).isEqualTo(1);
        assertThat(accepted).isGreaterThanOrEqualTo(5);
        assertThat(ledger.log().records()).hasSize(accepted);
        assertThat(Gateway.metric(SERIES)).isEqualTo(before + 1);
        assertThat(Gateway.metric("attestream_ingest_problems_total{reason=\"quota_exceeded\"}"))
                .isPositive();
        assertThat(Gateway.metric("attestream_ingest_events_total{status=\"throttled\"}"))
                .isPositive();

        // and others are served
        assertThat(one(token("t1", "another"), event(6)).status()).isEqualTo(202);
        assertThat(one(token("t2", "single"), event(6)).status()).isEqualTo(202);
    }

    @Test
    void aBatchIsToldForEachEventAndAnEventAtFaultCostsNothing() {
        // given
        String batch = "[{\"id\":\"bad\"},"
                + IntStream.range(0, 8).mapToObj(QuotaTest::event).collect(Collectors.joining(",")) + "]";

        // when
        Answer answer = post("application/cloudevents-batch+json", token("t3", "batch"), batch);

        // then
        assertThat(answer.status()).isEqualTo(207);
        assertThat(answer.header("Retry-After")).isEqualTo("1");
        List<String> statuses = answer.json().path("results").findValuesAsText("status").stream()
                .filter(text -> !text.matches("\\d+"))
                .toList();
        assertThat(statuses)
                .containsExactly(
                        "rejected",
                        "accepted",
                        "accepted",
                        "accepted",
                        "accepted",
                        "accepted",
                        "throttled",
                        "throttled",
                        "throttled");
        assertThat(answer.json().path("results").get(8).path("retryable").asBoolean())
                .isTrue();
        assertThat(ledger.log().records()).hasSize(5);
    }

    @Test
    void aStreamIsToldLineByLineAndGoesOn() throws Exception {
        // given
        String lines = IntStream.range(0, 8).mapToObj(QuotaTest::event).collect(Collectors.joining("\n"));

        // when
        Answer answer = post("application/x-ndjson", token("t4", "stream"), lines);

        // then
        assertThat(answer.status()).isEqualTo(207);
        List<String> results = answer.text().lines().toList();
        assertThat(results).hasSize(8);
        for (int i = 0; i < 8; i++) {
            JsonNode result = JSON.readTree(results.get(i));
            boolean accepted = result.path("status").asText().equals("accepted");
            assertThat(result.path("status").asText()).as("line %d", i).isEqualTo(i < 5 ? "accepted" : "throttled");
            assertThat(result.path("problem").path("retryAfterSeconds").asLong())
                    .isEqualTo(accepted ? 0 : 1);
        }
        assertThat(ledger.log().records()).hasSize(5);
    }

    @Test
    void bytesOfATenantCountWhoeverSendsThem() {
        // given
        String large = "x".repeat(30_000);
        assertThat(one(token("t5", "first"), event(1, large)).status()).isEqualTo(202);

        // when
        Answer answer = one(token("t5", "second"), event(2, large));

        // then
        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.json().path("field").asText()).isEqualTo("attestream.quota.tenant-bytes-per-second");
        assertThat(Long.parseLong(answer.header("Retry-After"))).isBetween(1L, 2L);
        assertThat(ledger.log().records()).hasSize(1);
    }
}
