// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import static io.attestream.schemas.cloudevents.Forms.READER;
import static io.attestream.schemas.cloudevents.Forms.accepted;
import static io.attestream.schemas.cloudevents.Forms.elements;
import static io.attestream.schemas.cloudevents.Forms.malformed;
import static io.attestream.schemas.cloudevents.Forms.problem;
import static io.attestream.schemas.cloudevents.Forms.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchTest {
    private static String event(String id) {
        return "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/s\",\"type\":\"t\",\"data\":\"" + id
                + "\"}";
    }

    @Test
    void oneBadEventDoesNotTouchTheOthers() {
        // given
        String bad = event("bad").replace("\"type\":\"t\",", "");

        // when
        List<EventResult> results =
                elements(READER.batch(utf8("[" + event("0") + "," + bad + ",7, null ,[]," + event("5") + "]")));

        // then
        assertThat(results).hasSize(6);
        assertThat(accepted(results.get(0)).id()).isEqualTo("0");
        assertThat(problem(results.get(1)).field()).isEqualTo("type");
        assertThat(((EventResult.Refused) results.get(1)).id()).isEqualTo("bad");
        for (int index : new int[] {2, 3, 4}) {
            assertThat(problem(results.get(index)).code()).isEqualTo("malformed");
        }
        assertThat(accepted(results.get(5)).id()).isEqualTo("5");
        assertThat(accepted(results.get(5)).payload()).isEqualTo(utf8("\"5\""));
    }

    @Test
    void aMemberTwiceIsRefusedInItsElementOnly() {
        List<EventResult> results =
                elements(READER.batch(utf8("[" + event("0").replace("{", "{\"id\":\"x\",") + "," + event("1") + "]")));
        assertThat(problem(results.get(0)).code()).isEqualTo("duplicate");
        assertThat(accepted(results.get(1)).id()).isEqualTo("1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]|empty",
                " [ ] |empty",
                "{}|malformed",
                "''|malformed",
                "null|malformed",
                "[{]|malformed",
                "[{},]|malformed",
                "[{}] x|malformed",
                "[{}][{}]|malformed",
                "[{}|malformed"
            })
    void whatIsNoBatchIsRefusedAsAWhole(String json, String code) {
        EventProblem problem = malformed(READER.batch(utf8(json)));
        assertThat(problem.code()).isEqualTo(code);
        assertThat(problem.field()).isEqualTo("body");
    }

    @Test
    void everyTruncationIsRefusedAsAWhole() {
        byte[] whole = utf8("[" + event("0") + "," + event("1") + "]");
        for (int length = 0; length < whole.length; length++) {
            assertThat(malformed(READER.batch(Arrays.copyOf(whole, length))).code())
                    .as("first %d bytes", length)
                    .isEqualTo("malformed");
        }
    }

    @Test
    void invalidUtf8AnywhereRefusesTheWhole() {
        byte[] batch = utf8("[" + event("0") + "," + event("#") + "]");
        for (int i = 0; i < batch.length; i++) {
            if (batch[i] == '#') {
                batch[i] = (byte) 0xff;
            }
        }
        assertThat(malformed(READER.batch(batch)).code()).isEqualTo("malformed");
    }

    @Test
    void hasAsManyEventsAsTheLimitAndNoMore() {
        CloudEventReader reader = new CloudEventReader(new EventLimits(1000, 64, 8192, 1024, 2));
        assertThat(elements(reader.batch(utf8("[" + event("0") + "," + event("1") + "]"))))
                .hasSize(2);
        EventProblem problem =
                malformed(reader.batch(utf8("[" + event("0") + "," + event("1") + "," + event("2") + "]")));
        assertThat(problem.code()).isEqualTo("too-many");
        assertThat(problem.detail()).contains("2");
    }
}
