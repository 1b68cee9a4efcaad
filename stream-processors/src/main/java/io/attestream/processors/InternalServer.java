// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attestream.access.BearerSecret;
import io.attestream.access.SlowClients;
import io.attestream.processors.proofs.Answer;
import io.attestream.processors.proofs.ProofQueries;
import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.tree.LeafIndex;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Health, metrics, and the proof queries for the gateway. Queries need the shared secret as a bearer token; health and metrics
 * say nothing secret. At most 8 queries at a time, 64 waiting; more are sent elsewhere. Probes are never behind them: a burst
 * of queries must not look like a dead process.
 */
final class InternalServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InternalServer.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BASE = "/internal/v1/";
    private static final int QUERIES_MAX = 8;
    private static final int WAITING_MAX = 64;
    private static final int PROBES_MAX = 8;

    static {
        SlowClients.cutOff();
        // Without it an answer on a kept connection waits 40 ms for the client's delayed acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private final HttpServer server;
    private final ThreadPoolExecutor executor;
    private final BearerSecret secret;
    private final Supplier<@Nullable ProofQueries> queries;
    private final Semaphore admitted = new Semaphore(QUERIES_MAX + WAITING_MAX);
    private final Semaphore running = new Semaphore(QUERIES_MAX, true);

    private InternalServer(
            HttpServer server,
            ThreadPoolExecutor executor,
            BearerSecret secret,
            Supplier<@Nullable ProofQueries> queries) {
        this.server = server;
        this.executor = executor;
        this.secret = secret;
        this.queries = queries;
    }

    /**
     * @param queries null as long as this process cannot answer any
     * @param health of each part
     */
    static InternalServer start(
            String host,
            int port,
            BearerSecret secret,
            Supplier<@Nullable ProofQueries> queries,
            Supplier<List<HealthCheck>> health,
            Supplier<String> metrics)
            throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(host, port), WAITING_MAX);
        int threads = QUERIES_MAX + WAITING_MAX + PROBES_MAX;
        ThreadPoolExecutor executor =
                new ThreadPoolExecutor(0, threads, 1, TimeUnit.MINUTES, new SynchronousQueue<>(), task -> {
                    Thread thread = new Thread(task, "internal-http");
                    thread.setDaemon(true);
                    return thread;
                });
        server.setExecutor(executor);
        InternalServer internal = new InternalServer(server, executor, secret, queries);
        server.createContext(BASE, internal::handleQuery);
        server.createContext("/health/live", exchange -> answerHealth(exchange, List.of()));
        server.createContext("/health/ready", exchange -> answerHealth(exchange, health.get()));
        server.createContext(
                "/metrics",
                exchange -> send(
                        exchange,
                        200,
                        "text/plain; version=0.0.4; charset=utf-8",
                        metrics.get().getBytes(StandardCharsets.UTF_8)));
        server.start();
        return internal;
    }

    int port() {
        return server.getAddress().getPort();
    }

    private static void answerHealth(HttpExchange exchange, List<HealthCheck> checks) throws IOException {
        boolean up = checks.stream().allMatch(HealthCheck::up);
        sendJson(
                exchange,
                up ? 200 : 503,
                Map.of(
                        "status",
                        up ? "UP" : "DOWN",
                        "checks",
                        checks.stream().map(HealthCheck::toJson).toList()));
    }

    private void handleQuery(HttpExchange exchange) throws IOException {
        try {
            if (!secret.isPresented(exchange.getRequestHeaders().get("Authorization"))) {
                exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
                sendJson(exchange, 401, Map.of("reason", "unauthorized"));
            } else if (!exchange.getRequestMethod().equals("GET")) {
                sendJson(exchange, 405, Map.of("reason", "method-not-allowed"));
            } else {
                send(exchange, bounded(exchange.getRequestURI()));
            }
        } catch (RuntimeException e) {
            LOG.error("a query failed: {}", exchange.getRequestURI(), e);
            sendJson(exchange, 500, Map.of("reason", "internal-error"));
        }
    }

    private Answer bounded(URI uri) {
        if (!admitted.tryAcquire()) {
            return new Answer.NotHere();
        }
        try {
            running.acquire();
            try {
                return answer(uri.getPath().substring(BASE.length()), parameters(uri.getRawQuery()));
            } finally {
                running.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Answer.NotHere();
        } finally {
            admitted.release();
        }
    }

    private Answer answer(String path, Map<String, String> parameters) {
        ProofQueries proofs = queries.get();
        if (proofs == null) {
            return new Answer.NotHere();
        }
        try {
            String[] parts = path.split("/", 4);
            if (parts.length >= 3 && parts[0].equals("shards")) {
                int shard = shard(parts[1]);
                return shardAnswer(proofs, shard, parts[2], parts.length > 3 ? parts[3] : "", parameters);
            }
            if (parts.length >= 2 && parts[0].equals("ledger")) {
                String rest = String.join("/", Arrays.copyOfRange(parts, 2, parts.length));
                return ledgerAnswer(proofs, parts[1], rest, parameters);
            }
            return new Answer.NotFound("no-such-query");
        } catch (InvalidFormat e) {
            return new Answer.BadRequest(String.valueOf(e.getMessage()));
        }
    }

    private static Answer shardAnswer(
            ProofQueries proofs, int shard, String what, String rest, Map<String, String> parameters)
            throws InvalidFormat {
        return switch (what) {
            case "offsets" -> proofs.position(shard, number("offset", rest));
            case "tiles" -> proofs.shardTile(shard, rest);
            case "inclusion" -> proofs.shardInclusion(shard, index(parameters, "index"), size(parameters, "size"));
            case "consistency" -> proofs.shardConsistency(shard, size(parameters, "first"), size(parameters, "second"));
            case "checkpoint" -> proofs.shardCheckpoint(shard);
            default -> new Answer.NotFound("no-such-query");
        };
    }

    private static Answer ledgerAnswer(ProofQueries proofs, String what, String rest, Map<String, String> parameters)
            throws InvalidFormat {
        return switch (what) {
            case "checkpoint" -> proofs.ledgerCheckpoint();
            case "epochs" -> proofs.epoch(rest.equals("latest") ? null : number("epoch", rest));
            case "covering" -> proofs.covering(shard(parameter(parameters, "shard")), index(parameters, "index"));
            case "packs" -> proofs.pack(shard(parameter(parameters, "shard")), index(parameters, "index"));
            case "tiles" -> proofs.ledgerTile(rest);
            case "inclusion" -> proofs.ledgerInclusion(index(parameters, "epoch"), size(parameters, "size"));
            case "consistency" -> proofs.ledgerConsistency(size(parameters, "first"), size(parameters, "second"));
            default -> new Answer.NotFound("no-such-query");
        };
    }

    private static int shard(String text) throws InvalidFormat {
        long number = number("shard", text);
        if (number > Integer.MAX_VALUE) {
            throw new InvalidFormat("shard", "must be below 2^31");
        }
        return (int) number;
    }

    /** A number below 2^63. */
    private static long number(String name, String text) throws InvalidFormat {
        long number = LeafIndex.parse(text).value();
        if (number < 0) {
            throw new InvalidFormat(name, "must be below 2^63");
        }
        return number;
    }

    private static LeafIndex index(Map<String, String> parameters, String name) throws InvalidFormat {
        return LeafIndex.parse(parameter(parameters, name));
    }

    private static TreeSize size(Map<String, String> parameters, String name) throws InvalidFormat {
        return TreeSize.parse(parameter(parameters, name));
    }

    private static String parameter(Map<String, String> parameters, String name) throws InvalidFormat {
        String value = parameters.get(name);
        if (value == null) {
            throw new InvalidFormat(name, "is missing");
        }
        return value;
    }

    private static Map<String, String> parameters(@Nullable String query) {
        Map<String, String> parameters = new HashMap<>();
        if (query != null) {
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                if (equals > 0) {
                    parameters.put(pair.substring(0, equals), pair.substring(equals + 1));
                }
            }
        }
        return parameters;
    }

    private static void send(HttpExchange exchange, Answer answer) throws IOException {
        if (answer instanceof Answer.Json json) {
            sendJson(exchange, 200, json.members());
        } else if (answer instanceof Answer.Raw raw) {
            send(exchange, 200, raw.mediaType(), raw.bytes());
        } else if (answer instanceof Answer.NotFound missing) {
            sendJson(exchange, 404, Map.of("reason", missing.reason()));
        } else if (answer instanceof Answer.BadRequest bad) {
            sendJson(exchange, 400, Map.of("reason", bad.reason()));
        } else {
            sendJson(exchange, 503, Map.of("reason", "not-here"));
        }
    }

    private static void sendJson(HttpExchange exchange, int status, Map<String, Object> body) throws IOException {
        send(exchange, status, "application/json", JSON.writeValueAsBytes(body));
    }

    private static void send(HttpExchange exchange, int status, String mediaType, byte[] body) throws IOException {
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", mediaType);
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
