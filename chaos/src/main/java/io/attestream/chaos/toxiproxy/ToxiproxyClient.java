// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.toxiproxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

/** Asks a Toxiproxy, the real one or {@link ToxiproxyServer}, for network faults. Thread-safe. */
public final class ToxiproxyClient {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int NOT_FOUND = 404;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI url;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    /** @param url of its REST API, without a path */
    public ToxiproxyClient(URI url) {
        this.url = url;
    }

    /**
     * Names of all proxies.
     *
     * @throws IOException if nobody answers, or not as a Toxiproxy does
     */
    public Set<String> proxies() throws IOException {
        HttpResponse<String> response = send(request("/proxies").GET());
        require(response, "list its proxies");
        Set<String> names = new TreeSet<>();
        JSON.readTree(response.body()).fieldNames().forEachRemaining(names::add);
        return names;
    }

    /**
     * Adds a toxic to a proxy: it acts on connections that are open, and on those that come.
     *
     * @throws IOException with what it said, if it does not take it
     */
    public void add(String proxy, Toxic toxic) throws IOException {
        HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(toxic.json()));
        require(
                send(request(toxics(proxy))
                        .header("Content-Type", "application/json")
                        .POST(body)),
                "add " + toxic.type().word() + " to " + proxy);
    }

    /**
     * Takes a toxic from a proxy; does nothing if the proxy does not have it, or there is no such proxy.
     *
     * @throws IOException if nobody answers
     */
    public void remove(String proxy, String toxic) throws IOException {
        HttpResponse<String> response =
                send(request(toxics(proxy) + "/" + encoded(toxic)).DELETE());
        if (response.statusCode() != NOT_FOUND) {
            require(response, "remove " + toxic + " from " + proxy);
        }
    }

    /** Whether a proxy has a toxic of this name. */
    public boolean has(String proxy, String toxic) throws IOException {
        return send(request(toxics(proxy) + "/" + encoded(toxic)).GET()).statusCode() == 200;
    }

    private static String toxics(String proxy) {
        return "/proxies/" + encoded(proxy) + "/toxics";
    }

    private static String encoded(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(url.resolve(path)).timeout(TIMEOUT);
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException {
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for Toxiproxy at " + url, e);
        } catch (IOException e) {
            throw new IOException("Toxiproxy does not answer at " + url + ": " + e, e);
        }
    }

    private void require(HttpResponse<String> response, String what) throws IOException {
        if (response.statusCode() / 100 != 2) {
            throw new IOException("Toxiproxy at " + url + " does not " + what + ": " + response.statusCode() + " "
                    + error(response.body()));
        }
    }

    private static String error(String body) {
        try {
            JsonNode error = JSON.readTree(body).path("error");
            return error.isMissingNode() ? "" : error.asText();
        } catch (IOException e) {
            return "";
        }
    }
}
