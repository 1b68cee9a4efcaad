// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is sent again, and that every event gets one result. */
class SenderTest {
    private final List<List<String>> requests = new ArrayList<>();
    private final Map<Long, String> results = new TreeMap<>();
    private HttpServer gateway;
    private Answers answers = (request, event) -> "accepted";

    /** The status of an event, null for no result at all. */
    private interface Answers {
        String status(int request, String event);
    }

    @BeforeEach
    void start() throws IOException {
        gateway = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        gateway.createContext("/v1/events", this::answer);
        gateway.start();
    }

    @AfterEach
    void stop() {
        gateway.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        List<String> events = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        requests.add(events);
        StringBuilder body = new StringBuilder();
        int status = 207;
        for (String event : events) {
            String word = answers.status(requests.size(), event);
            if ("overloaded".equals(word)) {
                status = 503;
            } else if (word != null) {
                body.append("{\"index\":0,\"status\":\"%s\",\"retryable\":%s}%n"
                        .formatted(word, word.equals("unavailable")));
            }
        }
        byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private long send(String... events) {
        Api api = new Api(URI.create("http://127.0.0.1:" + gateway.getAddress().getPort()), null);
        return new Sender(api)
                .send(
                        List.of(events).stream()
                                .map(event -> event.getBytes(StandardCharsets.UTF_8))
                                .iterator(),
                        (index, result) -> {
                            assertThat(result.path("index").asLong()).isEqualTo(index);
                            assertThat(results.put(index, result.path("status").asText()))
                                    .as("a second result of event " + index)
                                    .isNull();
                        });
    }

    @Test
    void sendsNoMoreEventsInARequestThanAGatewayHoldsUnanswered() {
        String[] events = IntStream.range(0, 2 * Sender.REQUEST_EVENTS_MAX + 1)
                .mapToObj(Integer::toString)
                .toArray(String[]::new);

        assertThat(send(events)).isEqualTo(events.length);

        assertThat(requests).hasSize(3).allMatch(request -> request.size() <= Sender.REQUEST_EVENTS_MAX);
        assertThat(results).hasSize(events.length);
    }

    @Test
    void sendsOnlyWhatWasNotDecidedAgain() {
        answers = (request, event) -> request == 1 && event.equals("b") ? "unavailable" : "accepted";

        send("a", "b", "c");

        assertThat(requests).containsExactly(List.of("a", "b", "c"), List.of("b"));
        assertThat(results)
                .containsExactly(Map.entry(0L, "accepted"), Map.entry(1L, "accepted"), Map.entry(2L, "accepted"));
    }

    @Test
    void sendsEventsWithoutAResultAgain() {
        answers = (request, event) -> request == 1 && event.equals("c") ? null : "accepted";

        send("a", "b", "c");

        assertThat(requests).containsExactly(List.of("a", "b", "c"), List.of("c"));
        assertThat(results).hasSize(3);
    }

    @Test
    void doesNotSendARefusedEventAgain() {
        answers = (request, event) -> "rejected";

        send("a");

        assertThat(requests).hasSize(1);
        assertThat(results).containsExactly(Map.entry(0L, "rejected"));
    }

    @Test
    void saysWhatStaysUndecided() {
        answers = (request, event) -> "unavailable";

        send("a");

        assertThat(requests).hasSize(Sender.ATTEMPTS_MAX);
        assertThat(results).containsExactly(Map.entry(0L, "unavailable"));
    }

    @Test
    void endsAsUnavailableWhenTheGatewayStaysOverloaded() {
        answers = (request, event) -> "overloaded";

        assertThatThrownBy(() -> send("a"))
                .isInstanceOf(CliException.class)
                .extracting(failure -> ((CliException) failure).exitCode())
                .isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(requests).hasSize(Sender.ATTEMPTS_MAX);
    }
}
