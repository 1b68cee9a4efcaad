// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import static io.attestream.schemas.cloudevents.Forms.READER;
import static io.attestream.schemas.cloudevents.Forms.accepted;
import static io.attestream.schemas.cloudevents.Forms.problem;
import static io.attestream.schemas.cloudevents.Forms.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each kind of bad structured event is refused with the code and the field at fault. */
class StructuredBadInputTest {
    private static final String REQUIRED = "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"";
    private static final String GOOD = "{" + REQUIRED + ",\"data\":{\"a\":1}}";

    record Bad(String what, byte[] json, String code, String field) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static Bad bad(String what, String json, String code, String field) {
        return new Bad(what, utf8(json), code, field);
    }

    private static String with(String member) {
        return "{" + REQUIRED + "," + member + "}";
    }

    private static String replaced(String attribute, String json) {
        return GOOD.replaceFirst(
                "\"" + attribute + "\":\"[^\"]*\"", Matcher.quoteReplacement("\"" + attribute + "\":" + json));
    }

    static Stream<Bad> badDocuments() {
        String deep = "[".repeat(1001) + "]".repeat(1001);
        return Stream.of(
                bad("nothing", "", "malformed", "body"),
                bad("blank", " \n", "malformed", "body"),
                bad("text", "hello", "malformed", "body"),
                bad("XML", "<event/>", "malformed", "body"),
                bad("a string", "\"" + "x" + "\"", "malformed", "body"),
                bad("an array", "[" + GOOD + "]", "malformed", "body"),
                bad("null", "null", "malformed", "body"),
                bad("two objects", GOOD + GOOD, "malformed", "body"),
                bad("rubbish after the object", GOOD + "x", "malformed", "body"),
                bad("a comma too many", GOOD.replace("}}", "},}"), "malformed", "body"),
                bad("single quotes", GOOD.replace('"', '\''), "malformed", "body"),
                bad("a comment", GOOD.replace("{\"a", "/**/{\"a"), "malformed", "body"),
                bad("a leading zero in data", GOOD.replace(":1}", ":01}"), "malformed", "body"),
                bad("NaN in data", GOOD.replace(":1}", ":NaN}"), "malformed", "body"),
                bad("a raw control character in data", GOOD.replace(":1}", ":\"\u0001\"}"), "malformed", "body"),
                bad("a bad escape in data", GOOD.replace(":1}", ":\"\\x\"}"), "malformed", "body"),
                bad("data nested too deep", GOOD.replace("{\"a\":1}", deep), "too-large", "body"),
                bad(
                        "a very long name in data",
                        GOOD.replace("\"a\"", "\"" + "a".repeat(5000) + "\""),
                        "too-large",
                        "body"),
                bad("a byte order mark", "\ufeff" + GOOD, "malformed", "body"),
                new Bad("UTF-16LE", GOOD.getBytes(StandardCharsets.UTF_16LE), "malformed", "body"),
                new Bad("UTF-16BE", GOOD.getBytes(StandardCharsets.UTF_16BE), "malformed", "body"),
                new Bad("UTF-32LE", GOOD.getBytes(Charset.forName("UTF-32LE")), "malformed", "body"),
                new Bad("UTF-32BE", GOOD.getBytes(Charset.forName("UTF-32BE")), "malformed", "body"));
    }

    static Stream<Bad> notUtf8() {
        List<byte[]> sequences = List.of(
                new byte[] {(byte) 0xff},
                new byte[] {(byte) 0x80},
                new byte[] {(byte) 0xc0, (byte) 0xaf},
                new byte[] {(byte) 0xe2, (byte) 0x82},
                new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
                new byte[] {(byte) 0xf4, (byte) 0x90, (byte) 0x80, (byte) 0x80});
        List<Bad> all = new ArrayList<>();
        for (byte[] sequence : sequences) {
            for (String place : List.of("id", "an attribute name", "data", "a name in data", "after the object")) {
                String json = switch (place) {
                    case "id" -> replaced("id", "\"#\"");
                    case "an attribute name" -> with("\"#\":\"x\"");
                    case "data" -> with("\"data\":{\"a\":\"#\"}");
                    case "a name in data" -> with("\"data\":{\"#\":1}");
                    default -> GOOD + "#";
                };
                all.add(new Bad(
                        "bytes " + Arrays.toString(sequence) + " in " + place,
                        replace(utf8(json), sequence),
                        "malformed",
                        "body"));
            }
        }
        return all.stream();
    }

