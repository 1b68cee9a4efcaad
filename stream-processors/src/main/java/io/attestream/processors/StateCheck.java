// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import io.attestream.processors.proofs.StoredTiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.DBOptions;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SstFileReader;

/**
 * Looks at every state store the processors have on disk, also while they run: at the checksum of every block of every file, and of
 * the stores with trees whether each tile has the hash that the tile above it says. A store only holds what its changelog does, so
 * what is damaged comes back when its directory is deleted. Changes nothing. For one use.
 */
public final class StateCheck {
    static {
        RocksDB.loadLibrary();
    }

    /** Files of a store that runs are replaced by others while it is read. */
    private static final int TRIES = 3;

    private static final long PAUSE_NANOS = 200_000_000;

    private static final int FINDINGS_MAX = 1_000;
    /** Of a store below a directory that is one above several state directories: instance, role, application, task, rocksdb, store. */
    private static final int DEPTH_MAX = 6;
    /** Kafka Streams' own layout: application, task, store. The application's name ends with the generation, but for the first. */
    private static final Pattern STORE =
            Pattern.compile("(.*?)(?:\\.g([0-9]+))?/(?:[0-9]+_[0-9]+|global)/rocksdb/[^/]+");

    private final Path directory;
    private final long bytesPerSecondMax;
    private final Listener listener;
    private final long begunNanos = System.nanoTime();
    private final List<Finding> findings = new ArrayList<>();
    private OptionalInt generationOnly = OptionalInt.empty();
    /** For the pace: with what was read only to look at its checksum. */
    private long readBytes;

    private long sizeBytes;
    private long records;
    private long tiles;

    /** Is told what goes by. */
    public interface Listener {
        void progress(long stores, long total);
    }

    /**
     * Something that is not as it must be.
     *
     * @param store directory of the store, below the one that was looked at
     */
    public record Finding(String store, String expected, String actual) {}

    /**
     * What was looked at.
     *
     * @param tiles whose hash was held against the tile above
     * @param sizeBytes of keys and values
     */
    public record Report(int stores, long records, long tiles, long sizeBytes, List<Finding> findings) {
        public Report {
            findings = List.copyOf(findings);
        }
    }

    /**
     * @param directory {@code attestream.state.directory}, or one above several
     * @param bytesPerSecondMax read from the disk, at least 1
     */
    public StateCheck(Path directory, long bytesPerSecondMax, Listener listener) {
        this.directory = directory;
        this.bytesPerSecondMax = bytesPerSecondMax;
        this.listener = listener;
    }

    /** Looks at the stores of this generation, not at those of the newest there is. */
    public StateCheck ofGeneration(int generation) {
        generationOnly = OptionalInt.of(generation);
        return this;
    }

    /** @throws IOException if the directory cannot be read */
    public Report run() throws IOException, InterruptedException {
        List<Path> stores = stores();
        int done = 0;
        for (Path store : stores) {
            look(store);
            listener.progress(++done, stores.size());
        }
        return new Report(stores.size(), records, tiles, sizeBytes, findings);
    }

    /**
     * Of the newest generation there is, unless another was named; what others left is read by nobody. Without looking into stores,
     * whose files come and go; none where processors keep no state.
     */
    private List<Path> stores() throws IOException {
        if (!Files.exists(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(directory, DEPTH_MAX)) {
            List<Path> all = files.filter(file -> STORE.matcher(file.toString()).matches())
                    .filter(Files::isDirectory)
                    .sorted()
                    .toList();
            Map<String, Integer> newest = new HashMap<>();
            all.forEach(store -> newest.merge(application(store), generation(store), Math::max));
            return all.stream()
                    .filter(store ->
                            generation(store) == generationOnly.orElse(newest.getOrDefault(application(store), 0)))
                    .toList();
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof NoSuchFileException) {
                throw new IOException("the processors replace their directories just now; run it again", e);
            }
            throw e.getCause();
        }
    }

    private static Matcher parts(Path store) {
        Matcher parts = STORE.matcher(store.toString());
        if (!parts.matches()) {
            throw new IllegalArgumentException(store + " is no store");
        }
        return parts;
    }

