// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import static io.attestream.schemas.cloudevents.Forms.READER;
import static io.attestream.schemas.cloudevents.Forms.accepted;
import static io.attestream.schemas.cloudevents.Forms.elements;
import static io.attestream.schemas.cloudevents.Forms.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The payload is what was sent, byte for byte, wherever it stands in the document. */
class DataSliceTest {
    private static final String REQUIRED = "\"specversion\":\"1.0\",\"id\":\"é1\",\"source\":\"/s\",\"type\":\"t\"";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{ \"b\" : 2 ,\n \"a\":\t1.0e+2 }",
                "[ 1 , 2 ]",
                "[]",
                "\"\"",
                "\"text with \\\" and \\u00e9 and é and 😀\"",
                "\"\\ud800 is the producer's matter\"",
                "0",
                "-0",
                "-12.50",
                "1E400",
                "123456789012345678901234567890123456789012345678901234567890",
                "true",
                "false",
                "null"
            })
    void isTheExactSliceOfData(String data) {
        for (String document : List.of(
                "{" + REQUIRED + ",\"data\":" + data + "}",
                "{" + REQUIRED + ", \"data\" :\r\n\t " + data + " \n}",
                "{\"data\":" + data + "," + REQUIRED + "}",
                " \n{ \"data\" : " + data + " , " + REQUIRED + " } \n",
                "{" + REQUIRED + ",\"d\\u0061ta\":" + data + ",\"zz\":\"1\"}")) {
            assertThat(text(accepted(READER.structured(utf8(document))).payload()))
                    .isEqualTo(data);
            for (EventResult element :
                    elements(READER.batch(utf8("[" + document + " ,\n" + document + "," + document + "]")))) {
                assertThat(text(accepted(element).payload())).isEqualTo(data);
            }
        }
    }

    @Test
    void longNumbersAndStringsAreSlicedToo() {
        String data = "[" + "9".repeat(5_000) + ",\"" + "é".repeat(100_000) + "\"]";
        assertThat(text(accepted(READER.structured(utf8("{\"data\":" + data + "," + REQUIRED + "}")))
                        .payload()))
                .isEqualTo(data);
    }

    @Test
    void dataBase64IsDecoded() {
        CloudEvent event = accepted(READER.structured(utf8("{" + REQUIRED + ",\"data_base64\":\"AP8\\u002b\"}")));
        assertThat(event.payload()).containsExactly(0x00, 0xff, 0x3e);
    }

    @Test
    void noDataIsAnEmptyPayload() {
        for (String document : List.of(
                "{" + REQUIRED + "}",
                "{" + REQUIRED + ",\"data_base64\":null}",
                "{" + REQUIRED + ",\"data_base64\":\"\"}")) {
            assertThat(accepted(READER.structured(utf8(document))).payload()).isEmpty();
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
