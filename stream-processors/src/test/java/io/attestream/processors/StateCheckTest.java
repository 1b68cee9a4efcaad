// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.processors.proofs.TestTiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/** What is damaged in a state directory is found, and named. */
class StateCheckTest {
    private static final int LEAVES = 256 * 257 + 10;

    @TempDir
    private Path directory;

    private Path store;

    @BeforeEach
    void writeAStore() throws Exception {
        RocksDB.loadLibrary();
        store = Files.createDirectories(directory.resolve("processors-0/proofs/0_0/rocksdb/shard"));
        write(TestTiles.of(LEAVES));
    }

    private void write(List<TestTiles.Tile> tiles) throws Exception {
        // With a filter, as Kafka Streams has it.
        BlockBasedTableConfig table = new BlockBasedTableConfig().setFilterPolicy(new BloomFilter());
        try (Options options = new Options().setCreateIfMissing(true).setTableFormatConfig(table);
                RocksDB db = RocksDB.open(options, store.toString());
                FlushOptions flush = new FlushOptions()) {
            for (TestTiles.Tile tile : tiles) {
                db.put(tile.key(), tile.hashes());
            }
            db.put("other".getBytes(StandardCharsets.UTF_8), new byte[100]);
            db.flush(flush);
        }
    }

    private StateCheck.Report check() throws Exception {
        return new StateCheck(directory, Long.MAX_VALUE, (stores, total) -> {}).run();
    }

    @Test
    void everyTileIsHeldAgainstTheOneAbove() throws Exception {
        StateCheck.Report report = check();

        assertThat(report.findings()).isEmpty();
        assertThat(report.stores()).isEqualTo(1);
        assertThat(report.tiles()).isEqualTo(257 + 1);
    }

