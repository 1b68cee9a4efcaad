// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Reading events in tests. */
final class Forms {
    static final CloudEventReader READER = new CloudEventReader(EventLimits.DEFAULT);

    private Forms() {}

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static CloudEvent accepted(EventResult result) {
        assertThat(result).isInstanceOf(EventResult.Accepted.class);
        return ((EventResult.Accepted) result).event();
    }

    static EventProblem problem(EventResult result) {
        assertThat(result).isInstanceOf(EventResult.Refused.class);
        return ((EventResult.Refused) result).problem();
    }

    static List<EventResult> elements(CloudEventReader.BatchResult result) {
        assertThat(result).isInstanceOf(CloudEventReader.BatchResult.Batch.class);
        return ((CloudEventReader.BatchResult.Batch) result).results();
    }

    static EventProblem malformed(CloudEventReader.BatchResult result) {
        assertThat(result).isInstanceOf(CloudEventReader.BatchResult.Malformed.class);
        return ((CloudEventReader.BatchResult.Malformed) result).problem();
    }

    /** Kafka headers from names and values in turn. */
    static Headers headers(String... namesAndValues) {
        RecordHeaders headers = new RecordHeaders();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            headers.add(namesAndValues[i], utf8(namesAndValues[i + 1]));
        }
        return headers;
    }

    /** HTTP headers from names and values in turn. */
    static List<Map.Entry<String, String>> httpHeaders(String... namesAndValues) {
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            headers.add(Map.entry(namesAndValues[i], namesAndValues[i + 1]));
        }
        return headers;
    }
}
