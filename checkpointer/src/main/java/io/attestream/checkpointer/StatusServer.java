// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attestream.access.BearerSecret;
import io.attestream.access.SlowClients;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * {@code GET /health/live}, {@code /health/ready} and {@code /metrics}; {@code GET /snapshots} tells of the newest, {@code POST
 * /snapshots} asks for one, and needs the shared secret as a bearer token. Nothing else, and nothing secret.
 */
final class StatusServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BACKLOG = 16;
    private static final int THREADS = 8;

    static {
        SlowClients.cutOff();
    }

    private final HttpServer server;
    private final ExecutorService executor;

    private StatusServer(HttpServer server, ExecutorService executor) {
        this.server = server;
        this.executor = executor;
    }

    /**
     * What is told, and what can be asked for.
     *
     * @param requestSnapshot returns at once; asking twice before one is taken is asking once
     * @param secret of those who may ask; nobody may without
     */
    record Pages(
            Supplier<List<Health>> live,
            Supplier<List<Health>> ready,
            Supplier<String> metrics,
            Supplier<Map<String, Object>> snapshots,
            Runnable requestSnapshot,
            Optional<BearerSecret> secret) {}

    static StatusServer start(String host, int port, Pages pages) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(host, port), BACKLOG);
        ExecutorService executor = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "status");
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(executor);
        server.createContext("/", exchange -> {
            try (exchange) {
                answer(exchange, pages);
            }
        });
        server.start();
        return new StatusServer(server, executor);
    }

    int port() {
        return server.getAddress().getPort();
    }

    private static void answer(HttpExchange exchange, Pages pages) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        if (method.equals("POST") && path.equals("/snapshots")) {
            requestSnapshot(exchange, pages);
            return;
        }
        if (!method.equals("GET")) {
            exchange.getResponseHeaders().set("Allow", path.equals("/snapshots") ? "GET, POST" : "GET");
            send(exchange, 405, "application/json", "{\"reason\":\"method-not-allowed\"}");
            return;
        }
        switch (path) {
            case "/health/live" -> sendHealth(exchange, pages.live().get());
            case "/health/ready" -> sendHealth(exchange, pages.ready().get());
            case "/snapshots" ->
                send(
                        exchange,
                        200,
                        "application/json",
                        JSON.writeValueAsString(pages.snapshots().get()));
            case "/metrics" ->
                send(
                        exchange,
                        200,
                        "text/plain; version=0.0.4; charset=utf-8",
                        pages.metrics().get());
            default -> send(exchange, 404, "application/json", "{\"reason\":\"not-found\"}");
        }
    }

    private static void requestSnapshot(HttpExchange exchange, Pages pages) throws IOException {
        List<String> authorization = exchange.getRequestHeaders().get("Authorization");
        if (!pages.secret().map(secret -> secret.isPresented(authorization)).orElse(false)) {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
            send(exchange, 401, "application/json", "{\"reason\":\"unauthorized\"}");
            return;
        }
        // A page in a browser cannot send this type without being allowed to.
        if (!"application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type"))) {
            send(exchange, 415, "application/json", "{\"reason\":\"content-type-must-be-application/json\"}");
            return;
        }
        pages.requestSnapshot().run();
        send(
                exchange,
                202,
                "application/json",
                JSON.writeValueAsString(pages.snapshots().get()));
    }

    private static void sendHealth(HttpExchange exchange, List<Health> checks) throws IOException {
        boolean up = checks.stream().allMatch(Health::up);
        List<Map<String, Object>> items = checks.stream()
                .map(check -> Map.<String, Object>of(
                        "name", check.name(), "status", check.up() ? "UP" : "DOWN", "data", check.data()))
                .toList();
        String body = JSON.writeValueAsString(Map.of("status", up ? "UP" : "DOWN", "checks", items));
        send(exchange, up ? 200 : 503, "application/json", body);
    }

    private static void send(HttpExchange exchange, int status, String type, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