    /** Everywhere in what has the records; what RocksDB rebuilds or ignores aside. */
    @Test
    void aFlippedBitIsFound() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Path file;
        try (Stream<Path> files = Files.list(store)) {
            file = files.filter(any -> any.toString().endsWith(".sst"))
                    .max(Comparator.comparingLong(any -> any.toFile().length()))
                    .orElseThrow();
        }
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < 36; i++) {
            // when: the index, properties and what else is read with the file are at the end, filters before them
            byte[] bad = good.clone();
            int atEnd = bad.length - 1 - random.nextInt(i % 3 == 1 ? 4_000 : 40_000);
            int at = i % 3 == 0 ? random.nextInt(bad.length) : atEnd;
            bad[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, bad);

            // then
            assertThat(check().findings())
                    .as("a bit of byte %d of %d", at, bad.length)
                    .isNotEmpty()
                    .allSatisfy(found -> assertThat(found.store()).isEqualTo("processors-0/proofs/0_0/rocksdb/shard"));
        }
        Files.write(file, good);
        assertThat(check().findings()).isEmpty();
    }

    /** Reading records touches no filter, which is a twentieth of such a table. */
    @Test
    void aBitThatFlipsInAFilterIsFound() throws Exception {
        // given a store with a filter of some 50,000 bytes, which is before the index
        Path small = directory.resolve("processors-0/proofs/0_1/rocksdb/shard");
        Files.createDirectories(small);
        BlockBasedTableConfig table = new BlockBasedTableConfig().setFilterPolicy(new BloomFilter());
        try (Options options = new Options().setCreateIfMissing(true).setTableFormatConfig(table);
                RocksDB db = RocksDB.open(options, small.toString());
                FlushOptions flush = new FlushOptions()) {
            for (int i = 0; i < 40_000; i++) {
                db.put(("key" + i).getBytes(StandardCharsets.UTF_8), new byte[4]);
            }
            db.flush(flush);
        }
        Path file;
        try (Stream<Path> files = Files.list(small)) {
            file = files.filter(any -> any.toString().endsWith(".sst"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] good = Files.readAllBytes(file);
        for (int fromEnd = 15_000; fromEnd <= 45_000; fromEnd += 6_000) {
            // when
            byte[] bad = good.clone();
            bad[bad.length - fromEnd] ^= 1;
            Files.write(file, bad);

            // then
            assertThat(check().findings())
                    .as("%d bytes before the end", fromEnd)
                    .isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"truncated", "deleted"})
    void aFileThatIsNotWholeIsFound(String how) throws Exception {
        List<Path> tables;
        try (Stream<Path> files = Files.list(store)) {
            tables = files.filter(any -> any.toString().endsWith(".sst")).toList();
        }
        for (Path table : tables) {
            if (how.equals("deleted")) {
                Files.delete(table);
            } else {
                byte[] bytes = Files.readAllBytes(table);
                Files.write(table, Arrays.copyOf(bytes, bytes.length / 2));
            }
        }
        assertThat(check().findings()).isNotEmpty();
    }

    @Test
    void aTableThatIsOnlyJustWrittenIsNoDamage() throws Exception {
        // given: a flush or compaction begins it under its last name, and enters it in the list of files when it is
        // whole
        Path table;
        try (Stream<Path> files = Files.list(store)) {
            table = files.filter(any -> any.toString().endsWith(".sst"))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] whole = Files.readAllBytes(table);
        Files.write(store.resolve("999999.sst"), Arrays.copyOf(whole, whole.length / 2));

        // then
        assertThat(check().findings()).isEmpty();
    }

    @Test
    void storesOfTheGenerationThatRunsAreLookedAtWhateverElseIsThere() throws Exception {
        // given
        Path state = directory.resolve("processors-0/proofs");
        copy(store, state.resolve("a.g2/0_0/rocksdb/shard"));
        copy(store, state.resolve("a.g3/0_0/rocksdb/shard"));
        try (Stream<Path> files = Files.list(state.resolve("a.g2/0_0/rocksdb/shard"))) {
            for (Path file :
                    files.filter(any -> any.toString().endsWith(".sst")).toList()) {
                Files.write(file, new byte[10]);
            }
        }

        // then
        assertThat(new StateCheck(directory, Long.MAX_VALUE, (stores, total) -> {})
                        .ofGeneration(2)
                        .run()
                        .findings())
                .isNotEmpty()
                .allSatisfy(found -> assertThat(found.store()).contains("a.g2"));
    }

    @Test
    void processorsWithoutStateHaveNothingToBeLookedAt() throws Exception {
        StateCheck.Report report =
                new StateCheck(directory.resolve("none"), Long.MAX_VALUE, (stores, total) -> {}).run();
        assertThat(report.stores()).isZero();
        assertThat(report.findings()).isEmpty();
    }

    @Test
    void aStoreWithoutAnyFileIsFound() throws Exception {
        try (Stream<Path> files = Files.list(store)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        assertThat(check().findings()).hasSize(1);
    }

    /** It names the list of files, without which there is none. */
    @Test
    void aStoreThatLostTheNameOfItsFilesIsFound() throws Exception {
        Files.delete(store.resolve("CURRENT"));
        assertThat(check().findings()).hasSize(1);
    }

    /** Shards' stores and the one that every instance has whole; of the newest generation only. */
    @Test
    void everyStoreThatIsReadIsLookedAt() throws Exception {
        Path state = directory.resolve("processors-0/proofs");
        for (String path : List.of("a.g2/0_0", "a.g2/1_11", "a.g2/global", "a.g1/0_0", "b.g1/global")) {
            copy(store, state.resolve(path).resolve("rocksdb/shard"));
        }
        Path older = state.resolve("a.g1/0_0/rocksdb/shard");
        try (Stream<Path> files = Files.list(older)) {
            for (Path file : files.toList()) {
                Files.write(file, new byte[10]);
            }
        }

        StateCheck.Report report = check();
        assertThat(report.findings()).isEmpty();
        assertThat(report.stores()).isEqualTo(5);
    }

    private static void copy(Path from, Path to) throws Exception {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    /** Its blocks have their checksums: it was written so. */
    @ParameterizedTest
    @ValueSource(ints = {0, 255, 256, 258})
    void aHashThatIsNotThatOfTheTileBelowIsFound(int tile) throws Exception {
        // given another hash in a leaf tile, or in the tile above it
        List<TestTiles.Tile> tiles = TestTiles.of(LEAVES);
        tiles.get(tile).hashes()[77] ^= 1;

        // when
        write(tiles);

        // then
        StateCheck.Report report = check();
        assertThat(report.findings()).hasSizeBetween(1, 2).allSatisfy(found -> {
            assertThat(found.expected()).startsWith("tile ");
            assertThat(found.actual()).startsWith("root ");
        });
    }
}
