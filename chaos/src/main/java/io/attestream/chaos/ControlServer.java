// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lets who may read the cluster's keys look at its processes and start them again: they are children of the launcher, nobody else
 * can; and have new tokens. On loopback, one request with the token at a time; requests that never end hold up nobody.
 *
 * <ul>
 *   <li>{@code GET /processes}: name, whether it lives, whether it is ready
 *   <li>{@code POST /processes/<name>/restart}: answers when it is ready again
 *   <li>{@code POST /processes/<name>/stop}: answers when it has ended
 *   <li>{@code POST /tokens/rotate}: a new key of the identity provider, and new tokens
 * </ul>
 */
final class ControlServer implements AutoCloseable {
    private static final int BACKLOG = 16;
    /** A request's head is read by a thread of these, whoever sends it. */
    private static final int THREADS = 16;

    private static final Pattern ACTION = Pattern.compile("/processes/([a-z0-9-]{1,64})/(restart|stop)");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Children children;
    private final byte[] authorization;
    private final HttpServer server;
    private final ExecutorService executor = Executors.newFixedThreadPool(THREADS, task -> {
        Thread thread = new Thread(task, "cluster-control");
        thread.setDaemon(true);
        return thread;
    });

    /** Who acts; is asked for one thing at a time. */
    interface Children {
        List<ClusterControl.Condition> conditions();

        /** @throws IllegalArgumentException if there is none of this name */
        void restart(String name);

        /** @throws IllegalArgumentException if there is none of this name */
        void stop(String name);

        /** A new key, and new tokens. */
        void rotateTokens() throws IOException;
    }

    private ControlServer(Children children, String secret, HttpServer server) {
        this.children = children;
        this.authorization = ("Bearer " + secret).getBytes(StandardCharsets.UTF_8);
        this.server = server;
    }

    /** @param secret that every request has to bring as its bearer token */
    static ControlServer start(Children children, String secret, int port) {
        try {
            HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
            ControlServer control = new ControlServer(children, secret, http);
            http.setExecutor(control.executor);
            http.createContext("/", control::handle);
            http.start();
            return control;
        } catch (IOException e) {
            throw new UncheckedIOException("the control server cannot listen on port " + port, e);
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String token = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
            String path = exchange.getRequestURI().getPath();
            Matcher action = ACTION.matcher(path);
            if (!MessageDigest.isEqual(token.getBytes(StandardCharsets.UTF_8), authorization)) {
                answer(exchange, 401, Map.of("error", "the token of keys/control.secret is needed"));
                return;
            }
            synchronized (children) {
                if (path.equals("/processes") && exchange.getRequestMethod().equals("GET")) {
                    answer(exchange, 200, children.conditions());
                } else if (action.matches() && exchange.getRequestMethod().equals("POST")) {
                    act(exchange, action.group(1), action.group(2).equals("stop"));
                } else if (path.equals("/tokens/rotate")
                        && exchange.getRequestMethod().equals("POST")) {
                    rotateTokens(exchange);
                } else {
                    answer(exchange, 404, Map.of("error", "there is no " + path));
                }
            }
        }
    }

    private void act(HttpExchange exchange, String name, boolean stop) throws IOException {
        try {
            if (stop) {
                children.stop(name);
            } else {
                children.restart(name);
            }
            answer(exchange, 200, Map.of("name", name));
        } catch (IllegalArgumentException e) {
            answer(exchange, 404, Map.of("error", String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            answer(exchange, 500, Map.of("error", String.valueOf(e.getMessage())));
        }
    }

    private void rotateTokens(HttpExchange exchange) throws IOException {
        try {
            children.rotateTokens();
            answer(exchange, 200, Map.of("rotated", true));
        } catch (IOException | RuntimeException e) {
            answer(exchange, 500, Map.of("error", String.valueOf(e.getMessage())));
        }
    }

    private static void answer(HttpExchange exchange, int status, Object body) throws IOException {
        byte[] bytes = JSON.writeValueAsBytes(body);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
