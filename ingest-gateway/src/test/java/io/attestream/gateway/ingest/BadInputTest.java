// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.gateway.support.FakeLedgerSource;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Surroundings;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kind of bad input: the status, the kind of problem, what was wrong, and nothing appended. */
@QuarkusTest
@WithTestResource(Surroundings.class)
class BadInputTest {
    private static final String STRUCTURED = "application/cloudevents+json";
    private static final String BATCH = "application/cloudevents-batch+json";
    private static final String GOOD =
            "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"data\":{\"a\":1}}";

    IdentityProvider issuer;

    @Inject
    FakeLedgerSource ledger;

    private String token;

    record Case(
            String name, String contentType, byte[] body, int status, String code, String field, String... headers) {
        Case(String name, String contentType, String body, int status, String code, String field, String... headers) {
            this(name, contentType, body.getBytes(StandardCharsets.UTF_8), status, code, field, headers);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeEach
    void setUp() {
        ledger.log().reset();
        ledger.setOpen(true);
        token = issuer.token("acme", "ingester");
    }

    @AfterEach
    void tearDown() {
        ledger.log().reset();
        ledger.setOpen(true);
    }

    static Stream<Case> badBodies() {
        String over = "x".repeat(9_000);
        return Stream.of(
                new Case("not JSON", STRUCTURED, "hello", 400, "malformed-body", "body"),
                new Case("truncated JSON", STRUCTURED, GOOD.substring(0, 40), 400, "malformed-body", "body"),
                new Case("empty body", STRUCTURED, "", 400, "malformed-body", "body"),
                new Case("something behind the event", STRUCTURED, GOOD + "{}", 400, "malformed-body", "body"),
                new Case("an array as event", STRUCTURED, "[" + GOOD + "]", 400, "malformed-body", "body"),
                new Case("wrong content type", "application/json", GOOD, 415, "unsupported-media-type", "Content-Type"),
                new Case(
                        "avro structured",
                        "application/cloudevents+avro",
                        GOOD,
                        415,
                        "unsupported-media-type",
                        "Content-Type"),
                new Case(
                        "HTML form",
                        "multipart/form-data; boundary=x",
                        "--x--",
                        415,
                        "unsupported-media-type",
                        "Content-Type"),
                new Case(
                        "content coding",
                        STRUCTURED,
                        GOOD,
                        415,
                        "unsupported-media-type",
                        "Content-Encoding",
                        "Content-Encoding",
                        "gzip"),
                new Case(
                        "content coding of a payload",
                        "application/json",
                        "{}",
                        415,
                        "unsupported-media-type",
                        "Content-Encoding",
                        "Content-Encoding",
                        "br",
                        "ce-specversion",
                        "1.0",
                        "ce-id",
                        "1",
                        "ce-source",
                        "/s",
                        "ce-type",
                        "t"),
                new Case(
                        "content coding of a stream",
                        "application/x-ndjson",
                        GOOD,
                        415,
                        "unsupported-media-type",
                        "Content-Encoding",
                        "Content-Encoding",
                        "gzip"),
                new Case("missing id", STRUCTURED, without("id"), 400, "invalid-event", "id"),
                new Case("missing source", STRUCTURED, without("source"), 400, "invalid-event", "source"),
                new Case("missing type", STRUCTURED, without("type"), 400, "invalid-event", "type"),
                new Case(
                        "missing specversion", STRUCTURED, without("specversion"), 400, "invalid-event", "specversion"),
                new Case(
                        "null id", STRUCTURED, GOOD.replace("\"id\":\"1\"", "\"id\":null"), 400, "invalid-event", "id"),
                new Case(
                        "empty id",
                        STRUCTURED,
                        GOOD.replace("\"id\":\"1\"", "\"id\":\"\""),
                        400,
                        "invalid-event",
                        "id"),
                new Case(
                        "number as id",
                        STRUCTURED,
                        GOOD.replace("\"id\":\"1\"", "\"id\":1"),
                        400,
                        "invalid-event",
                        "id"),
                new Case("over-long id", STRUCTURED, with("id", over), 400, "invalid-event", "id"),
                new Case("over-long extension", STRUCTURED, with("ext", over), 400, "invalid-event", "ext"),
                new Case("upper case name", STRUCTURED, with("Ext", "x"), 400, "invalid-event", "Ext"),
                new Case(
                        "object as attribute",
                        STRUCTURED,
                        GOOD.replace("{\"spec", "{\"ext\":{},\"spec"),
                        400,
                        "invalid-event",
                        "ext"),
                new Case(
                        "control character", STRUCTURED, with("subject", "a\\u0007b"), 400, "invalid-event", "subject"),
                new Case("lone surrogate", STRUCTURED, with("subject", "a\\ud800b"), 400, "invalid-event", "subject"),
                new Case("invalid UTF-8", STRUCTURED, invalidUtf8(), 400, "malformed-body", "body"),
                new Case("duplicate member", STRUCTURED, with("id", "2"), 400, "invalid-event", "id"),
                new Case(
                        "duplicate member in data",
                        STRUCTURED,
                        GOOD.replace("{\"a\":1}", "{\"a\":1,\"a\":2}"),
                        400,
                        "invalid-event",
                        "a"),
                new Case(
                        "unknown spec version",
                        STRUCTURED,
                        GOOD.replace("1.0", "2.0"),
                        400,
                        "invalid-event",
                        "specversion"),
                new Case("bad time", STRUCTURED, with("time", "yesterday"), 400, "invalid-event", "time"),
                new Case(
                        "time without zone",
                        STRUCTURED,
                        with("time", "2026-01-05T09:00:00"),
                        400,
                        "invalid-event",
                        "time"),
                new Case("30 February", STRUCTURED, with("time", "2026-02-30T09:00:00Z"), 400, "invalid-event", "time"),
                new Case("bad source", STRUCTURED, GOOD.replace("\"/s\"", "\"a b\""), 400, "invalid-event", "source"),
                new Case(
                        "data twice",
                        STRUCTURED,
                        GOOD.replace("{\"spec", "{\"data_base64\":\"AA==\",\"spec"),
                        400,
                        "invalid-event",
                        "data"),
                new Case(
                        "bad base64",
                        STRUCTURED,
                        GOOD.replace("\"data\":{\"a\":1}", "\"data_base64\":\"%%\""),
                        400,
                        "invalid-event",
                        "data_base64"),
                new Case(
                        "oversized event",
                        STRUCTURED,
                        GOOD.replace("{\"a\":1}", "\"" + "x".repeat(70_000) + "\""),
                        413,
                        "too-large",
                        "data"),
                new Case("oversized body", STRUCTURED, " ".repeat(200_001), 413, "too-large", "body"),
                new Case("empty batch", BATCH, "[]", 400, "invalid-event", "body"),
                new Case("batch that is no array", BATCH, GOOD, 400, "malformed-body", "body"),
                new Case("truncated batch", BATCH, "[" + GOOD + ",", 400, "malformed-body", "body"),
                new Case(
                        "too many in a batch",
                        BATCH,
                        "[" + (GOOD + ",").repeat(50) + GOOD + "]",
                        413,
                        "too-large",
                        "body"),
                new Case(
                        "binary without id",
                        "text/plain",
                        "x",
                        400,
                        "invalid-event",
                        "id",
                        "ce-specversion",
                        "1.0",
                        "ce-source",
                        "/s",
                        "ce-type",
                        "t"),
                new Case("binary without headers", "text/plain", "x", 415, "unsupported-media-type", "Content-Type"),
                new Case(
                        "binary with bad encoding",
                        "text/plain",
                        "x",
                        400,
                        "invalid-event",
                        "subject",
                        "ce-specversion",
                        "1.0",
                        "ce-source",
                        "/s",
                        "ce-type",
                        "t",
                        "ce-id",
                        "1",
                        "ce-subject",
                        "%C0%A0"),
                new Case(
                        "binary with broken percent",
                        "text/plain",
                        "x",
                        400,
                        "invalid-event",
                        "subject",
                        "ce-specversion",
                        "1.0",
                        "ce-source",
                        "/s",
                        "ce-type",
                        "t",
                        "ce-id",
                        "1",
                        "ce-subject",
                        "%4"),
                new Case(
                        "binary with datacontenttype",
                        "text/plain",
                        "x",
                        400,
                        "invalid-event",
                        "datacontenttype",
                        "ce-specversion",
                        "1.0",
                        "ce-source",
                        "/s",
                        "ce-type",
                        "t",
                        "ce-id",
                        "1",
                        "ce-datacontenttype",
                        "text/html"),
                new Case(
                        "binary, oversized",
                        "text/plain",
                        "x".repeat(65_537),
                        413,
                        "too-large",
                        "data",
                        "ce-specversion",
                        "1.0",
                        "ce-source",
                        "/s",
                        "ce-type",
                        "t",
                        "ce-id",
                        "1"),
                new Case(
                        "binary, attribute twice",
                        "text/plain",
                        "x",
                        400,
                        "invalid-event",
                        "id",
                        "ce-specversion",
                        "1.0",
                        "ce-source",
                        "/s",
                        "ce-type",
                        "t",
                        "ce-id",
                        "1",
                        "ce-id",
                        "2"));
    }

    private static String without(String attribute) {
        return GOOD.replaceFirst("\"" + attribute + "\":\"[^\"]*\",", "");
    }

    private static String with(String attribute, String value) {
        return "{\"" + attribute + "\":\"" + value + "\"," + GOOD.substring(1);
    }

    private static byte[] invalidUtf8() {
        byte[] body = with("subject", "?").getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < body.length; i++) {
            if (body[i] == '?') {
                body[i] = (byte) 0xff;
            }
        }
        return body;
    }

    @ParameterizedTest
    @MethodSource("badBodies")
    void isRefusedByNameAndLeavesTheLedgerUntouched(Case bad) {
        // given
        String[] headers = Stream.concat(Stream.of("Content-Type", bad.contentType()), Stream.of(bad.headers()))
                .toArray(String[]::new);

        // when
        Answer answer = Gateway.post("/v1/events", token, bad.body(), headers);

        // then
        assertProblem(answer, bad.status(), bad.code(), bad.field());
        assertThat(ledger.log().records()).isEmpty();
    }

    private static void assertProblem(Answer answer, int status, String code, String field) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(status);
        assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
        JsonNode problem = answer.json();
        assertThat(problem.path("type").asText()).isEqualTo("urn:attestream:problem:" + code);
        assertThat(problem.path("status").asInt()).isEqualTo(status);
        assertThat(problem.path("title").asText()).isNotEmpty();
        assertThat(problem.path("detail").asText()).isNotEmpty();
        assertThat(problem.path("field").asText()).as(answer.text()).isEqualTo(field);
    }

