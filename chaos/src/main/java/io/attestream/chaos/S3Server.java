// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * The part of S3's REST protocol that an object store of immutable objects needs, in memory, on loopback: PUT with
 * {@code If-None-Match: *} and {@code x-amz-checksum-sha256}, GET with ranges, ListObjectsV2 in pages. Signatures are not
 * checked. Each request can be given a {@link Fault}.
 *
 * <p>Source: Amazon S3 API reference, PutObject, GetObject, ListObjectsV2.
 */
public final class S3Server implements AutoCloseable {
    private static final int PAGE_KEYS = 100;

    private final HttpServer server;
    private final ExecutorService threads;
    private final ConcurrentSkipListMap<String, byte[]> objects = new ConcurrentSkipListMap<>();
    private final AtomicInteger requests = new AtomicInteger();
    private volatile Faults faults = (method, key, number) -> Fault.NONE;

    /** What goes wrong with a request. */
    public enum Fault {
        NONE,
        /** 503 SlowDown; nothing is done. */
        UNAVAILABLE,
        /** What was asked is done, and the connection breaks before the answer. */
        ANSWER_LOST,
        /** No answer, ever; nothing is done. */
        HANGS,
        /** The connection breaks in the middle of a GET's body. */
        BODY_CUT,
        /** A body has a flipped bit, that of a PUT or of a GET's answer; its checksum is that of the object. */
        BIT_FLIPPED,
        /** 409 ConditionalRequestConflict, as when two write at once. */
        CONFLICT,
        /** {@code If-None-Match} is not looked at. */
        OVERWRITES,
        /** The checksum is not looked at. */
        DIGEST_IGNORED
    }

    /** Decides what goes wrong. */
    public interface Faults {
        /** @param number of the request, from 1 */
        Fault of(String method, String key, int number);
    }

    /** An answer of S3 that is an error. */
    private static final class Refused extends Exception {
        private final int status;
        private final String code;

        Refused(int status, String code) {
            super(code, null, false, false);
            this.status = status;
            this.code = code;
        }
    }

