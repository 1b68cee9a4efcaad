// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import io.attestream.proofs.InvalidFormat;
import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.ObjectStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/** Reads objects for a check and takes note of what is not as it must be. Not thread-safe. */
final class ArchiveReader {
    /** So many objects one behind the other that cannot be read are no rot: the store does not answer. */
    private static final int UNREADABLE_MAX = 3;

    private final ObjectStore store;
    private final List<ArchiveCheck.Finding> findings = new ArrayList<>();
    private final Set<String> unreferenced;
    private int unreadableInARow;
    private long found;
    private long sizeBytes;

    ArchiveReader(ObjectStore store) {
        this(store, new ConcurrentSkipListSet<>());
    }

    private ArchiveReader(ObjectStore store, Set<String> unreferenced) {
        this.store = store;
        this.unreferenced = unreferenced;
    }

    /** One that another thread may use at the same time, until what it found is taken by {@link #take}. */
    ArchiveReader beside() {
        return new ArchiveReader(store, unreferenced);
    }

    /** Takes over what another one read and found. */
    void take(ArchiveReader other) {
        other.findings.stream()
                .limit(ArchiveCheck.FINDINGS_MAX - findings.size())
                .forEach(findings::add);
        found += other.found;
        sizeBytes += other.sizeBytes;
        other.findings.clear();
        other.found = 0;
        other.sizeBytes = 0;
        if (unreadableInARow == 0) {
            other.unreadableInARow = 0; // the store answers
        }
    }

    /** Reads an object of one kind. */
    interface Parser<T> {
        T parse(byte[] object) throws InvalidFormat;
    }

    /** Reads a part of an object. */
    interface Part<T> {
        T read(ObjectStore store) throws IOException, InvalidFormat;
    }

    /** Objects nothing is known of yet; {@link #refer} takes them out one by one. */
    void list(String prefix) throws IOException {
        unreferenced.addAll(store.list(prefix));
    }

    void refer(String name) {
        unreferenced.remove(name);
    }

    void find(String object, String expected, String actual) {
        found++;
        if (findings.size() < ArchiveCheck.FINDINGS_MAX) {
            findings.add(new ArchiveCheck.Finding(object, expected, actual));
        }
    }

    /** Empty if there is none, or it cannot be read, which was noted then. */
    Optional<byte[]> load(String name, String expectation) throws IOException {
        Optional<byte[]> object = loadIfThere(name, expectation);
        if (object.isEmpty() && unreadableInARow == 0) {
            find(name, expectation, "no object");
        }
        return object;
    }

    private Optional<byte[]> loadIfThere(String name, String expectation) throws IOException {
        refer(name);
        try {
            Optional<byte[]> object = store.get(name);
            unreadableInARow = 0;
            sizeBytes += object.map(there -> there.length).orElse(0);
            return object;
        } catch (IOException e) {
            unreadable(name, expectation, e);
            return Optional.empty();
        }
    }

    /** Empty if the object is of no use, which was noted then; or if there is none, which was not. */
    <T> Optional<T> readIfThere(String name, Parser<T> parser) throws IOException {
        Optional<byte[]> object = loadIfThere(name, "an object");
        if (object.isEmpty()) {
            return Optional.empty();
        }
        try {
            ObjectNames.requireDigest(name, object.get());
            return Optional.of(parser.parse(object.get()));
        } catch (InvalidFormat e) {
            find(name, "the digest in its name and a known format", String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    /** Empty if this part of the object is of no use, which was noted then. */
    <T> Optional<T> part(String name, Part<T> part) throws IOException {
        refer(name);
        try {
            T value = part.read(store);
            unreadableInARow = 0;
            return Optional.of(value);
        } catch (InvalidFormat e) {
            find(name, "the digests in its name and header", String.valueOf(e.getMessage()));
        } catch (IOException e) {
            unreadable(name, "an object", e);
        }
        return Optional.empty();
    }

    private void unreadable(String name, String expectation, IOException e) throws IOException {
        if (Thread.currentThread().isInterrupted() || ++unreadableInARow == UNREADABLE_MAX) {
            throw e;
        }
        find(name, expectation, "cannot be read: " + e.getMessage());
    }

    /** So much more was read. */
    void read(long moreBytes) {
        sizeBytes += moreBytes;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    List<ArchiveCheck.Finding> findings() {
        return findings;
    }

    long found() {
        return found;
    }

    List<String> unreferenced() {
        return List.copyOf(unreferenced);
    }
}
