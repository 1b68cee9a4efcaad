// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.config.GatewayConfig;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.operators.multi.processors.UnicastProcessor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * One NDJSON request: lines are appended as they come, results go out in order as they are known, and neither side waits
 * for the other's end.
 *
 * <p>Bounded by what the permit holds: reading pauses while as many events, or as many bytes of them, are unanswered as the
 * limits allow, and an event counts as answered only when its result was handed to the connection, so a client that does not read its results stops
 * being read. A line that is too long gets a rejected result, and reading goes on behind it.
 *
 * <p>Threads: chunks come on the event loop with the request paused, and are worked off on the worker pool one at a time;
 * results complete on the log's answer threads. What they share is guarded by this.
 */
final class NdjsonStream {
    private final HttpServerRequest request;
    private final Admission.Permit permit;
    private final int maxLineBytes;
    private final int maxUnanswered;
    private final Function<byte[], Intake> intake;
    private final Appender appender;
    private final IngestMetrics metrics;
    private final ObjectMapper json;
    private final Draining draining;
    private final UnicastProcessor<byte[]> output = UnicastProcessor.create();
    private final LineSplitter lines;
    /** Ends the input where a line ends; what was read is answered. */
    private final Runnable stop = () -> onWorker(this::stopInput);

    /** Results in the order of the lines; the head goes out when it is complete. */
    private final Deque<CompletableFuture<ResultItem>> unanswered = new ArrayDeque<>();
    /** Handed to the output, not yet taken by the connection. */
    private int unwritten;
    /** Lines of unanswered events: what the producer may still hold. */
    private long unansweredBytes;

    private int nextIndex;
    private boolean chunkInWork;
    private boolean inputEnded;
    private boolean finished;

    NdjsonStream(
            HttpServerRequest request,
            Admission.Permit permit,
            GatewayConfig.Ingest limits,
            Function<byte[], Intake> intake,
            Appender appender,
            IngestMetrics metrics,
            ObjectMapper json,
            Draining draining) {
        this.request = request;
        this.permit = permit;
        this.maxLineBytes = limits.maxLineBytes();
        this.maxUnanswered = limits.maxStreamInFlightEvents();
        this.intake = intake;
        this.appender = appender;
        this.metrics = metrics;
        this.json = json;
        this.draining = draining;
        this.lines = new LineSplitter(maxLineBytes, this::line, this::tooLongLine);
    }

    /** What a stream takes from admission: a line being read, and one being appended. */
    static long windowBytes(GatewayConfig.Ingest limits) {
        return 2L * limits.maxLineBytes();
    }

    Multi<byte[]> start() {
        draining.add(stop);
        request.handler(this::chunk);
        request.endHandler(end -> onWorker(this::inputEnd));
        request.exceptionHandler(error -> stop.run());
        request.resume();
        return output.onItem().invoke(written -> taken()).onCancellation().invoke(stop);
    }

    private void onWorker(Runnable work) {
        Infrastructure.getDefaultWorkerPool().execute(work);
    }

    private void chunk(Buffer chunk) {
        synchronized (this) {
            chunkInWork = true;
        }
        // Nothing further arrives until this chunk is worked off, so chunks keep their order on the worker pool.
        request.pause();
        onWorker(() -> {
            if (!hasEnded()) {
                lines.add(chunk.getBytes());
            }
            synchronized (this) {
                chunkInWork = false;
            }
            resumeIfAllowed();
        });
    }

    /** The client has sent all; the last line needs no line end. */
    private void inputEnd() {
        if (endInputOnce()) {
            lines.end();
            drain();
        }
    }

    /** This instance stops, or the client is gone: a line that is not complete yet was never an event. */
    private void stopInput() {
        if (endInputOnce()) {
            request.pause();
            drain();
        }
    }

    private synchronized boolean endInputOnce() {
        boolean first = !inputEnded;
        inputEnded = true;
        return first;
    }

    private void line(byte[] line) {
        int index = takeIndex();
        synchronized (this) {
            unansweredBytes += line.length;
        }
        add(appender.append(index, intake.apply(line)).thenApply(item -> {
            synchronized (this) {
                unansweredBytes -= line.length;
            }
            return item;
        }));
    }

    private void tooLongLine() {
        Problem problem = Problem.of(
                ProblemCode.TOO_LARGE,
                "A line may have at most " + maxLineBytes + " bytes; the lines behind it are read on",
                "line",
                (long) maxLineBytes);
        add(CompletableFuture.completedFuture(ResultItem.rejected(takeIndex(), null, problem)));
    }

    private synchronized boolean hasEnded() {
        return inputEnded;
    }

    private synchronized int takeIndex() {
        return nextIndex++;
    }

    private void add(CompletableFuture<ResultItem> result) {
        synchronized (this) {
            unanswered.add(result);
        }
        var unused = result.whenComplete((item, error) -> drain());
    }

    private void drain() {
        handOver();
        // A result that is late for another reason than the connection may have stopped the reading too.
        resumeIfAllowed();
    }

    /** Hands all complete results at the head to the output. */
    private synchronized void handOver() {
        while (!unanswered.isEmpty() && unanswered.peek().isDone()) {
            ResultItem item = unanswered.remove().join();
            metrics.count(item);
            unwritten++;
            output.onNext(encode(item));
        }
        if (inputEnded && unanswered.isEmpty() && !finished) {
            finished = true;
            draining.remove(stop);
            permit.close();
            output.onComplete();
        }
    }

    /** Without a line end: the writer of this media type adds it. */
    private byte[] encode(ResultItem item) {
        try {
            return json.writeValueAsBytes(item);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a result is always writable", e);
        }
    }

    private void taken() {
        synchronized (this) {
            unwritten--;
        }
        resumeIfAllowed();
    }

    private void resumeIfAllowed() {
        boolean resume;
        synchronized (this) {
            resume = !chunkInWork
                    && !inputEnded
                    && unanswered.size() + unwritten < maxUnanswered
                    && unansweredBytes < maxLineBytes;
        }
        if (resume) {
            request.resume();
        }
    }
}
