// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.attestream.proofs.tree.CompactRange;
import io.attestream.proofs.tree.Hash;
import io.attestream.proofs.tree.Proofs;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Shows over HTTP, as a gateway does, what is published, with proofs over whatever leaves it is given. */
final class PublicApi implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private volatile List<LogRecord.Published> epochs = List.of();
    private volatile List<List<Hash>> leaves = List.of();

    PublicApi() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        server.createContext("/v1/checkpoint", exchange -> send(exchange, last().note()));
        server.createContext("/v1/epochs/", exchange -> send(exchange, epoch(exchange.getRequestURI())));
        server.createContext("/v1/proofs/consistency", exchange -> send(exchange, proof(exchange.getRequestURI())));
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** @param newLeaves of each shard */
    void show(List<LogRecord> log, List<List<Hash>> newLeaves) {
        epochs = log.stream()
                .filter(LogRecord.Published.class::isInstance)
                .map(LogRecord.Published.class::cast)
                .toList();
        leaves = newLeaves;
    }

    private LogRecord.Published last() {
        return epochs.get(epochs.size() - 1);
    }

    private String epoch(URI asked) throws IOException {
        LogRecord.Published epoch = epochs.get(Integer.parseInt(asked.getPath().replaceAll(".*/", "")));
        return JSON.writeValueAsString(Map.of(
                "epochLeaf",
                epoch.intent().epochLeaf(),
                "heads",
                epoch.intent().heads().stream().map(head -> head.encode()).toList(),
                "note",
                epoch.note()));
    }

    private String proof(URI asked) throws IOException {
        Map<String, Integer> query = Arrays.stream(asked.getQuery().split("&"))
                .map(parameter -> parameter.split("="))
                .collect(Collectors.toMap(parameter -> parameter[0], parameter -> Integer.valueOf(parameter[1])));
        List<Hash> all = leaves.get(query.get("shard"));
        List<Hash> path = Proofs.consistency(
                new TreeSize(query.get("first")), new TreeSize(query.get("second")), (level, index) -> {
                    CompactRange range = CompactRange.empty();
                    all.subList((int) (index << level), (int) ((index + 1) << level))
                            .forEach(range::append);
                    return range.root();
                });
        return JSON.writeValueAsString(
                Map.of("path", path.stream().map(Hash::base64).toList()));
    }

    private static void send(HttpExchange exchange, String answer) throws IOException {
        try (exchange) {
            byte[] body = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
