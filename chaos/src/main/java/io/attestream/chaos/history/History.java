// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.history;

import io.attestream.proofs.json.Jcs;
import io.attestream.proofs.json.JsonValue.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Records what clients do, one JSON object a line, in the order in which it happens:
 *
 * <pre>{@code
 * try (History history = History.create(file)) {
 *     History.Call<Result.Appended> call = history.invoke("client-1", new Operation.Append(identity, digest));
 *     call.ok(new Result.Appended(receipt));      // or
 *     call.fail("400 the id is missing");         // nothing of it has happened, nor will
 *     call.info("no answer in 30 s");             // it may have happened, or may yet
 * }
 * }</pre>
 *
 * <p>{@code invoke} before the request is sent, the end when its answer is there. Only what was definitely refused is a {@code fail};
 * in doubt it is an {@code info}. A client (process) may have several operations under way.
 *
 * <p>Each line is with the operating system when the method returns: if this process is killed, the file can be read and at most
 * its last line is torn. Thread-safe.
 */
public final class History implements AutoCloseable {
    /** Operations a history has room for: what {@link HistoryChecker} can judge in some gigabytes of memory. */
    public static final long OPERATIONS_MAX = 5_000_000;
    /** The dedup window of a ledger whose rules do not say otherwise, in leaves of a shard. */
    public static final long WINDOW_LEAVES_DEFAULT = 1L << 22;

    private final Path file;
    private final OutputStream out;
    private final long operationsMax;
    private final long beganNanos = System.nanoTime();
    private long operations;
    private boolean broken;

    private History(Path file, long operationsMax) throws IOException {
        this.file = file;
        this.out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        this.operationsMax = operationsMax;
    }

    /**
     * Begins a history of a ledger with the default dedup window.
     *
     * @param file that does not exist yet
     * @throws UncheckedIOException if it exists or cannot be written
     */
    public static History create(Path file) {
        return create(file, WINDOW_LEAVES_DEFAULT);
    }

    /**
     * Begins a history.
     *
     * @param file that does not exist yet
     * @param windowLeaves the ledger's dedup window, in leaves of a shard, at least 1
     * @throws UncheckedIOException if it exists or cannot be written
     */
    public static History create(Path file, long windowLeaves) {
        return create(file, windowLeaves, Optional.empty());
    }

    /**
     * Begins a history of a ledger that somebody else appends to, too.
     *
     * @param file that does not exist yet
     * @param windowLeaves the ledger's dedup window, in leaves of a shard, at least 1
     * @param others whose appends are not recorded here, so that their leaves are no {@link AnomalyKind#PHANTOM}; all else that is
     *     asked of leaves is asked of theirs too
     * @throws UncheckedIOException if it exists or cannot be written
     */
    public static History create(Path file, long windowLeaves, Optional<Others> others) {
        return create(file, windowLeaves, others, OPERATIONS_MAX);
    }

    static History create(Path file, long windowLeaves, Optional<Others> others, long operationsMax) {
        try {
            History history = new History(file, operationsMax);
            history.write(HistoryJson.begun(windowLeaves, others, System.currentTimeMillis()));
            return history;
        } catch (IOException e) {
            throw new UncheckedIOException("no history can be begun in " + file + ": " + e, e);
        }
    }

    public Path file() {
        return file;
    }

    /**
     * A client asks for something; to be called before it does.
     *
     * @param process name of the client
     * @return to be told how it ended; if it never is, that is as an {@link Call#info}
     * @throws IllegalStateException if the history is full
     * @throws UncheckedIOException if it cannot be written
     */
    public <R extends Result> Call<R> invoke(String process, Operation<R> operation) {
        return new Call<>(this, begin(process, operation));
    }

    private synchronized long begin(String process, Operation<?> operation) {
        if (operations >= operationsMax) {
            throw new IllegalStateException("the history in " + file + " has its " + operationsMax
                    + " operations: begin another, or send less");
        }
        long number = operations++;
        write((nanos, wallMillis) -> HistoryJson.invoked(number, process, nanos, wallMillis, operation));
        return number;
    }

    /** An operation under way, to be ended once. */
    public static final class Call<R extends Result> {
        private final History history;
        private final long number;
        private boolean ended;

        private Call(History history, long number) {
            this.history = history;
            this.number = number;
        }

        /**
         * It went well.
         *
         * @throws IllegalStateException if it has ended
         */
        public void ok(R result) {
            end((nanos, wallMillis) -> HistoryJson.ok(number, nanos, wallMillis, result));
        }

        /**
         * It was definitely refused: nothing of it has happened, nor will.
         *
         * @throws IllegalStateException if it has ended
         */
        public void fail(String reason) {
            end((nanos, wallMillis) -> HistoryJson.failed(number, nanos, wallMillis, reason));
        }

        /**
         * Nobody knows what became of it: it may have happened, or may yet.
         *
         * @throws IllegalStateException if it has ended
         */
        public void info(String reason) {
            end((nanos, wallMillis) -> HistoryJson.unknown(number, nanos, wallMillis, reason));
        }

        /**
         * A leaf of an {@link Operation.ReadAll}, before its end.
         *
         * @throws IllegalStateException if it has ended
         */
        public void leaf(Leaf leaf) {
            synchronized (history) {
                requireUnderWay();
                history.write(HistoryJson.leaf(number, leaf));
            }
        }

        private void end(Line line) {
            synchronized (history) {
                requireUnderWay();
                ended = true;
                history.write(line);
            }
        }

        private void requireUnderWay() {
            if (ended) {
                throw new IllegalStateException("operation " + number + " has ended");
            }
        }
    }

    private interface Line {
        JsonObject at(long nanos, long wallMillis);
    }

    /** The caller holds the lock, under which the clock is read too: lines are in the order of their times. */
    private void write(Line line) {
        write(line.at(System.nanoTime() - beganNanos, System.currentTimeMillis()));
    }

    private void write(JsonObject line) {
        if (broken) {
            throw new UncheckedIOException(new IOException("the history in " + file + " could not be written before"));
        }
        byte[] json = Jcs.encode(line);
        byte[] withNewline = new byte[json.length + 1];
        System.arraycopy(json, 0, withNewline, 0, json.length);
        withNewline[json.length] = '\n';
        try {
            out.write(withNewline); // no buffer: a line that is told here survives this process
        } catch (IOException e) {
            broken = true; // half a line may be there: nothing can follow it
            throw new UncheckedIOException("the history in " + file + " cannot be written: " + e, e);
        }
    }

    /** SHA-256 in lower case hexadecimal: a digest for {@link Operation.Append}. */
    public static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Ends it; operations under way are not known to have ended. */
    @Override
    public synchronized void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the history in " + file + " cannot be closed: " + e, e);
        }
    }
}
