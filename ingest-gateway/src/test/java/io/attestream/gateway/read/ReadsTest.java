// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.gateway.ingest.AppendResult;
import io.attestream.gateway.support.FakeEventLog;
import io.attestream.gateway.support.FakeLedgerSource;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Surroundings;
import io.attestream.gateway.support.TestLedger;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.LedgerOffset;
import io.attestream.proofs.ledger.ProofBundle;
import io.attestream.proofs.note.SignedNote;
import io.attestream.proofs.tile.EntryBundle;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All reads, over a small real ledger. One ledger serves all tests: they only add to it. */
@QuarkusTest
@WithTestResource(Surroundings.class)
class ReadsTest {
    private static final String BUNDLE = "application/vnd.attestream.proof+json";

    IdentityProvider issuer;
    TestLedger truth;

    @Inject
    FakeLedgerSource ledger;

    private String own;
    private String auditor;

    @BeforeEach
    void setUp() {
        ledger.log().reset();
        own = issuer.token(TestLedger.OWN_TENANT, "ingester");
        auditor = issuer.token("nobody", "auditor");
        if (truth.size(0) == 0) {
            // Shard 0: leaves 0 (own), 1 (other's), 2 (conflict with 0); offsets 10, 12, 15. Two epochs, so that
            // bundles
            // and entry bundles span both.
            truth.event(0, 10, TestLedger.OWN_TENANT, "a", "payload of a");
            truth.event(0, 12, TestLedger.OTHER_TENANT, "b", "payload of b");
            truth.event(1, 3, TestLedger.OWN_TENANT, "c", "payload of c");
            truth.publish();
            truth.duplicate(0, 14, 0);
            truth.conflict(0, 15, TestLedger.OWN_TENANT, "a", "other payload", 0);
            truth.rejected(0, 16, "undecodable");
            truth.publish();
        }
    }

    @AfterEach
    void tearDown() {
        truth.setDown(false);
        ledger.setIncarnation(1);
        ledger.log().reset();
    }

    private Answer receipt(String path, String token, String accept) {
        return Gateway.get("/v1/receipts/" + path, token, "Accept", accept);
    }

