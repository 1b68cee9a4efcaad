// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Timer;
import java.util.TimerTask;
import org.jspecify.annotations.Nullable;

/**
 * A fault that lasts until it is {@link #close closed}. While there is one, no other begins in the same data directory. It is undone too
 * when this process is told to end, and after {@link #LIMIT}; what a process killed without a word leaves, {@link #heal} undoes.
 * Thread-safe.
 */
public final class Injection implements AutoCloseable {
    /** No fault lasts longer. */
    public static final Duration LIMIT = Duration.ofMinutes(10);

    /** Who closes it just in time is not to be overtaken. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final Journal journal;
    private final String heal;
    private final Map<String, String> details = new LinkedHashMap<>();
    private final Timer limit = new Timer("chaos-limit", true);
    private final Thread hook = new Thread(this::close, "chaos-rollback");
    private @Nullable AutoCloseable work;
    private List<String> undone = List.of();
    private boolean mended;
    private boolean ended;

    private Injection(Journal journal, String heal) {
        this.journal = journal;
        this.heal = heal;
    }

    /** What a fault does, after each step it can fall back on was given to {@link #undoBy}. */
    interface Action {
        void start(Injection injection) throws IOException;
    }

    /**
     * Begins.
     *
     * @param what is done, in words
     * @param heal the command that undoes what is left of it
     */
    static Injection begin(Path dataDirectory, String what, String heal, Action action) {
        try {
            Injection injection = new Injection(Journal.begin(dataDirectory, what, heal), heal);
            Runtime.getRuntime().addShutdownHook(injection.hook);
            injection.limit.schedule(
                    new TimerTask() {
                        @Override
                        public void run() {
                            injection.close();
                        }
                    },
                    LIMIT.plus(GRACE).toMillis());
            injection.start(action);
            return injection;
        } catch (IOException e) {
            throw new UncheckedIOException("no journal can be kept in " + dataDirectory + ": " + e.getMessage(), e);
        }
    }

    /** Holds the lock of {@link #close}: who is told to end meanwhile undoes the whole of it, not a part. */
    private synchronized void start(Action action) {
        try {
            action.start(this);
        } catch (IOException | RuntimeException e) {
            try {
                close();
            } catch (RuntimeException rollback) {
                e.addSuppressed(rollback);
            }
            throw e instanceof ChaosSkipped || e instanceof ChaosRefused
                    ? (RuntimeException) e
                    : new IllegalStateException(
                            "the fault failed, and what was done of it was undone: " + e.getMessage(), e);
        }
    }

    /** Before the step is done. */
    void undoBy(Undo step) throws IOException {
        journal.add(step);
    }

    /** What goes on while the fault lasts; closed before anything is undone. */
    void whileItLasts(AutoCloseable ongoing) {
        work = ongoing;
    }

    /** For files of the fault's own. */
    Path directory() {
        return journal.directory();
    }

    void tell(String name, Object value) {
        details.put(name, String.valueOf(value));
    }

    /** What is to be known of it, for example which file was damaged, and where. */
    public synchronized Map<String, String> details() {
        return Map.copyOf(details);
    }

    /** Whether it was undone, or left to others. */
    public synchronized boolean isEnded() {
        return ended;
    }

    /** What {@link #close} undid, in words; empty before. */
    public synchronized List<String> undone() {
        return undone;
    }

    /** Somebody else made up for it, for example a runbook's mitigation: {@link #close} undoes nothing from now on. */
    public synchronized void mendedByOthers() {
        mended = true;
    }

    /**
     * Undoes it. Does nothing when it was done. A thread that was interrupted undoes all of it too, and stays interrupted.
     *
     * @throws IllegalStateException if a step failed: the rest was undone, and {@link #heal} tries it again
     */
    @Override
    public synchronized void close() {
        if (ended) {
            return;
        }
        ended = true;
        limit.cancel();
        // Every step waits for others, and none is to give up because this thread was told to end.
        boolean interrupted = Thread.interrupted();
        try (journal) {
            undo();
        } catch (Exception e) {
            throw new IllegalStateException(
                    "not all of the fault was undone: " + e.getMessage() + "; try again with: " + heal, e);
        } finally {
            removeHook();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Whatever goes on meanwhile and cannot be ended, the rest is undone. */
    private void undo() throws Exception {
        try {
            if (work != null) {
                work.close();
            }
        } finally {
            if (mended) {
                journal.forget();
            } else {
                undone = journal.undoAll();
            }
        }
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // It is the hook that calls.
        }
    }

    /**
     * Undoes what a process left that was killed, on a local cluster.
     *
     * @return what was undone, in words; empty if there was nothing
     * @throws ChaosRefused if no cluster ever ran there, the process lives, or the journal is not the caller's or holds anything that no fault writes; nothing
     *     was touched
     * @throws IllegalStateException if a step failed; the rest was undone
     */
    public static List<String> heal(Path dataDirectory) {
        if (!Files.exists(dataDirectory.resolve("cluster.json"))
                && !Files.isDirectory(Journal.directory(dataDirectory))) {
            throw new ChaosRefused(dataDirectory + " holds no cluster and no journal of faults", "Check --data-dir.");
        }
        return heal(dataDirectory, Optional.empty());
    }

    static List<String> heal(Path dataDirectory, Optional<String> project) {
        if (!Files.isDirectory(Journal.directory(dataDirectory))) {
            return List.of();
        }
        try (Journal journal = Journal.takeUp(dataDirectory, project)) {
            return journal.undoAll();
        } catch (IOException e) {
            throw new IllegalStateException(e.getMessage() + "; it is still in the journal", e);
        }
    }
}
