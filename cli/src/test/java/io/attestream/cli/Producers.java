// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Honest producers: each sends one event after the other to the gateways in turn, and the same one again until it is
 * acknowledged; one sends streams of many lines, so slowly that whatever dies finds one in flight. Keeps what was promised.
 */
final class Producers implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long RETRY_NANOS = 50_000_000;
    /** Load enough to have something in every commit; each event's proof is asked for afterwards. */
    private static final long PAUSE_NANOS = 40_000_000;

    private static final int SOURCES = 16;
    private static final int STREAM_LINES = 100;

    private final List<URI> gateways;
    private final String token;
    private final String idPrefix;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private final List<Thread> threads = new ArrayList<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final AtomicLong ids = new AtomicLong();

    /** Receipts by event id; more than one where a retry was acknowledged too. */
    private final Map<String, String> acknowledged = new ConcurrentHashMap<>();
    /** Answers other than 2xx, or that did not come. */
    private final AtomicInteger retries = new AtomicInteger();
    /** Answers that break the contract. */
    private final ConcurrentLinkedQueue<String> broken = new ConcurrentLinkedQueue<>();

    private final AtomicInteger unavailable = new AtomicInteger();

    Producers(List<URI> gateways, String token, String idPrefix) {
        this.gateways = gateways;
        this.token = token;
        this.idPrefix = idPrefix;
    }

    /** @param singles how many send single events, beside the one that streams */
    Producers start(int singles) {
        for (int i = 0; i < singles; i++) {
            threads.add(new Thread(this::produce, "producer-" + i));
        }
        threads.add(new Thread(this::stream, "producer-of-streams"));
        threads.forEach(thread -> {
            thread.setUncaughtExceptionHandler((dead, bug) -> broken.add(dead.getName() + " died: " + bug));
            thread.start();
        });
        return this;
    }

    Map<String, String> acknowledged() {
        return Map.copyOf(acknowledged);
    }

    int acknowledgedCount() {
        return acknowledged.size();
    }

    int retries() {
        return retries.get();
    }

    /** Answers of 503, each with a Retry-After. */
    int unavailable() {
        return unavailable.get();
    }

    /** What was answered against the contract. */
    List<String> broken() {
        return List.copyOf(broken);
    }

    private void produce() {
        int turn = 0;
        while (stop.getCount() > 0) {
            String id = idPrefix + ids.getAndIncrement();
            LockSupport.parkNanos(PAUSE_NANOS);
            while (!send(id, gateways.get(turn++ % gateways.size()))) {
                retries.incrementAndGet();
                if (stop.getCount() == 0) {
                    return;
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private void stream() {
        List<String> unanswered = new ArrayList<>();
        for (int turn = 0; stop.getCount() > 0; turn++) {
            retries.addAndGet(unanswered.size());
            while (unanswered.size() < STREAM_LINES) {
                unanswered.add(idPrefix + ids.getAndIncrement());
            }
            try (EventStream stream = EventStream.open(gateways.get(turn % gateways.size()), token)) {
                CompletableFuture<Void> answers = CompletableFuture.runAsync(() -> answers(stream));
                sendLines(stream, unanswered);
                answers.join();
            } catch (IOException e) {
                LockSupport.parkNanos(RETRY_NANOS); // nobody there
            }
            unanswered.removeIf(acknowledged::containsKey);
        }
    }

    private void sendLines(EventStream stream, List<String> eventIds) {
        try {
            for (String id : eventIds) {
                if (stop.getCount() == 0) {
                    break;
                }
                stream.send(event(id));
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            stream.end();
        } catch (IOException e) {
            // It takes no more; what it took is answered.
        }
    }

    /** A gateway may end a stream early, or refuse it, but says so: what it has begun to answer is never broken off. */
    private void answers(EventStream stream) {
        try {
            if (stream.readStatus() != 207) {
                requireProblem(stream.status(), stream.head());
                return;
            }
        } catch (IOException e) {
            return; // gone before it took anything
        }
        try {
            stream.readResults(this::result);
        } catch (IOException e) {
            broken.add("a stream was broken off: " + e);
        }
    }

    private void result(JsonNode result) {
        String href = result.path("receipt").path("href").asText();
        if (result.path("status").asText().equals("accepted") && !href.isEmpty()) {
            acknowledged.put(result.path("id").asText(), href);
        } else if (!result.path("retryable").asBoolean()) {
            broken.add(result.toString());
        }
    }

    /** Where the event of a single answer went. */
    static String receipt(HttpResponse<String> answer) throws IOException {
        String href = JSON.readTree(answer.body()).at("/results/0/receipt/href").asText();
        if (href.isEmpty()) {
            throw new IOException("there is no receipt in " + answer.body());
        }
        return href;
    }

    /** The event of an id. */
    static String event(String id) {
        int source = Math.floorMod(id.hashCode(), SOURCES);
        return "{\"specversion\":\"1.0\",\"id\":\"" + id + "\",\"source\":\"/spine/" + source
                + "\",\"type\":\"t\",\"data\":{\"id\":\"" + id + "\"}}";
    }

    private boolean send(String id, URI gateway) {
        HttpResponse<String> answer;
        try {
            answer = post(gateway, event(id));
        } catch (IOException e) {
            return false; // nobody there, or gone before it answered: sent again
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
        if (answer.statusCode() / 100 != 2) {
            requireProblem(answer.statusCode(), answer.headers().map() + " " + answer.body());
            return false;
        }
        try {
            acknowledged.put(id, receipt(answer));
        } catch (IOException e) {
            broken.add(answer.statusCode() + " without a receipt: " + e.getMessage());
        }
        return true;
    }

    HttpResponse<String> post(URI gateway, String event) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(gateway.resolve("/v1/events"))
                .timeout(Duration.ofSeconds(60))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/cloudevents+json")
                .POST(HttpRequest.BodyPublishers.ofString(event))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private void requireProblem(int status, String answer) {
        boolean ours = status == 503 || status == 504;
        String lower = answer.toLowerCase(Locale.ROOT);
        if (!ours || !lower.contains("retry-after") || !lower.contains("application/problem+json")) {
            broken.add(status + " " + answer);
        }
        if (status == 503) {
            unavailable.incrementAndGet();
        }
    }

    /** Each producer ends after the event it is at. */
    @Override
    public void close() {
        stop.countDown();
        for (Thread thread : threads) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(90));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            if (thread.isAlive()) {
                throw new IllegalStateException(thread.getName() + " does not end");
            }
        }
    }
}