    private BundleReport verify(byte[] bundle, String id, String payload) throws Exception {
        Map<String, String> attributes = Map.of("specversion", "1.0", "id", id, "source", "/test", "type", "t");
        return new BundleVerifier(truth.signer().verifier())
                .verify(
                        ProofBundle.parse(bundle),
                        new EventToCheck(attributes, payload.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void whatBelongsToATenantIsKeptByNoSharedCache() {
        for (String path : List.of("/v1/receipts/1/0/10", "/v1/events/0/0")) {
            // when
            Answer answer = Gateway.get(path, issuer.token(TestLedger.OWN_TENANT, "ingester"));

            // then
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.header("Cache-Control")).startsWith("private");
        }
    }

    @Test
    void aReceiptOfAPublishedLeafIsABundleThatVerifiesOffline() throws Exception {
        for (String path : List.of("1/0/10", "1/1/3")) {
            // when
            Answer answer = receipt(path, own, "*/*");

            // then
            assertThat(answer.status()).as(answer.text()).isEqualTo(200);
            assertThat(answer.header("Content-Type")).startsWith(BUNDLE);
            assertThat(answer.header("Cache-Control")).contains("private");
            String id = path.equals("1/0/10") ? "a" : "c";
            assertThat(verify(answer.response().body(), id, "payload of " + id).ok())
                    .isTrue();
            assertThat(verify(answer.response().body(), id, "payload of x").ok())
                    .isFalse();
        }
    }

    @Test
    void aReceiptAsJsonSaysWhereTheLeafIs() throws Exception {
        // when
        Answer answer = receipt("1/1/3", own, "application/json");

        // then
        JsonNode body = answer.json();
        assertThat(body.path("status").asText()).isEqualTo("leaf");
        assertThat(body.path("shard").asInt()).isEqualTo(1);
        assertThat(body.path("leafIndex").asLong()).isZero();
        assertThat(verify(body.path("bundle").toString().getBytes(StandardCharsets.UTF_8), "c", "payload of c")
                        .ok())
                .isTrue();
    }

    @Test
    void aDuplicateGivesTheBundleOfTheFirst() throws Exception {
        // when
        JsonNode body = receipt("1/0/14", own, BUNDLE).json();

        // then
        assertThat(body.path("status").asText()).isEqualTo("duplicate");
        assertThat(body.path("leafIndex").asLong()).isZero();
        assertThat(body.path("receipt").path("href").asText()).isEqualTo("/v1/receipts/1/0/10");
        assertThat(verify(body.path("bundle").toString().getBytes(StandardCharsets.UTF_8), "a", "payload of a")
                        .ok())
                .isTrue();
    }

    @Test
    void aConflictSaysWhatItConflictsWith() {
        // when
        JsonNode body = receipt("1/0/15", own, "*/*").json();

        // then
        assertThat(body.path("status").asText()).isEqualTo("conflict");
        assertThat(body.path("leafIndex").asLong()).isEqualTo(2);
        assertThat(body.path("ref").asLong()).isZero();
        assertThat(body.path("bundle").isObject()).isTrue();
    }

    @Test
    void aRejectionSaysWhy() {
        // when
        JsonNode body = receipt("1/0/16", own, "*/*").json();

        // then
        assertThat(body.path("status").asText()).isEqualTo("rejected");
        assertThat(body.path("reason").asText()).isEqualTo("undecodable");
    }

    @Test
    void anOffsetNotYetAccountedForIsPending() {
        // given
        ledger.log().setEndOffset(FakeEventLog.FIRST_OFFSET + 1);

        // when
        Answer answer = receipt("1/0/" + FakeEventLog.FIRST_OFFSET, own, "*/*");

        // then
        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.header("Retry-After")).isNotEmpty();
        assertThat(answer.json().path("status").asText()).isEqualTo("pending");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1/0/1000",
                "1/0/11",
                "2/0/10",
                "0/0/10",
                "1/2/10",
                "1/-1/10",
                "1/x/10",
                "1/0/-1",
                "1/0/010",
                "1/0/9223372036854775808"
            })
    void whatWasNeverWrittenIs404(String path) {
        // when
        Answer answer = receipt(path, own, "*/*");

        // then
        assertThat(answer.status()).as(answer.text()).isEqualTo(404);
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:not-found");
    }

    // ---- after the loss of a topic

    @Test
    void aReceiptOfALostTopicStillResolves() throws Exception {
        // given
        ledger.setIncarnation(2);

        // when
        Answer answer = receipt("1/0/10", own, "*/*");

        // then
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(verify(answer.response().body(), "a", "payload of a").ok()).isTrue();
        assertThat(receipt("3/0/10", own, "*/*").status()).isEqualTo(404);
    }

    @Test
    void whatWasNotPublishedOfALostTopicIsToldToBeLost() {
        // given
        ledger.setIncarnation(2);
        truth.override("shards/0/offsets/1000", "{\"status\":\"unknown\"}");
        try {
            // when
            Answer answer = receipt("1/0/1000", own, "*/*");

            // then
            assertThat(answer.status()).isEqualTo(404);
            assertThat(answer.json().path("detail").asText()).contains("was lost; send the event again");
        } finally {
            truth.override("shards/0/offsets/1000", null);
        }
    }

    @Test
    void nothingIsToldToBeLostByACopyThatIsStillRestored() {
        // given
        ledger.setIncarnation(2);
        ledger.log().setEndOffset(2_000);

        // when, then
        assertUnavailable(receipt("1/0/1000", own, "*/*"));
    }

    @Test
    void offsetsOfTheTopicThatReplacedItAreItsOwn() {
        // given: Kafka counts from 0 again
        ledger.setIncarnation(2);
        ledger.log().setEndOffset(11);
        truth.override("shards/0/offsets/" + LedgerOffset.of(2, 7), "{\"status\":\"duplicate\",\"reference\":0}");
        try {
            // when, then
            assertThat(receipt("2/0/10", own, "*/*").status()).isEqualTo(202);
            assertThat(receipt("2/0/11", own, "*/*").status()).isEqualTo(404);
            JsonNode body = receipt("2/0/7", own, "*/*").json();
            assertThat(body.path("receipt").path("href").asText()).isEqualTo("/v1/receipts/1/0/10");
        } finally {
            truth.override("shards/0/offsets/" + LedgerOffset.of(2, 7), null);
        }
    }

