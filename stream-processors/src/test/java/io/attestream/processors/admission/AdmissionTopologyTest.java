// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.processors.TestLedger;
import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.DataDigest;
import io.attestream.proofs.entry.Routing;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.proofs.envelope.SubjectKey;
import io.attestream.schemas.SchemaTexts;
import io.attestream.schemas.avro.EncryptedPayload;
import io.attestream.schemas.avro.Event;
import io.attestream.schemas.avro.PlainPayload;
import io.attestream.schemas.avro.Tag16;
import io.attestream.schemas.cloudevents.CloudEventReader;
import io.attestream.schemas.cloudevents.EventLimits;
import io.attestream.schemas.door.EventFactory;
import io.attestream.schemas.ledger.LedgerDefinition;
import io.attestream.schemas.wire.WireDecoder;
import io.attestream.schemas.wire.WireResult;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AdmissionTopologyTest {
    private static final String TENANT = "acme";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> GOOD =
            Map.of("ce_specversion", "1.0", "ce_id", "1", "ce_source", "/s", "ce_type", "t");

    @TempDir
    private Path directory;

    private final TestLedger ledger = new TestLedger(4, 256);
    private TopologyTestDriver driver;
    private TestInputTopic<byte[], byte[]> inbox;
    private TestOutputTopic<byte[], byte[]> events;
    private TestOutputTopic<byte[], byte[]> outcomes;

    private int keysAsked;
    private int keysAway;

    /** Away as often as a test says. */
    private SubjectKey key(String tenant, String subject) throws IOException {
        if (keysAsked++ < keysAway) {
            throw new IOException("no answer");
        }
        return new SubjectKey(tenant + "-" + subject, new byte[32]);
    }

    @BeforeEach
    void start() {
        LedgerDefinition definition = ledger.definition();
        driver = new TopologyTestDriver(
                AdmissionTopology.build(
                        TestLedger.TOPICS,
                        List.of(TENANT, "other"),
                        definition,
                        new CloudEventReader(EventLimits.DEFAULT),
                        EventFactory.of(
                                definition, new ContentTag(new byte[32]), new SecureRandom(), Optional.of(this::key)),
                        new AdmissionMetrics(new SimpleMeterRegistry())),
                TestLedger.driverSettings("admission", directory));
        inbox = driver.createInputTopic(
                TestLedger.TOPICS.inbox(TENANT), new ByteArraySerializer(), new ByteArraySerializer());
        events = driver.createOutputTopic(
                TestLedger.TOPICS.events(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        outcomes = driver.createOutputTopic(
                TestLedger.TOPICS.inboxOutcomes(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @AfterEach
    void stop() {
        driver.close();
    }

    /** The Kafka door encrypts as the other one does, and waits for keys that are away rather than let it through. */
    @Test
    void encryptsThePayloadOfAnEventWithASubject() {
        // given
        keysAway = 1;
        RecordHeaders headers = with("ce_subject", "ann");

        // when
        inbox.pipeInput(new TestRecord<>(new byte[0], utf8("about ann"), headers));

        // then
        byte[] value = events.readValue();
        Event event = ((WireResult.Decoded<Event>) new WireDecoder<>(
                                Event.class,
                                SchemaTexts.EVENT,
                                ledger.definition().schemas())
                        .decode(value))
                .value();
        assertThat(keysAsked).isGreaterThan(keysAway);
        assertThat(((EncryptedPayload) event.getPayload()).getKeyId()).isEqualTo(TENANT + "-ann");
        assertThat(new String(value, StandardCharsets.ISO_8859_1)).doesNotContain("about ann");
        assertThat(events.isEmpty()).isTrue();
    }

    @Test
    void aProducerDoesNotSpeakForTheLedger() {
        // when
        inbox.pipeInput(new TestRecord<>(new byte[0], utf8("x"), with("ce_type", Erasure.TYPE)));

        // then
        assertThat(events.isEmpty()).isTrue();
        assertThat(new String(outcomes.readValue(), StandardCharsets.UTF_8)).contains("\"field\":\"type\"");
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static RecordHeaders headers(Map<String, String> values) {
        RecordHeaders headers = new RecordHeaders();
        new TreeMap<>(values).forEach((name, value) -> headers.add(name, utf8(value)));
        return headers;
    }

    private static RecordHeaders with(String name, byte[] value) {
        RecordHeaders headers = headers(GOOD);
        headers.remove(name);
        headers.add(name, value);
        return headers;
    }

    private static RecordHeaders with(String name, String value) {
        return with(name, utf8(value));
    }

    private static RecordHeaders without(String name) {
        RecordHeaders headers = headers(GOOD);
        headers.remove(name);
        return headers;
    }

    private static RecordHeaders structured() {
        return headers(Map.of("content-type", "application/cloudevents+json; charset=utf-8"));
    }

    private void put(RecordHeaders headers, byte @Nullable [] value) {
        inbox.pipeInput(new TestRecord<>(null, value, headers));
    }

    private List<Event> written() {
        WireDecoder<Event> decoder = new WireDecoder<>(Event.class, SchemaTexts.EVENT, TestLedger.BOOK);
        List<Event> written = new ArrayList<>();
        for (TestRecord<byte[], byte[]> record : events.readRecordsToList()) {
            Event event = ((WireResult.Decoded<Event>) decoder.decode(record.value())).value();
            assertThat(record.key())
                    .isEqualTo(Routing.key(
                            event.getTenant(),
                            event.getAttributes().get("source"),
                            event.getAttributes().get("partitionkey")));
            written.add(event);
        }
        return written;
    }

    private JsonNode refusal() throws IOException {
        List<byte[]> values = outcomes.readValuesToList();
        assertThat(values).hasSize(1);
        return JSON.readTree(values.get(0));
    }

    // ---- good input

    @Test
    void takesOneEventInEveryFormAsTheSame() {
        // given
        String data = "{\"a\": 1}";
        RecordHeaders binary = with("content-type", "application/json");
        String json = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
                + "\"datacontenttype\":\"application/json\",\"data\":" + data + "}";
        Event avro = TestLedger.event(
                Map.of("id", "1", "source", "/s", "type", "t", "datacontenttype", "application/json"), data);

        // when
        put(binary, utf8(data));
        put(structured(), utf8(json));
        put(new RecordHeaders(), TestLedger.encode(avro));

        // then
        List<Event> written = written();
        assertThat(written).hasSize(3);
        assertThat(outcomes.isEmpty()).isTrue();
        for (Event event : written) {
            assertThat(event.getContentTag()).isEqualTo(written.get(0).getContentTag());
            assertThat(event.getAttributes()).isEqualTo(written.get(0).getAttributes());
            PlainPayload payload = (PlainPayload) event.getPayload();
            assertThat(payload.getData().array()).isEqualTo(utf8(data));
            assertThat(event.getDataDigest().bytes())
                    .isEqualTo(DataDigest.compute(payload.getSalt().bytes(), utf8(data)));
        }
    }

    @Test
    void trustsNothingARecordSaysAboutItsAuthor() {
        // given
        Event forged = TestLedger.event(Map.of("id", "1", "source", "/s"), "x");
        forged.setTenant("victim");
        forged.setActor("somebody");
        forged.setContentTag(new Tag16(new byte[16]));

        // when
        put(new RecordHeaders(), TestLedger.encode(forged));

        // then
        assertThat(written()).singleElement().satisfies(event -> {
            assertThat(event.getTenant()).isEqualTo(TENANT);
            assertThat(event.getActor()).isEqualTo("inbox:acme");
            assertThat(event.getContentTag()).isNotEqualTo(forged.getContentTag());
            assertThat(event.getDataDigest()).isNotEqualTo(forged.getDataDigest());
        });
    }

    @Test
    void takesTheTenantFromTheInbox() {
        // when
        driver.createInputTopic(TestLedger.TOPICS.inbox("other"), new ByteArraySerializer(), new ByteArraySerializer())
                .pipeInput(new TestRecord<>(null, utf8("x"), headers(GOOD)));

        // then
        assertThat(written()).singleElement().extracting(Event::getTenant).isEqualTo("other");
    }

    @Test
    void takesAnEventWithoutData() {
        // when
        put(headers(GOOD), null);

        // then
        assertThat(written()).singleElement().extracting(Event::getDataSize).isEqualTo(0L);
    }

    // ---- bad input

    static Stream<Arguments> badRecords() {
        Event erased = TestLedger.event(Map.of("id", "1", "source", "/s"), "x");
        erased.setPayload(null);
        RecordHeaders twice = headers(GOOD);
        twice.add("ce_id", utf8("2"));
        RecordHeaders many = headers(GOOD);
        for (int i = 0; i < 100; i++) {
            many.add("ce_a" + i, utf8("x"));
        }
        RecordHeaders large = headers(GOOD);
        for (int i = 0; i < 10; i++) {
            large.add("ce_a" + i, utf8("x".repeat(8_000)));
        }
        RecordHeaders longNameTwice = headers(GOOD);
        longNameTwice.add("ce_" + "n".repeat(900_000), utf8("1"));
        longNameTwice.add("ce_" + "n".repeat(900_000), utf8("2"));
        return Stream.of(
                Arguments.of("nothing", new RecordHeaders(), null, "missing", "id"),
                Arguments.of("bytes without headers", new RecordHeaders(), utf8("hello"), "missing", "id"),
                Arguments.of("no id", without("ce_id"), utf8("x"), "missing", "id"),
                Arguments.of("no type", without("ce_type"), utf8("x"), "missing", "type"),
                Arguments.of("empty source", with("ce_source", ""), utf8("x"), "empty", "source"),
                Arguments.of("id too long", with("ce_id", "x".repeat(1_025)), utf8("x"), "too-long", "id"),
                Arguments.of(
                        "subject too long", with("ce_subject", "x".repeat(8_193)), utf8("x"), "too-long", "subject"),
                Arguments.of("control character", with("ce_subject", "a\u0007"), utf8("x"), "invalid", "subject"),
                Arguments.of("bad name", with("ce_Sub-ject", "a"), utf8("x"), "invalid", null),
                Arguments.of(
                        "header not UTF-8",
                        with("ce_subject", new byte[] {(byte) 0xc3, 0x28}),
                        null,
                        "invalid",
                        "subject"),
                Arguments.of("id twice", twice, utf8("x"), "duplicate", "id"),
                Arguments.of("huge name twice", longNameTwice, utf8("x"), null, null),
                Arguments.of("too many attributes", many, utf8("x"), "too-many", "attributes"),
                Arguments.of("entry too large", large, utf8("x"), "too-large", "attributes"),
                Arguments.of("other version", with("ce_specversion", "0.3"), utf8("x"), "invalid", "specversion"),
                Arguments.of("bad time", with("ce_time", "yesterday"), utf8("x"), "invalid", "time"),
                Arguments.of("bad source", with("ce_source", "a b"), utf8("x"), "invalid", "source"),
                Arguments.of("payload too large", headers(GOOD), new byte[(1 << 20) + 1], "too-large", "data"),
                Arguments.of("not JSON", structured(), utf8("hello"), "malformed", "body"),
                Arguments.of("truncated JSON", structured(), utf8("{\"id\":\"1\""), "malformed", "body"),
                Arguments.of("empty body", structured(), new byte[0], "malformed", "body"),
                Arguments.of("no body", structured(), null, "malformed", "body"),
                Arguments.of("JSON array", structured(), utf8("[]"), "malformed", "body"),
                Arguments.of("body not UTF-8", structured(), new byte[] {'{', (byte) 0xff, '}'}, "malformed", "body"),
                Arguments.of("UTF-16", structured(), "{}".getBytes(StandardCharsets.UTF_16BE), "malformed", "body"),
                Arguments.of("duplicate member", structured(), utf8("{\"id\":\"1\",\"id\":\"1\"}"), "duplicate", "id"),
                Arguments.of("deep nesting", structured(), utf8("{\"data\":" + "[".repeat(5_000)), "too-large", null),
                Arguments.of(
                        "lone surrogate",
                        structured(),
                        utf8("{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"a\\ud800\"}"),
                        "invalid",
                        "id"),
                Arguments.of(
                        "unknown schema", new RecordHeaders(), TestLedger.unknownSchemaValue(), "malformed", "value"),
                Arguments.of("no Avro", new RecordHeaders(), new byte[] {0, 0, 0, 0, 1, 9}, "malformed", "value"),
                Arguments.of("erased payload", new RecordHeaders(), TestLedger.encode(erased), "missing", "payload"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badRecords")
    void refusesWithAReasonAndGoesOn(
            String what, RecordHeaders headers, byte @Nullable [] value, @Nullable String code, @Nullable String field)
            throws IOException {
        // when
        put(headers, value);
        put(headers(GOOD), utf8("good"));

        // then
        assertThat(written()).as("the good one behind it, and nothing else").hasSize(1);
        JsonNode refusal = refusal();
        assertThat(refusal.path("topic").asText()).isEqualTo(TestLedger.TOPICS.inbox(TENANT));
        assertThat(refusal.path("partition").asInt(-1)).isZero();
        assertThat(refusal.path("offset").asInt(-1)).isZero();
        assertThat(refusal.path("status").asText()).isEqualTo("rejected");
        assertThat(refusal.path("detail").asText()).isNotBlank();
        assertThat(JSON.writeValueAsBytes(refusal)).hasSizeLessThan(4_096);
        if (code != null) {
            assertThat(refusal.path("code").asText()).isEqualTo(code);
        }
        if (field != null) {
            assertThat(refusal.path("field").asText()).isEqualTo(field);
        }
    }
}
