// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import static io.attestream.proofs.support.Samples.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.archive.ObjectStore.PutResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DirectoryObjectStoreTest {
    @TempDir
    private Path directory;

    private DirectoryObjectStore store;

    @BeforeEach
    void open() throws IOException {
        store = new DirectoryObjectStore(directory.resolve("objects"));
    }

    @Test
    void givesBackWhatWasPutAlsoAfterReopening() throws Exception {
        assertThat(store.get("a/b/c.seg")).isEmpty();
        assertThat(store.putIfAbsent("a/b/c.seg", utf8("content"))).isEqualTo(new PutResult.Created());
        assertThat(store.get("a/b/c.seg")).contains(utf8("content"));
        assertThat(new DirectoryObjectStore(directory.resolve("objects")).get("a/b/c.seg"))
                .contains(utf8("content"));
    }

    @Test
    void neverOverwrites() throws Exception {
        store.putIfAbsent("x", utf8("first"));
        assertThat(store.putIfAbsent("x", utf8("first"))).isEqualTo(new PutResult.SameBytes());
        assertThat(store.putIfAbsent("x", utf8("second"))).isEqualTo(new PutResult.DifferentBytes());
        assertThat(store.putIfAbsent("x", utf8("firstt"))).isEqualTo(new PutResult.DifferentBytes());
        assertThat(store.get("x")).contains(utf8("first"));
    }

    @Test
    void removesAnObjectAndNothingElse() throws Exception {
        store.putIfAbsent("a/x", utf8("content"));
        store.putIfAbsent("a/y", utf8("content"));
        store.delete("a/x");
        store.delete("a/x");
        store.delete("b/none");
        assertThat(store.list("")).containsExactly("a/y");
        assertThat(store.putIfAbsent("a/x", utf8("again"))).isEqualTo(new PutResult.Created());
    }

    @Test
    void letsOneOfManyWritersCreateAnObject() throws Exception {
        // given writers of different bytes under one name, each with a store of its own
        int writers = 8;
        ExecutorService threads = Executors.newFixedThreadPool(writers);
        try {
            for (int round = 0; round < 20; round++) {
                String name = "race/round-" + round + "/object";
                CyclicBarrier start = new CyclicBarrier(writers);
                List<Callable<PutResult>> puts = new ArrayList<>();
                for (int i = 0; i < writers; i++) {
                    byte[] bytes = {(byte) i};
                    DirectoryObjectStore own = new DirectoryObjectStore(directory.resolve("objects"));
                    puts.add(() -> {
                        start.await(10, TimeUnit.SECONDS);
                        return own.putIfAbsent(name, bytes);
                    });
                }

                // when all write at once
                List<PutResult> results = new ArrayList<>();
                for (Future<PutResult> put : threads.invokeAll(puts)) {
                    results.add(put.get());
                }

                // then one created it, and it holds that one's bytes
                assertThat(results)
                        .filteredOn(PutResult.Created.class::isInstance)
                        .hasSize(1);
                assertThat(results)
                        .filteredOn(PutResult.DifferentBytes.class::isInstance)
                        .hasSize(writers - 1);
                byte winner = (byte) results.indexOf(new PutResult.Created());
                assertThat(store.get(name)).contains(new byte[] {winner});
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(files()).noneMatch(file -> file.contains(".tmp"));
    }

    @Test
    void listsNamesByPrefixSortedAndNothingElse() throws Exception {
        for (String name : List.of("b/2", "a/10", "a/1", "a/2/x", "ab/1", "c")) {
            store.putIfAbsent(name, new byte[1]);
        }
        // given what a crash may leave behind, and what others put there
        Files.write(directory.resolve("objects/a/.tmp-1234"), new byte[1]);
        Files.write(directory.resolve("objects/a/not a name"), new byte[1]);

        assertThat(store.list("")).containsExactly("a/1", "a/10", "a/2/x", "ab/1", "b/2", "c");
        assertThat(store.list("a")).containsExactly("a/1", "a/10", "a/2/x", "ab/1");
        assertThat(store.list("a/")).containsExactly("a/1", "a/10", "a/2/x");
        assertThat(store.list("a/1")).containsExactly("a/1", "a/10");
        assertThat(store.list("d/")).isEmpty();
        assertThat(store.list("c/")).isEmpty();
        assertThat(store.list("../")).isEmpty();
        assertThat(store.list("/")).isEmpty();
    }

    @Test
    void listsWhileOthersWrite() throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<?> writer = thread.submit(() -> {
                for (int i = 0; i < 300; i++) {
                    store.putIfAbsent("busy/" + i, new byte[1]);
                }
                return null;
            });
            int before = 0;
            while (!writer.isDone()) {
                int now = store.list("busy/").size();
                assertThat(now).isGreaterThanOrEqualTo(before);
                before = now;
            }
            writer.get();
            assertThat(store.list("busy/")).hasSize(300);
        } finally {
            thread.shutdownNow();
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 5, conte", "0, 7, content", "3, 2, te", "6, 1, t", "0, 0, ''", "7, 0, ''"})
    void readsParts(long offset, int length, String part) throws Exception {
        store.putIfAbsent("x", utf8("content"));
        assertThat(store.get("x", offset, length)).contains(utf8(part));
        assertThat(store.get("y", offset, length)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0, 8", "7, 1", "8, 0", "-1, 1", "0, -1", "0, 2147483647", "9223372036854775807, 1"})
    void refusesPartsThatAreNotThere(long offset, int length) throws Exception {
        store.putIfAbsent("x", utf8("content"));
        assertThatThrownBy(() -> store.get("x", offset, length))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("object x has 7 bytes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", ".a", "a/.b", "a b", "a\\b",
                "a\0", "é", "a:b", "~"
            })
    void refusesNamesThatAreNotPlainRelativePaths(String name) {
        assertThatThrownBy(() -> store.putIfAbsent(name, new byte[1])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.get(name)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.get(name, 0, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesNamesThatAreTooLong() {
        assertThatThrownBy(() -> store.get("x".repeat(201))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void leavesNothingBehindWhenItCannotWrite() throws Exception {
        // given a directory where the object should be
        Files.createDirectories(directory.resolve("objects/taken"));
        assertThatThrownBy(() -> store.putIfAbsent("taken", new byte[1])).isInstanceOf(IOException.class);
        // given a file where a directory should be
        store.putIfAbsent("file", new byte[1]);
        assertThatThrownBy(() -> store.putIfAbsent("file/x", new byte[1])).isInstanceOf(IOException.class);
        assertThat(files()).containsExactly("file");
    }

    private List<String> files() throws IOException {
        Path objects = directory.resolve("objects");
        try (Stream<Path> files = Files.walk(objects)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> objects.relativize(file).toString())
                    .toList();
        }
    }
}