    @Test
    void aBadEventInABatchDoesNotTouchTheOthers() {
        // given
        String batch = "[" + GOOD + "," + GOOD.replace("\"id\":\"1\"", "\"id\":\"\"") + ","
                + GOOD.replace("\"id\":\"1\"", "\"id\":\"3\"") + "]";

        // when
        Answer answer =
                Gateway.post("/v1/events", token, batch.getBytes(StandardCharsets.UTF_8), "Content-Type", BATCH);

        // then
        assertThat(answer.status()).isEqualTo(207);
        JsonNode results = answer.json().path("results");
        assertThat(results).hasSize(3);
        assertThat(results.findValuesAsText("status").stream().filter(s -> !s.equals("400")))
                .containsExactly("accepted", "rejected", "accepted");
        assertThat(results.get(1).path("problem").path("field").asText()).isEqualTo("id");
        assertThat(results.get(1).path("retryable").asBoolean()).isFalse();
        assertThat(results.get(1).has("receipt")).isFalse();
        assertThat(ledger.log().records()).hasSize(2);
    }

    @Test
    void aChunkedBodyOverTheLimitIsRefusedToo() {
        // given
        List<String> head = List.of(
                "POST /v1/events HTTP/1.1",
                "Host: localhost",
                "Authorization: Bearer " + token,
                "Content-Type: " + STRUCTURED,
                "Connection: close",
                "Transfer-Encoding: chunked");
        String chunk = Integer.toHexString(60_000) + "\r\n" + " ".repeat(60_000) + "\r\n";

        // when
        String answer = Gateway.raw(head, chunk.repeat(4) + "0\r\n\r\n");

        // then
        assertThat(answer).startsWith("HTTP/1.1 413").contains("urn:attestream:problem:too-large");
        assertThat(ledger.log().records()).isEmpty();
    }