    private static byte[] replace(byte[] json, byte[] sequence) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte b : json) {
            if (b == '#') {
                out.writeBytes(sequence);
            } else {
                out.write(b);
            }
        }
        return out.toByteArray();
    }

    static Stream<Bad> badAttributes() {
        String many = Stream.iterate(0, i -> i + 1)
                .limit(61)
                .map(i -> "\"ext" + i + "\":\"x\"")
                .reduce((a, b) -> a + "," + b)
                .orElseThrow();
        List<Bad> all = new ArrayList<>(List.of(
                bad("unknown specversion", replaced("specversion", "\"2.0\""), "invalid", "specversion"),
                bad("old specversion", replaced("specversion", "\"0.3\""), "invalid", "specversion"),
                bad("specversion as number", replaced("specversion", "1"), "invalid", "specversion"),
                bad("id as number", replaced("id", "1"), "invalid", "id"),
                bad("id as boolean", replaced("id", "true"), "invalid", "id"),
                bad("id null", replaced("id", "null"), "missing", "id"),
                bad("id as object", replaced("id", "{}"), "invalid", "id"),
                bad("id too long", replaced("id", "\"" + "x".repeat(1025) + "\""), "too-long", "id"),
                bad("id too long in bytes", replaced("id", "\"" + "é".repeat(513) + "\""), "too-long", "id"),
                bad("source too long", replaced("source", "\"" + "x".repeat(1025) + "\""), "too-long", "source"),
                bad(
                        "partitionkey too long",
                        with("\"partitionkey\":\"" + "x".repeat(1025) + "\""),
                        "too-long",
                        "partitionkey"),
                bad("partitionkey as number", with("\"partitionkey\":7"), "invalid", "partitionkey"),
                bad("subject too long", with("\"subject\":\"" + "x".repeat(8193) + "\""), "too-long", "subject"),
                bad("extension empty", with("\"ext\":\"\""), "empty", "ext"),
                bad("extension as float", with("\"ext\":1.5"), "invalid", "ext"),
                bad("extension as exponent", with("\"ext\":1e2"), "invalid", "ext"),
                bad("extension beyond 32 bits", with("\"ext\":2147483648"), "invalid", "ext"),
                bad("extension of many digits", with("\"ext\":" + "9".repeat(5000)), "invalid", "ext"),
                bad("extension as array", with("\"ext\":[]"), "invalid", "ext"),
                bad("extension as object", with("\"ext\":{\"a\":1}"), "invalid", "ext"),
                bad("name in upper case", with("\"Ext\":\"x\""), "invalid", "Ext"),
                bad("name with underscore", with("\"my_ext\":\"x\""), "invalid", "my_ext"),
                bad("name not ASCII", with("\"é\":\"x\""), "invalid", "é"),
                bad("name empty", with("\"\":\"x\""), "invalid", ""),
                bad("name too long", with("\"abcdefghijklmnopqrstu\":\"x\""), "invalid", "abcdefghijklmnopqrstu"),
                bad("name with control character", with("\"a\\u0000\":\"x\""), "invalid", "a?"),
                bad("name with lone surrogate", with("\"a\\ud800\":\"x\""), "malformed", "body"),
                bad("too many attributes", with(many), "too-many", "attributes"),
                bad("source no URI reference", replaced("source", "\"a b\""), "invalid", "source"),
                bad("source with broken escape", replaced("source", "\"/%zz\""), "invalid", "source"),
                bad("dataschema relative", with("\"dataschema\":\"/schema\""), "invalid", "dataschema"),
                bad(
                        "datacontenttype without slash",
                        with("\"datacontenttype\":\"json\""),
                        "invalid",
                        "datacontenttype"),
                bad("attribute twice", with("\"id\":\"2\""), "duplicate", "id"),
                bad("attribute twice, escaped", with("\"\\u0069d\":\"2\""), "duplicate", "id"),
                bad("null attribute twice", with("\"ext\":null,\"ext\":null"), "duplicate", "ext"),
                bad("data twice", with("\"data\":1,\"data\":1"), "duplicate", "data"),
                bad("member twice in data", with("\"data\":{\"b\":[{\"c\":1,\"c\":1}]}"), "duplicate", "c"),
                bad(
                        "lone surrogate as member name in data",
                        with("\"data\":{\"\\ud800\":1,\"\\ud800\":1}"),
                        "malformed",
                        "body"),
                bad("data and data_base64", with("\"data\":1,\"data_base64\":\"AA==\""), "invalid", "data"),
                bad("data null and data_base64", with("\"data\":null,\"data_base64\":\"AA==\""), "invalid", "data"),
                bad("base64 with bad characters", with("\"data_base64\":\"%%%%\""), "invalid", "data_base64"),
                bad("base64 URL alphabet", with("\"data_base64\":\"_-8=\""), "invalid", "data_base64"),
                bad("base64 with line break", with("\"data_base64\":\"AA\\nAA\""), "invalid", "data_base64"),
                bad("base64 as number", with("\"data_base64\":1"), "invalid", "data_base64")));
        for (String name : List.of("id", "source", "specversion", "type")) {
            all.add(bad(name + " missing", GOOD.replaceFirst("\"" + name + "\":\"[^\"]*\",", ""), "missing", name));
        }
        for (String name : List.of("id", "source", "type")) {
            all.add(bad(name + " empty", replaced(name, "\"\""), "empty", name));
        }
        for (String text :
                List.of("\\u0000", "\\n", "\\u001f", "\\u007f", "\u0085", "\\ud800", "\\udc00", "\\udc00\\ud800")) {
            for (String name : List.of("id", "source", "type")) {
                all.add(bad(text + " in " + name, replaced(name, "\"a" + text + "b\""), "invalid", name));
            }
            all.add(bad(text + " in an extension", with("\"ext\":\"a" + text + "b\""), "invalid", "ext"));
        }
        return all.stream();
    }

    static Stream<Bad> badTimes() {
        return Stream.of(
                        "yesterday",
                        "2026-01-05",
                        "2026-01-05T09:00:00",
                        "2026-01-05 09:00:00Z",
                        "2026-01-05T09:00Z",
                        "2026-01-05T09:00:00+0100",
                        "2026-01-05T09:00:00+01",
                        "2026-01-05T09:00:00.Z",
                        "2026-01-05T09:00:00,5Z",
                        "2026-02-30T09:00:00Z",
                        "2025-02-29T09:00:00Z",
                        "2026-13-01T09:00:00Z",
                        "2026-00-01T09:00:00Z",
                        "2026-01-00T09:00:00Z",
                        "2026-01-05T24:00:00Z",
                        "2026-01-05T09:60:00Z",
                        "2026-01-05T09:00:61Z",
                        "2026-01-05T09:00:60Z",
                        "2016-12-30T23:59:60Z",
                        "2016-12-31T23:59:60+01:00",
                        "2026-01-05T09:00:00+24:00",
                        "2026-01-05T09:00:00+01:60",
                        "26-01-05T09:00:00Z",
                        "12026-01-05T09:00:00Z",
                        "-2026-01-05T09:00:00Z",
                        "2026-1-5T9:00:00Z",
                        "\\u0662026-01-05T09:00:00Z",
                        " 2026-01-05T09:00:00Z")
                .map(time -> bad("time " + time, with("\"time\":\"" + time + "\""), "invalid", "time"));
    }

    @ParameterizedTest
    @MethodSource({"badDocuments", "notUtf8", "badAttributes", "badTimes"})
    void isRefusedWithCodeAndField(Bad bad) {
        // when
        EventProblem problem = problem(READER.structured(bad.json()));

        // then
        assertThat(problem.code()).isEqualTo(bad.code());
        assertThat(problem.field()).isEqualTo(bad.field());
        assertThat(problem.detail()).isNotBlank();
    }

    /** A lone surrogate or a control character in an answer would break the answer. */
    @ParameterizedTest
    @MethodSource({"badDocuments", "notUtf8", "badAttributes", "badTimes"})
    void canBeToldToTheProducer(Bad bad) throws IOException {
        // given
        EventResult.Refused refused = (EventResult.Refused) READER.structured(bad.json());
        ObjectMapper json = new ObjectMapper();

        // when
        String answer = json.writeValueAsString(List.of(
                String.valueOf(refused.id()),
                refused.problem().field(),
                refused.problem().detail()));

        // then
        assertThat(StandardCharsets.UTF_8.newEncoder().canEncode(answer)).isTrue();
        assertThat(refused.problem().field().length()).isLessThan(100);
        assertThat(refused.problem().detail().chars()).noneMatch(Character::isISOControl);
    }

    @Test
    void everyTruncationIsMalformed() {
        byte[] whole = utf8(with("\"subject\":\"é\",\"data\":{\"a\":[1,true,null,\"x\"]}"));
        accepted(READER.structured(whole));
        for (int length = 0; length < whole.length; length++) {
            EventProblem problem = problem(READER.structured(Arrays.copyOf(whole, length)));
            assertThat(problem.code()).as("first %d bytes", length).isEqualTo("malformed");
            assertThat(problem.field()).isEqualTo("body");
        }
    }

    @Test
    void saysWhichIdWasRefused() {
        EventResult refused = READER.structured(utf8(with("\"time\":\"never\"")));
        assertThat(((EventResult.Refused) refused).id()).isEqualTo("1");
    }

    @Test
    void doesNotRepeatAnIdThatCannotBe() {
        for (String id : List.of("\\ud800", "\\n", "", "x".repeat(1025))) {
            EventResult refused = READER.structured(utf8(replaced("id", "\"" + id + "\"")));
            assertThat(((EventResult.Refused) refused).id()).isNull();
        }
    }

    @Test
    void namesTheLimitThatWasExceeded() {
        assertThat(problem(READER.structured(utf8(replaced("id", "\"" + "x".repeat(1025) + "\""))))
                        .detail())
                .contains("1024");
        CloudEventReader small = new CloudEventReader(new EventLimits(10, 64, 8192, 1024, 10));
        EventProblem tooLarge = problem(small.structured(utf8(with("\"data\":\"123456789\""))));
        assertThat(tooLarge.code()).isEqualTo("too-large");
        assertThat(tooLarge.field()).isEqualTo("data");
        assertThat(tooLarge.detail()).contains("10");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2026-01-05T09:00:00Z",
                "2026-01-05t09:00:00z",
                "2026-01-05T09:00:00.123456789012Z",
                "2026-01-05T09:00:00-00:00",
                "2026-01-05T09:00:00+23:59",
                "2024-02-29T23:59:59+05:45",
                "2016-12-31T23:59:60Z",
                "2017-01-01T05:44:60+05:45",
                "2016-12-31T18:59:60.5-05:00",
                "0000-01-01T00:00:00Z",
                "9999-12-31T23:59:59Z"
            })
    void takesEveryRfc3339TimeVerbatim(String time) {
        CloudEvent event = accepted(READER.structured(utf8(with("\"time\":\"" + time + "\""))));
        assertThat(event.attributes()).containsEntry("time", time);
    }

    @Test
    void neverThrowsWhateverTheBytes() {
        long seed = System.nanoTime();
        System.out.println("StructuredBadInputTest.neverThrowsWhateverTheBytes seed " + seed);
        Random random = new Random(seed);
        byte[] whole =
                utf8(with("\"subject\":\"é\",\"time\":\"2026-01-05T09:00:00Z\",\"data\":{\"a\":[1,true,null,\"x\"]}"));
        byte[] interesting = utf8("\"\\{}[]:,0e-.tfnu \u0000\u001fé");
        for (int round = 0; round < 20_000; round++) {
            byte[] json = whole.clone();
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                json[random.nextInt(json.length)] = random.nextBoolean()
                        ? interesting[random.nextInt(interesting.length)]
                        : (byte) random.nextInt();
            }
            assertThat(READER.structured(json)).isNotNull();
            assertThat(READER.batch(json)).isNotNull();
        }
    }
}
