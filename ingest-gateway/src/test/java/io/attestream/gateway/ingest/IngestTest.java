// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.support.FakeEventLog;
import io.attestream.gateway.support.FakeLedgerSource;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Surroundings;
import io.attestream.gateway.support.TestLedger;
import io.attestream.proofs.entry.Routing;
import io.attestream.schemas.avro.Event;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(Surroundings.class)
class IngestTest {
    private static final String STRUCTURED = "application/cloudevents+json";
    private static final String BATCH = "application/cloudevents-batch+json";
    private static final ObjectMapper JSON = new ObjectMapper();

    IdentityProvider issuer;

    @Inject
    FakeLedgerSource ledger;

    @Inject
    Admission admission;

    private String token;

    @BeforeEach
    void setUp() {
        ledger.log().reset();
        ledger.setOpen(true);
        token = issuer.token("acme", "ingester");
    }

    @AfterEach
    void everythingAdmittedIsGivenBack() {
        ledger.log().reset();
        ledger.setOpen(true);
        await().atMost(Duration.ofSeconds(10))
                .until(() -> admission.bytesInFlight() == 0 && admission.eventsInFlight() == 0);
    }

    private static String event(String id) {
        return "{\"specversion\":\"1.0\",\"id\":\"" + id
                + "\",\"source\":\"/s\",\"type\":\"t\",\"datacontenttype\":\"application/json\",\"data\":{ \"a\" : 1.0 }}";
    }

    private Answer post(String contentType, String body, String... headers) {
        List<String> all = new ArrayList<>(List.of("Content-Type", contentType));
        all.addAll(List.of(headers));
        return Gateway.post("/v1/events", token, body.getBytes(StandardCharsets.UTF_8), all.toArray(String[]::new));
    }

    static GenericRecord decode(LogRecord record) throws IOException {
        ByteBuffer value = ByteBuffer.wrap(record.value());
        assertThat(value.get()).isZero();
        assertThat(value.getInt()).isEqualTo(FakeLedgerSource.SCHEMA_ID);
        return new GenericDatumReader<GenericRecord>(Event.getClassSchema())
                .read(null, DecoderFactory.get().binaryDecoder(record.value(), 5, record.value().length - 5, null));
    }

    @Test
    void answersAReceiptForAnAcknowledgedEvent() throws IOException {
        // when
        Answer answer = post(STRUCTURED, event("e-1"));

        // then
        assertThat(answer.status()).isEqualTo(202);
        JsonNode result = answer.json().path("results").get(0);
        LogRecord record = ledger.log().records().get(0);
        assertThat(result.path("index").asInt()).isZero();
        assertThat(result.path("id").asText()).isEqualTo("e-1");
        assertThat(result.path("status").asText()).isEqualTo("accepted");
        assertThat(result.path("retryable").asBoolean(true)).isFalse();
        JsonNode receipt = result.path("receipt");
        assertThat(receipt.path("incarnation").asInt()).isEqualTo(1);
        assertThat(receipt.path("shard").asInt()).isEqualTo(record.shard());
        assertThat(receipt.path("offset").asLong()).isEqualTo(FakeEventLog.FIRST_OFFSET);
        assertThat(receipt.path("href").asText()).isEqualTo("/v1/receipts/1/" + record.shard() + "/1000");
        assertThat(result.has("problem")).isFalse();
    }

    @Test
    void writesTenantActorAndThePayloadAsSent() throws IOException {
        // when
        post(STRUCTURED, event("e-1"));

        // then
        LogRecord record = ledger.log().records().get(0);
        GenericRecord event = decode(record);
        assertThat(event.get("tenant")).hasToString("acme");
        assertThat(event.get("actor").toString()).matches("[0-9a-f]{32}").doesNotContain("alice");
        assertThat(record.key()).isEqualTo(Routing.key("acme", "/s", null));
        assertThat(record.shard()).isEqualTo(Routing.shard(record.key(), TestLedger.SHARDS));
        assertThat(payload(event)).isEqualTo("{ \"a\" : 1.0 }");
    }

