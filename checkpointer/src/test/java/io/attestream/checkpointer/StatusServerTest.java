// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.access.BearerSecret;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatusServerTest {
    private final AtomicBoolean up = new AtomicBoolean(true);
    private final AtomicInteger requests = new AtomicInteger();
    private StatusServer server;

    @TempDir
    private Path directory;

    @BeforeEach
    void start() throws IOException {
        BearerSecret secret = BearerSecret.read(Files.writeString(directory.resolve("secret"), "s3cret-of-16-bytes"));
        server = StatusServer.start(
                "127.0.0.1",
                0,
                new StatusServer.Pages(
                        () -> List.of(new Health("reading", true, Map.of())),
                        () -> List.of(new Health("replay", up.get(), Map.of("epoch", 7L))),
                        () -> "attestream_checkpointer_epoch 7.0\n",
                        () -> Map.of("newestEpoch", requests.get()),
                        requests::incrementAndGet,
                        Optional.of(secret)));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void saysUpWithTheChecksAndTheirData() throws Exception {
        // when
        HttpResponse<String> answer = get("/health/ready");

        // then
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("\"status\":\"UP\"", "\"name\":\"replay\"", "\"epoch\":7");
    }

    @Test
    void asksForASnapshotWhenPostedToAndTellsOfTheNewestOtherwise() throws Exception {
        // when
        HttpResponse<String> before = get("/snapshots");
        HttpResponse<String> posted = post("s3cret-of-16-bytes", "application/json");
        HttpResponse<String> byAPage = post("s3cret-of-16-bytes", "text/plain");

        // then
        assertThat(before.body()).isEqualTo("{\"newestEpoch\":0}");
        assertThat(posted.statusCode()).isEqualTo(202);
        assertThat(posted.body()).isEqualTo("{\"newestEpoch\":1}");
        assertThat(byAPage.statusCode()).isEqualTo(415);
        assertThat(requests).hasValue(1);
    }

    @Test
    void nobodyAsksForASnapshotWithoutTheSecret() throws Exception {
        assertThat(post("other", "application/json").statusCode()).isEqualTo(401);
        assertThat(post("", "application/json").statusCode()).isEqualTo(401);
        assertThat(requests).hasValue(0);

        // and if there is none, nobody can
        server.close();
        server = StatusServer.start(
                "127.0.0.1",
                0,
                new StatusServer.Pages(
                        List::of, List::of, () -> "", Map::of, requests::incrementAndGet, Optional.empty()));
        assertThat(post("s3cret-of-16-bytes", "application/json").statusCode()).isEqualTo(401);
        assertThat(requests).hasValue(0);
    }

    private HttpResponse<String> post(String secret, String contentType) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/snapshots"))
                                .header("Content-Type", contentType)
                                .header("Authorization", "Bearer " + secret)
                                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void saysDownWith503WhenOneCheckIsDown() throws Exception {
        // given
        up.set(false);

        // when
        HttpResponse<String> ready = get("/health/ready");
        HttpResponse<String> live = get("/health/live");

        // then
        assertThat(ready.statusCode()).isEqualTo(503);
        assertThat(ready.body()).contains("DOWN");
        assertThat(live.statusCode()).isEqualTo(200);
    }

    @Test
    void servesMetricsAndNothingElse() throws Exception {
        assertThat(get("/metrics").body()).contains("attestream_checkpointer_epoch 7.0");
        assertThat(get("/").statusCode()).isEqualTo(404);
        assertThat(get("/health/ready/../../etc").statusCode()).isEqualTo(404);
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(Duration.ofSeconds(5))
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }
}
