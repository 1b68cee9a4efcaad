// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.quota.Quotas;
import io.attestream.gateway.support.FakeEventLog;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
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
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One stream over a request whose pause and resume take their time, while results complete on other threads. */
class NdjsonStreamTest {
    private static final int LINES = 400;
    private static final int UNANSWERED = 4;
    private static final int LINE_MAX_BYTES = 1_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ExecutorService eventLoop = Executors.newSingleThreadExecutor();
    private final ExecutorService acknowledgers = Executors.newFixedThreadPool(4);

    /** What Vert.x does with a request: chunks on the event loop while it flows, the end behind the last. */
    private final class FakeRequest {
        private final List<byte[]> chunks;
        private final int deafFor;
        private int next;
        private boolean flowing;
        private boolean ended;
        private Handler<Buffer> onChunk = chunk -> {};
        private Handler<Void> onEnd = end -> {};

        FakeRequest(List<byte[]> chunks) {
            this(chunks, 0);
        }

        /** @param deafFor so many chunks come in spite of a pause: a resume decided earlier took effect behind it */
        FakeRequest(List<byte[]> chunks, int deafFor) {
            this.chunks = chunks;
            this.deafFor = deafFor;
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
                            case "response" -> {
                                return begunResponse();
                            }
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

        private HttpServerResponse begunResponse() {
            return (HttpServerResponse) Proxy.newProxyInstance(
                    getClass().getClassLoader(),
                    new Class<?>[] {HttpServerResponse.class},
                    (proxy, method, arguments) -> method.getName().equals("headWritten") ? true : proxy);
        }

        synchronized int delivered() {
            return next;
        }

        private synchronized void flow(boolean on) {
            flowing = on || next < deafFor;
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
            Function<byte[], Intake> intake = line -> {
                mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                Intake ready = ready(line, seen);
                atOnce.decrementAndGet();
                return ready;
            };
            NdjsonStream stream = stream(client, permit, intake, log, new ObjectMapper());

            // when
            List<byte[]> pieces = stream.start().collect().asList().await().atMost(PATIENCE);

            // then
            assertThat(mostAtOnce).hasValue(1);
            assertThat(seen).hasSize(LINES);
            requireResultsInOrder(results(pieces), LINES);
            for (int i = 0; i < LINES; i++) {
                assertThat(seen.get(i)).isEqualTo(line(i));
            }
        } finally {
            stopThreads();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7})
    void aClientThatReadsLateGetsWhatGatheredInOnePieceAndIsNotReadAheadOf(int chunksInSpiteOfAPause) throws Exception {
        // given
        int lines = 16;
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        Admission admission = new Admission(1_000, 1_000);
        FakeRequest request = new FakeRequest(wholeLines(lines), chunksInSpiteOfAPause);
        NdjsonStream stream =
                stream(request, admission.open(), line -> ready(line, seen), new FakeEventLog(), new ObjectMapper());
        try {
            // when
            AssertSubscriber<byte[]> client = stream.start().subscribe().withSubscriber(AssertSubscriber.create(0));

            // then: as much is read as may be unanswered, and no more before the client takes a piece
            int taken = 0;
            while (taken < lines) {
                int most = Math.min(lines, taken + UNANSWERED);
                await().atMost(PATIENCE).until(() -> seen.size() >= most);
                assertThat(seen).hasSize(most);
                if (chunksInSpiteOfAPause == 0) {
                    // Resumes that were decided before the pause may still bring some.
                    assertThat(request.delivered()).as("chunks").isLessThanOrEqualTo(most + lines / 2);
                }
                int pieces = client.getItems().size();
                client.request(1);
                await().atMost(PATIENCE).until(() -> client.getItems().size() > pieces);
                taken = results(client.getItems()).size();
            }
            client.awaitCompletion(PATIENCE);
            requireResultsInOrder(results(client.getItems()), lines);
            assertThat(client.getItems()).as("pieces").hasSizeLessThan(lines);
        } finally {
            stopThreads();
        }
    }

    @Test
    void readsNoFurtherWhileSoManyBytesAreUnanswered() throws Exception {
        // given lines of which one and a bit fit into the limit
        int lines = 12;
        byte[] line = ("x".repeat(LINE_MAX_BYTES * 9 / 10) + "\n").getBytes(StandardCharsets.UTF_8);
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<AppendResult>> answers = Collections.synchronizedList(new ArrayList<>());
        FakeEventLog log = new FakeEventLog();
        log.behaving(record -> {
            CompletableFuture<AppendResult> answer = new CompletableFuture<>();
            answers.add(answer);
            return answer;
        });
        NdjsonStream stream = stream(
                new FakeRequest(Collections.nCopies(lines, line)),
                new Admission(1_000, 1_000).open(),
                text -> ready(text, seen),
                log,
                new ObjectMapper());
        try {
            // when
            AssertSubscriber<byte[]> client =
                    stream.start().subscribe().withSubscriber(AssertSubscriber.create(Long.MAX_VALUE));

            // then
            for (int answered = 0; answered < lines; answered++) {
                int most = Math.min(lines, answered + 2);
                await().atMost(PATIENCE).until(() -> answers.size() >= most);
                assertThat(seen).hasSize(most);
                answers.get(answered).complete(new AppendResult.Appended(0, answered));
            }
            client.awaitCompletion(PATIENCE);
            assertThat(results(client.getItems())).hasSize(lines);
        } finally {
            stopThreads();
        }
    }

