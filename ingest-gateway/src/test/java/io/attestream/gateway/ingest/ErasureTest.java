// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attestream.gateway.keys.PayloadKeys;
import io.attestream.gateway.support.FakeEventLog;
import io.attestream.gateway.support.FakeLedgerSource;
import io.attestream.gateway.support.Gateway;
import io.attestream.gateway.support.Gateway.Answer;
import io.attestream.gateway.support.IdentityProvider;
import io.attestream.gateway.support.Surroundings;
import io.attestream.gateway.support.TestLedger;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.Payload;
import io.attestream.proofs.entry.CanonicalEntry;
import io.attestream.proofs.entry.EntryView;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.proofs.ledger.BundleReport;
import io.attestream.proofs.ledger.BundleVerifier;
import io.attestream.proofs.ledger.EventToCheck;
import io.attestream.proofs.ledger.ProofBundle;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.generic.GenericRecord;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From an event with a subject to a leaf whose payload is gone and whose proofs hold. */
@QuarkusTest
@WithTestResource(value = Surroundings.class, initArgs = @ResourceArg(name = Surroundings.PAYLOAD_KEYS, value = "on"))
class ErasureTest {
    IdentityProvider issuer;
    TestLedger truth;

    @Inject
    FakeLedgerSource ledger;

    @Inject
    PayloadKeys keys;

    @BeforeEach
    void setUp() {
        ledger.log().reset();
        ledger.setOpen(true);
    }

    private static Map<String, String> attributes(String id, String subject) {
        return Map.of(
                "specversion",
                "1.0",
                "id",
                id,
                "source",
                "/test",
                "type",
                "t",
                "subject",
                subject,
                "datacontenttype",
                "text/plain");
    }

    private Answer append(String id, String subject, String payload) {
        return Gateway.post(
                "/v1/events",
                issuer.token(TestLedger.OWN_TENANT, "ingester"),
                payload.getBytes(StandardCharsets.UTF_8),
                "Content-Type",
                "text/plain",
                "ce-specversion",
                "1.0",
                "ce-id",
                id,
                "ce-source",
                "/test",
                "ce-type",
                "t",
                "ce-subject",
                subject);
    }

