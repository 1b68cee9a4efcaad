// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.ingest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attestream.gateway.http.Problem;
import io.attestream.gateway.http.ProblemCode;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.operators.multi.processors.UnicastProcessor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One NDJSON request: lines are appended as they come, results go out in order as they are known, and neither side waits
 * for the other's end.
 *
 * <p>Bounded by what the permit holds: reading pauses while as many events, or as many bytes of them, are unanswered as the
 * limits allow, and an event counts as answered only when its result was handed to the connection, so a client that does not read its results stops
 * being read. A line that is too long gets a rejected result, and reading goes on behind it.
 *
 * <p>Threads: chunks come on the event loop and are worked off by one worker at a time, in their order; results complete on
 * the log's answer threads. What they share is guarded by this. Pausing and resuming the request only bounds what waits: a
 * resume that was decided before a pause may take effect behind it, so no order is built on them.
 */
final class NdjsonStream {
    private static final Logger LOG = LoggerFactory.getLogger(NdjsonStream.class);

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
    /** Results handed to the output in one piece, not yet taken by the connection. */
    private int unwritten;
    /** Lines of unanswered events: what the producer may still hold. */
    private long unansweredBytes;

    /** Chunks that wait for the worker: one, and with it those that a resume decided earlier still brought. */
    private final Deque<byte[]> chunks = new ArrayDeque<>();

    private int nextIndex;
    /** One worker at a time has the chunks and the splitter. */
    private boolean working;
    /** The client has sent all. */
    private boolean allReceived;
    /** Nothing more is taken from the chunks. */
    private boolean inputEnded;
    /** What comes of the chunk being worked off is not appended any more. */
    private volatile boolean stopping;
    /** Results are counted, and go nowhere. */
    private boolean clientIsGone;

    private boolean finished;

    NdjsonStream(
            HttpServerRequest request,
            Admission.Permit permit,
            int maxLineBytes,
            int maxUnanswered,
            Function<byte[], Intake> intake,
            Appender appender,
            IngestMetrics metrics,
            ObjectMapper json,
            Draining draining) {
        this.request = request;
        this.permit = permit;
        this.maxLineBytes = maxLineBytes;
        this.maxUnanswered = maxUnanswered;
        this.intake = intake;
        this.appender = appender;
        this.metrics = metrics;
        this.json = json;
        this.draining = draining;
        this.lines = new LineSplitter(maxLineBytes, this::line, this::tooLongLine);
    }

    /** What a stream takes from admission: a line being read, and one being appended. */
    static long windowBytes(int maxLineBytes) {
        return 2L * maxLineBytes;
    }

    Multi<byte[]> start() {
        draining.add(stop);
        request.handler(this::chunk);
        request.endHandler(end -> allReceived());
        request.exceptionHandler(error -> stop.run());
        request.resume();
        return output.onItem().invoke(written -> taken()).onCancellation().invoke(this::leave);
    }

    private void leave() {
        synchronized (this) {
            clientIsGone = true;
        }
        stop.run();
    }

    private static void onWorker(Runnable work) {
        Infrastructure.getDefaultWorkerPool().execute(work);
    }

    private void chunk(Buffer chunk) {
        // Before the worker can see the chunk, so that its resume comes behind this.
        request.pause();
        synchronized (this) {
            chunks.add(chunk.getBytes());
        }
        goOn();
    }

    private void allReceived() {
        synchronized (this) {
            allReceived = true;
        }
        goOn();
    }

    /** This instance stops, or the client is gone: what is not a whole line yet was never an event. */
    private void stopInput() {
        stopping = true;
        request.pause();
        synchronized (this) {
            inputEnded = true;
        }
        drain();
    }

    /** Starts the worker if there is work, or lets the client send on if there is none. Called after every change. */
    private void goOn() {
        boolean start;
        boolean resume;
        synchronized (this) {
            start = !working && hasWork();
            working |= start;
            resume = !working && !inputEnded && !allReceived && isWithinLimits();
        }
        if (start) {
            onWorker(this::workOff);
        } else if (resume) {
            request.resume();
        }
    }

    private boolean hasWork() {
        return !inputEnded && isWithinLimits() && (!chunks.isEmpty() || allReceived);
    }

    private boolean isWithinLimits() {
        return unanswered.size() + unwritten < maxUnanswered && unansweredBytes < maxLineBytes;
    }

    private void workOff() {
        try {
            for (byte[] chunk = nextChunk(); chunk != null; chunk = nextChunk()) {
                lines.add(chunk);
            }
        } catch (RuntimeException e) {
            fail(e);
        }
        drain();
    }

    /** A bug: the connection breaks off, so that nobody takes the results for complete. */
    private synchronized void fail(RuntimeException bug) {
        LOG.error("stream broken off", bug);
        inputEnded = true;
        if (!finished) {
            finished = true;
            if (request.response().headWritten()) {
                metrics.countBrokenStream();
            }
            draining.remove(stop);
            permit.close();
            output.onError(bug);
        }
    }

    /** Null when the worker is to stop; behind the last chunk the last line is ended, which needs no line end. */
    private byte @Nullable [] nextChunk() {
        synchronized (this) {
            if (!hasWork()) {
                working = false;
                return null;
            }
            byte[] chunk = chunks.poll();
            if (chunk != null) {
                return chunk;
            }
            inputEnded = true;
        }
        lines.end();
        synchronized (this) {
            working = false;
        }
        return null;
    }

    private void line(byte[] line) {
        int index = takeIndex();
        Intake read = intake.apply(line);
        if (stopping && read.isToBeSent()) {
            // Each might wait for brokers that do not answer, and hold up the stop.
            add(CompletableFuture.completedFuture(ResultItem.unavailable(
                    index,
                    Appender.idOf(read),
                    ProblemCode.UNAVAILABLE,
                    "this instance is stopping; send the same again")));
            return;
        }
        synchronized (this) {
            unansweredBytes += line.length;
        }
        add(appender.append(index, read).thenApply(item -> {
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
        try {
            handOver();
        } catch (RuntimeException e) {
            fail(e); // on threads whose caller looks at no exception
        }
        goOn();
    }

    /**
     * Hands the complete results at the head to the output, all in one piece: the connection writes piece by piece. While it
     * has not taken the last one, results gather.
     */
    private synchronized void handOver() {
        if ((unwritten == 0 || clientIsGone) && !finished) {
            ByteArrayOutputStream piece = new ByteArrayOutputStream();
            while (!unanswered.isEmpty() && unanswered.peek().isDone()) {
                ResultItem item = unanswered.remove().join();
                metrics.count(item);
                if (unwritten++ > 0) {
                    piece.write('\n');
                }
                piece.writeBytes(encode(item));
            }
            if (clientIsGone) {
                unwritten = 0;
            } else if (unwritten > 0) {
                output.onNext(piece.toByteArray());
            }
        }
        if (inputEnded && !working && unanswered.isEmpty() && !finished) {
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
            unwritten = 0;
        }
        drain();
    }
}