    @Test
    void aBodyThatDoesNotArriveIsRefusedInTime() {
        // given
        List<String> head = List.of(
                "POST /v1/events HTTP/1.1",
                "Host: localhost",
                "Authorization: Bearer " + token,
                "Content-Type: " + STRUCTURED,
                "Connection: close",
                "Content-Length: 100");

        // when
        String answer = Gateway.raw(head, "{");

        // then
        assertThat(answer).startsWith("HTTP/1.1 408").contains("urn:attestream:problem:body-timeout");
        assertThat(ledger.log().records()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"foo", "a/b/c", "", ";", "/", "a/", ";a/b", "a b/c", "application/json, text/plain"})
    void whatIsNoMediaTypeIsRefusedAsOneWhoeverSendsIt(String contentType) {
        for (String authorization : List.of("Authorization: Bearer " + token, "X-No: token")) {
            // given
            List<String> head = List.of(
                    "POST /v1/events HTTP/1.1",
                    "Host: localhost",
                    authorization,
                    "Content-Type: " + contentType,
                    "ce-id: 1",
                    "Connection: close",
                    "Content-Length: 1");

            // when
            String answer = Gateway.raw(head, "x");

            // then
            assertThat(answer).startsWith("HTTP/1.1 415").contains("\"field\":\"Content-Type\"");
        }
        assertThat(ledger.log().records()).isEmpty();
    }

