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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Restores the ledger as it was at a published epoch, as a read-only one, from the object store alone: a directory of files as C2SP
 * tlog-tiles has them, under the paths of the gateway ({@code log/…}, {@code shard/<n>/…}), which any web server can serve and any
 * client of tiles verify. Every entry is hashed on the way and every published head up to there held against what comes out;
 * {@code log/checkpoint} is written last, and only if nothing was found. For one use.
 */
public final class ArchiveRestorePoint {
    private final NoteVerifier key;
    private final ObjectStore store;
    private final long epoch;
    private final Path directory;
    private final ArchiveCheck.Listener listener;

    /** What came of it. */
    public sealed interface Result {
        /**
         * The ledger is there.
         *
         * @param checkpoint of the epoch, signed
         */
        record Restored(long epochs, long leaves, Checkpoint checkpoint) implements Result {}

        /** The archive is not what was published. The directory has no checkpoint. */
        record Refused(List<ArchiveCheck.Finding> findings, long found) implements Result {
            public Refused {
                findings = List.copyOf(findings);
            }
        }

        /** Nothing can be said. */
        record Undecided(String detail) implements Result {}
    }

    /**
     * @param epoch number of the last epoch the ledger is to have
     * @param directory new or empty
     */
    public ArchiveRestorePoint(
            NoteVerifier key, ObjectStore store, long epoch, Path directory, ArchiveCheck.Listener listener) {
        this.key = key;
        this.store = store;
        this.epoch = epoch;
        this.directory = directory;
        this.listener = listener;
    }

    public Result run() throws InterruptedException {
        try {
            return restore();
        } catch (IOException e) {
            return new Result.Undecided(String.valueOf(e.getMessage()));
        }
    }

    private Result restore() throws IOException, InterruptedException {
        requireEmpty();
        Export export = new Export();
        ArchiveCheck check =
                ArchiveCheck.openAlone(key, store, Long.MAX_VALUE, listener).upTo(epoch + 1, export);
        ArchiveCheck.Result result = check.run();
        if (result instanceof ArchiveCheck.Result.Undecided undecided) {
            return new Result.Undecided(undecided.detail());
        }
        ArchiveCheck.Report report = ((ArchiveCheck.Result.Checked) result).report();
        if (report.found() > 0) {
            return new Result.Refused(report.findings(), report.found());
        }
        if (report.epochs() <= epoch) {
            return new Result.Undecided("the object store has " + report.epochs() + " epochs, the newest is "
                    + (report.epochs() - 1) + ": epoch " + epoch + " is not among them");
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

        private void write(String path, byte[] bytes) throws IOException {
            Path file = directory.resolve(path);
            Files.createDirectories(file.getParent());
            Files.write(file, bytes);
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
            write("log/checkpoint", newest.note().getBytes(StandardCharsets.UTF_8));
            return new Result.Restored(report.epochs(), report.leaves(), checkpoint);
        }
    }
}
