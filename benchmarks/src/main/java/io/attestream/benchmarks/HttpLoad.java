// SPDX-License-Identifier: Apache-2.0
package io.attestream.benchmarks;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Sends NDJSON or batches to a gateway; every event must be accepted. */
final class HttpLoad {
    private static final int CONNECTIONS = 4;
    private static final byte[] ACCEPTED = "\"status\":\"accepted\"".getBytes(StandardCharsets.US_ASCII);
    /** Below the 512 a gateway holds unanswered in one stream: this client reads no result before it has written all. */
    private static final int REQUEST_EVENTS = 500;

    private final URI gateway;
    private final String token;
    private final Workload workload;
    private final long firstId;
    private final boolean batches;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    /** Is told of every accepted event when its result was read. */
    interface OnAccepted {
        /** @param dueNanos when its request was to begin */
        void accepted(long dueNanos, long nanos, int shard, long offset);
    }

    HttpLoad(URI gateway, String token, int payloadSizeBytes, long firstId, boolean batches) {
        this.gateway = gateway;
        this.token = token;
        this.workload = new Workload(payloadSizeBytes, firstId);
        this.firstId = firstId;
        this.batches = batches;
    }

    private byte[] body(long first, int events) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (int i = 0; i < events; i++) {
            if (batches) {
                body.write(i == 0 ? '[' : ',');
            }
            body.writeBytes(workload.line(firstId + first + i));
        }
        if (batches) {
            body.write(']');
        }
        return body.toByteArray();
    }

    /** @return accepted events a second, from the first request to the last result */
    double asFastAsPossible(int events) throws InterruptedException {
        Deque<byte[]> bodies = new ArrayDeque<>();
        for (int first = 0; first < events; first += REQUEST_EVENTS) {
            bodies.add(body(first, Math.min(REQUEST_EVENTS, events - first)));
        }
        long begun = System.nanoTime();
        long accepted = inThreads(() -> {
            long own = 0;
            for (byte[] body = poll(bodies); body.length > 0; body = poll(bodies)) {
                own += send(body);
            }
            return own;
        });
        double seconds = (System.nanoTime() - begun) / 1e9;
        if (accepted != events) {
            throw new IllegalStateException(accepted + " of " + events + " events were accepted");
        }
        return accepted / seconds;
    }

    private static byte[] poll(Deque<byte[]> bodies) {
        synchronized (bodies) {
            byte[] body = bodies.poll();
            return body == null ? new byte[0] : body;
        }
    }

    private interface Work {
        long run() throws IOException, InterruptedException;
    }

    private static long inThreads(Work work) throws InterruptedException {
        ExecutorService executor = Executors.newFixedThreadPool(CONNECTIONS);
        try {
            List<Future<Long>> parts = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                parts.add(executor.submit(work::run));
            }
            long sum = 0;
            for (Future<Long> part : parts) {
                sum += part.get();
            }
            return sum;
        } catch (ExecutionException e) {
            throw new IllegalStateException("the gateway did not take the events", e.getCause());
        } finally {
            executor.shutdownNow();
        }
    }

    private HttpResponse<InputStream> post(byte[] body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(gateway.resolve("/v1/events"))
                .timeout(Duration.ofMinutes(2))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", batches ? "application/cloudevents-batch+json" : "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        HttpResponse<InputStream> response = http.send(request, HttpResponse.BodyHandlers.ofInputStream());
        if (response.statusCode() != (batches ? 202 : 207)) {
            throw new IOException("answered " + response.statusCode() + ": "
                    + new String(response.body().readNBytes(2_000), StandardCharsets.UTF_8));
        }
        return response;
    }

    /** Counts accepted events without parsing: the generator shares the machine with what it measures. */
    private long send(byte[] body) throws IOException, InterruptedException {
        byte[] answer = post(body).body().readAllBytes();
        long accepted = 0;
        for (int at = next(answer, 0); at >= 0; at = next(answer, at + ACCEPTED.length)) {
            accepted++;
        }
        return accepted;
    }

    private static int next(byte[] answer, int from) {
        for (int at = from; at <= answer.length - ACCEPTED.length; at++) {
            if (answer[at] == ACCEPTED[0]
                    && Arrays.equals(answer, at, at + ACCEPTED.length, ACCEPTED, 0, ACCEPTED.length)) {
                return at;
            }
        }
        return -1;
    }

    /**
     * An open loop: requests begin when they are due, whether or not earlier ones were answered.
     *
     * @param perSecond events
     * @return how many seconds it took, from the first request to the last result
     */
    double atRate(double perSecond, Duration length, OnAccepted listener) throws InterruptedException {
        int perRequest = (int) Math.max(1, Math.min(200, perSecond / 50));
        long intervalNanos = (long) (perRequest * 1e9 / perSecond);
        int requests = (int) (length.toNanos() / intervalNanos);
        List<byte[]> bodies = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            bodies.add(body((long) i * perRequest, perRequest));
        }
        ExecutorService senders = Executors.newFixedThreadPool(16);
        List<Future<Void>> sent = new ArrayList<>();
        long begun = System.nanoTime();
        for (int i = 0; i < requests; i++) {
            long due = begun + i * intervalNanos;
            while (System.nanoTime() < due) {
                LockSupport.parkNanos(due - System.nanoTime());
            }
            byte[] body = bodies.get(i);
            sent.add(senders.submit(() -> sendAndTell(body, perRequest, due, listener)));
        }
        senders.shutdown();
        if (!senders.awaitTermination(2, TimeUnit.MINUTES)) {
            throw new IllegalStateException("the gateway does not keep up");
        }
        for (Future<Void> each : sent) {
            try {
                each.get();
            } catch (ExecutionException e) {
                throw new IllegalStateException("the gateway did not take the events", e.getCause());
            }
        }
        return (System.nanoTime() - begun) / 1e9;
    }

    private Void sendAndTell(byte[] body, int events, long dueNanos, OnAccepted listener)
            throws IOException, InterruptedException {
        int accepted = 0;
        try (BufferedReader results =
                new BufferedReader(new InputStreamReader(post(body).body(), StandardCharsets.ISO_8859_1))) {
            for (String line = results.readLine(); line != null; line = results.readLine()) {
                if (line.contains("\"status\":\"accepted\"")) {
                    accepted++;
                    int href = line.indexOf("/v1/receipts/");
                    String[] parts =
                            line.substring(href, line.indexOf('"', href)).split("/", -1);
                    listener.accepted(
                            dueNanos, System.nanoTime(), Integer.parseInt(parts[4]), Long.parseLong(parts[5]));
                }
            }
        }
        if (accepted != events) {
            throw new IOException(accepted + " of " + events + " events were accepted");
        }
        return null;
    }
}
