// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import static io.attestream.schemas.cloudevents.Forms.READER;
import static io.attestream.schemas.cloudevents.Forms.accepted;
import static io.attestream.schemas.cloudevents.Forms.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Attributes of structured events become strings, and stay as they were sent. */
class AttributesTest {
    private static CloudEvent read(String members) {
        return accepted(READER.structured(
                utf8("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"," + members + "}")));
    }

    @Test
    void booleansAndIntegersInExtensionsBecomeTheirCanonicalStrings() {
        CloudEvent event = read("\"a\":true,\"b\":false,\"c\":-2147483648,\"d\":2147483647,\"e\":-0");
        assertThat(event.attributes())
                .containsAllEntriesOf(
                        Map.of("a", "true", "b", "false", "c", "-2147483648", "d", "2147483647", "e", "0"));
    }

    @Test
    void nullIsAnAbsentAttribute() {
        assertThat(read("\"subject\":null,\"ext\":null").attributes())
                .containsOnlyKeys("specversion", "id", "source", "type");
    }

    @Test
    void valuesAreKeptVerbatim() {
        // given: not normalised to one form of Unicode, no case, no path or time made canonical
        CloudEvent event = read("\"subject\":\" e\\u0301 é \\ud83d\\ude00 \",\"dataschema\":\"HTTP://X/%7e/../a\"");

        // then
        assertThat(event.attributes())
                .containsEntry("subject", " e\u0301 é 😀 ")
                .containsEntry("dataschema", "HTTP://X/%7e/../a");
    }

    @Test
    void contentTypeIsNotInvented() {
        assertThat(read("\"data\":{}").attributes()).doesNotContainKey("datacontenttype");
    }

    @Test
    void namesAndValuesMayBeAsLongAsTheLimit() {
        CloudEvent event = read("\"abcdefghijklmnopqrst\":\"x\",\"subject\":\"" + "x".repeat(8192)
                + "\",\"partitionkey\":\"" + "x".repeat(1024) + "\"");
        assertThat(event.attributes()).hasSize(7);
    }

    @Test
    void limitsThatAllowNothingAreRefused() {
        assertThatThrownBy(() -> new EventLimits(0, 64, 8192, 1024, 1000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("payload 0 bytes");
        assertThatThrownBy(() -> new EventLimits(1, 3, 8192, 1024, 1000)).isInstanceOf(IllegalArgumentException.class);
    }
}
