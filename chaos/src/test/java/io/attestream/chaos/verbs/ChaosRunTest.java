// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How long a fault lasts, and what ends it early. */
class ChaosRunTest {
    @TempDir
    private Path data;

    private VictimCluster cluster;
    private HttpServer watched;
    private final AtomicInteger looks = new AtomicInteger();
    private volatile int goodLooks = Integer.MAX_VALUE;

    @BeforeEach
    void start() throws IOException {
        cluster = new VictimCluster(data);
        watched = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        watched.createContext("/", exchange -> {
            exchange.sendResponseHeaders(looks.incrementAndGet() <= goodLooks ? 200 : 503, -1);
            exchange.close();
        });
        watched.start();
    }

    @AfterEach
    void stop() {
        watched.stop(0);
        cluster.close();
    }

    private URI url() {
        return URI.create("http://127.0.0.1:" + watched.getAddress().getPort() + "/ok");
    }

    private ChaosResult run(Duration lasts, Optional<URI> abortWhen) {
        return new ChaosRun(LocalTarget.of(data), lasts, abortWhen, line -> {})
                .run(Verb.PAUSE, "processors-0", Parameters.DEFAULT);
    }

    @Test
    void itLastsAsLongAsItIsTo() throws Exception {
        long begun = System.nanoTime();
        ChaosResult result = run(Duration.ofMillis(1_200), Optional.of(url()));
        assertThat(System.nanoTime() - begun)
                .isBetween(
                        Duration.ofMillis(1_200).toNanos(),
                        Duration.ofSeconds(20).toNanos());
        assertThat(result).isInstanceOf(ChaosResult.Done.class);
        assertThat(((ChaosResult.Done) result).undone()).containsExactly("let processors-0 go on");
        assertThat(looks.get()).isGreaterThan(2);
        cluster.awaitNotStopped();
    }

    @Test
    void itIsUndoneWhenTheAbortConditionHolds() throws Exception {
        goodLooks = 2;
        long begun = System.nanoTime();
        ChaosResult result = run(Duration.ofMinutes(5), Optional.of(url()));
        assertThat(System.nanoTime() - begun).isLessThan(Duration.ofSeconds(60).toNanos());
        assertThat(result).isInstanceOf(ChaosResult.Aborted.class);
        assertThat(((ChaosResult.Aborted) result).reason()).isEqualTo(url() + " answers 503");
        cluster.awaitNotStopped();
        assertThat(cluster.journal()).doesNotExist();
    }

    @Test
    void itIsUndoneWhenNobodyAnswersWhetherTheAbortConditionHolds() throws Exception {
        ChaosResult result = new ChaosRun(
                        LocalTarget.of(data),
                        Duration.ofMinutes(5),
                        Optional.of(url()),
                        line -> watched.stop(0)) // once it has begun
                .run(Verb.PAUSE, "processors-0", Parameters.DEFAULT);
        assertThat(result).isInstanceOf(ChaosResult.Aborted.class);
        cluster.awaitNotStopped();
    }

    @Test
    void itDoesNotBeginWhenTheAbortConditionHoldsAlready() throws Exception {
        goodLooks = 0;
        assertThat(run(Duration.ofMinutes(5), Optional.of(url()))).isInstanceOf(ChaosResult.Refused.class);
        assertThat(data.resolve("chaos")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, 999, 600_001})
    void itNeverLastsLongerThanTenMinutesNorLessThanASecond(long millis) {
        assertThatThrownBy(() -> run(Duration.ofMillis(millis), Optional.empty()))
                .isInstanceOf(ChaosRefused.class)
                .hasMessageContaining("1 s to 10 min");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ok", "file:///etc/passwd", "http:///x"})
    void whatCannotBeWatchedIsRefused(String url) {
        assertThatThrownBy(() -> run(Duration.ofSeconds(1), Optional.of(URI.create(url))))
                .isInstanceOf(ChaosRefused.class);
    }

    @Test
    void strengthsOutOfTheirLimitsAreRefused() {
        assertThatThrownBy(() -> Parameters.DEFAULT.withPercent(96)).isInstanceOf(ChaosRefused.class);
        assertThatThrownBy(() -> Parameters.DEFAULT.withPercent(0)).isInstanceOf(ChaosRefused.class);
        assertThatThrownBy(() -> Parameters.DEFAULT.withRate(0)).isInstanceOf(ChaosRefused.class);
        assertThatThrownBy(() -> Parameters.DEFAULT.withSkew(Duration.ofDays(2)))
                .isInstanceOf(ChaosRefused.class);
        assertThatThrownBy(() -> Parameters.DEFAULT.withSkew(Duration.ZERO)).isInstanceOf(ChaosRefused.class);
        assertThatThrownBy(() -> Parameters.DEFAULT.withDelay(Duration.ofSeconds(1), Duration.ofSeconds(2)))
                .isInstanceOf(ChaosRefused.class);
        assertThatThrownBy(() -> Parameters.DEFAULT.withDelay(Duration.ofSeconds(61), Duration.ZERO))
                .isInstanceOf(ChaosRefused.class);
        assertThatThrownBy(() -> Parameters.DEFAULT.withDirectory("relative")).isInstanceOf(ChaosRefused.class);
        assertThatThrownBy(() -> Verb.of("destroy"))
                .isInstanceOf(ChaosRefused.class)
                .extracting(refused -> ((ChaosRefused) refused).next())
                .asString()
                .contains("clock-skew");
    }
}
