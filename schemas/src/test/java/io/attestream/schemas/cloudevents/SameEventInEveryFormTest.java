// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import static io.attestream.schemas.cloudevents.Forms.READER;
import static io.attestream.schemas.cloudevents.Forms.accepted;
import static io.attestream.schemas.cloudevents.Forms.elements;
import static io.attestream.schemas.cloudevents.Forms.headers;
import static io.attestream.schemas.cloudevents.Forms.httpHeaders;
import static io.attestream.schemas.cloudevents.Forms.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.entry.ContentTag;
import io.attestream.proofs.entry.IdentityDigest;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A producer may send an event again in another form: it must be the same event, so identity and content tag are pinned here
 * for all forms.
 */
class SameEventInEveryFormTest {
    private static final String DATA = "{ \"amount\": 1.50, \"who\": \"Zoë\" }";
    private static final ContentTag TAG = new ContentTag(new byte[ContentTag.KEY_SIZE_BYTES]);

    private static final String STRUCTURED =
            "{\"specversion\":\"1.0\",\"id\":\"42\",\"source\":\"/orders/ü\",\"type\":\"com.example.paid\","
                    + "\"time\":\"2026-01-05T09:00:00.5+01:00\",\"subject\":\"Zoë & co\",\"partitionkey\":\"k1\","
                    + "\"datacontenttype\":\"application/json\",\"retries\":3,\"test\":true,\"gone\":null,\"data\":"
                    + DATA + "}";

    private static final String REORDERED = "{\"data\":" + DATA + ", \"test\" : \"true\",\"retries\":\"3\","
            + "\"datacontenttype\":\"application\\/json\",\"partitionkey\":\"k1\",\"subject\":\"Zo\\u00eb \\u0026 co\","
            + "\"time\":\"2026-01-05T09:00:00.5+01:00\",\"type\":\"com.example.paid\",\"source\":\"/orders/\\u00fc\","
            + "\"id\":\"42\",\"specversion\":\"1.0\"}";

    static Stream<Map.Entry<String, CloudEvent>> forms() {
        Map<String, CloudEvent> forms = new LinkedHashMap<>();
        forms.put("structured", accepted(READER.structured(utf8(STRUCTURED))));
        forms.put("structured, other order and escapes", accepted(READER.structured(utf8(REORDERED))));
        forms.put("NDJSON line with carriage return", accepted(READER.structured(utf8(STRUCTURED + "\r"))));
        forms.put(
                "batch",
                accepted(elements(READER.batch(utf8("[{},\n " + STRUCTURED + "]")))
                        .get(1)));
        forms.put(
                "structured, data_base64",
                accepted(READER.structured(utf8(STRUCTURED.replace(
                        "\"data\":" + DATA,
                        "\"data_base64\":\"" + Base64.getEncoder().encodeToString(utf8(DATA)) + "\"")))));
        forms.put(
                "HTTP binary",
                accepted(READER.httpBinary(
                        httpHeaders(
                                "ce-specversion",
                                "1.0",
                                "CE-ID",
                                "42",
                                "ce-source",
                                "/orders/%C3%BC",
                                "ce-type",
                                "com.example.paid",
                                "ce-time",
                                "2026-01-05T09:00:00.5+01:00",
                                "ce-subject",
                                "\"Zo%C3%AB & co\"",
                                "ce-partitionkey",
                                "k1",
                                "ce-retries",
                                "3",
                                "ce-test",
                                "true"),
                        "application/json",
                        utf8(DATA))));
        forms.put(
                "Kafka binary",
                accepted(READER.kafka(
                        headers(
                                "ce_specversion",
                                "1.0",
                                "ce_id",
                                "42",
                                "ce_source",
                                "/orders/ü",
                                "ce_type",
                                "com.example.paid",
                                "ce_time",
                                "2026-01-05T09:00:00.5+01:00",
                                "ce_subject",
                                "Zoë & co",
                                "ce_partitionkey",
                                "k1",
                                "ce_retries",
                                "3",
                                "ce_test",
                                "true",
                                "content-type",
                                "application/json"),
                        utf8(DATA))));
        forms.put(
                "Kafka structured",
                accepted(READER.kafka(headers("content-type", CloudEventReader.STRUCTURED_JSON), utf8(STRUCTURED))));
        return forms.entrySet().stream();
    }

    @ParameterizedTest
    @MethodSource("forms")
    void hasThePinnedIdentityAndContentTag(Map.Entry<String, CloudEvent> form) throws NoSuchAlgorithmException {
        // given
        CloudEvent event = form.getValue();

        // when
        byte[] identity = IdentityDigest.compute("acme", event.source(), event.partitionKey(), event.id());
        byte[] sha256 = MessageDigest.getInstance("SHA-256").digest(event.payload());
        byte[] tag = TAG.compute("acme", event.attributes(), sha256);

        // then
        assertThat(HexFormat.of().formatHex(identity)).isEqualTo("17eb96940d1b29c56ebd1c9eee43789f");
        assertThat(HexFormat.of().formatHex(tag)).isEqualTo("aab41b20b99bca04306a8c3dbf1b0fe7");
    }
}
