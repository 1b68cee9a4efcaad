// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.http;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** Body of an answer to a request of ours: not read beyond a limit. */
public final class BoundedBody implements HttpResponse.BodySubscriber<byte[]> {
    private final HttpResponse.BodySubscriber<byte[]> collect = HttpResponse.BodySubscribers.ofByteArray();
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private final int maxBytes;
    private final @Nullable String refusal;
    private Flow.@Nullable Subscription subscription;
    private long received;

    private BoundedBody(int maxBytes, @Nullable String refusal) {
        this.maxBytes = maxBytes;
        this.refusal = refusal;
    }

    public static BoundedBody atMost(int maxBytes) {
        return new BoundedBody(maxBytes, null);
    }

    /** Reads nothing and fails. */
    public static BoundedBody refused(String reason) {
        return new BoundedBody(0, reason);
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription upstream) {
        subscription = upstream;
        if (refusal != null) {
            fail(refusal);
        } else {
            collect.onSubscribe(upstream);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
            received += buffer.remaining();
        }
        if (received > maxBytes) {
            fail("the answer is longer than " + maxBytes + " bytes");
        } else {
            collect.onNext(buffers);
        }
    }

    private void fail(String reason) {
        if (subscription != null) {
            subscription.cancel();
        }
        body.completeExceptionally(new IOException(reason));
    }

    @Override
    public void onError(Throwable error) {
        body.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
        collect.onComplete();
        var unused = collect.getBody().thenAccept(body::complete);
    }
}
