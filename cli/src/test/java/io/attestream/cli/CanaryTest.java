// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attestream.proofs.ledger.KeyHistory;
import io.attestream.proofs.note.NoteVerifier;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A canary that falls silent is taken for a good one by who counts the bad. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class CanaryTest {
    // of the public examples of signed notes
    private static final String KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    private static final String PROBLEM = "application/problem+json";
    private static final String UNKNOWN = "{\"type\":\"urn:attestream:problem:not-found\",\"status\":404}";

    private final BlockingQueue<Canary.Outcome> outcomes = new LinkedBlockingQueue<>();
    private @Nullable ExecutorService sending;

    private void send(int port, Duration interval, Duration limit) throws Exception {
        Api api = new Api(URI.create("http://127.0.0.1:" + port), null);
        sending = new Canary(api, api, KeyHistory.of(NoteVerifier.parse(KEY)))
                .sendEvery(interval, limit, (outcome, nanos) -> outcomes.add(outcome));
    }

    @AfterEach
    void stop() {
        if (sending != null) {
            sending.shutdownNow();
        }
    }

    private void requireOutcomes(int number, Canary.Outcome expected) throws InterruptedException {
        for (int i = 0; i < number; i++) {
            assertThat(outcomes.poll(20, TimeUnit.SECONDS)).isEqualTo(expected);
        }
    }

    @Test
    void aGatewayThatHangsIsSeenByEveryCanary() throws Exception {
        // given: connections are accepted, by the kernel, and nobody answers
        try (ServerSocket hanging = new ServerSocket(0, 200, InetAddress.getLoopbackAddress())) {
            // when
            send(hanging.getLocalPort(), Duration.ofMillis(50), Duration.ofMillis(300));

            // then: also when more hang than may
            requireOutcomes(150, Canary.Outcome.NOT_PROVED);
        }
    }

    @Test
    void aCanaryThatHangsCameToNothingWithinItsLimit() throws Exception {
        try (ServerSocket hanging = new ServerSocket(0, 200, InetAddress.getLoopbackAddress())) {
            send(hanging.getLocalPort(), Duration.ofSeconds(1), Duration.ofMillis(100));
            requireOutcomes(3, Canary.Outcome.NOT_PROVED);
        }
    }

    @Test
    void aGatewayThatIsGoneIsSeenByEveryCanary() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        send(port, Duration.ofMillis(20), Duration.ofSeconds(30));
        requireOutcomes(10, Canary.Outcome.NOT_ACCEPTED);
    }

    /** A gateway that acknowledges everything, and then gives these answers of the receipt, the last one for ever. */
    private Canary.Outcome sendTo(String type, String... receipts) throws Exception {
        return sendTo(Duration.ofSeconds(60), type, receipts);
    }

    private Canary.Outcome sendTo(Duration timeout, String type, String... receipts) throws Exception {
        HttpServer gateway = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        AtomicInteger asked = new AtomicInteger();
        gateway.createContext("/v1/events", exchange -> {
            exchange.getRequestBody().readAllBytes();
            answer(exchange, 207, "application/x-ndjson", "{\"receipt\":{\"href\":\"/v1/receipts/1/0/7\"}}\n");
        });
        gateway.createContext("/v1/receipts/1/0/7", exchange -> {
            String[] receipt = receipts[Math.min(asked.getAndIncrement(), receipts.length - 1)].split(" ", 2);
            answer(exchange, Integer.parseInt(receipt[0]), type, receipt[1]);
        });
        gateway.start();
        try {
            Api api = new Api(
                    URI.create("http://127.0.0.1:" + gateway.getAddress().getPort()), null);
            return new Canary(api, api, KeyHistory.of(NoteVerifier.parse(KEY)), timeout, Duration.ofMillis(300)).send();
        } finally {
            gateway.stop(0);
        }
    }

    private static void answer(HttpExchange exchange, int status, String type, String text) throws IOException {
        try (exchange) {
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Test
    void anEventThatWasAcknowledgedAndIsNotKnownAnyMoreIsLost() throws Exception {
        assertThat(sendTo(PROBLEM, "404 " + UNKNOWN)).isEqualTo(Canary.Outcome.LOST);
        assertThat(sendTo(PROBLEM, "202 {}", "202 {}", "404 " + UNKNOWN))
                .as("also after it was pending")
                .isEqualTo(Canary.Outcome.LOST);
    }

    @Test
    void anEventThatOneGatewayDoesNotKnowYetIsNotLost() throws Exception {
        assertThat(sendTo(PROBLEM, "404 " + UNKNOWN, "202 {}", "500 {}")).isEqualTo(Canary.Outcome.NOT_PROVED);
    }

    /** A gateway that is started anew just then would wake everybody. */
    @Test
    void anEventThatIsUnknownForTheFirstTimeWhenTheTimeIsUpIsNotLostYet() throws Exception {
        assertThat(sendTo(Duration.ZERO, PROBLEM, "404 " + UNKNOWN, "202 {}")).isEqualTo(Canary.Outcome.NOT_PROVED);
        assertThat(sendTo(Duration.ZERO, PROBLEM, "404 " + UNKNOWN))
                .as("and goes on to be so")
                .isEqualTo(Canary.Outcome.LOST);
    }

    @Test
    void aTokenThatDoesNotLetItInSaysNothingOfTheLedger() throws Exception {
        assertThat(sendTo(PROBLEM, "401 {}")).as("as an auditor").isEqualTo(Canary.Outcome.NOT_ALLOWED);
        assertThat(sendTo(PROBLEM, "202 {}", "403 {}")).as("as an auditor").isEqualTo(Canary.Outcome.NOT_ALLOWED);

        // and when it is the producer's
        HttpServer gateway = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        gateway.createContext("/v1/events", exchange -> answer(exchange, 401, PROBLEM, "{\"status\":401}"));
        gateway.start();
        try {
            send(gateway.getAddress().getPort(), Duration.ofMillis(20), Duration.ofSeconds(30));
            requireOutcomes(3, Canary.Outcome.NOT_ALLOWED);
        } finally {
            gateway.stop(0);
        }
    }

    @Test
    void whatIsNoAnswerOfAGatewayLosesNothing() throws Exception {
        assertThat(sendTo("text/html", "404 <html>no such host</html>")).isEqualTo(Canary.Outcome.NOT_PROVED);
        assertThat(sendTo(PROBLEM, "404 {}")).isEqualTo(Canary.Outcome.NOT_PROVED);
        assertThat(sendTo(PROBLEM, "404 nonsense")).isEqualTo(Canary.Outcome.NOT_PROVED);
    }

    @Test
    void aBugInACanaryIsNotTheLastOne() throws Exception {
        // given: no port at all, which is none of the failures that are expected
        send(-1, Duration.ofMillis(20), Duration.ofSeconds(30));
        requireOutcomes(10, Canary.Outcome.NOT_PROVED);
    }
}