    @Test
    void whetherAnOffsetExistsIsNotGuessedWhileTheBrokersAreAway() {
        // given
        ledger.log().setReachable(false);

        // when, then
        assertUnavailable(receipt("1/0/2000", own, "*/*"));
    }

    private static void assertUnavailable(Answer answer) {
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.header("Retry-After")).isNotEmpty();
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:unavailable");
    }

    @Test
    void withoutAProofsServiceReadsAre503() {
        // given
        truth.setDown(true);

        // when, then
        for (String path : List.of(
                "/v1/receipts/1/0/10",
                "/v1/events/0/0",
                "/v1/checkpoint",
                "/v1/epochs/latest",
                "/log/checkpoint",
                "/log/tile/0/000.p/1",
                "/shard/0/tile/0/000.p/1",
                "/shard/0/tile/entries/000.p/1",
                "/v1/proofs/consistency?first=1&second=2")) {
            assertUnavailable(Gateway.get(path, auditor));
        }
    }

    @Test
    void anotherTenantsLeafIs403() {
        for (String path : List.of("/v1/receipts/1/0/12", "/v1/events/0/1")) {
            // when
            Answer answer = Gateway.get(path, own);

            // then
            assertThat(answer.status()).isEqualTo(403);
            assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:foreign-tenant");
            assertThat(answer.text()).doesNotContain("payload of b");
            assertThat(Gateway.get(path, auditor).status()).isEqualTo(200);
        }
    }

    @Test
    void anotherTenantsDuplicateIs403() {
        assertThat(receipt("1/0/14", issuer.token(TestLedger.OTHER_TENANT, "ingester"), "*/*")
                        .status())
                .isEqualTo(403);
    }

    @Test
    void aLeafIsItsEntryAndItsPayload() {
        // when
        Answer answer = Gateway.get("/v1/events/0/0", own);

        // then
        JsonNode body = answer.json();
        assertThat(answer.status()).isEqualTo(200);
        assertThat(body.path("kind").asText()).isEqualTo("event");
        assertThat(body.path("incarnation").asLong()).isEqualTo(1);
        assertThat(body.path("offset").asLong()).isEqualTo(10);
        assertThat(text(body.path("entry"))).contains("\"id\":\"a\"");
        assertThat(text(body.path("payload"))).isEqualTo("payload of a");
        assertThat(Gateway.get("/v1/events/0/99", own).status()).isEqualTo(404);
        assertThat(Gateway.get("/v1/events/9/0", own).status()).isEqualTo(404);
    }

    private static String text(JsonNode base64) {
        return new String(Base64.getDecoder().decode(base64.asText()), StandardCharsets.UTF_8);
    }

    @Test
    void aBundleThatDoesNotVerifyIsNeverServed() {
        // given: the proofs service gives the path of another leaf
        String size = "3";
        String path = "shards/0/inclusion?index=2&size=" + size;
        String truthful = "{\"path\":[]}";
        truth.override(path, truthful);
        try {
            // when
            Answer answer = receipt("1/0/15", own, "*/*");

            // then
            assertThat(answer.status()).isEqualTo(500);
            assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:bundle-does-not-verify");
            assertThat(answer.json().has("bundle")).isFalse();
        } finally {
            truth.override(path, null);
        }
    }

    @Test
    void theLeafOfAnotherOffsetIsNeverServed() {
        // given
        truth.override("shards/0/offsets/10", "{\"status\":\"leaf\",\"kind\":\"event\",\"leafIndex\":2}");
        try {
            // when
            Answer answer = receipt("1/0/10", own, "*/*");

            // then
            assertThat(answer.status()).isEqualTo(500);
            assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:bundle-does-not-verify");
        } finally {
            truth.override("shards/0/offsets/10", null);
        }
    }

    /** Nothing is wrong with the ledger then, and nobody is to be alarmed. */
    @Test
    void anObjectStoreThatDoesNotAnswerIsUnavailable() throws IOException {
        // given an object that cannot be read now
        long index = truth.event(1, 20 + truth.size(1), TestLedger.OWN_TENANT, "away", "payload of away");
        truth.publish();
        Path segment = newest(truth.objects().resolve("segments"));
        Path away = truth.objects().resolve("away");
        Files.move(segment, away);
        Files.createDirectory(segment);
        try {
            // when
            Answer leaf = Gateway.get("/v1/events/1/" + index, own);

            // then
            assertThat(leaf.status()).isEqualTo(503);
            assertThat(leaf.header("Retry-After")).isNotEmpty();
        } finally {
            Files.delete(segment);
            Files.move(away, segment);
        }
        assertThat(Gateway.get("/v1/events/1/" + index, own).status()).isEqualTo(200);
    }

    @Test
    void anObjectThatWasChangedOnDiskIsNeverServed() throws IOException {
        // given
        long index = truth.event(1, 20 + truth.size(1), TestLedger.OWN_TENANT, "damaged", "payload of damaged");
        truth.publish();
        Path segment = newest(truth.objects().resolve("segments"));
        byte[] bytes = Files.readAllBytes(segment);
        bytes[bytes.length - 1] ^= 1;
        assertThat(segment.toFile().setWritable(true)).isTrue();
        Files.write(segment, bytes);

        // when
        Answer leaf = Gateway.get("/v1/events/1/" + index, own);
        Answer entries = Gateway.get("/shard/1/tile/entries/000.p/" + (index + 1), auditor);

        // then
        for (Answer answer : List.of(leaf, entries)) {
            assertThat(answer.status()).isEqualTo(500);
            assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
        }
    }

    private static Path newest(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.max(Path::compareTo).orElseThrow();
        }
    }

    @Test
    void theCheckpointIsTheSignedNote() throws Exception {
        for (String path : List.of("/v1/checkpoint", "/log/checkpoint", "/shard/0/checkpoint")) {
            // when
            Answer answer = Gateway.get(path, "");

            // then
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.header("Content-Type")).isEqualToIgnoringCase("text/plain; charset=utf-8");
            assertThat(answer.header("Cache-Control")).isEqualTo("no-cache");
            assertThat(SignedNote.parse(answer.response().body()).text()).startsWith(TestLedger.ORIGIN + "\n");
        }
    }

    @Test
    void anEpochHasItsLeafItsHeadsAndItsNote() {
        // when
        JsonNode epoch = Gateway.get("/v1/epochs/0", "").json();

        // then
        assertThat(epoch.path("epoch").asLong()).isZero();
        assertThat(epoch.path("leaf").path("v").asInt()).isEqualTo(1);
        assertThat(epoch.path("heads")).hasSize(TestLedger.SHARDS);
        assertThat(epoch.path("note").asText()).contains("\n1\n");
        assertThat(Gateway.get("/v1/epochs/latest", "").json().path("epoch").asLong())
                .isPositive();
        assertThat(Gateway.get("/v1/epochs/9999", "").status()).isEqualTo(404);
        assertThat(Gateway.get("/v1/epochs/x", "").status()).isEqualTo(404);
    }

    @Test
    void tilesAreImmutableAndPublic() {
        for (String path : List.of("/log/tile/0/000.p/2", "/shard/0/tile/0/000.p/3")) {
            // when
            Answer answer = Gateway.get(path, "");

            // then
            assertThat(answer.status()).as(answer.text()).isEqualTo(200);
            assertThat(answer.header("Content-Type")).startsWith("application/octet-stream");
            assertThat(answer.header("Cache-Control")).isEqualTo("public, max-age=31536000, immutable");
            assertThat(answer.response().body().length % 32).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/log/tile/0/001",
                "/log/tile/0/000.p/0",
                "/log/tile/0/000.p/256",
                "/log/tile/0/0",
                "/log/tile/64/000",
                "/log/tile/0/x000/000",
                "/log/tile/entries/000.p/255",
                "/log/tile/entries/x999/x999/x999/x999/x999/999",
                "/shard/0/tile/0/000.p/200",
                "/shard/7/tile/0/000.p/1",
                "/shard/0/tile/Entries/000.p/1",
                "/shard/7/checkpoint"
            })
    void tilesThatWereNeverPublishedAre404(String path) {
        assertThat(Gateway.get(path, auditor).status()).isEqualTo(404);
    }

    @Test
    void entryBundlesOfAShardSpanEpochs() throws Exception {
        // when
        Answer answer = Gateway.get("/shard/0/tile/entries/000.p/3", auditor);

        // then
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Cache-Control")).isEqualTo("private, max-age=31536000, immutable");
        List<byte[]> entries = EntryBundle.decode(answer.response().body());
        assertThat(entries.stream().map(entry -> new String(entry, StandardCharsets.UTF_8)))
                .satisfiesExactly(
                        entry -> assertThat(entry).contains("\"id\":\"a\"").contains("\"event\""),
                        entry -> assertThat(entry).contains("\"id\":\"b\""),
                        entry -> assertThat(entry).contains("\"ref\""));
        assertThat(Gateway.get("/shard/0/tile/entries/000.p/200", auditor).status())
                .isEqualTo(404);
    }

    @Test
    void entryBundlesOfTheLedgerLogAreTheEpochs() throws Exception {
        // when
        Answer answer = Gateway.get("/log/tile/entries/000.p/2", "");

        // then
        assertThat(EntryBundle.decode(answer.response().body()))
                .hasSize(2)
                .allSatisfy(leaf ->
                        assertThat(new String(leaf, StandardCharsets.UTF_8)).contains("\"vectorRoot\""));
    }

    @Test
    void proofsAreGivenBetweenPublishedSizes() {
        // when
        JsonNode inclusion =
                Gateway.get("/v1/proofs/inclusion?shard=0&index=1&size=3", own).json();
        JsonNode consistency = Gateway.get("/v1/proofs/consistency?shard=0&first=2&second=3", own)
                .json();

        // then
        assertThat(inclusion.path("path")).hasSize(2);
        assertThat(inclusion.path("leafHash").asText()).hasSize(44);
        assertThat(consistency.path("path")).hasSize(1);
        assertThat(Gateway.get("/v1/proofs/inclusion?index=0&size=2", own)
                        .json()
                        .path("path"))
                .hasSize(1);
        assertThat(Gateway.get("/v1/proofs/consistency?first=1&second=2", own)
                        .json()
                        .path("path"))
                .hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/proofs/inclusion?shard=0&size=3",
                "/v1/proofs/inclusion?shard=0&index=-1&size=3",
                "/v1/proofs/inclusion?shard=0&index=9&size=3",
                "/v1/proofs/inclusion?shard=abc&index=0&size=3",
                "/v1/proofs/consistency?first=1",
                "/v1/proofs/consistency?first=3&second=1&shard=0",
                "/v1/proofs/consistency?first=1e1&second=2"
            })
    void badParametersAre400AndNamed(String path) {
        // when
        Answer answer = Gateway.get(path, own);

        // then
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:attestream:problem:bad-parameter");
        assertThat(answer.json().path("field").asText()).isNotEmpty();
    }

    @Test
    void aSharedCacheIsToldThatTilesMayBeCompressed() {
        for (String coding : List.of("gzip", "identity")) {
            // when
            Answer answer = Gateway.get("/shard/0/tile/0/000.p/1", "", "Accept-Encoding", coding);

            // then
            assertThat(answer.header("Content-Encoding").equals("gzip")).isEqualTo(coding.equals("gzip"));
            assertThat(answer.header("Vary")).isEqualToIgnoringCase("Accept-Encoding");
        }
    }

    @Test
    void aTileOfAnotherLengthIsNeverServed() {
        // given
        truth.override("shards/0/tiles/0/000.p/1", "not 32 bytes");
        try {
            // when
            Answer answer = Gateway.get("/shard/0/tile/0/000.p/1", "");

            // then
            assertUnavailable(answer);
        } finally {
            truth.override("shards/0/tiles/0/000.p/1", null);
        }
    }

    @Test
    void waitingForPublicationTellsLeafDuplicateAndConflict() {
        // given: the log gives offsets the ledger knows
        String event = "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"/s\",\"type\":\"t\"}";
        for (long offset : new long[] {10, 14, 15}) {
            ledger.log().answering(new AppendResult.Appended(0, offset));

            // when
            Answer answer = Gateway.post(
                    "/v1/events",
                    own,
                    event.getBytes(StandardCharsets.UTF_8),
                    "Content-Type",
                    "application/cloudevents+json",
                    "Prefer",
                    "wait=5");

            // then
            assertThat(answer.header("Preference-Applied")).isEqualTo("wait=5");
            JsonNode item = answer.json().path("results").get(0);
            JsonNode published = item.path("published");
            assertThat(item.path("receipt").path("offset").asLong()).isEqualTo(offset);
            if (offset == 10) {
                assertThat(answer.status()).isEqualTo(202);
                assertThat(item.path("status").asText()).isEqualTo("accepted");
                assertThat(published.path("outcome").asText()).isEqualTo("leaf");
                assertThat(published.path("leafIndex").asLong()).isZero();
            } else {
                String outcome = offset == 14 ? "duplicate" : "conflict";
                assertThat(answer.status()).isEqualTo(offset == 14 ? 202 : 207);
                assertThat(item.path("status").asText()).isEqualTo(offset == 14 ? "duplicate" : "accepted");
                assertThat(item.has("problem")).isEqualTo(offset == 15);
                assertThat(published.path("outcome").asText()).isEqualTo(outcome);
                assertThat(published.path("first").path("leafIndex").asLong()).isZero();
                assertThat(published
                                .path("first")
                                .path("receipt")
                                .path("offset")
                                .asLong())
                        .isEqualTo(10);
            }
        }
    }

    @Test
    void waitingEndsWhenItsTimeIsOver() {
        // when
        Answer answer = Gateway.post(
                "/v1/events",
                own,
                "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"/s\",\"type\":\"t\"}"
                        .getBytes(StandardCharsets.UTF_8),
                "Content-Type",
                "application/cloudevents+json",
                "Prefer",
                "respond-async, wait=1");

        // then
        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.json().path("results").get(0).path("status").asText()).isEqualTo("accepted");
        assertThat(answer.json().path("results").get(0).has("published")).isFalse();
    }

    @Test
    void theApiIsDescribed() {
        // when
        JsonNode api = Gateway.get("/openapi?format=json", "").json();
        JsonNode paths = api.path("paths");

        // then
        assertThat(paths.fieldNames())
                .toIterable()
                .containsExactlyInAnyOrder(
                        "/v1/events",
                        "/v1/events/{shard}/{index}",
                        "/v1/erasures",
                        "/v1/receipts/{incarnation}/{shard}/{offset}",
                        "/v1/proofs/inclusion",
                        "/v1/proofs/consistency",
                        "/v1/checkpoint",
                        "/v1/epochs/{number}",
                        "/v1/keys",
                        "/log/checkpoint",
                        "/log/tile/{path}",
                        "/shard/{shard}/checkpoint",
                        "/shard/{shard}/tile/{path}",
                        "/shard/{shard}/tile/entries/{path}");
        JsonNode append = paths.path("/v1/events").path("post");
        assertThat(append.path("requestBody").path("content").fieldNames())
                .toIterable()
                .contains(
                        "application/cloudevents+json",
                        "application/cloudevents-batch+json",
                        "application/x-ndjson",
                        "*/*");
        assertThat(append.path("security").get(0).fieldNames()).toIterable().containsExactly("bearer");
        assertThat(api.path("components")
                        .path("securitySchemes")
                        .path("bearer")
                        .path("scheme")
                        .asText())
                .isEqualTo("bearer");
        assertThat(api.path("components").path("schemas").has("Problem")).isTrue();
        assertThat(paths.path("/log/checkpoint")
                        .path("get")
                        .path("responses")
                        .path("200")
                        .path("content")
                        .fieldNames())
                .toIterable()
                .containsExactly("text/plain");
        assertThat(paths.path("/v1/checkpoint").path("get").has("security")).isFalse();
    }
}
