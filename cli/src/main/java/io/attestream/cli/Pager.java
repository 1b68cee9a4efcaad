// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Receives what Alertmanager sends, as a pager and a tracker do, and keeps when. On loopback. Thread-safe. */
final class Pager implements AutoCloseable {
    private static final int BACKLOG = 16;
    private static final int MESSAGE_BYTES_MAX = 1 << 20;
    private static final int ALERTS_MAX = 1_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final Consumer<Alert> onPage;
    private final List<Alert> alerts = new ArrayList<>();

    /**
     * An alert as it was told, each time it was.
     *
     * @param page whether somebody is woken by it; else it is a ticket
     * @param fingerprint the same for every message on one alert
     * @param firing false if it says that the alert is over
     * @param runbook URL of its page
     * @param at when the message came
     */
    record Alert(
            String name,
            boolean page,
            String fingerprint,
            boolean firing,
            @Nullable URI runbook,
            Instant at) {}

    private Pager(HttpServer server, Consumer<Alert> onPage) {
        this.server = server;
        this.onPage = onPage;
    }

    /** @param onPage is given every firing page, on the thread that serves Alertmanager: it has to be quick */
    static Pager start(Consumer<Alert> onPage) {
        try {
            HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
            Pager pager = new Pager(http, onPage);
            http.createContext("/page", exchange -> pager.receive(exchange, true));
            http.createContext("/ticket", exchange -> pager.receive(exchange, false));
            http.start();
            return pager;
        } catch (IOException e) {
            throw new UncheckedIOException("no pager can listen on loopback", e);
        }
    }

    /** @param receiver {@code page} or {@code ticket} */
    URI url(String receiver) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/" + receiver);
    }

    private void receive(HttpExchange exchange, boolean page) throws IOException {
        Instant now = Instant.now();
        try (exchange) {
            JsonNode message = JSON.readTree(exchange.getRequestBody().readNBytes(MESSAGE_BYTES_MAX));
            for (JsonNode alert : message.path("alerts")) {
                take(new Alert(
                        alert.at("/labels/alertname").asText(),
                        page,
                        alert.path("fingerprint").asText(),
                        alert.path("status").asText().equals("firing"),
                        alert.at("/annotations/runbook_url").isMissingNode()
                                ? null
                                : URI.create(
                                        alert.at("/annotations/runbook_url").asText()),
                        now));
            }
            exchange.sendResponseHeaders(200, -1);
        } catch (IllegalArgumentException | com.fasterxml.jackson.core.JacksonException e) {
            exchange.sendResponseHeaders(400, -1);
        }
    }

    private void take(Alert alert) {
        synchronized (this) {
            if (alerts.size() < ALERTS_MAX) {
                alerts.add(alert);
            }
        }
        if (alert.page() && alert.firing()) {
            onPage.accept(alert);
        }
    }

    /** All that came, in order. */
    synchronized List<Alert> alerts() {
        return List.copyOf(alerts);
    }

    /** Whether every page among these messages, in the order in which they came, is over. */
    static boolean isQuiet(List<Alert> messages) {
        Map<String, Alert> last = new HashMap<>();
        messages.stream().filter(Alert::page).forEach(alert -> last.put(alert.fingerprint(), alert));
        return last.values().stream().noneMatch(Alert::firing);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
