// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attestream.gateway.config.GatewayConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Proofs instances that hang: nobody waits for them for ever, and not everybody at once. */
class ProofsClientTest {
    private static final byte[] NOTE = "note".getBytes(StandardCharsets.UTF_8);

    private final List<HttpServer> servers = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch released = new CountDownLatch(1);

    @AfterEach
    void stop() {
        released.countDown();
        servers.forEach(server -> server.stop(0));
        threads.shutdownNow();
    }

    private interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    private String instance(Answer answer) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 128);
            server.setExecutor(threads);
            server.createContext("/", exchange -> {
                try (exchange) {
                    answer.to(exchange);
                }
            });
            server.start();
            servers.add(server);
            return "http://127.0.0.1:" + server.getAddress().getPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitRelease() throws IOException {
        try {
            if (!released.await(60, TimeUnit.SECONDS)) {
                throw new IOException("never released");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static ProofsClient client(String timeout, String... urls) {
        GatewayConfig config = new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withMapping(GatewayConfig.class)
                .withValidateUnknown(false)
                .withDefaultValues(Map.of(
                        "attestream.kafka.bootstrap-servers", "127.0.0.1:1",
                        "attestream.ledger.verifier-key", "k",
                        "attestream.internal.secret-file", "s",
                        "attestream.objects.location", "o",
                        "attestream.door.content-tag-key-file", "t",
                        "attestream.proofs.timeout", timeout,
                        "attestream.proofs.urls", String.join(",", urls)))
                .build()
                .getConfigMapping(GatewayConfig.class);
        return new ProofsClient(config, () -> "secret", new ObjectMapper());
    }

    @Test
    void anInstanceThatStallsInTheMiddleOfItsAnswerIsGivenUpForTheNext() throws Exception {
        // given
        String stalling = instance(exchange -> {
            exchange.sendResponseHeaders(200, 100);
            exchange.getResponseBody().write('n');
            exchange.getResponseBody().flush();
            awaitRelease();
        });
        String good = instance(exchange -> {
            exchange.sendResponseHeaders(200, NOTE.length);
            exchange.getResponseBody().write(NOTE);
        });
        ProofsClient client = client("1s", stalling, good);

        // when
        Future<byte[]> note =
                threads.submit(() -> client.checkpoint(new LogName.Ledger()).orElseThrow());

        // then
        assertThat(note.get(20, TimeUnit.SECONDS)).isEqualTo(NOTE);
    }

    @Test
    void onlySoManyWorkersWaitForInstancesThatHang() {
        // given
        AtomicInteger asked = new AtomicInteger();
        ProofsClient client = client("30s", instance(exchange -> {
            asked.incrementAndGet();
            awaitRelease();
            exchange.sendResponseHeaders(404, -1);
        }));
        List<Future<?>> waiting = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            waiting.add(threads.submit(() -> client.checkpoint(new LogName.Ledger())));
        }
        await().atMost(20, TimeUnit.SECONDS).until(() -> asked.get() == 64);

        // when, then
        assertThatThrownBy(() -> client.checkpoint(new LogName.Ledger()))
                .isInstanceOf(Unavailable.class)
                .hasMessageContaining("too many");
        released.countDown();
        assertThat(waiting).allSatisfy(each -> assertThat(each).succeedsWithin(20, TimeUnit.SECONDS));
    }
}
