// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever a server does, the source answers in time, with so many bytes at most. */
@Timeout(30)
class HttpCheckpointSourceTest {
    private static final int TOO_MANY = (1 << 20) + 1;

    private final CountDownLatch end = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicReference<String> asked = new AtomicReference<>();
    private HttpServer server;

    private interface Answer {
        void to(HttpExchange exchange) throws IOException, InterruptedException;
    }

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        server.setExecutor(threads);
        server.start();
    }

    @AfterEach
    void stop() {
        end.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    @Test
    void asksAtTheGivenPathWithTheToken() throws Exception {
        // given
        serve(exchange -> {
            asked.set(exchange.getRequestURI() + " "
                    + exchange.getRequestHeaders().getFirst("Authorization"));
            send(exchange, 200, "yes".getBytes(StandardCharsets.UTF_8));
        });

        // then
        assertThat(source(5_000).shardConsistency(3, 4, 5)).hasValue("yes".getBytes(StandardCharsets.UTF_8));
        assertThat(asked).hasValue("/base/v1/proofs/consistency?shard=3&first=4&second=5 Bearer token");
    }

    @Test
    void nothingThereIsEmptyAndEveryOtherStatusIsNoAnswer() throws Exception {
        // given
        serve(exchange -> send(exchange, exchange.getRequestURI().getPath().endsWith("7") ? 404 : 503, new byte[1]));

        // then
        assertThat(source(5_000).epoch(7)).isEmpty();
        assertThatThrownBy(source(5_000)::checkpoint)
                .isInstanceOf(IOException.class)
                .hasMessage("GET v1/checkpoint answered 503");
    }

    @Test
    void anAnswerThatIsTooLargeIsNoAnswer() {
        // given
        serve(exchange -> send(exchange, 200, new byte[TOO_MANY]));

        // then
        assertThatThrownBy(source(20_000)::checkpoint)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("more than 1048576 bytes");
    }

    @Test
    void anAnswerThatBeginsAndNeverEndsIsNoAnswer() {
        // given
        serve(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write('x');
            exchange.getResponseBody().flush();
            end.await(20, TimeUnit.SECONDS);
        });

        // then
        assertThatThrownBy(source(500)::checkpoint)
                .isInstanceOf(IOException.class)
                .hasMessage("GET v1/checkpoint was not answered within 500 ms");
    }

    private HttpCheckpointSource source(long timeoutMillis) {
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/base");
        return new HttpCheckpointSource(base, Optional.of("token"), Duration.ofMillis(timeoutMillis));
    }

    private void serve(Answer answer) {
        server.createContext("/", exchange -> {
            try (exchange) {
                answer.to(exchange);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
