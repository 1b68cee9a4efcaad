// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Asks the launcher of a running local cluster about its processes, to start them again, and for new tokens. Thread-safe. */
public final class ClusterControl {
    /** Longer than the launcher waits for a process to be ready. */
    private static final Duration TIMEOUT = Duration.ofMinutes(4);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI url;
    private final String secret;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    private ClusterControl(URI url, String secret) {
        this.url = url;
        this.secret = secret;
    }

    /**
     * How a process is.
     *
     * @param ready whether it lives and says so itself, within seconds; one that stands still does not
     * @param fenced why it refuses work and must not just be started again, as it says itself; empty if it may be
     */
    public record Condition(String name, boolean alive, boolean ready, String fenced) {}

    /**
     * Of the cluster in a data directory.
     *
     * @throws IOException if no cluster ever ran there, or its secret cannot be read
     */
    public static ClusterControl of(Path dataDirectory) throws IOException {
        ClusterFile file = ClusterFile.read(dataDirectory)
                .orElseThrow(() -> new IOException("there is no cluster in " + dataDirectory));
        return new ClusterControl(
                URI.create("http://127.0.0.1:" + file.ports().getOrDefault(LocalCluster.CONTROL, 0)),
                Files.readString(LocalCluster.controlSecret(dataDirectory)).strip());
    }

    /**
     * All processes, in the order in which they are started: who others depend on first.
     *
     * @throws IOException if the launcher does not answer
     */
    public List<Condition> processes() throws IOException {
        return List.of(JSON.readValue(send(request("/processes").GET()), Condition[].class));
    }

    /**
     * Starts a process again, and returns when it is ready. One that is ready is stopped in order before; any other is killed.
     *
     * @throws IOException with the launcher's reason, if there is none of this name, it does not become ready, or nobody answers
     */
    public void restart(String name) throws IOException {
        send(request("/processes/" + name + "/restart").POST(HttpRequest.BodyPublishers.noBody()));
    }

    /**
     * Stops a process in order, and returns when it has ended; one that does not run is left alone.
     *
     * @throws IOException with the launcher's reason, if there is none of this name, or nobody answers
     */
    public void stop(String name) throws IOException {
        send(request("/processes/" + name + "/stop").POST(HttpRequest.BodyPublishers.noBody()));
    }

    /**
     * Gives the cluster's identity provider a new key, and writes new tokens. Those given out before hold until this is done
     * again.
     *
     * @throws IOException with the launcher's reason, or if nobody answers
     */
    public void rotateTokens() throws IOException {
        send(request("/tokens/rotate").POST(HttpRequest.BodyPublishers.noBody()));
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(url.resolve(path)).timeout(TIMEOUT).header("Authorization", "Bearer " + secret);
    }

    private String send(HttpRequest.Builder request) throws IOException {
        try {
            HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IOException(
                        JSON.readTree(response.body()).path("error").asText());
            }
            return response.body();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
