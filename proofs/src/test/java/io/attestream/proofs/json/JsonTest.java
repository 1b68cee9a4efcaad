// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.json.JsonValue.JsonArray;
import io.attestream.proofs.json.JsonValue.JsonBoolean;
import io.attestream.proofs.json.JsonValue.JsonInteger;
import io.attestream.proofs.json.JsonValue.JsonNull;
import io.attestream.proofs.json.JsonValue.JsonObject;
import io.attestream.proofs.json.JsonValue.JsonString;
import io.attestream.proofs.support.JsonValues;
import io.attestream.proofs.support.Seeded;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void readsEveryKindOfValue() throws Exception {
        assertThat(parse(" { \"a\" : [ 1 , -2 , true , false , null , \"x\" , { } , [ ] ] } \r\n\t"))
                .isEqualTo(new JsonObject(Map.of(
                        "a",
                        new JsonArray(List.of(
                                new JsonInteger(1),
                                new JsonInteger(-2),
                                new JsonBoolean(true),
                                new JsonBoolean(false),
                                new JsonNull(),
                                new JsonString("x"),
                                new JsonObject(Map.of()),
                                new JsonArray(List.of()))))));
    }

    @Test
    void readsEscapes() throws Exception {
        assertThat(parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uD83D\\uDE00\\u20ac\""))
                .isEqualTo(new JsonString("\"\\/\b\f\n\r\tA😀€"));
    }

    @Test
    void readsBackWhatIsWrittenCanonically() {
        Seeded.check(500, random -> {
            JsonValue value = JsonValues.any(random, 4);
            byte[] json = Jcs.encode(value);
            assertThat(Json.parse(json)).isEqualTo(value);
            assertThat(Jcs.encode(Json.parse(json))).isEqualTo(json);
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "nul",
                "True",
                "tru",
                "{",
                "}",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1",
                "{\"a\":1,}",
                "{,\"a\":1}",
                "{a:1}",
                "{'a':1}",
                "{\"a\" 1}",
                "{\"a\":1 \"b\":2}",
                "[",
                "[1",
                "[1,",
                "[1,]",
                "[,1]",
                "[1 2]",
                "1 2",
                "{} {}",
                "\"",
                "\"a",
                "\"\\",
                "\"\\u",
                "\"\\u12",
                "\"\\u12G4\"",
                "\"\\u-123\"",
                "\"\\u٠٠٤١\"",
                "\"\\x41\"",
                "\"\\'\"",
                "'a'",
                "// comment\n1",
                "/* c */ 1",
                "\"a\nb\"",
                "\"a\tb\"",
                "\"\u0000\"",
                "\"\u001f\"",
                "\uFEFF1",
                "\u00a01",
                "NaN",
                "Infinity",
                "undefined",
            })
    void refusesWhatIsNotJson(String text) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(InvalidFormat.class).hasMessageStartingWith("json: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "01",
                "-01",
                "00",
                "-0",
                "-",
                "+1",
                ".5",
                "1.",
                "1.0",
                "1e3",
                "1E+3",
                "0x10",
                "--1",
                "9007199254740992",
                "-9007199254740992",
                "99999999999999999999999999",
                "1_000",
                "٣",
            })
    void refusesNumbersThatAreNotShortExactIntegers(String text) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(InvalidFormat.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "9007199254740991", "-9007199254740991"})
    void readsIntegersBelowTwoToThe53(String text) throws Exception {
        assertThat(parse(text)).isEqualTo(new JsonInteger(Long.parseLong(text)));
        assertThat(Jcs.encode(parse(text))).asString(StandardCharsets.UTF_8).isEqualTo(text);
    }

    @Test
    void refusesIntegersInMemoryThatNotEveryReaderHasExactly() {
        assertThatThrownBy(() -> new JsonInteger(1L << 53)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new JsonInteger(-(1L << 53))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new JsonInteger(Long.MIN_VALUE)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"a\":1,\"a\":1} | a",
                "{\"a\":1,\"\\u0061\":2} | a",
                "{\"x\":{\"b\":null,\"b\":null}} | b",
                "[{\"c\":[],\"d\":1,\"c\":{}}] | c",
            })
    void refusesDuplicateMembersByName(String text, String name) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(InvalidFormat.class)
                .hasMessage(name + ": must not be there twice");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "22ff22", // never in UTF-8
                "22c022", // begun, not continued
                "22c0af22", // overlong slash
                "22e080af22",
                "22eda08022", // high surrogate
                "22edb08022", // low surrogate
                "22f490808022", // above U+10FFFF
                "228022",
                "22f09f9822",
                "fffe2200",
                "3100",
            })
    void refusesWhatIsNotUtf8(String hex) {
        assertThatThrownBy(() -> Json.parse(HexFormat.of().parseHex(hex))).isInstanceOf(InvalidFormat.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"\\ud800\"", "\"\\udc00\"", "\"\\udc00\\ud800\"", "\"\\ud800x\"", "{\"\\ud83d\":1}"})
    void refusesLoneSurrogates(String text) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(InvalidFormat.class).hasMessageContaining("lone surrogate");
    }

    @Test
    void boundsDepthAndNumberOfValues() throws Exception {
        assertThat(parse("[".repeat(16) + "1" + "]".repeat(16))).isInstanceOf(JsonArray.class);
        assertThatThrownBy(() -> parse("[".repeat(17) + "1" + "]".repeat(17)))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("deeper than 16");
        assertThatThrownBy(() -> parse("[".repeat(1_000_000))).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> parse("{\"a\":".repeat(1_000_000))).isInstanceOf(InvalidFormat.class);
        assertThatThrownBy(() -> parse("[" + "0,".repeat(1 << 18) + "0]"))
                .isInstanceOf(InvalidFormat.class)
                .hasMessageContaining("more than 262144 values");
    }

    @Test
    void namesMembersOfTheInputOnlyAsFarAsALogLineBearsIt() {
        String name = "x\\u001b\\n\\u202e".repeat(100_000);
        assertThatThrownBy(() -> parse("{\"" + name + "\":1,\"" + name + "\":1}"))
                .isInstanceOf(InvalidFormat.class)
                .satisfies(e -> assertThat(e.getMessage())
                        .hasSizeLessThan(200)
                        .doesNotContainPattern("[\\p{Cc}\\p{Cf}]")
                        .startsWith("x???x"));
    }

    @Test
    void namesTheMemberThatIsMissingOrOfAnotherKind() throws Exception {
        JsonObject object = Json.parseObject("{\"s\":\"\",\"i\":1,\"o\":{},\"a\":[]}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> object.string("none")).hasMessage("none: is missing");
        assertThatThrownBy(() -> object.string("i")).hasMessage("i: must be a string");
        assertThatThrownBy(() -> object.integer("s")).hasMessage("s: must be an integer");
        assertThatThrownBy(() -> object.object("a")).hasMessage("a: must be an object");
        assertThatThrownBy(() -> object.array("o")).hasMessage("o: must be an array");
        assertThatThrownBy(() -> object.allowOnly("s", "i", "o")).hasMessage("a: is not a member of this format");
        assertThatThrownBy(() -> Json.parseObject("[]".getBytes(StandardCharsets.UTF_8)))
                .hasMessage("json: must be an object");
    }

    private static JsonValue parse(String text) throws InvalidFormat {
        return Json.parse(text.getBytes(StandardCharsets.UTF_8));
    }
}
