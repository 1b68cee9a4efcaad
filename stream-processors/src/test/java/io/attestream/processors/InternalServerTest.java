// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.access.BearerSecret;
import io.attestream.processors.proofs.ProofQueries;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InternalServerTest {
    private static final String SECRET = "c2VjcmV0LW9mLTE2LWJ5dGVz";
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private boolean up = true;
    private volatile Runnable atQuery = () -> {};
    private @Nullable ProofQueries queries;
    private InternalServer server;

    @TempDir
    private Path directory;

    @BeforeEach
    void start() throws IOException {
        BearerSecret secret = BearerSecret.read(Files.writeString(directory.resolve("secret"), SECRET));
        server = InternalServer.start(
                "127.0.0.1",
                0,
                secret,
                () -> {
                    atQuery.run();
                    return queries;
                },
                () -> List.of(new HealthCheck("sequencer", up, Map.of("state", up ? "RUNNING" : "REBALANCING"))),
                () -> "a_metric 1\n");
        // No store is here: whatever passes the parsing is answered "not here".
        queries = new ProofQueries(
                new ProofQueries.Stores() {
                    @Override
                    public ReadOnlyKeyValueStore<Bytes, byte[]> shard(int shard) {
                        throw new InvalidStateStoreException("none");
                    }

                    @Override
                    public boolean settling() {
                        return false;
                    }

                    @Override
                    public ReadOnlyKeyValueStore<Bytes, byte[]> ledger() {
                        throw new InvalidStateStoreException("none");
                    }
                },
                new TestLedger(2, 256).definition(),
                Optional.empty());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private HttpResponse<String> get(String path, @Nullable String authorization) throws Exception {
        return send(HttpRequest.newBuilder().GET(), path, authorization);
    }

    private HttpResponse<String> send(HttpRequest.Builder request, String path, @Nullable String authorization)
            throws Exception {
        request.uri(URI.create("http://127.0.0.1:" + server.port() + path)).timeout(Duration.ofSeconds(10));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> query(String path) throws Exception {
        return get("/internal/v1/" + path, "Bearer " + SECRET);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Bearer", "Bearer wrong", "Basic " + SECRET, "Bearer " + SECRET + "x"})
    void answersNoQueryWithoutTheSecret(String authorization) throws Exception {
        HttpResponse<String> answer =
                get("/internal/v1/ledger/checkpoint", authorization.isEmpty() ? null : authorization);
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
        assertThat(answer.body()).isEqualTo("{\"reason\":\"unauthorized\"}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/internal/v1/",
                "/internal/v1/ledger/checkpoint",
                "/internal/v1/shards/0/offsets/7",
                "/internal/v1/shards/0/tiles/0/000.p/5",
                "/internal%2fv1/ledger/checkpoint",
                "/internal/v1%2fledger/checkpoint",
                "//internal/v1/ledger/checkpoint",
                "/internal//v1/ledger/checkpoint",
                "/internal/./v1/ledger/checkpoint",
                "/internal/v1;x=1/ledger/checkpoint",
                "/health/live/../../internal/v1/ledger/checkpoint",
                "/metrics/../internal/v1/ledger/checkpoint",
                "/metrics%2f..%2finternal/v1/ledger/checkpoint",
                "/%69nternal/v1/ledger/checkpoint",
                "/INTERNAL/v1/ledger/checkpoint",
                "http://localhost/internal/v1/ledger/checkpoint"
            })
    void noSpellingOfAQueryIsAnsweredWithoutTheSecret(String path) throws IOException {
        AtomicInteger asked = new AtomicInteger();
        atQuery = asked::incrementAndGet;
        for (String method : List.of("GET", "HEAD", "POST", "OPTIONS", "FOO")) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                socket.setSoTimeout(10_000);
                // when
                socket.getOutputStream()
                        .write((method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                                .getBytes(StandardCharsets.ISO_8859_1));
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

                // then it is refused, or taken for the page that everybody may see
                assertThat(answer).as(method).matches("(?s)HTTP/1\\.1 (200|400|401|404) .*");
                assertThat(answer).as(method).doesNotContain("not-here", "no-such-query");
            }
        }
        assertThat(asked).hasValue(0);
    }

    @ParameterizedTest
    @CsvSource({
        "ledger/checkpoint, 503",
        "ledger/epochs/latest, 503",
        "ledger/epochs/0, 503",
        "ledger/covering?shard=0&index=0, 503",
        "ledger/inclusion?epoch=0&size=1, 503",
        "ledger/consistency?first=1&second=2, 503",
        "ledger/tiles/0/000.p/5, 503",
        "shards/0/offsets/7, 503",
        "shards/1/tiles/0/x001/234, 503",
        "shards/1/inclusion?index=0&size=1, 503",
        "shards/1/consistency?first=1&second=2, 503",
        "shards/0/checkpoint, 503",
        "shards/2/offsets/7, 404",
        "shards/0/else, 404",
        "else, 404",
        "'', 404",
        "shards/-1/offsets/7, 400",
        "shards/4294967296/offsets/7, 400",
        "shards/18446744073709551615/offsets/7, 400",
        "shards/0/offsets/, 400",
        "shards/0/offsets/07, 400",
        "shards/0/offsets/18446744073709551615, 400",
        "shards/0/inclusion?index=0, 400",
        "shards/0/inclusion?index=0&size=x, 400",
        "ledger/epochs/, 400",
        "ledger/epochs/18446744073709551615, 400",
        "ledger/covering?shard=4294967296&index=0, 400",
    })
    void answersEachQueryWithItsStatus(String path, int status) throws Exception {
        HttpResponse<String> answer = query(path);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
        assertThat(answer.body()).startsWith("{\"reason\":");
    }

    @Test
    void sendsTheCallerElsewhereWhileItCannotAnswer() throws Exception {
        queries = null;
        HttpResponse<String> answer = query("ledger/checkpoint");
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).isEqualTo("{\"reason\":\"not-here\"}");
    }

    @Test
    void takesNothingButGet() throws Exception {
        HttpRequest.Builder post = HttpRequest.newBuilder().POST(HttpRequest.BodyPublishers.ofString("x"));
        assertThat(send(post, "/internal/v1/ledger/checkpoint", "Bearer " + SECRET)
                        .statusCode())
                .isEqualTo(405);
    }

    @Test
    void tellsHealthAndMetricsToAnybody() throws Exception {
        assertThat(get("/health/live", null).statusCode()).isEqualTo(200);
        HttpResponse<String> ready = get("/health/ready", null);
        assertThat(ready.statusCode()).isEqualTo(200);
        assertThat(ready.body()).contains("\"name\":\"sequencer\"", "\"status\":\"UP\"", "\"state\":\"RUNNING\"");
        up = false;
        assertThat(get("/health/ready", null).statusCode()).isEqualTo(503);
        assertThat(get("/health/live", null).statusCode()).isEqualTo(200);
        assertThat(get("/metrics", null).body()).isEqualTo("a_metric 1\n");
    }

    @Test
    void answersProbesAndTurnsQueriesAwayWhenTooManyQueriesWait() throws Exception {
        // given: 8 queries that hang and 64 behind them
        CountDownLatch hang = new CountDownLatch(1);
        CountDownLatch hanging = new CountDownLatch(8);
        atQuery = () -> {
            hanging.countDown();
            awaitOrFail(hang);
        };
        List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
        HttpRequest query = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + server.port() + "/internal/v1/ledger/checkpoint"))
                .header("Authorization", "Bearer " + SECRET)
                .timeout(Duration.ofSeconds(30))
                .build();
        try {
            for (int i = 0; i < 80; i++) {
                waiting.add(HTTP.sendAsync(query, HttpResponse.BodyHandlers.ofString()));
            }
            assertThat(hanging.await(10, TimeUnit.SECONDS)).isTrue();

            // when, then: what is too much is answered at once, and so are probes
            Awaitility.await("the rest is turned away")
                    .atMost(Duration.ofSeconds(10))
                    .until(() ->
                            waiting.stream().filter(CompletableFuture::isDone).count() == 8);
            assertThat(get("/health/live", null).statusCode()).isEqualTo(200);
            assertThat(query("ledger/checkpoint").body()).isEqualTo("{\"reason\":\"not-here\"}");
        } finally {
            hang.countDown();
        }
        for (CompletableFuture<HttpResponse<String>> one : waiting) {
            assertThat(one.join().statusCode()).isEqualTo(503);
        }
    }

    private static void awaitOrFail(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
