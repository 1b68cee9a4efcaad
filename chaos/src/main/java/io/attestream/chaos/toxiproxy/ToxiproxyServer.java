// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.toxiproxy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attestream.chaos.TcpProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Proxies on loopback that are spoilt by toxics over Toxiproxy's REST API, so that what is done to a local cluster is done to one in
 * containers by the same calls of the real one. It differs in that it listens and connects on loopback only, takes up to
 * {@value #PROXIES_MAX} proxies with {@value #TOXICS_MAX} toxics each, and applies the toxics of a direction in one order whatever the
 * order they were added in. Thread-safe.
 */
public final class ToxiproxyServer implements AutoCloseable {
    /** The real one's version whose API this is. */
    static final String VERSION = "2.12.0";

    private static final Set<String> ROOTS = Set.of("version", "proxies", "populate", "reset");
    private static final int PROXIES_MAX = 1_000;
    private static final int TOXICS_MAX = 100;
    private static final int BODY_SIZE_BYTES_MAX = 1 << 20;
    private static final int THREADS = 8;
    private static final int BACKLOG = 16;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final Map<String, ToxicProxy> proxies = new LinkedHashMap<>();
    private final ExecutorService executor = Executors.newFixedThreadPool(THREADS, task -> {
        Thread thread = new Thread(task, "toxiproxy");
        thread.setDaemon(true);
        return thread;
    });

    private ToxiproxyServer(HttpServer server) {
        this.server = server;
    }

    /** @param port of the REST API; 0 for any that is free */
    public static ToxiproxyServer start(int port) {
        try {
            HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
            ToxiproxyServer server = new ToxiproxyServer(http);
            http.setExecutor(server.executor);
            http.createContext("/", server::handle);
            http.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException("Toxiproxy cannot listen on port " + port, e);
        }
    }

    /** Of the REST API. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /**
     * Adds a proxy.
     *
     * @param port 0 for any that is free
     * @throws IllegalArgumentException if there is one of this name
     */
    public synchronized TcpProxy add(String name, int port, int targetPort) {
        try {
            ToxicProxy proxy = new ToxicProxy(name, "127.0.0.1:" + port, "127.0.0.1:" + targetPort);
            requireNew(name);
            TcpProxy started = proxy.start();
            proxies.put(name, proxy);
            return started;
        } catch (ApiError e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** Stops serving, and ends all connections. */
    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
        synchronized (this) {
            proxies.values().forEach(ToxicProxy::stop);
        }
    }

    // ---- requests

    private record Answer(int status, Object body) {
        static final Answer NOTHING = new Answer(204, "");
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Answer answer;
            try {
                answer = answer(exchange);
            } catch (ApiError e) {
                answer = new Answer(e.status(), e.json());
            } catch (RuntimeException e) {
                ApiError error = new ApiError(500, String.valueOf(e.getMessage()));
                answer = new Answer(500, error.json());
            }
            if (answer.status() == 204) {
                exchange.sendResponseHeaders(204, -1);
                return;
            }
            byte[] bytes = JSON.writeValueAsBytes(answer.body());
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(answer.status(), bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException, ApiError {
        String agent = String.valueOf(exchange.getRequestHeaders().getFirst("User-Agent"));
        if (agent.startsWith("Mozilla/")) {
            // A page in a browser of this machine could reach it, too.
            throw new ApiError(403, "User agent not allowed");
        }
        List<String> path = path(exchange.getRequestURI());
        String method = exchange.getRequestMethod();
        byte[] body = exchange.getRequestBody().readNBytes(BODY_SIZE_BYTES_MAX + 1);
        if (body.length > BODY_SIZE_BYTES_MAX) {
            throw ApiError.badBody("more than " + BODY_SIZE_BYTES_MAX + " bytes");
        }
        synchronized (this) {
            if (path.size() == 1) {
                return root(method, path.get(0), body);
            }
            if (!path.get(0).equals("proxies")
                    || path.size() > 4
                    || path.size() > 2 && !path.get(2).equals("toxics")) {
                throw noSuchPath();
            }
            ToxicProxy proxy = find(path.get(1));
            return switch (path.size()) {
                case 2 -> ofProxy(method, proxy, body);
                case 3 -> toxics(method, proxy, body);
                default -> ofToxic(method, proxy, path.get(3), body);
            };
        }
    }

    private static List<String> path(URI uri) throws ApiError {
        List<String> segments = new ArrayList<>();
        try {
            for (String segment : uri.getRawPath().substring(1).split("/", -1)) {
                segments.add(URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8));
            }
        } catch (IllegalArgumentException e) {
            throw noSuchPath();
        }
        return segments;
    }

    private static ApiError noSuchPath() {
        return new ApiError(404, "there is no such path");
    }

    private static ApiError noSuchMethod() {
        return new ApiError(405, "the path does not take this method");
    }

    private Answer root(String method, String path, byte[] body) throws ApiError {
        return switch (path + " " + method) {
            case "version GET" -> new Answer(200, Map.of("version", VERSION));
            case "proxies GET" -> new Answer(200, index());
            case "proxies POST" -> new Answer(201, create(new Body(body)).json());
            case "populate POST" -> new Answer(201, populate(new Body(body)));
            case "reset POST" -> reset();
            default -> throw ROOTS.contains(path) ? noSuchMethod() : noSuchPath();
        };
    }

    private Map<String, Object> index() {
        Map<String, Object> index = new LinkedHashMap<>();
        proxies.forEach((name, proxy) -> index.put(name, proxy.json()));
        return index;
    }

    private Answer reset() throws ApiError {
        for (ToxicProxy proxy : proxies.values()) {
            proxy.start();
            proxy.setToxics(List.of());
        }
        return Answer.NOTHING;
    }

    private void requireNew(String name) throws ApiError {
        if (proxies.containsKey(name)) {
            throw new ApiError(409, "proxy already exists");
        }
        requireRoom(proxies.size(), PROXIES_MAX, "proxies");
    }

    private static void requireRoom(int size, int max, String what) throws ApiError {
        if (size >= max) {
            throw new ApiError(409, "there are " + max + " " + what + " already");
        }
    }

    private ToxicProxy create(Body body) throws ApiError {
        ToxicProxy proxy = proxyOf(body);
        requireNew(proxy.name());
        if (body.isTrue("enabled", true)) {
            proxy.start();
        }
        proxies.put(proxy.name(), proxy);
        return proxy;
    }

    private static ToxicProxy proxyOf(Body body) throws ApiError {
        String listen = body.text("listen", "127.0.0.1:0");
        return new ToxicProxy(body.required("name"), listen, body.required("upstream"));
    }

    /** All of it is looked at before anything is done. */
    private Map<String, Object> populate(Body body) throws ApiError {
        Map<String, Body> wanted = new LinkedHashMap<>();
        for (Body one : body.elements()) {
            if (wanted.put(proxyOf(one).name(), one) != null) {
                throw ApiError.badBody("a name is there twice");
            }
        }
        requireRoom(proxies.size() + wanted.size() - 1, PROXIES_MAX, "proxies");
        List<Object> populated = new ArrayList<>();
        for (Body one : wanted.values()) {
            ToxicProxy proxy = proxyOf(one);
            ToxicProxy before = proxies.get(proxy.name());
            if (before != null && before.isTheSame(proxy)) {
                populated.add(before.json());
                continue;
            }
            if (before != null) {
                before.stop();
                proxies.remove(proxy.name());
            }
            populated.add(create(one).json());
        }
        return Map.of("proxies", populated);
    }

    private ToxicProxy find(String name) throws ApiError {
        ToxicProxy proxy = proxies.get(name);
        if (proxy == null) {
            throw new ApiError(404, "proxy not found");
        }
        return proxy;
    }

    private Answer ofProxy(String method, ToxicProxy proxy, byte[] body) throws ApiError {
        switch (method) {
            case "GET":
                return new Answer(200, proxy.json());
            case "POST":
            case "PATCH":
                Body change = new Body(body);
                proxy.update(
                        change.text("listen", proxy.listen()),
                        change.text("upstream", proxy.upstream()),
                        change.isTrue("enabled", proxy.isEnabled()));
                return new Answer(200, proxy.json());
            case "DELETE":
                proxy.stop();
                proxies.remove(proxy.name());
                return Answer.NOTHING;
            default:
                throw noSuchMethod();
        }
    }

    private static Answer toxics(String method, ToxicProxy proxy, byte[] body) throws ApiError {
        if (method.equals("GET")) {
            return new Answer(200, proxy.toxics().stream().map(Toxic::json).toList());
        }
        if (!method.equals("POST")) {
            throw noSuchMethod();
        }
        Toxic toxic = new Body(body).toxic();
        if (proxy.toxics().stream().anyMatch(other -> other.name().equals(toxic.name()))) {
            throw new ApiError(409, "toxic already exists");
        }
        requireRoom(proxy.toxics().size(), TOXICS_MAX, "toxics");
        List<Toxic> toxics = new ArrayList<>(proxy.toxics());
        toxics.add(toxic);
        proxy.setToxics(toxics);
        return new Answer(200, toxic.json());
    }

    private static Answer ofToxic(String method, ToxicProxy proxy, String name, byte[] body) throws ApiError {
        Toxic toxic = proxy.toxics().stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ApiError(404, "toxic not found"));
        List<Toxic> toxics = new ArrayList<>(proxy.toxics());
        int at = toxics.indexOf(toxic);
        switch (method) {
            case "GET":
                return new Answer(200, toxic.json());
            case "POST":
            case "PATCH":
                Toxic changed = new Body(body).changed(toxic);
                toxics.set(at, changed);
                proxy.setToxics(toxics);
                return new Answer(200, changed.json());
            case "DELETE":
                toxics.remove(at);
                proxy.setToxics(toxics);
                return Answer.NOTHING;
            default:
                throw noSuchMethod();
        }
    }
}
