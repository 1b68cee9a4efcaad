// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.support.Seeded;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JcsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{ \"b\" : 1 , \"a\" : 2 } | {\"a\":2,\"b\":1}",
                "{\"\":1,\"A\":2,\"a\":3,\"aa\":4,\"b\":5} | {\"\":1,\"A\":2,\"a\":3,\"aa\":4,\"b\":5}",
                "{\"10\":1,\"2\":2,\"1\":3} | {\"1\":3,\"10\":1,\"2\":2}",
                "[ 3 , 1 , 2 ] | [3,1,2]",
                "\"\\u002f\\/\" | \"//\"",
                "\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\" | \"Aé€😀\"",
                "\"\\u0008\\u0009\\u000a\\u000c\\u000d\" | \"\\b\\t\\n\\f\\r\"",
                "\"\\u0000\\u001F\\u000B\" | \"\\u0000\\u001f\\u000b\"",
            })
    void writesTheOneText(String text, String canonical) throws Exception {
        assertThat(Jcs.encode(Json.parse(text.getBytes(StandardCharsets.UTF_8))))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo(canonical);
    }

    @Test
    void doesNotEscapeWhatRfc8785Leaves() throws Exception {
        // DEL, C1 controls, line separators and noncharacters stay as they are.
        String text = "\"\u007f\u0080\u2028\u2029\uffff<>&'\"";
        assertThat(Jcs.encode(Json.parse(text.getBytes(StandardCharsets.UTF_8))))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo(text);
    }

    @Test
    void sortsMembersByUtf16CodeUnitsAndNotByCodePoints() {
        // U+1F600 is D83D DE00 in UTF-16: before U+E000, although its code point is higher.
        byte[] json = Jcs.encode(new JsonObject(Map.of(
                "\ue000",
                new JsonString("e000"),
                "\ud83d\ude00",
                new JsonString("1f600"),
                "\r",
                new JsonString("cr"))));
        assertThat(json)
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("{\"\\r\":\"cr\",\"\ud83d\ude00\":\"1f600\",\"\ue000\":\"e000\"}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                " {}",
                "{} ",
                "{}\n",
                "{ }",
                "{\"b\":1,\"a\":2}",
                "{\"a\": 1}",
                "{\"a\":\"\\u0041\"}",
                "{\"a\":\"\\/\"}",
                "{\"a\":\"\\u001F\"}",
                "{\"a\":\"\\u000a\"}",
            })
    void refusesEveryOtherTextWhereCanonicalJsonIsAsked(String text) {
        assertThatThrownBy(() -> Jcs.parseCanonicalObject(text.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("canonical");
    }

    @Test
    void writesBase64AsThePlatformDoes() {
        Seeded.check(300, random -> {
            byte[] bytes = random.bytes(random.below(100));
            assertThat(new JcsWriter().base64(bytes).toBytes())
                    .asString(StandardCharsets.US_ASCII)
                    .isEqualTo("\"" + Base64.getEncoder().encodeToString(bytes) + "\"");
        });
    }

    @Test
    void writesStringsOfEveryLengthAsThePlatformEncodesThem() {
        Seeded.check(200, random -> {
            // given text longer than the writer's first array, without what must be escaped
            String text = random.text(3000).replace("\"", "").replace("\\", "");
            JcsWriter out = new JcsWriter();
            for (int round = 0; round < 2; round++) {
                // when it is written, also by a writer used before
                byte[] json = out.reset().string(text).toBytes();
                // then it is its UTF-8 in quotes
                assertThat(json).isEqualTo(("\"" + text + "\"").getBytes(StandardCharsets.UTF_8));
            }
        });
    }

    @Test
    void writesNumbersAsThePlatformDoes() {
        Seeded.check(300, random -> {
            long value = random.chance(50) ? random.unsigned() : -random.below(1000);
            assertThat(new JcsWriter().number(value).toBytes())
                    .asString(StandardCharsets.US_ASCII)
                    .isEqualTo(Long.toString(value));
        });
    }

    @Test
    void refusesToWriteLoneSurrogates() {
        for (String text : new String[] {"\ud800", "a\udc00", "\udc00\ud800", "\ud800\ud800\udc00"}) {
            assertThatThrownBy(() -> new JcsWriter().string(text)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
