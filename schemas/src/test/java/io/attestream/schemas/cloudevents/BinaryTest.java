// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import static io.attestream.schemas.cloudevents.Forms.READER;
import static io.attestream.schemas.cloudevents.Forms.accepted;
import static io.attestream.schemas.cloudevents.Forms.headers;
import static io.attestream.schemas.cloudevents.Forms.httpHeaders;
import static io.attestream.schemas.cloudevents.Forms.problem;
import static io.attestream.schemas.cloudevents.Forms.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The binary modes of the HTTP and Kafka bindings. */
class BinaryTest {
    private static final byte[] NOT_UTF8 = {(byte) 0xff, 0, 1};

    private static List<Map.Entry<String, String>> http(String... more) {
        List<Map.Entry<String, String>> all = new ArrayList<>(
                httpHeaders("ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "t", "Host", "h"));
        all.addAll(httpHeaders(more));
        return all;
    }

    private static Headers kafka(String... more) {
        Headers all = headers("ce_specversion", "1.0", "ce_id", "1", "ce_source", "/s", "ce_type", "t", "trace", "x");
        headers(more).forEach(all::add);
        return all;
    }

    @Test
    void payloadIsWhateverBytesCame() {
        assertThat(accepted(READER.httpBinary(http(), null, NOT_UTF8)).payload())
                .isEqualTo(NOT_UTF8);
        assertThat(accepted(READER.kafka(kafka(), NOT_UTF8)).payload()).isEqualTo(NOT_UTF8);
        assertThat(accepted(READER.kafka(kafka(), null)).payload()).isEmpty();
    }

    @Test
    void contentTypeIsTheDatacontenttypeVerbatim() {
        String type = "Text/Plain; charset=\"x\"";
        assertThat(accepted(READER.httpBinary(http(), type, NOT_UTF8)).attributes())
                .containsEntry("datacontenttype", type)
                .hasSize(5);
        assertThat(accepted(READER.kafka(kafka("content-type", type), NOT_UTF8)).attributes())
                .containsEntry("datacontenttype", type)
                .hasSize(5);
        assertThat(accepted(READER.httpBinary(http(), null, NOT_UTF8)).attributes())
                .hasSize(4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "plain|plain",
                "Euro%20%E2%82%AC%20%F0%9F%98%80|Euro € 😀",
                "100%25|100%",
                "%25E2|%E2",
                "%e2%82%ac|€",
                "\"quoted text\"|quoted text",
                "\"a \\\"b\\\" \\\\c\"|a \"b\" \\c",
                "\"Euro%20%E2%82%AC\"|Euro €",
                "W/\"abc\"|W/\"abc\""
            })
    void httpHeadersAreUnquotedAndPercentDecodedOnce(String header, String value) {
        assertThat(accepted(READER.httpBinary(http("CE-Subject", header), null, NOT_UTF8))
                        .attributes())
                .containsEntry("subject", value);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "%C0%A0|broken encoding of UTF-8",
                "%ED%A0%80|surrogate",
                "%4|too short",
                "%|too short",
                "%zz|no hexadecimal digits",
                "%+1|no hexadecimal digits",
                "%0A|control character",
                "é|not ASCII",
                "\"open|quotes",
                "\"|quotes",
                "\"a\"b\"|quotes",
                "\"a\\\"|quotes"
            })
    void brokenHttpHeadersAreRefusedByName(String header, String why) {
        EventProblem problem = problem(READER.httpBinary(http("ce-subject", header), null, NOT_UTF8));
        assertThat(problem.code()).as(why).isEqualTo("invalid");
        assertThat(problem.field()).as(why).isEqualTo("subject");
    }

    @Test
    void kafkaHeadersAreUtf8AndNotPercentDecoded() {
        assertThat(accepted(READER.kafka(kafka("ce_subject", "100%25 €"), NOT_UTF8))
                        .attributes())
                .containsEntry("subject", "100%25 €");
        Headers bad = kafka();
        bad.add("ce_subject", NOT_UTF8);
        assertThat(problem(READER.kafka(bad, NOT_UTF8)))
                .extracting(EventProblem::code, EventProblem::field)
                .containsExactly("invalid", "subject");
    }

    @Test
    void anAttributeTwiceIsRefused() {
        assertThat(problem(READER.httpBinary(http("CE-ID", "1"), null, NOT_UTF8)))
                .extracting(EventProblem::code, EventProblem::field)
                .containsExactly("duplicate", "id");
        assertThat(problem(READER.kafka(kafka("ce_id", "1"), NOT_UTF8)))
                .extracting(EventProblem::code, EventProblem::field)
                .containsExactly("duplicate", "id");
        assertThat(problem(READER.kafka(kafka("content-type", "a/b", "Content-Type", "a/b"), NOT_UTF8)))
                .extracting(EventProblem::code, EventProblem::field)
                .containsExactly("duplicate", "content-type");
    }

    @Test
    void datacontenttypeAsAttributeIsRefused() {
        assertThat(problem(READER.httpBinary(http("ce-datacontenttype", "a/b"), "a/b", NOT_UTF8))
                        .field())
                .isEqualTo("datacontenttype");
        assertThat(problem(READER.kafka(kafka("ce_datacontenttype", "a/b"), NOT_UTF8))
                        .field())
                .isEqualTo("datacontenttype");
    }

    @Test
    void missingEmptyAndTooManyAreRefused() {
        assertThat(problem(READER.httpBinary(httpHeaders("ce-id", "1"), null, NOT_UTF8)))
                .extracting(EventProblem::code, EventProblem::field)
                .containsExactly("missing", "source");
        assertThat(problem(READER.kafka(kafka("ce_subject", ""), NOT_UTF8)))
                .extracting(EventProblem::code, EventProblem::field)
                .containsExactly("empty", "subject");
        List<Map.Entry<String, String>> many = http();
        for (int i = 0; i < 61; i++) {
            many.add(Map.entry("ce-x" + i, "1"));
        }
        assertThat(problem(READER.httpBinary(many, null, NOT_UTF8)).code()).isEqualTo("too-many");
        assertThat(problem(READER.httpBinary(http("ce-my_ext", "1"), null, NOT_UTF8))
                        .field())
                .isEqualTo("my_ext");
    }

    @Test
    void aPayloadOverTheLimitIsRefused() {
        CloudEventReader small = new CloudEventReader(new EventLimits(2, 64, 8192, 1024, 10));
        assertThat(problem(small.httpBinary(http(), null, NOT_UTF8)))
                .extracting(EventProblem::code, EventProblem::field)
                .containsExactly("too-large", "data");
        assertThat(problem(small.kafka(kafka(), NOT_UTF8)).code()).isEqualTo("too-large");
    }

    @Test
    void kafkaStructuredModeFollowsTheContentType() {
        byte[] json = utf8("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}");
        assertThat(accepted(READER.kafka(headers("Content-Type", "application/CloudEvents+json; charset=utf-8"), json))
                        .id())
                .isEqualTo("1");
        for (String other : List.of(
                "application/cloudevents-batch+json", "application/cloudevents+avro", "application/cloudevents")) {
            assertThat(problem(READER.kafka(headers("content-type", other), json)))
                    .as(other)
                    .extracting(EventProblem::code, EventProblem::field)
                    .containsExactly("invalid", "content-type");
        }
    }

    @Test
    void attributesFromAnAvroRecordObeyTheSameRules() {
        Map<String, String> good = Map.of("specversion", "1.0", "id", "1", "source", "/s", "type", "t");
        assertThat(accepted(READER.attributes(good, NOT_UTF8)).attributes()).isEqualTo(good);
        assertThat(problem(READER.attributes(Map.of("specversion", "1.0"), NOT_UTF8))
                        .code())
                .isEqualTo("missing");
    }
}
