// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.processors.StateCheck;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What {@link StateCheck} finds damaged in a state directory of processors, and the way to be without it. */
final class DamagedStores {
    private final Path state;
    private final long bytesPerSecondMax;

    /** @param state {@code attestream.state.directory} of processors of this machine */
    DamagedStores(Path state, long bytesPerSecondMax) {
        this.state = state;
        this.bytesPerSecondMax = bytesPerSecondMax;
    }

    /** Looks at all stores; also while the processors run. */
    List<StateCheck.Finding> find() throws IOException, InterruptedException {
        return look().orElse(List.of());
    }

    /** As above; empty if there is no store, or no such directory. */
    Optional<List<StateCheck.Finding>> look() throws IOException, InterruptedException {
        if (!Files.isDirectory(state)) {
            return Optional.empty();
        }
        StateCheck.Report looked = new StateCheck(state, bytesPerSecondMax, (stores, total) -> {}).run();
        return looked.stores() == 0 ? Optional.empty() : Optional.of(looked.findings());
    }

    /**
     * Moves the directories of the tasks whose stores these are, whole: Kafka Streams makes them again from the changelogs.
     *
     * @param apart new directory for what is moved, on the same disk
     * @return what was moved, by its path in the state directory, sorted
     * @throws IOException if processors still run on it; nothing was moved
     */
    Set<Path> setApart(List<StateCheck.Finding> findings, Path apart) throws IOException {
        Set<Path> tasks = new TreeSet<>();
        for (StateCheck.Finding finding : findings) {
            // Of <role>/<application>/<task>/rocksdb/<store>.
            tasks.add(Path.of(finding.store()).resolve("../..").normalize());
        }
        for (Path task : tasks) {
            requireUnused(state.resolve(task).resolveSibling(".lock"));
        }
        for (Path task : tasks) {
            Path to = apart.resolve(task);
            Files.createDirectories(to.resolve(".."));
            Files.move(state.resolve(task), to);
        }
        return tasks;
    }

    /** @param lock of Kafka Streams, on the directory of an application */
    private static void requireUnused(Path lock) throws IOException {
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = channel.tryLock()) {
            if (held != null) {
                return;
            }
        } catch (OverlappingFileLockException e) {
            // Held by this very process.
        }
        throw new IOException("processors run on " + lock.resolveSibling("").normalize() + ": stop them first");
    }
}