    @Test
    void aBodyOverTheLimitOfTheServerIsAProblemToo() {
        // when
        String answer = Gateway.raw(
                List.of(
                        "POST /v1/events HTTP/1.1",
                        "Host: localhost",
                        "Authorization: Bearer " + token,
                        "Content-Type: application/x-ndjson",
                        "Connection: close",
                        "Content-Length: 2000000000"),
                "");

        // then
        assertThat(answer)
                .startsWith("HTTP/1.1 413")
                .contains("urn:attestream:problem:too-large")
                .contains("\"limit\":1073741824");
    }

    @Test
    void aMethodThatIsNotAllowedIsAnsweredWithThoseThatAre() {
        assertThat(Gateway.get("/v1/events", token).header("Allow")).isEqualTo("POST, OPTIONS");
        assertThat(Gateway.post("/v1/checkpoint", "", new byte[0]).header("Allow"))
                .isEqualTo("GET, HEAD, OPTIONS");
    }

    @Test
    void whatIsNoPathOrNoMethodIsAProblemToo() {
        assertProblemWithoutField(Gateway.get("/", ""), 404, "not-found");
        assertProblemWithoutField(Gateway.get("/nothing/here", ""), 404, "not-found");
        assertProblemWithoutField(Gateway.get("/v1/events", token), 405, "method-not-allowed");
        assertProblemWithoutField(Gateway.post("/v1/checkpoint", "", new byte[0]), 405, "method-not-allowed");
        assertProblemWithoutField(Gateway.get("/" + "x".repeat(5_000), ""), 414, "uri-too-long");
        assertProblemWithoutField(
                Gateway.get("/v1/checkpoint", "", "X-Long", "x".repeat(25_000)), 431, "headers-too-large");
    }

    private static void assertProblemWithoutField(Answer answer, int status, String code) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(status);
        assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:" + code);
        assertThat(answer.text()).doesNotContain("<html").doesNotContain("Exception");
    }
}
