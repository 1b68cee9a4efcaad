// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.attestream.gateway.http.ProblemException;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Reads a whole body within a limit of bytes and time. What is announced by {@code Content-Length} is admitted at once, what
 * comes chunked is admitted as it comes, so that no byte is held without a permit; and every request for one event, however
 * little it sends. Runs on the request's event loop.
 */
final class BodyReader {
    /** What is read and thrown away behind a refusal, so that the client gets to see the answer. */
    private static final long DISCARD_MAX_BYTES = 16L << 20;

    /** What a client has left when this instance stops; with an append behind it less than {@code quarkus.shutdown.timeout}. */
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

    private final HttpServerRequest request;
    private final Admission.Permit permit;
    private final long maxBytes;
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private final Buffer received = Buffer.buffer();
    private final boolean announced;
    private long seenBytes;

    private BodyReader(HttpServerRequest request, Admission.Permit permit, long maxBytes) {
        this.request = request;
        this.permit = permit;
        this.maxBytes = maxBytes;
        this.announced = announcedLength(request).isPresent();
    }

    /** @return fails with {@link ProblemException} only */
    static CompletableFuture<byte[]> read(
            RoutingContext context, Admission.Permit permit, long maxBytes, Duration timeout, Draining draining) {
        BodyReader reader = new BodyReader(context.request(), permit, maxBytes);
        reader.start(context, timeout, draining);
        return reader.body;
    }

    private void start(RoutingContext context, Duration timeout, Draining draining) {
        Vertx vertx = context.vertx();
        Context eventLoop = vertx.getOrCreateContext();
        long timer = vertx.setTimer(timeout.toMillis(), id -> timedOut(context, timeout));
        Runnable hurry =
                () -> eventLoop.runOnContext(now -> vertx.setTimer(STOP_TIMEOUT.toMillis(), id -> stopped(context)));
        draining.add(hurry);
        var unused = body.whenComplete((bytes, error) -> {
            vertx.cancelTimer(timer);
            draining.remove(hurry);
        });
        request.handler(this::chunk);
        request.endHandler(end -> body.complete(received.getBytes()));
        request.exceptionHandler(error -> refuse(Problem.of(ProblemCode.MALFORMED_BODY, "The body ends too early")));
        if (permit.takeEvents(1)) {
            announcedLength(request).ifPresent(this::admitAnnounced);
        } else {
            refuse(Problem.of(ProblemCode.OVERLOADED, "Too many events are in flight; send the same again later"));
        }
        if (!body.isDone()) {
            inviteBody(request);
        }
        request.resume();
    }

    /** Tells a client that waits before it sends its body (RFC 9110 section 10.1.1) that it was admitted. */
    static void inviteBody(HttpServerRequest request) {
        if ("100-continue".equalsIgnoreCase(request.getHeader("Expect"))) {
            var unused = request.response().writeContinue();
        }
    }

    private void timedOut(RoutingContext context, Duration timeout) {
        refuseAndClose(
                context,
                Problem.of(
                        ProblemCode.BODY_TIMEOUT, "The body must arrive within the limit", null, timeout.toSeconds()));
    }

    private void stopped(RoutingContext context) {
        if (!body.isDone()) {
            refuseAndClose(
                    context,
                    Problem.of(ProblemCode.NOT_READY, "This instance is stopping; send the same again elsewhere"));
        }
    }

    /** What never comes cannot be discarded, so the connection ends with the answer. */
    private void refuseAndClose(RoutingContext context, Problem problem) {
        context.addEndHandler(done -> {
            var unused = request.connection().close();
        });
        refuse(problem);
    }

    private void admitAnnounced(long length) {
        if (length > maxBytes) {
            refuseTooLarge();
        } else if (!permit.takeBytes(length)) {
            refuseOverload();
        }
    }

    private void chunk(Buffer chunk) {
        seenBytes += chunk.length();
        if (body.isDone()) {
            if (seenBytes > maxBytes + DISCARD_MAX_BYTES) {
                var unused = request.connection().close();
            }
        } else if (seenBytes > maxBytes) {
            refuseTooLarge();
        } else if (!announced && !permit.takeBytes(chunk.length())) {
            refuseOverload();
        } else {
            received.appendBuffer(chunk);
        }
    }

    private void refuseTooLarge() {
        refuse(Problem.of(
                ProblemCode.TOO_LARGE,
                "The body may have at most " + maxBytes + " bytes; send fewer events at once, or a stream of NDJSON",
                "body",
                maxBytes));
    }

    private void refuseOverload() {
        refuse(Problem.of(ProblemCode.OVERLOADED, "Too many bytes are in flight; send the same again later"));
    }

    private void refuse(Problem problem) {
        body.completeExceptionally(new ProblemException(problem));
    }

    private static Optional<Long> announcedLength(HttpServerRequest request) {
        String text = request.getHeader("Content-Length");
        try {
            return text == null ? Optional.empty() : Optional.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
