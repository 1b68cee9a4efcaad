// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.processors.StateCheck;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

class DamagedStoresTest {
    private static final String BAD = "sequencer/app/0_0";
    private static final String GOOD = "sequencer/app/0_1";

    @TempDir
    private Path directory;

    private Path state;
    private Path apart;
    private DamagedStores stores;

    @BeforeEach
    void damageOneStoreOfTwo() throws Exception {
        state = directory.resolve("state");
        apart = directory.resolve("apart");
        stores = new DamagedStores(state, Long.MAX_VALUE);
        RocksDB.loadLibrary();
        for (String task : List.of(BAD, GOOD)) {
            Path store = Files.createDirectories(state.resolve(task).resolve("rocksdb/other"));
            try (Options options = new Options().setCreateIfMissing(true);
                    RocksDB db = RocksDB.open(options, store.toString());
                    FlushOptions flush = new FlushOptions()) {
                db.put("key".getBytes(StandardCharsets.UTF_8), new byte[1_000]);
                db.flush(flush);
            }
        }
        flipABit(state.resolve(BAD).resolve("rocksdb/other"));
    }

    private static void flipABit(Path store) throws IOException {
        try (Stream<Path> files = Files.list(store)) {
            Path table = files.filter(file -> file.toString().endsWith(".sst"))
                    .findFirst()
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(table);
            bytes[10] ^= 1;
            Files.write(table, bytes);
        }
    }

    @Test
    void theTaskOfAFlippedTableIsSetApartAndWhatIsWholeStays() throws Exception {
        // when
        List<StateCheck.Finding> findings = stores.find();

        // then
        assertThat(findings).extracting(StateCheck.Finding::store).containsOnly(BAD + "/rocksdb/other");
        assertThat(stores.setApart(findings, apart)).containsExactly(Path.of(BAD));
        assertThat(state.resolve(BAD)).doesNotExist();
        assertThat(apart.resolve(BAD).resolve("rocksdb/other")).isDirectory();
        assertThat(state.resolve(GOOD)).isDirectory();
        assertThat(stores.find()).isEmpty();
    }

    @Test
    void nothingIsMovedWhileAProcessorHoldsTheLock() throws Exception {
        // given
        List<StateCheck.Finding> findings = stores.find();
        try (FileChannel channel = FileChannel.open(
                        state.resolve("sequencer/app/.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = channel.lock()) {
            // when, then
            assertThat(held.isValid()).isTrue();
            assertThatThrownBy(() -> stores.setApart(findings, apart)).hasMessageContaining("stop them first");
        }
        assertThat(state.resolve(BAD)).isDirectory();
        assertThat(apart).doesNotExist();
    }
}