    @Test
    void aClientThatLeavesGivesItsPermitBackWhenTheLastAnswerCame() throws Exception {
        // given: answers that come one after the other
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<AppendResult>> answers = Collections.synchronizedList(new ArrayList<>());
        FakeEventLog log = new FakeEventLog();
        log.behaving(record -> {
            CompletableFuture<AppendResult> answer = new CompletableFuture<>();
            answers.add(answer);
            return answer;
        });
        Admission admission = new Admission(1_000, 1_000);
        Admission.Permit permit = admission.open();
        assertThat(permit.takeBytes(1_000)).isTrue();
        NdjsonStream stream = stream(
                new FakeRequest(wholeLines(UNANSWERED)), permit, line -> ready(line, seen), log, new ObjectMapper());
        try {
            AssertSubscriber<byte[]> client = stream.start().subscribe().withSubscriber(AssertSubscriber.create(1));
            await().atMost(PATIENCE).until(() -> answers.size() == UNANSWERED);

            // when
            client.cancel();
            for (CompletableFuture<AppendResult> answer : answers) {
                assertThat(admission.bytesInFlight()).isEqualTo(1_000);
                answer.complete(new AppendResult.Appended(0, 1));
            }

            // then
            await().atMost(PATIENCE).until(() -> admission.bytesInFlight() == 0);
        } finally {
            stopThreads();
        }
    }

    @Test
    void aBugAmidAPieceFailsTheStreamAndGivesThePermitBack() throws Exception {
        // given: a result that cannot be written, behind one in the same piece that can
        ObjectMapper json = new ObjectMapper() {
            @Override
            public byte[] writeValueAsBytes(Object value) throws JsonProcessingException {
                if (((ResultItem) value).index() == 2) {
                    throw new JsonMappingException(null, "as a bug would");
                }
                return super.writeValueAsBytes(value);
            }
        };
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        Admission admission = new Admission(1_000, 1_000);
        Admission.Permit permit = admission.open();
        assertThat(permit.takeBytes(1_000)).isTrue();
        NdjsonStream stream = stream(
                new FakeRequest(wholeLines(UNANSWERED)), permit, line -> ready(line, seen), new FakeEventLog(), json);
        try {
            AssertSubscriber<byte[]> client = stream.start().subscribe().withSubscriber(AssertSubscriber.create(0));
            await().atMost(PATIENCE).until(() -> seen.size() == UNANSWERED);

            // when
            client.request(2);

            // then
            client.awaitFailure(PATIENCE);
            assertThat(results(client.getItems())).hasSize(1);
            assertThat(admission.bytesInFlight()).isZero();
        } finally {
            stopThreads();
        }
    }

    private static NdjsonStream stream(
            FakeRequest client,
            Admission.Permit permit,
            Function<byte[], Intake> intake,
            EventLog log,
            ObjectMapper json) {
        return new NdjsonStream(
                client.request(),
                permit,
                LINE_MAX_BYTES,
                UNANSWERED,
                intake,
                new Appender(log, 1, Quotas.Account.UNLIMITED),
                new IngestMetrics(new SimpleMeterRegistry()),
                json,
                new Draining());
    }

    private static Intake ready(byte[] line, List<String> seen) {
        String text = new String(line, StandardCharsets.UTF_8);
        seen.add(text);
        return new Intake.Ready(text, new LogRecord(0, new byte[0], new byte[0]));
    }

    /** The writer ends each piece with a line end; inside, lines are whole too. */
    private static List<String> results(List<byte[]> pieces) {
        return pieces.stream()
                .flatMap(piece -> new String(piece, StandardCharsets.UTF_8).lines())
                .toList();
    }

    private static void requireResultsInOrder(List<String> results, int lines) {
        assertThat(results).hasSize(lines);
        for (int i = 0; i < lines; i++) {
            assertThat(results.get(i))
                    .startsWith("{\"index\":" + i + ",\"id\":\"" + line(i) + "\",\"status\":\"accepted\"");
        }
    }

    private void stopThreads() {
        eventLoop.shutdownNow();
        acknowledgers.shutdownNow();
    }

    private static List<byte[]> wholeLines(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> (line(i) + "\n").getBytes(StandardCharsets.UTF_8))
                .toList();
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
