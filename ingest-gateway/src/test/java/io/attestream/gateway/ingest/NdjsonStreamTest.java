// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.support.FakeEventLog;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.RepeatedTest;

/** One stream over a request whose pause and resume take their time, while results complete on other threads. */
class NdjsonStreamTest {
    private static final int LINES = 400;

    private final ExecutorService eventLoop = Executors.newSingleThreadExecutor();
    private final ExecutorService acknowledgers = Executors.newFixedThreadPool(4);

    /** What Vert.x does with a request: chunks on the event loop while it flows, the end behind the last. */
    private final class FakeRequest {
        private final List<byte[]> chunks;
        private int next;
        private boolean flowing;
        private boolean ended;
        private Handler<Buffer> onChunk = chunk -> {};
        private Handler<Void> onEnd = end -> {};

        FakeRequest(List<byte[]> chunks) {
            this.chunks = chunks;
        }

        @SuppressWarnings("unchecked")
        HttpServerRequest request() {
            return (HttpServerRequest) Proxy.newProxyInstance(
                    getClass().getClassLoader(),
                    new Class<?>[] {HttpServerRequest.class},
                    (proxy, method, arguments) -> {
                        switch (method.getName()) {
                            case "handler" -> onChunk = (Handler<Buffer>) arguments[0];
                            case "endHandler" -> onEnd = (Handler<Void>) arguments[0];
                            case "pause" -> flow(false);
                            case "resume" -> {
                                // Between the decision to resume and its effect anything may happen.
                                LockSupport.parkNanos(
                                        ThreadLocalRandom.current().nextInt(300_000));
                                flow(true);
                            }
                            default -> {
                                // Nothing else is used.
                            }
                        }
                        return proxy;
                    });
        }

        private synchronized void flow(boolean on) {
            flowing = on;
            if (on) {
                eventLoop.execute(this::deliver);
            }
        }

        private void deliver() {
            byte[] chunk;
            synchronized (this) {
                if (!flowing || ended) {
                    return;
                }
                ended = next == chunks.size();
                chunk = ended ? new byte[0] : chunks.get(next++);
            }
            if (ended) {
                onEnd.handle(null);
            } else {
                onChunk.handle(Buffer.buffer(chunk));
                eventLoop.execute(this::deliver);
            }
        }
    }

    @RepeatedTest(5)
    void linesAreWholeAndInOrderAndOneAtATimeHoweverThreadsInterleave() throws Exception {
        // given
        long seed = System.nanoTime();
        System.out.println("NdjsonStreamTest seed " + seed);
        FakeRequest client = new FakeRequest(chunks(new Random(seed)));
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger atOnce = new AtomicInteger();
        AtomicInteger mostAtOnce = new AtomicInteger();
        FakeEventLog log = new FakeEventLog();
        log.behaving(record -> CompletableFuture.supplyAsync(() -> new AppendResult.Appended(0, 1), acknowledgers));
        Admission.Permit permit = new Admission(1_000, 1_000).open();
        try {
            NdjsonStream stream = new NdjsonStream(
                    client.request(),
                    permit,
                    1_000,
                    4,
                    line -> {
                        mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                        String text = new String(line, StandardCharsets.UTF_8);
                        seen.add(text);
                        atOnce.decrementAndGet();
                        return new Intake.Ready(text, new LogRecord(0, new byte[0], new byte[0]));
                    },
                    new Appender(log, 1),
                    new IngestMetrics(new SimpleMeterRegistry()),
                    new ObjectMapper(),
                    new Draining());

            // when
            List<byte[]> pieces = stream.start().collect().asList().await().atMost(Duration.ofSeconds(60));
            // The writer ends each piece with a line end; inside, lines are whole too.
            List<String> results = pieces.stream()
                    .flatMap(piece -> new String(piece, StandardCharsets.UTF_8).lines())
                    .toList();

            // then
            assertThat(mostAtOnce).hasValue(1);
            assertThat(seen).hasSize(LINES);
            assertThat(results).hasSize(LINES);
            for (int i = 0; i < LINES; i++) {
                assertThat(seen.get(i)).isEqualTo(line(i));
                assertThat(results.get(i))
                        .startsWith("{\"index\":" + i + ",\"id\":\"" + line(i) + "\",\"status\":\"accepted\"");
            }
        } finally {
            eventLoop.shutdownNow();
            acknowledgers.shutdownNow();
        }
    }

    private static String line(int number) {
        return "line-" + number + "-" + "x".repeat(number % 50);
    }

    private static List<byte[]> chunks(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < LINES; i++) {
            text.append(line(i)).append('\n');
        }
        byte[] all = text.toString().getBytes(StandardCharsets.UTF_8);
        List<byte[]> chunks = new ArrayList<>();
        for (int from = 0; from < all.length; ) {
            int to = Math.min(all.length, from + 1 + random.nextInt(60));
            chunks.add(Arrays.copyOfRange(all, from, to));
            from = to;
        }
        return chunks;
    }
}
