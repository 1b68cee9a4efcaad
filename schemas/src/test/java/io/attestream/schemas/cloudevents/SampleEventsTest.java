// SPDX-License-Identifier: Apache-2.0
package io.attestream.schemas.cloudevents;

import static io.attestream.schemas.cloudevents.Forms.READER;
import static io.attestream.schemas.cloudevents.Forms.accepted;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The real events in samples/ are all good. */
class SampleEventsTest {
    private static final Path SAMPLES =
            Path.of(System.getProperty("attestream.home"), "samples", "github-webhooks.ndjson");

    private static List<byte[]> lines() throws IOException {
        byte[] all = Files.readAllBytes(SAMPLES);
        List<byte[]> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < all.length; i++) {
            if (all[i] == '\n') {
                lines.add(Arrays.copyOfRange(all, start, i));
                start = i + 1;
            }
        }
        assertThat(start).as("the file ends with a line break").isEqualTo(all.length);
        return lines;
    }

    @Test
    void allAreAcceptedWithDistinctIdentities() throws IOException {
        Set<List<String>> identities = new HashSet<>();
        for (byte[] line : lines()) {
            CloudEvent event = accepted(READER.structured(line));
            assertThat(identities.add(List.of(event.source(), event.id()))).isTrue();
        }
        assertThat(identities).hasSize(324);
    }

    @Test
    void payloadsAreWhatAnotherParserFindsAndAttributesToo() throws IOException {
        ObjectMapper json = new ObjectMapper();
        for (byte[] line : lines()) {
            CloudEvent event = accepted(READER.structured(line));
            JsonNode whole = json.readTree(line);
            assertThat(json.readTree(event.payload())).isEqualTo(whole.get("data"));
            assertThat(event.payload()[0]).isEqualTo((byte) '{');
            assertThat(event.payload()[event.payload().length - 1]).isEqualTo((byte) '}');
            event.attributes()
                    .forEach((name, value) ->
                            assertThat(whole.get(name).asText()).isEqualTo(value));
            assertThat(event.attributes()).hasSize(whole.size() - 1);
        }
    }

    @Test
    void oneReaderServesManyThreads() throws Exception {
        // given
        List<byte[]> lines = lines();
        List<EventResult> alone = lines.stream().map(READER::structured).toList();
        ExecutorService threads = Executors.newFixedThreadPool(8);

        // when
        try {
            CloudEventReader shared = new CloudEventReader(EventLimits.DEFAULT);
            List<Future<EventResult>> results = new ArrayList<>();
            for (byte[] line : lines) {
                results.add(threads.submit(() -> shared.structured(line)));
            }

            // then
            for (int i = 0; i < results.size(); i++) {
                CloudEvent expected = accepted(alone.get(i));
                CloudEvent event = accepted(results.get(i).get(20, TimeUnit.SECONDS));
                assertThat(event.attributes()).isEqualTo(expected.attributes());
                assertThat(event.payload()).isEqualTo(expected.payload());
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
