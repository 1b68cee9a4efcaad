// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.archive.LeafRecord;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import io.attestream.proofs.note.Checkpoint;
import io.attestream.proofs.note.NoteVerifier;
import io.attestream.proofs.tile.TileWriter;
import io.attestream.proofs.tree.TreeSize;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Restores the ledger as it was at a published epoch, as a read-only one, from the object store alone: a directory of files as C2SP
 * tlog-tiles has them, under the paths of the gateway ({@code log/…}, {@code shard/<n>/…}), which any web server can serve. The log
 * verifies by {@code log/checkpoint}, a shard's tree by its head in {@code epochs/<epoch>.epoch}, whose heads the last leaf of the log
 * binds. Every entry is hashed on the way and every published head up to there held against what comes out;
 * {@code log/checkpoint} is written last, and only if nothing was found. For one use.
 */
public final class ArchiveRestorePoint {
    private static final String CHECKPOINT = "log/checkpoint";

    private final NoteVerifier key;
    private final ObjectStore store;
    private final long epoch;
    private final Path directory;
    private final Optional<Checkpoint> kept;
    private final ArchiveCheck.Listener listener;

    /** A file of the ledger could not be written. */
    private static final class WriteFailed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        WriteFailed(Path file, IOException e) {
            super(file + " cannot be written: " + e, e);
        }
    }

    /** What came of it. */
    public sealed interface Result {
        /**
         * The ledger is there.
         *
         * @param checkpoint of the epoch, signed
         */
        record Restored(long epochs, long leaves, Checkpoint checkpoint) implements Result {}

        /** The archive is not what was published. The directory is empty. */
        record Refused(List<ArchiveCheck.Finding> findings, long found) implements Result {
            public Refused {
                findings = List.copyOf(findings);
            }
        }

        /** Nothing can be said, or not written. The directory is as it was. */
        record Undecided(String detail) implements Result {}
    }

    /**
     * @param epoch number of the last epoch the ledger is to have
     * @param directory new or empty
     * @param kept a verified ledger checkpoint somebody kept, which must be among those published: an archive of another history
     *     that the same key signed holds by itself
     */
    public ArchiveRestorePoint(
            NoteVerifier key,
            ObjectStore store,
            long epoch,
            Path directory,
            Optional<Checkpoint> kept,
            ArchiveCheck.Listener listener) {
        this.key = key;
        this.store = store;
        this.epoch = epoch;
        this.directory = directory;
        this.kept = kept;
        this.listener = listener;
    }

    public Result run() throws InterruptedException {
        try {
            requireThere();
            requireEmpty();
        } catch (IOException e) {
            return new Result.Undecided(describe(e));
        }
        Result result;
        try {
            result = restore();
        } catch (IOException | WriteFailed e) {
            result = new Result.Undecided(describe(e));
        }
        return result instanceof Result.Restored ? result : withoutFiles(result);
    }

    private static String describe(Exception e) {
        return e instanceof WriteFailed || e.getClass() == IOException.class
                ? String.valueOf(e.getMessage())
                : e.toString();
    }

    /** Before anything is written. */
    private void requireThere() throws IOException {
        List<String> names = store.list(ObjectNames.EPOCHS);
        if (!names.contains(ObjectNames.epoch(epoch))) {
            throw new IOException("the object store has " + names.size() + " epochs, the newest is "
                    + (names.size() - 1) + ": epoch " + epoch + " is not among them");
        }
    }

    private Result withoutFiles(Result result) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder())
                    .filter(file -> !file.equals(directory))
                    .toList()) {
                Files.delete(file);
            }
            return result;
        } catch (IOException e) {
            return result instanceof Result.Undecided undecided
                    ? new Result.Undecided(undecided.detail() + "; what was written stays there: " + describe(e))
                    : result;
        }
    }

    private Result restore() throws IOException, InterruptedException {
        Export export = new Export();
        ArchiveCheck check =
                ArchiveCheck.openAlone(key, store, Long.MAX_VALUE, listener).upTo(epoch + 1, export);
        ArchiveCheck.Result result = check.run(kept);
        if (result instanceof ArchiveCheck.Result.Undecided undecided) {
            return new Result.Undecided(undecided.detail());
        }
        ArchiveCheck.Report report = ((ArchiveCheck.Result.Checked) result).report();
        if (report.found() > 0) {
            return new Result.Refused(report.findings(), report.found());
        }
        if (report.epochs() != epoch + 1) {
            throw new IllegalStateException("epoch " + epoch + " was there, and " + report.epochs() + " were checked");
        }
        return export.finish(report);
    }

    private void requireEmpty() throws IOException {
        Files.createDirectories(directory);
        try (Stream<Path> files = Files.list(directory)) {
            if (files.findAny().isPresent()) {
                throw new IOException(directory + " is not empty; choose a new directory");
            }
        }
    }

    /** Writes files as leaves and epochs go by. */
    private final class Export implements ArchiveCheck.Taker {
        private final List<TileWriter> shards = new ArrayList<>();
        private final TileWriter log = tiles("log");
        private Optional<LogRecord.Published> last = Optional.empty();

        private TileWriter tiles(String prefix) {
            return new TileWriter((path, tile) -> write(prefix + "/" + path.path(), tile));
        }

        private void write(String path, byte[] bytes) {
            Path file = directory.resolve(path);
            try {
                Files.createDirectories(file.getParent());
                Files.write(file, bytes);
            } catch (IOException e) {
                throw new WriteFailed(file, e);
            }
        }

        /** What was written is on disk when it returns, also if the power fails. */
        private void sync() {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.toList()) {
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                        channel.force(true);
                    }
                }
            } catch (IOException e) {
                throw new WriteFailed(directory, e);
            }
        }

        @Override
        public void leaf(int shard, LeafRecord leaf) throws IOException {
            while (shards.size() <= shard) {
                shards.add(tiles("shard/" + shards.size()));
            }
            shards.get(shard).append(leaf.entry());
        }

        @Override
        public void epoch(LogRecord.Published published) throws IOException {
            log.append(published.intent().epochLeaf());
            last = Optional.of(published);
        }

        Result finish(ArchiveCheck.Report report) throws IOException {
            LogRecord.Published newest = last.orElseThrow();
            for (TileWriter shard : shards) {
                shard.finish();
            }
            log.finish();
            Checkpoint checkpoint = new Checkpoint(
                    key.keyName(), new TreeSize(report.epochs()), log.range().root());
            if (!checkpoint.text().equals(newest.intent().noteText())) {
                throw new IllegalStateException("every published head was held against what was written");
            }
            write(ObjectNames.epoch(newest.epoch()), EpochObjects.published(newest));
            sync();
            write(CHECKPOINT + ".tmp", newest.note().getBytes(StandardCharsets.UTF_8));
            sync();
            Files.move(
                    directory.resolve(CHECKPOINT + ".tmp"),
                    directory.resolve(CHECKPOINT),
                    StandardCopyOption.ATOMIC_MOVE);
            sync();
            return new Result.Restored(report.epochs(), report.leaves(), checkpoint);
        }
    }
}
