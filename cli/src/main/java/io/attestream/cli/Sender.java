// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Sends events in requests of bounded size, and sends again what was not decided: that is safe, an event is logged at most
 * once.
 */
final class Sender {
    /**
     * Below the 512 events a gateway holds unanswered in one stream: Java's HTTP/1.1 client reads no result before it has
     * written the whole request, and a gateway reads no further while its results are not read.
     */
    static final int REQUEST_EVENTS_MAX = 250;

    static final int REQUEST_BYTES_MAX = 4 << 20;
    static final int ATTEMPTS_MAX = 4;
    private static final long FIRST_PAUSE_MILLIS = 200;

    private final Api api;

    Sender(Api api) {
        this.api = api;
    }

    /** Gets the final result of each event, once. */
    @FunctionalInterface
    interface Results {
        /** @param index of the event among all that are sent; {@code result} carries it too */
        void result(long index, JsonNode result);
    }

    /**
     * Sends them all.
     *
     * @param lines one event each
     * @return how many there were
     */
    long send(Iterator<byte[]> lines, Results results) {
        long sent = 0;
        List<byte[]> request = new ArrayList<>();
        int bytes = 0;
        while (lines.hasNext()) {
            byte[] line = lines.next();
            if (request.size() == REQUEST_EVENTS_MAX
                    || (!request.isEmpty() && bytes + line.length > REQUEST_BYTES_MAX)) {
                new Request(sent, request, results).send();
                sent += request.size();
                request = new ArrayList<>();
                bytes = 0;
            }
            request.add(line);
            bytes += line.length;
        }
        if (!request.isEmpty()) {
            new Request(sent, request, results).send();
        }
        return sent + request.size();
    }

    /** The events of one request, until each has its final result. */
    private final class Request {
        private final long firstIndex;
        private final List<byte[]> events;
        private final Results results;
        private final @Nullable JsonNode[] last;
        private List<Integer> open = new ArrayList<>();

        Request(long firstIndex, List<byte[]> events, Results results) {
            this.firstIndex = firstIndex;
            this.events = events;
            this.results = results;
            this.last = new @Nullable JsonNode[events.size()];
            for (int i = 0; i < events.size(); i++) {
                open.add(i);
            }
        }

        void send() {
            for (int attempt = 1; !open.isEmpty(); attempt++) {
                boolean lastAttempt = attempt == ATTEMPTS_MAX;
                sendOpen(lastAttempt);
                if (lastAttempt) {
                    open.forEach(this::giveUp);
                    return;
                }
                if (!open.isEmpty()) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(FIRST_PAUSE_MILLIS << (attempt - 1)));
                }
            }
        }

        private void sendOpen(boolean lastAttempt) {
            List<Integer> asked = open;
            List<Integer> undecided = new ArrayList<>(asked);
            int[] answered = {0};
            try {
                api.append(asked.stream().map(events::get).toList(), result -> {
                    Integer event = asked.get(Math.min(answered[0]++, asked.size() - 1));
                    last[event] = result;
                    if (!result.path("retryable").asBoolean()) {
                        undecided.remove(event);
                        deliver(event, result);
                    }
                });
            } catch (CliException e) {
                if (lastAttempt || e.exitCode() != ExitCode.UNAVAILABLE) {
                    throw e;
                }
            }
            open = undecided;
        }

        private void giveUp(int event) {
            JsonNode result = last[event];
            deliver(
                    event,
                    result != null
                            ? result
                            : JsonNodeFactory.instance
                                    .objectNode()
                                    .put("status", "unknown")
                                    .put("retryable", true));
        }

        private void deliver(int event, JsonNode result) {
            long index = firstIndex + event;
            if (result instanceof ObjectNode object) {
                object.put("index", index);
            }
            results.result(index, result);
        }
    }
}
