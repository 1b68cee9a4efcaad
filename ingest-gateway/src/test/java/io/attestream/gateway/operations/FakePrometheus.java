// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.operations;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The two answers of Prometheus that are asked for, with what a test puts there; or something else altogether. */
final class FakePrometheus implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final List<Object> series = new ArrayList<>();
    private final List<Object> rules = new ArrayList<>();
    private String occurrences = "0";

    FakePrometheus() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        server.setExecutor(threads);
        server.createContext("/api/v1/query", exchange -> {
            boolean increase = exchange.getRequestURI().getQuery().contains("increase(");
            List<Object> result = increase ? List.of(sample(Map.of(), occurrences)) : series;
            answer(exchange, 200, data(Map.of("resultType", "vector", "result", result)));
        });
        server.createContext(
                "/api/v1/rules",
                exchange ->
                        answer(exchange, 200, data(Map.of("groups", List.of(Map.of("name", "g", "rules", rules))))));
        server.start();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** @param labels name, value, name, value… */
    FakePrometheus with(String metric, String value, String... labels) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("__name__", metric);
        for (int i = 0; i < labels.length; i += 2) {
            all.put(labels[i], labels[i + 1]);
        }
        series.add(sample(all, value));
        return this;
    }

    FakePrometheus withOccurrences(String value) {
        occurrences = value;
        return this;
    }

    FakePrometheus withRule(String name, String health, Object... alerts) {
        rules.add(Map.of(
                "name", name, "health", health, "lastError", health.equals("ok") ? "" : "broke", "alerts", alerts));
        return this;
    }

    static Object alert(String state, Map<String, String> labels, Map<String, String> annotations) {
        return Map.of("state", state, "labels", labels, "annotations", annotations, "activeAt", "2026-01-05T09:00:00Z");
    }

    private static Object sample(Map<String, String> labels, String value) {
        return Map.of("metric", labels, "value", List.of(1_767_600_000.5, value));
    }

    private static byte[] data(Object data) throws JsonProcessingException {
        return JSON.writeValueAsBytes(Map.of("status", "success", "data", data));
    }

    /** From now on this, whatever is asked. */
    FakePrometheus answering(int status, String body) {
        return instead(exchange -> answer(exchange, status, body.getBytes(StandardCharsets.UTF_8)));
    }

    /** From now on a body that begins and does not end. */
    FakePrometheus stalling() {
        return instead(exchange -> {
            exchange.sendResponseHeaders(200, 100);
            OutputStream body = exchange.getResponseBody();
            body.write('{');
            body.flush();
            awaitClose();
        });
    }

    private FakePrometheus instead(HttpHandler handler) {
        server.removeContext("/api/v1/query");
        server.removeContext("/api/v1/rules");
        server.createContext("/", handler);
        return this;
    }

    private void awaitClose() throws IOException {
        try {
            if (!closed.await(60, TimeUnit.SECONDS)) {
                throw new IOException("never closed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        try (exchange) {
            exchange.getResponseHeaders().set("Location", "http://127.0.0.1:1/");
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