    private static String payload(GenericRecord event) {
        ByteBuffer data = (ByteBuffer) ((GenericRecord) event.get("payload")).get("data");
        return StandardCharsets.UTF_8.decode(data.duplicate()).toString();
    }

    @Test
    void allFormsOfOneEventHaveOneContentTag() throws IOException {
        // when
        assertThat(post(STRUCTURED, event("e-1")).status()).isEqualTo(202);
        assertThat(post(BATCH, "[" + event("e-1") + "]").status()).isEqualTo(202);
        assertThat(post("application/x-ndjson", event("e-1") + "\n").status()).isEqualTo(207);
        assertThat(post(
                                "application/json",
                                "{ \"a\" : 1.0 }",
                                "ce-specversion",
                                "1.0",
                                "ce-id",
                                "e-1",
                                "ce-source",
                                "/s",
                                "ce-type",
                                "t")
                        .status())
                .isEqualTo(202);

        // then
        List<String> tags = new ArrayList<>();
        for (LogRecord record : ledger.log().records()) {
            tags.add(HexFormat.of().formatHex(((GenericFixed) decode(record).get("contentTag")).bytes()));
        }
        assertThat(tags).hasSize(4);
        assertThat(tags.stream().distinct()).hasSize(1);
    }

    @Test
    void nothingIsAnsweredBeforeTheAcknowledgement() {
        // given
        CompletableFuture<AppendResult> acknowledgement = new CompletableFuture<>();
        ledger.log().behaving(record -> acknowledgement);

        // when
        CompletableFuture<Answer> answer = CompletableFuture.supplyAsync(() -> post(STRUCTURED, event("e-1")));

        // then
        await().atMost(Duration.ofSeconds(10)).until(() -> admission.eventsInFlight() == 1);
        assertThat(answer).isNotDone();
        acknowledgement.complete(new AppendResult.Appended(0, 5));
        assertThat(answer.join().status()).isEqualTo(202);
    }

    @Test
    void anUnacknowledgedEventIs504AndSafeToRetry() {
        // given
        ledger.log().answering(new AppendResult.Unknown("the brokers did not acknowledge in time"));

        // when
        Answer answer = post(STRUCTURED, event("e-1"));

        // then
        assertThat(answer.status()).isEqualTo(504);
        assertThat(answer.header("Retry-After")).isNotEmpty();
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:outcome-unknown");
    }

