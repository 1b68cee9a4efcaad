// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is to be undone: {@code chaos/journal.json} of a data directory, on disk before it is done. Whoever has it holds a lock, so
 * that nobody else does a second fault meanwhile; the lock goes with the process, the journal stays.
 */
final class Journal implements AutoCloseable {
    private static final String NAME = "journal.json";
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Path directory;
    private final FileChannel lock;
    private final List<Undo> undo = new ArrayList<>();
    private final String what;

    private Journal(Path directory, FileChannel lock, String what) {
        this.directory = directory;
        this.lock = lock;
        this.what = what;
    }

    /** As it is written. */
    record Content(String what, long pid, List<Undo> undo) {}

    static Path directory(Path dataDirectory) {
        return dataDirectory.resolve("chaos");
    }

    /**
     * Begins a new one.
     *
     * @param what is done, in words
     * @param heal the command that undoes it later
     * @throws ChaosRefused if another run is under way, or one was never undone
     */
    static Journal begin(Path dataDirectory, String what, String heal) throws IOException {
        Journal journal = take(dataDirectory, what);
        if (Files.exists(journal.file())) {
            journal.close();
            throw new ChaosRefused(
                    "a fault in " + dataDirectory + " was never undone: "
                            + read(journal.file()).what(),
                    "Undo it with: " + heal);
        }
        return journal;
    }

    /**
     * Takes up the one of a process that died; with nothing in it if there is none.
     *
     * @param project whose containers it may touch; empty for a local cluster
     * @throws ChaosRefused if a run is under way, or it holds anything that no fault here writes
     */
    static Journal takeUp(Path dataDirectory, Optional<String> project) throws IOException {
        Journal journal = take(dataDirectory, "");
        try {
            if (Files.exists(journal.file())) {
                Scope scope = new Scope(journal.file(), dataDirectory, project);
                scope.requireOwn();
                List<Undo> steps = read(journal.file()).undo();
                steps.forEach(step -> step.requireOf(scope));
                journal.undo.addAll(steps);
            }
            return journal;
        } catch (IOException | RuntimeException e) {
            journal.close();
            throw e;
        }
    }

    private static Journal take(Path dataDirectory, String what) throws IOException {
        Path directory = Files.createDirectories(directory(dataDirectory));
        FileChannel channel =
                FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Held by this very process.
        }
        if (lock == null) {
            channel.close();
            throw new ChaosRefused(
                    "another fault is under way in " + dataDirectory, "Wait until it ends, or stop it with Ctrl-C.");
        }
        return new Journal(directory, channel, what);
    }

    private static Content read(Path file) throws IOException {
        try {
            return JSON.readValue(file.toFile(), Content.class);
        } catch (IOException e) {
            throw new IOException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private Path file() {
        return directory.resolve(NAME);
    }

    /** For files of the fault's own. */
    Path directory() {
        return directory;
    }

    /** Returns when it is on disk. */
    void add(Undo step) throws IOException {
        List<Undo> all = new ArrayList<>(undo);
        all.add(step);
        byte[] bytes =
                JSON.writeValueAsBytes(new Content(what, ProcessHandle.current().pid(), all));
        Path temporary = directory.resolve(NAME + ".tmp");
        try (FileChannel out = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
            out.force(true);
        }
        Files.move(temporary, file(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        undo.add(step);
    }

    /** What was added, the last first: the order in which to undo it. */
    List<Undo> steps() {
        List<Undo> steps = new ArrayList<>(undo);
        java.util.Collections.reverse(steps);
        return steps;
    }

    /**
     * Undoes everything, and forgets it then. What fails does not keep the rest from being undone.
     *
     * @return what was done, in words
     * @throws IOException if a step failed; it can be taken up again
     */
    List<String> undoAll() throws IOException {
        List<String> done = new ArrayList<>();
        IOException failure = null;
        for (Undo step : steps()) {
            try {
                step.run();
                done.add(step.words());
            } catch (IOException | RuntimeException e) {
                IOException failed = new IOException("could not " + step.words() + ": " + e.getMessage(), e);
                if (failure == null) {
                    failure = failed;
                } else {
                    failure.addSuppressed(failed);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
        forget();
        return done;
    }

    /** There is nothing to be undone any more. */
    void forget() throws IOException {
        Files.deleteIfExists(file());
        undo.clear();
    }

    /** Lets others begin. */
    @Override
    public void close() throws IOException {
        lock.close();
    }
}