    private S3Server() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "s3-server");
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(threads);
        server.createContext("/", this::handle);
    }

    /** Listens on a free port. */
    public static S3Server start() throws IOException {
        S3Server started = new S3Server();
        started.server.start();
        return started;
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** From the next request on. */
    public void faults(Faults newFaults) {
        faults = newFaults;
        requests.set(0);
    }

    /** Since {@link #faults} was called. */
    public int requests() {
        return requests.get();
    }

    /** {@code <bucket>/<key>} to bytes; writable, as rot or an operator would. */
    public Map<String, byte[]> objects() {
        return objects;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String key = URLDecoder.decode(exchange.getRequestURI().getRawPath().substring(1), StandardCharsets.UTF_8);
            Fault fault = faults.of(exchange.getRequestMethod(), key, requests.incrementAndGet());
            byte[] body = exchange.getRequestBody().readAllBytes();
            if (fault == Fault.HANGS) {
                hang();
                return;
            }
            try {
                if (fault == Fault.UNAVAILABLE) {
                    throw new Refused(503, "SlowDown");
                }
                switch (exchange.getRequestMethod()) {
                    case "PUT" -> put(exchange, key, body, fault);
                    case "GET" -> get(exchange, key, fault);
                    case "DELETE" -> delete(exchange, key, fault);
                    default -> throw new Refused(405, "MethodNotAllowed");
                }
            } catch (Refused e) {
                answer(exchange, e.status, xml("<Error><Code>" + e.code + "</Code></Error>"));
            }
        }
    }

    private void put(HttpExchange exchange, String key, byte[] body, Fault fault) throws IOException, Refused {
        if (fault == Fault.BIT_FLIPPED) {
            body[body.length / 2] ^= 1;
        }
        String digest = exchange.getRequestHeaders().getFirst("x-amz-checksum-sha256");
        if (digest != null && fault != Fault.DIGEST_IGNORED && !digest.equals(sha256Base64(body))) {
            throw new Refused(400, "BadDigest");
        }
        if (fault == Fault.CONFLICT) {
            throw new Refused(409, "ConditionalRequestConflict");
        }
        boolean conditional = "*".equals(exchange.getRequestHeaders().getFirst("If-None-Match"));
        if (!conditional || fault == Fault.OVERWRITES) {
            objects.put(key, body);
        } else if (objects.putIfAbsent(key, body) != null) {
            throw new Refused(412, "PreconditionFailed");
        }
        if (fault != Fault.ANSWER_LOST) {
            answer(exchange, 200, new byte[0]);
        }
    }

    private void get(HttpExchange exchange, String path, Fault fault) throws IOException, Refused {
        if (!path.contains("/") || path.endsWith("/")) {
            answer(exchange, 200, list(path.replace("/", ""), query(exchange.getRequestURI())));
            return;
        }
        byte[] object = objects.get(path);
        if (object == null) {
            throw new Refused(404, "NoSuchKey");
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        byte[] part = range == null ? object : part(object, range);
        if (range == null) {
            exchange.getResponseHeaders().set("x-amz-checksum-sha256", sha256Base64(object));
        }
        if (fault == Fault.BIT_FLIPPED) {
            part = part.clone();
            part[part.length / 2] ^= 1;
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, part.length == 0 ? -1 : part.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(part, 0, fault == Fault.BODY_CUT ? part.length / 2 : part.length);
        }
    }

    private void delete(HttpExchange exchange, String key, Fault fault) throws IOException {
        objects.remove(key);
        if (fault != Fault.ANSWER_LOST) {
            answer(exchange, 204, new byte[0]);
        }
    }

    private static byte[] part(byte[] object, String range) throws Refused {
        String[] ends = range.substring("bytes=".length()).split("-", -1);
        long from = Long.parseLong(ends[0]);
        long to = Math.min(Long.parseLong(ends[1]) + 1, object.length);
        if (from >= object.length) {
            throw new Refused(416, "InvalidRange");
        }
        return Arrays.copyOfRange(object, (int) from, (int) to);
    }

    private byte[] list(String bucket, Map<String, String> query) {
        String prefix = bucket + "/" + query.getOrDefault("prefix", "");
        String after = query.getOrDefault("continuation-token", "");
        List<String> keys = objects.tailMap(after.isEmpty() ? prefix : after, after.isEmpty()).keySet().stream()
                .takeWhile(key -> key.startsWith(prefix))
                .limit(PAGE_KEYS + 1L)
                .toList();
        boolean more = keys.size() > PAGE_KEYS;
        List<String> page = more ? keys.subList(0, PAGE_KEYS) : keys;
        return xml("<ListBucketResult><IsTruncated>" + more + "</IsTruncated>"
                + (more ? "<NextContinuationToken>" + page.get(PAGE_KEYS - 1) + "</NextContinuationToken>" : "")
                + page.stream()
                        .map(key -> "<Contents><Key>" + key.substring(bucket.length() + 1) + "</Key></Contents>")
                        .collect(Collectors.joining())
                + "</ListBucketResult>");
    }

    private static Map<String, String> query(URI uri) {
        String query = uri.getRawQuery();
        return Arrays.stream(query == null ? new String[0] : query.split("&", -1))
                .map(parameter -> parameter.split("=", 2))
                .filter(parameter -> parameter.length == 2)
                .collect(Collectors.toMap(
                        parameter -> parameter[0],
                        parameter -> URLDecoder.decode(parameter[1], StandardCharsets.UTF_8)));
    }

    private static byte[] xml(String body) {
        return ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + body).getBytes(StandardCharsets.UTF_8);
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "application/xml");
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            exchange.getResponseBody().write(body);
        }
    }

    private static void hang() {
        try {
            Thread.sleep(Long.MAX_VALUE); // until close
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String sha256Base64(byte[] bytes) {
        try {
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
