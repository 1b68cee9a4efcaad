// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer.monitor;

import io.attestream.proofs.ledger.PublishedKeys;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Reads from a gateway's public API. */
public final class HttpCheckpointSource implements CheckpointSource {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    /** From sending the request to the last byte of the answer. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);
    /** Room for the heads of a thousand shards. */
    private static final int ANSWER_BYTES_MAX = 1 << 20;

    private static final int KEYS_BYTES_MAX = PublishedKeys.MAX_SIZE_BYTES;

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).build();
    private final URI base;
    private final Optional<String> bearerToken;
    private final Duration answerTimeout;

    /**
     * @param base scheme, host, port and an optional path, e.g. {@code http://127.0.0.1:8080/}
     * @param bearerToken sent with every request; consistency proofs of shards may need one
     */
    public HttpCheckpointSource(URI base, Optional<String> bearerToken) {
        this(base, bearerToken, ANSWER_TIMEOUT);
    }

    HttpCheckpointSource(URI base, Optional<String> bearerToken, Duration answerTimeout) {
        this.base = base.toString().endsWith("/") ? base : URI.create(base + "/");
        this.bearerToken = bearerToken;
        this.answerTimeout = answerTimeout;
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
    public Optional<byte[]> keys() throws IOException {
        return get("v1/keys", KEYS_BYTES_MAX);
    }

    @Override
    public Optional<byte[]> shardConsistency(int shard, long first, long second) throws IOException {
        return get("v1/proofs/consistency?shard=" + shard + "&first=" + Long.toUnsignedString(first) + "&second="
                + Long.toUnsignedString(second));
    }

    private Optional<byte[]> get(String path) throws IOException {
        return get(path, ANSWER_BYTES_MAX);
    }

    private Optional<byte[]> get(String path, int bytesMax) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path));
        bearerToken.ifPresent(token -> request.header("Authorization", "Bearer " + token));
        CompletableFuture<HttpResponse<byte[]>> answer =
                client.sendAsync(request.GET().build(), info -> new BoundedBody(bytesMax));
        try {
            HttpResponse<byte[]> response = answer.get(answerTimeout.toMillis(), TimeUnit.MILLISECONDS);
            if (response.statusCode() == 404) {
                return Optional.empty();
            }
            if (response.statusCode() != 200) {
                throw new IOException("GET " + path + " answered " + response.statusCode());
            }
            return Optional.of(response.body());
        } catch (ExecutionException e) {
            throw new IOException("GET " + path + " failed: " + e.getCause(), e);
        } catch (TimeoutException e) {
            throw new IOException("GET " + path + " was not answered within " + answerTimeout.toMillis() + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + path, e);
        } finally {
            answer.cancel(true);
        }
    }

    /** A body up to a limit. The client's own request timeout ends with the headers, so a body can drip for ever. */
    private static final class BoundedBody implements HttpResponse.BodySubscriber<byte[]> {
        private final int bytesMax;
        private final CompletableFuture<byte[]> body = new CompletableFuture<>();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private Flow.@Nullable Subscription subscription;

        BoundedBody(int bytesMax) {
            this.bytesMax = bytesMax;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return body;
        }

        @Override
        public void onSubscribe(Flow.Subscription newSubscription) {
            subscription = newSubscription;
            newSubscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> buffers) {
            for (ByteBuffer buffer : buffers) {
                if (buffer.remaining() > bytesMax - bytes.size()) {
                    body.completeExceptionally(new IOException("the answer has more than " + bytesMax + " bytes"));
                    if (subscription != null) {
                        subscription.cancel();
                    }
                    return;
                }
                byte[] part = new byte[buffer.remaining()];
                buffer.get(part);
                bytes.writeBytes(part);
            }
        }

        @Override
        public void onError(Throwable failure) {
            body.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            body.complete(bytes.toByteArray());
        }
    }
}
