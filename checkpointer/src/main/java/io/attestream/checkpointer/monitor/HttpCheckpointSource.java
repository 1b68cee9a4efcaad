// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;

/** Reads from a gateway's public API. */
public final class HttpCheckpointSource implements CheckpointSource {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(15);
    /** Room for the heads of a thousand shards. */
    private static final int ANSWER_BYTES_MAX = 1 << 20;

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).build();
    private final URI base;
    private final Optional<String> bearerToken;

    /**
     * @param base scheme, host, port and an optional path, e.g. {@code http://127.0.0.1:8080/}
     * @param bearerToken sent with every request; consistency proofs of shards may need one
     */
    public HttpCheckpointSource(URI base, Optional<String> bearerToken) {
        this.base = base.toString().endsWith("/") ? base : URI.create(base + "/");
        this.bearerToken = bearerToken;
    }

    @Override
    public Optional<byte[]> checkpoint() throws IOException {
        return get("v1/checkpoint");
    }

    @Override
    public Optional<byte[]> epoch(long epoch) throws IOException {
        return get("v1/epochs/" + Long.toUnsignedString(epoch));
    }

    @Override
    public Optional<byte[]> shardConsistency(int shard, long first, long second) throws IOException {
        return get("v1/proofs/consistency?shard=" + shard + "&first=" + Long.toUnsignedString(first) + "&second="
                + Long.toUnsignedString(second));
    }

    private Optional<byte[]> get(String path) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path)).timeout(REQUEST_TIMEOUT);
        bearerToken.ifPresent(token -> request.header("Authorization", "Bearer " + token));
        try {
            HttpResponse<InputStream> response =
                    client.send(request.GET().build(), HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream body = response.body()) {
                if (response.statusCode() == 404) {
                    return Optional.empty();
                }
                if (response.statusCode() != 200) {
                    throw new IOException("GET " + path + " answered " + response.statusCode());
                }
                byte[] bytes = body.readNBytes(ANSWER_BYTES_MAX + 1);
                if (bytes.length > ANSWER_BYTES_MAX) {
                    throw new IOException("GET " + path + " answered more than " + ANSWER_BYTES_MAX + " bytes");
                }
                return Optional.of(bytes);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + path, e);
        }
    }
}
