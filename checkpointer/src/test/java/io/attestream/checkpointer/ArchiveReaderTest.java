// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What readers beside each other found is all told, and a store that does not answer is not taken for rot. */
class ArchiveReaderTest {
    private final Set<String> unreadable = new HashSet<>();
    private final ArchiveReader reader = new ArchiveReader(new Store());

    private final class Store implements ObjectStore {
        @Override
        public Optional<byte[]> get(String name) throws IOException {
            if (unreadable.contains(name)) {
                throw new IOException("input/output error");
            }
            return name.equals("there") ? Optional.of(new byte[10]) : Optional.empty();
        }

        @Override
        public Optional<byte[]> get(String name, long offset, int length) throws IOException {
            return get(name);
        }

        @Override
        public PutResult putIfAbsent(String name, byte[] bytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void replace(String name, byte[] bytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void delete(String name) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<String> list(String prefix) {
            return List.of();
        }
    }

    private static void load(ArchiveReader reader, String name) throws IOException {
        var unused = reader.load(name, "an object");
    }

    @Test
    void whatAnotherFoundIsTakenOverOnce() throws Exception {
        // given
        ArchiveReader other = reader.beside();
        load(other, "missing");
        load(other, "there");

        // when
        reader.take(other);
        reader.take(other);

        // then
        assertThat(reader.found()).isEqualTo(1);
        assertThat(reader.findings()).extracting(ArchiveCheck.Finding::object).containsExactly("missing");
        assertThat(reader.sizeBytes()).isEqualTo(10);
    }

    @Test
    void moreIsCountedThanIsListed() {
        ArchiveReader other = reader.beside();
        for (int i = 0; i < ArchiveCheck.FINDINGS_MAX; i++) {
            reader.find("own" + i, "one", "none");
            other.find("other" + i, "one", "none");
        }
        reader.take(other);
        assertThat(reader.findings()).hasSize(ArchiveCheck.FINDINGS_MAX);
        assertThat(reader.found()).isEqualTo(2L * ArchiveCheck.FINDINGS_MAX);
    }

    @Test
    void threeObjectsInARowThatCannotBeReadAreAStoreThatDoesNotAnswer() throws Exception {
        unreadable.addAll(List.of("a", "b", "c"));
        load(reader, "a");
        load(reader, "b");
        assertThatThrownBy(() -> load(reader, "c")).isInstanceOf(IOException.class);
    }

    /** Of a shard there may be nothing else to read for many epochs. */
    @Test
    void rotOfOneShardHereAndThereIsNoStoreThatDoesNotAnswer() throws Exception {
        unreadable.addAll(List.of("a", "b", "c", "d"));
        ArchiveReader other = reader.beside();
        for (String object : List.of("a", "b", "c", "d")) {
            load(reader, "there");
            load(other, object);
            reader.take(other);
        }
        assertThat(reader.found()).isEqualTo(4);
    }

    @Test
    void aStoreThatAnswersNeitherStaysOneThatDoesNotAnswer() throws Exception {
        unreadable.addAll(List.of("a", "b", "c", "own"));
        ArchiveReader other = reader.beside();
        load(reader, "own");
        load(other, "a");
        reader.take(other);
        load(other, "b");
        reader.take(other);
        assertThatThrownBy(() -> load(other, "c")).isInstanceOf(IOException.class);
    }
}