    @Test
    void brokersThatCannotBeReachedAre503() {
        // given
        ledger.log().answering(new AppendResult.NotWritten("the brokers cannot be reached"));

        // when
        Answer answer = post(STRUCTURED, event("e-1"));

        // then
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.header("Retry-After")).isNotEmpty();
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:unavailable");
    }

    @Test
    void eachEventOfABatchTellsWhatBecameOfIt() {
        // given
        ConcurrentLinkedQueue<AppendResult> results = new ConcurrentLinkedQueue<>(List.of(
                new AppendResult.Appended(0, 7),
                new AppendResult.Unknown("no answer"),
                new AppendResult.TooLarge("too large"),
                new AppendResult.NotWritten("no brokers")));
        ledger.log().behaving(record -> CompletableFuture.completedFuture(results.remove()));

        // when
        Answer answer = post(BATCH, "[" + event("a") + "," + event("b") + "," + event("c") + "," + event("d") + "]");

        // then
        assertThat(answer.status()).isEqualTo(207);
        assertThat(answer.header("Retry-After")).isNotEmpty();
        JsonNode items = answer.json().path("results");
        assertThat(items).hasSize(4);
        assertItem(items.get(0), 0, "a", "accepted", false);
        assertItem(items.get(1), 1, "b", "unknown", true);
        assertItem(items.get(2), 2, "c", "rejected", false);
        assertItem(items.get(3), 3, "d", "unavailable", true);
    }

    private static void assertItem(JsonNode item, int index, String id, String status, boolean retryable) {
        assertThat(item.path("index").asInt()).isEqualTo(index);
        assertThat(item.path("id").asText()).isEqualTo(id);
        assertThat(item.path("status").asText()).isEqualTo(status);
        assertThat(item.path("retryable").asBoolean()).isEqualTo(retryable);
        assertThat(item.has("problem")).isEqualTo(!status.equals("accepted"));
        assertThat(item.has("receipt")).isEqualTo(status.equals("accepted"));
    }

    @Test
    void tooManyEventsInFlightAre503() {
        // given
        CompletableFuture<AppendResult> never = new CompletableFuture<>();
        ledger.log().behaving(record -> never);
        String batch = "[" + (event("x") + ",").repeat(49) + event("y") + "]";
        List<CompletableFuture<Answer>> waiting = List.of(
                CompletableFuture.supplyAsync(() -> post(BATCH, batch)),
                CompletableFuture.supplyAsync(() -> post(BATCH, batch)));
        await().atMost(Duration.ofSeconds(10)).until(() -> admission.eventsInFlight() == 100);

        // when
        Answer refused = post(STRUCTURED, event("e-1"));

        // then
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.header("Retry-After")).isNotEmpty();
        assertThat(refused.json().path("type").asText()).isEqualTo("urn:attestream:problem:overloaded");
        never.complete(new AppendResult.Appended(0, 1));
        waiting.forEach(answer -> assertThat(answer.join().status()).isEqualTo(202));
    }

    @Test
    void aBatchIsAdmittedByCountBeforeItIsParsed() {
        // given
        CompletableFuture<AppendResult> never = new CompletableFuture<>();
        ledger.log().behaving(record -> never);
        String batch = "[" + (event("x") + ",").repeat(49) + event("y") + "]";
        CompletableFuture<Answer> first = CompletableFuture.supplyAsync(() -> post(BATCH, batch));
        await().atMost(Duration.ofSeconds(10)).until(() -> admission.eventsInFlight() == 50);
        CompletableFuture<Answer> second = CompletableFuture.supplyAsync(() -> post(BATCH, "[" + event("z") + "]"));
        await().atMost(Duration.ofSeconds(10)).until(() -> admission.eventsInFlight() == 51);

        // when: of a body of this length nothing is known but how many events it can hold
        Answer refused = post(BATCH, "x".repeat(10_000));
        never.complete(new AppendResult.Appended(0, 1));

        // then
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.json().path("type").asText()).isEqualTo("urn:attestream:problem:overloaded");
        assertThat(first.join().status()).isEqualTo(202);
        assertThat(second.join().status()).isEqualTo(202);
        assertThat(post(BATCH, "x".repeat(10_000)).status()).isEqualTo(400);
    }

    @Test
    void whoWaitsForPublicationTakesNoPlaceInTheDoor() {
        // given
        CompletableFuture<Answer> answer =
                CompletableFuture.supplyAsync(() -> post(STRUCTURED, event("e-1"), "Prefer", "wait=8"));

        // when
        await().atMost(Duration.ofSeconds(6))
                .until(() -> ledger.log().records().size() == 1
                        && admission.eventsInFlight() == 0
                        && admission.bytesInFlight() == 0);

        // then
        assertThat(answer).isNotDone();
        assertThat(answer.join().status()).isEqualTo(202);
    }

    @Test
    void everyWayToBreakOffGivesBackWhatWasAdmitted() throws IOException {
        // given
        CompletableFuture<AppendResult> late = new CompletableFuture<>();
        ledger.log().behaving(record -> late);
        String start = event("1") + "\n";
        try (Socket announced = beginPost("Content-Type: " + STRUCTURED, "Content-Length: 1000");
                Socket chunked = beginPost("Content-Type: " + STRUCTURED, "Transfer-Encoding: chunked");
                Socket stream = beginPost("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked");
                Socket unread =
                        beginPost("Content-Type: application/x-ndjson", "Content-Length: " + (4 * start.length()))) {
            announced.getOutputStream().write('{');
            sendChunk(chunked, "{");
            sendChunk(stream, start + "{");
            unread.getOutputStream().write(start.repeat(4).getBytes(StandardCharsets.UTF_8));
            // Two streams with four events each, two bodies.
            await().atMost(Duration.ofSeconds(10)).until(() -> admission.eventsInFlight() == 10);
            await().atMost(Duration.ofSeconds(10)).until(() -> admission.bytesInFlight() == 401_001);
        } finally {
            // when: the clients are gone, and what they sent is acknowledged
            late.complete(new AppendResult.Appended(0, 1));
        }

        // then: see everythingAdmittedIsGivenBack
    }

    /** Many clients send a large body only when it was asked for, or after a pause that costs them a second. */
    @Test
    void aBodyIsAskedForWhenItIsAdmittedAndOnlyThen() throws IOException {
        for (String type : List.of(STRUCTURED, "application/x-ndjson")) {
            String body = event("1");
            try (Socket socket = beginPost(
                    "Content-Type: " + type,
                    "Content-Length: " + body.length(),
                    "Expect: 100-continue",
                    "Connection: close")) {
                // when
                BufferedReader in =
                        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
                String first = in.readLine();

                // then
                assertThat(first).isEqualTo("HTTP/1.1 100 Continue");
                socket.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
                assertThat(nextResult(in).toString()).contains("\"accepted\"");
            }
        }
        try (Socket socket =
                beginPost("Content-Type: " + STRUCTURED, "Content-Length: 200001", "Expect: 100-continue")) {
            assertThat(new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))
                            .readLine())
                    .startsWith("HTTP/1.1 413");
        }
    }

    @Test
    void requestsRefusedAsAWholeAreCountedToo() {
        // given
        double invalid = problems("invalid_event");
        double notReady = problems("not_ready");
        double tooLarge = problems("too_large");

        // when
        post(BATCH, "no batch");
        post("text/plain", "no event");
        post(STRUCTURED, " ".repeat(200_001));
        ledger.setOpen(false);
        post(STRUCTURED, event("1"));
        post("application/x-ndjson", event("1"));

        // then
        assertThat(problems("invalid_event")).isEqualTo(invalid + 2);
        assertThat(problems("too_large")).isEqualTo(tooLarge + 1);
        assertThat(problems("not_ready")).isEqualTo(notReady + 2);
    }

    /** Of the service's own making, and it must not look as if nobody had come. */
    @Test
    void whatGoesWrongOnOurSideIsCounted() {
        // given
        double internal = problems("internal");
        double invalid = problems("invalid_event");
        ledger.log().behaving(record -> {
            throw new IllegalStateException("a bug");
        });

        // when
        assertThat(post(STRUCTURED, event("1")).status()).isEqualTo(500);
        assertThat(post("application/x-ndjson", event("1")).status()).isEqualTo(500);
        assertThat(Gateway.get("/v1/receipts/x/y/z", token).status()).isGreaterThanOrEqualTo(400);

        // then
        assertThat(problems("internal")).isEqualTo(internal + 2);
        assertThat(problems("invalid_event")).isEqualTo(invalid);
    }

    @Test
    void aStreamThatBreaksOffOnOurSideIsCounted() throws IOException {
        // given
        double internal = problems("internal");
        try (Socket socket = beginPost("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            sendChunk(socket, event("1") + "\n");
            assertItem(nextResult(in), 0, "1", "accepted", false);

            // when
            ledger.log().behaving(record -> {
                throw new IllegalStateException("a bug");
            });
            sendChunk(socket, event("2") + "\n");

            // then
            assertThatThrownBy(() -> nextResult(in)).isInstanceOf(IOException.class);
            assertThat(problems("internal")).isEqualTo(internal + 1);
        }
    }

    private static double problems(String reason) {
        return Gateway.metric("attestream_ingest_problems_total{reason=\"" + reason + "\"}");
    }

    @Test
    void aBodyIsAdmittedByItsAnnouncedLengthBeforeItIsRead() throws IOException {
        // given
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 5; i++) {
                slow.add(beginPost("Content-Type: " + STRUCTURED, "Content-Length: 190000"));
            }
            await().atMost(Duration.ofSeconds(10)).until(() -> admission.bytesInFlight() == 950_000);

            // when
            String big = event("e").replace("1.0 }", "\"" + "x".repeat(60_000) + "\"}");
            Answer refused = post(STRUCTURED, big);

            // then
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.json().path("type").asText()).isEqualTo("urn:attestream:problem:overloaded");
            assertThat(ledger.log().records()).isEmpty();
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void nothingIsTakenBeforeTheLedgerIsOpen() {
        // given
        ledger.setOpen(false);

        // when
        Answer answer = post(STRUCTURED, event("e-1"));

        // then
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.header("Retry-After")).isNotEmpty();
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:not-ready");
        assertThat(Gateway.management("/q/health/ready").status()).isEqualTo(503);
        assertThat(Gateway.management("/q/health/live").status()).isEqualTo(200);
        ledger.setOpen(true);
        assertThat(Gateway.management("/q/health/ready").status()).isEqualTo(200);
    }

    private Socket beginPost(String... headers) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), Gateway.port());
        socket.setSoTimeout(10_000);
        String head = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n"
                + String.join("\r\n", headers) + "\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
        return socket;
    }

    private static void sendChunk(Socket socket, String text) throws IOException {
        OutputStream out = socket.getOutputStream();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.write((Integer.toHexString(bytes.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.write(bytes);
        out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
        out.flush();
    }

    /** The next result line of a chunked answer. */
    private static JsonNode nextResult(BufferedReader in) throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.startsWith("{")) {
                return JSON.readTree(line);
            }
        }
        throw new IOException("the answer ended");
    }

    @Test
    void aStreamIsAnsweredWhileItIsStillBeingSent() throws IOException {
        try (Socket socket = beginPost("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            // when
            sendChunk(socket, event("1") + "\n" + event("2").substring(0, 20));

            // then
            assertItem(nextResult(in), 0, "1", "accepted", false);

            // when
            sendChunk(socket, event("2").substring(20) + "\r\n\n  \nnot an event\n");
            // then
            assertItem(nextResult(in), 1, "2", "accepted", false);
            JsonNode bad = nextResult(in);
            assertThat(bad.path("index").asInt()).isEqualTo(2);
            assertThat(bad.path("status").asText()).isEqualTo("rejected");

            // when
            sendChunk(socket, event("3"));
            sendChunk(socket, "");
            // then
            assertItem(nextResult(in), 3, "3", "accepted", false);
        }
    }

    @Test
    void aTooLongLineIsRejectedAndReadingGoesOn() {
        // given
        String body = event("1") + "\n" + "x".repeat(100_001) + "\n" + event("3");

        // when
        Answer answer = post("application/x-ndjson", body);

        // then
        assertThat(answer.status()).isEqualTo(207);
        assertThat(answer.header("Content-Type")).startsWith("application/x-ndjson");
        String[] lines = answer.text().split("\n", -1);
        assertThat(lines).hasSize(4);
        assertThat(lines[0]).contains("\"accepted\"");
        assertThat(lines[1])
                .contains("\"rejected\"")
                .contains("urn:attestream:problem:too-large")
                .contains("100000");
        assertThat(lines[2]).contains("\"accepted\"").contains("\"id\":\"3\"");
        assertThat(ledger.log().records()).hasSize(2);
    }

    @Test
    void streamResultsKeepTheOrderOfTheLines() {
        // given
        List<CompletableFuture<AppendResult>> acknowledgements = new ArrayList<>();
        ledger.log().behaving(record -> {
            CompletableFuture<AppendResult> acknowledgement = new CompletableFuture<>();
            acknowledgements.add(0, acknowledgement);
            if (acknowledgements.size() == 3) {
                long offset = 0;
                for (CompletableFuture<AppendResult> each : acknowledgements) {
                    each.complete(new AppendResult.Appended(0, offset++));
                }
            }
            return acknowledgement;
        });

        // when
        Answer answer = post("application/x-ndjson", event("1") + "\n" + event("2") + "\n" + event("3") + "\n");

        // then
        assertThat(answer.text().lines().map(line -> line.replaceAll(".*\"id\":\"(.)\".*", "$1")))
                .containsExactly("1", "2", "3");
    }

    @Test
    void aStreamIsNotReadFurtherWhileItsEventsAreUnanswered() throws IOException {
        // given
        ConcurrentLinkedQueue<CompletableFuture<AppendResult>> held = new ConcurrentLinkedQueue<>();
        ledger.log().behaving(record -> {
            CompletableFuture<AppendResult> acknowledgement = new CompletableFuture<>();
            held.add(acknowledgement);
            return acknowledgement;
        });
        try (Socket socket = beginPost("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));

            // when
            for (int i = 0; i < 12; i++) {
                int before = held.size();
                sendChunk(socket, event("" + i) + "\n");
                if (i < 4) {
                    await().atMost(Duration.ofSeconds(10)).until(() -> held.size() > before);
                }
            }

            // then
            await().during(Duration.ofMillis(300))
                    .atMost(Duration.ofSeconds(10))
                    .until(() -> held.size() == 4);
            for (int i = 0; i < 12; i++) {
                await().atMost(Duration.ofSeconds(10)).until(() -> !held.isEmpty());
                held.remove().complete(new AppendResult.Appended(0, i));
                assertItem(nextResult(in), i, "" + i, "accepted", false);
            }
            sendChunk(socket, "");
        }
    }

    /** Results complete on many threads while chunks arrive: no line may be torn, lost, repeated or out of order. */
    @Test
    void manyLinesOfManyStreamsArriveWhole() {
        // given
        ledger.log().behaving(record -> CompletableFuture.supplyAsync(() -> new AppendResult.Appended(0, 1)));
        int lines = 2_000;
        StringBuilder body = new StringBuilder();
        for (int i = 0; i < lines; i++) {
            body.append(event("line-" + i)).append('\n');
        }

        for (int round = 0; round < 3; round++) {
            // when
            List<CompletableFuture<Answer>> streams = new ArrayList<>();
            for (int stream = 0; stream < 4; stream++) {
                streams.add(CompletableFuture.supplyAsync(() -> post("application/x-ndjson", body.toString())));
            }

            // then
            for (CompletableFuture<Answer> stream : streams) {
                List<String> results = stream.join().text().lines().toList();
                assertThat(results).hasSize(lines);
                for (int i = 0; i < lines; i++) {
                    assertThat(results.get(i))
                            .startsWith("{\"index\":" + i + ",\"id\":\"line-" + i + "\",\"status\":\"accepted\"");
                }
            }
        }
    }

    @Test
    void countsWhatWasAnsweredWithAllLabelsFromTheStart() {
        String metrics = Gateway.management("/q/metrics").text();
        for (ResultItem.Status status : ResultItem.Status.values()) {
            assertThat(metrics).contains("attestream_ingest_events_total{status=\"" + status.word() + "\"}");
        }
        for (IngestMetrics.Reason reason : IngestMetrics.Reason.values()) {
            assertThat(metrics)
                    .contains("attestream_ingest_problems_total{reason=\""
                            + reason.name().toLowerCase(Locale.ROOT) + "\"}");
        }
    }
}