    private Answer erase(String role, String body) {
        return Gateway.send(Gateway.request(
                        "/v1/erasures", issuer.token(TestLedger.OWN_TENANT, role), "Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    /** The envelope of a record; it has a key id if it is encrypted. */
    private static GenericRecord envelope(LogRecord record) throws IOException {
        return (GenericRecord) IngestTest.decode(record).get("payload");
    }

    private static boolean isEncrypted(LogRecord record) throws IOException {
        return envelope(record).getSchema().getName().equals("EncryptedPayload");
    }

    private static String keyId(LogRecord record) throws IOException {
        assertThat(isEncrypted(record)).isTrue();
        return envelope(record).get("keyId").toString();
    }

    private LogRecord lastRecord() {
        List<LogRecord> records = ledger.log().records();
        return records.get(records.size() - 1);
    }

    /** Publishes what a door wrote last; returns where the leaf is. */
    private String publish(long offset) throws IOException {
        LogRecord record = lastRecord();
        long index = truth.written(record.shard(), offset, record.value());
        truth.publish();
        return record.shard() + "/" + index;
    }

    private Answer read(String path) {
        return Gateway.get(path, issuer.token(TestLedger.OWN_TENANT, "auditor"));
    }

    private byte[] bundle(int shard, long offset) {
        Answer answer = read("/v1/receipts/1/" + shard + "/" + offset);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        return answer.response().body();
    }

    private BundleReport verify(byte[] bundle, String id, String subject, String payload) throws Exception {
        return new BundleVerifier(truth.signer().verifier())
                .verify(
                        ProofBundle.parse(bundle),
                        new EventToCheck(attributes(id, subject), payload.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void aPayloadIsEncryptedIsReadAndIsErasedWhileItsProofsHold() throws Exception {
        // given an event about ann, and one about bob
        assertThat(append("1", "ann", "what ann did").status()).isEqualTo(202);
        int shard = lastRecord().shard();
        LogRecord written = lastRecord();
        String ofAnn = publish(FakeEventLog.FIRST_OFFSET);
        append("2", "bob", "what bob did");
        String ofBob = publish(FakeEventLog.FIRST_OFFSET + 1);

        // then it is not in the log in the clear, and who may see it sees it
        assertThat(isEncrypted(written)).isTrue();
        assertThat(new String(written.value(), StandardCharsets.ISO_8859_1)).doesNotContain("what ann did");
        JsonNode before = read("/v1/events/" + ofAnn).json();
        assertThat(before.path("payload").binaryValue()).isEqualTo("what ann did".getBytes(StandardCharsets.UTF_8));
        byte[] kept = bundle(shard, FakeEventLog.FIRST_OFFSET);
        assertThat(ProofBundle.parse(kept).payload()).isNotNull();
        assertThat(verify(kept, "1", "ann", "what ann did").ok()).isTrue();

        // when
        Answer answer = erase("admin", "{\"subject\":\"ann\"}");

        // then the ledger says so
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        JsonNode erased = answer.json().path("erased").get(0);
        String keyId = keyId(written);
        assertThat(erased.path("keyId").asText()).isEqualTo(keyId);
        GenericRecord said = IngestTest.decode(lastRecord());
        Map<String, String> attributes = new HashMap<>();
        ((Map<?, ?>) said.get("attributes"))
                .forEach((name, value) -> attributes.put(name.toString(), value.toString()));
        assertThat(attributes).isEqualTo(Erasure.attributes(keyId));
        assertThat(said.get("tenant")).hasToString(TestLedger.OWN_TENANT);
        assertThat(isEncrypted(lastRecord())).isFalse();
        long offset = erased.path("receipt").path("offset").asLong();
        String ofErasure = publish(offset);
        byte[] entry = ProofBundle.parse(bundle(lastRecord().shard(), offset)).entry();
        assertThat(Erasure.of(CanonicalEntry.parse(entry)))
                .isEqualTo(Optional.of(new Erasure.Logged(keyId, TestLedger.OWN_TENANT)));
        assertThat(ofErasure).isNotEmpty();

        // and nobody sees the payload any more, also not whoever saw it a moment ago
        JsonNode after = read("/v1/events/" + ofAnn).json();
        assertThat(after.has("payload")).isFalse();
        assertThat(after.has("salt")).isFalse();
        assertThat(after.has("encryptedPayload")).isFalse();
        assertThat(after.path("entry")).isEqualTo(before.path("entry"));
        assertThat(after.path("erased").path("keyId").asText()).isEqualTo(keyId);
        assertThat(after.path("erased").path("logged").asBoolean()).isTrue();
        assertThat(after.path("erased").path("receipt")).isEqualTo(erased.path("receipt"));
        assertThat(read("/v1/events/" + ofBob).json().path("payload").binaryValue())
                .isEqualTo("what bob did".getBytes(StandardCharsets.UTF_8));

        // and the proofs hold: without the payload, and with what was kept
        byte[] without = bundle(shard, FakeEventLog.FIRST_OFFSET);
        assertThat(ProofBundle.parse(without).payload()).isNull();
        BundleReport report = new BundleVerifier(truth.signer().verifier()).verify(ProofBundle.parse(without), null);
        assertThat(report.firstFailure()).isEmpty();
        assertThat(verify(kept, "1", "ann", "what ann did").ok()).isTrue();
        assertThat(verify(kept, "1", "ann", "what ann did not").ok()).isFalse();

        // and what comes now is under another key
        append("3", "ann", "what ann does");
        assertThat(keyId(lastRecord())).isEqualTo(keyId.replaceFirst("-1$", "-2"));
    }

    @Test
    void whatALostKafkaWasToldIsLoggedOnlyIfItWasPublished() throws Exception {
        // given an erasure that nobody published, and one that was
        append("lost", "heidi", "payload");
        String ofHeidi = publish(FakeEventLog.FIRST_OFFSET + 60);
        for (int i = 0; i < 70; i++) {
            ledger.log().acknowledge(lastRecord()); // behind the offsets of other tests, which are published
        }
        assertThat(erase("admin", "{\"subject\":\"heidi\"}").status()).isEqualTo(200);
        append("there", "ivan", "payload");
        String ofIvan = publish(FakeEventLog.FIRST_OFFSET + 62);
        JsonNode erased = erase("admin", "{\"subject\":\"ivan\"}").json();
        publish(erased.at("/erased/0/receipt/offset").asLong());
        assertThat(read("/v1/events/" + ofHeidi).json().at("/erased/logged").asBoolean())
                .isTrue();

        // when
        ledger.setIncarnation(2);
        try {
            // then
            assertThat(read("/v1/events/" + ofHeidi).json().path("erased"))
                    .hasToString("{\"keyId\":\""
                            + read("/v1/events/" + ofHeidi)
                                    .json()
                                    .at("/erased/keyId")
                                    .asText() + "\",\"logged\":false}");
            assertThat(read("/v1/events/" + ofIvan).json().at("/erased/receipt/offset"))
                    .isEqualTo(erased.at("/erased/0/receipt/offset"));
        } finally {
            ledger.setIncarnation(1);
        }
    }

    /** The ledger's objects are not to be believed about what was erased: the keys tell. */
    @Test
    void whatNobodyErasedIsNotCalledErased() throws Exception {
        // given a key of another subject that is destroyed, with a receipt
        append("erased", "eve", "payload");
        String gone = keyId(lastRecord());
        assertThat(erase("admin", "{\"subject\":\"eve\"}").status()).isEqualTo(200);
        append("kept", "frank", "payload");
        String ofFrank = keyId(lastRecord());
        long offset = FakeEventLog.FIRST_OFFSET + 20;

        for (Payload planted : List.of(
                new Payload.Encrypted(new byte[16], gone, new byte[12], new byte[40]),
                // as if the key had been made again, after it was lost
                new Payload.Encrypted(new byte[16], ofFrank, new byte[12], new byte[40]))) {
            // when it is stored in the place of what an event about frank has
            append("planted-" + offset, "frank", "payload");
            LogRecord record = lastRecord();
            long index = truth.written(record.shard(), offset++, record.value(), planted);
            truth.publish();

            // then
            Answer answer = read("/v1/events/" + record.shard() + "/" + index);
            assertThat(answer.status()).as(planted + " " + answer.text()).isEqualTo(500);
            assertThat(answer.text()).doesNotContain("receipt");

            // and the proof, which needs no payload, is served
            assertThat(ProofBundle.parse(bundle(record.shard(), offset - 1)).payload())
                    .isNull();

            // and a pack that says so is not believed either
            EntryView.Event event = (EntryView.Event) CanonicalEntry.parse(
                    ProofBundle.parse(bundle(record.shard(), offset - 1)).entry());
            for (String keyId : List.of(gone, ofFrank, "ca83e7bf4746466ac10aabac3d2531dc-1")) {
                assertThatThrownBy(() -> keys.judged(new Payload.Erased(new byte[16], keyId), event))
                        .as(keyId)
                        .isInstanceOf(InvalidFormat.class);
            }
        }
    }

    /** It is made again by who erases again; until then nothing says where the ledger says so. */
    @Test
    void aReceiptThatIsDamagedIsNone() throws Exception {
        // given
        append("damaged", "ivy", "payload");
        String ofIvy = publish(FakeEventLog.FIRST_OFFSET + 80);
        assertThat(erase("admin", "{\"subject\":\"ivy\"}").status()).isEqualTo(200);
        String keyId = read("/v1/events/" + ofIvy).json().at("/erased/keyId").asText();

        // when
        Path receipt = Path.of(ConfigProvider.getConfig().getValue("attestream.payload-keys.location", String.class))
                .resolve("receipts/" + keyId.substring(0, 2) + "/" + keyId);
        Files.writeString(receipt, "rotted");

        // then
        Answer answer = read("/v1/events/" + ofIvy);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(answer.json().path("erased")).hasToString("{\"keyId\":\"" + keyId + "\",\"logged\":false}");
    }

    @Test
    void aPayloadInTheClearIsNotCalledErasedEither() throws Exception {
        // given an event about nobody
        append("erased-2", "grace", "payload");
        String gone = keyId(lastRecord());
        assertThat(erase("admin", "{\"subject\":\"grace\"}").status()).isEqualTo(200);
        long index = truth.written(
                lastRecord().shard(),
                FakeEventLog.FIRST_OFFSET + 40,
                lastRecord().value(), // the erasure: its payload is in the clear, its subject a key id
                new Payload.Erased(new byte[16], gone));
        truth.publish();

        // then
        assertThat(read("/v1/events/" + lastRecord().shard() + "/" + index).status())
                .isEqualTo(500);
    }

    /** It is a retry all the same: the tag does not know of keys. */
    @Test
    void aRetryUnderAnotherEnvelopeHasTheSameTag() throws Exception {
        // when
        append("retry", "carl", "payload");
        GenericRecord first = IngestTest.decode(lastRecord());
        append("retry", "carl", "payload");
        GenericRecord second = IngestTest.decode(lastRecord());

        // then
        assertThat(second.get("payload")).isNotEqualTo(first.get("payload"));
        assertThat(second.get("contentTag")).isEqualTo(first.get("contentTag"));
    }

    @Test
    void whatIsNoRequestIsRefusedAndNothingIsTouched() throws Exception {
        // given
        append("kept", "dora", "payload");
        String keyId = keyId(lastRecord());
        ledger.log().reset();

        // then
        for (String body : List.of(
                "",
                "x",
                "[]",
                "{}",
                "{\"subject\":\"\"}",
                "{\"subject\":7}",
                "{\"subject\":\"\\ud800\"}",
                "{\"subject\":\"dora\",\"x\":1}")) {
            assertThat(erase("admin", body).status()).as(body).isEqualTo(400);
        }
        assertThat(erase("admin", "{\"subject\":\"dora\",\"tenant\":\"globex\"}")
                        .status())
                .isEqualTo(403);
        assertThat(erase("auditor", "{\"subject\":\"dora\"}").status()).isEqualTo(403);
        assertThat(erase("ingester", "{\"subject\":\"dora\"}").status()).isEqualTo(403);
        assertThat(erase("admin", "{\"subject\":\"nobody\"}").status()).isEqualTo(404);
        assertThat(ledger.log().records()).isEmpty();
        assertThat(keys.store().orElseThrow().erased().pending()).doesNotContain(keyId);
    }

    @Test
    void aProducerDoesNotSpeakForTheLedger() {
        Answer answer = Gateway.post(
                "/v1/events",
                issuer.token(TestLedger.OWN_TENANT, "ingester"),
                ("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"" + Erasure.TYPE + "\"}")
                        .getBytes(StandardCharsets.UTF_8),
                "Content-Type",
                "application/cloudevents+json");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().path("field").asText()).isEqualTo("type");
        assertThat(ledger.log().records()).isEmpty();
    }
}