    private static String application(Path store) {
        return parts(store).group(1);
    }

    private static int generation(Path store) {
        String number = parts(store).group(2);
        return number == null ? 1 : Integer.parseInt(number);
    }

    private void look(Path store) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            Looked looked = new Looked();
            try {
                read(store, looked);
            } catch (RocksDBException e) {
                looked.found.add(new Finding(
                        name(store), "files whose blocks have their checksums", String.valueOf(e.getMessage())));
            }
            if (!Files.exists(store)) {
                return; // another instance has it now
            }
            if (looked.found.isEmpty() || attempt == TRIES) {
                looked.found.stream().limit(FINDINGS_MAX - findings.size()).forEach(findings::add);
                records += looked.records;
                tiles += looked.tree.held();
                return;
            }
            TimeUnit.NANOSECONDS.sleep(PAUSE_NANOS);
        }
    }

    private static final class Looked {
        private final List<Finding> found = new ArrayList<>();
        private final StoredTiles tree = new StoredTiles();
        private long records;
    }

    private String name(Path store) {
        return directory.relativize(store).toString();
    }

    private void read(Path store, Looked looked) throws RocksDBException, InterruptedException {
        List<ColumnFamilyHandle> families = new ArrayList<>();
        try (Options options = new Options();
                DBOptions dbOptions = new DBOptions()) {
            List<ColumnFamilyDescriptor> names = RocksDB.listColumnFamilies(options, store.toString()).stream()
                    .map(ColumnFamilyDescriptor::new)
                    .toList();
            if (names.isEmpty()) {
                looked.found.add(new Finding(name(store), "files of a store", "none"));
                return;
            }
            List<Path> tables;
            try (RocksDB db = RocksDB.openReadOnly(dbOptions, store.toString(), names, families)) {
                tables = db.getLiveFilesMetaData().stream()
                        .map(table -> store.resolve(table.fileName().substring(1))) // begins with a slash
                        .toList();
                for (ColumnFamilyHandle family : families) {
                    read(db, family, name(store), looked);
                }
            } finally {
                families.forEach(ColumnFamilyHandle::close);
                names.forEach(family -> family.getOptions().close());
            }
            verifyTables(options, tables);
        }
    }

    /**
     * What reading records does not touch: filters, and what is read only when a file is opened.
     *
     * @param tables of the store; other files may be there that it is only just writing
     */
    private void verifyTables(Options options, List<Path> tables) throws RocksDBException, InterruptedException {
        for (Path table : tables) {
            try (SstFileReader reader = new SstFileReader(options)) {
                long fileSizeBytes = Files.size(table);
                reader.open(table.toString());
                reader.verifyChecksum();
                readBytes += fileSizeBytes;
            } catch (RocksDBException e) {
                if (Files.exists(table)) {
                    throw e;
                }
            } catch (IOException e) {
                continue; // compacted away meanwhile
            }
            keepPace();
        }
    }

    private void read(RocksDB db, ColumnFamilyHandle family, String store, Looked looked)
            throws RocksDBException, InterruptedException {
        try (ReadOptions reading = new ReadOptions().setVerifyChecksums(true).setFillCache(false);
                RocksIterator all = db.newIterator(family, reading)) {
            for (all.seekToFirst(); all.isValid(); all.next()) {
                byte[] key = all.key();
                byte[] value = all.value();
                looked.records++;
                sizeBytes += key.length + value.length;
                readBytes += key.length + value.length;
                looked.tree
                        .accept(key, value, above -> db.get(family, reading, above))
                        .ifPresent(
                                differs -> looked.found.add(new Finding(store, differs.expected(), differs.actual())));
                keepPace();
            }
            all.status();
        }
    }

    private void keepPace() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        long aheadNanos = (long) (1e9 * readBytes / bytesPerSecondMax) - (System.nanoTime() - begunNanos);
        if (aheadNanos > 10_000_000) {
            TimeUnit.NANOSECONDS.sleep(aheadNanos);
        }
    }
}
