// SPDX-License-Identifier: Apache-2.0
package io.attestream.proofs.archive;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * An object store in a directory. An object is written to a temporary file beside its place, synced, and hard-linked to its
 * name, which fails if the name is taken; then the directory is synced. So a reader sees all of an object or none of it, of
 * two writers one creates it, and what was created survives a loss of power.
 *
 * <p>Needs a file system with hard links. A crash may leave a file named {@code .tmp-…} behind: it is never listed, and may be
 * deleted while nobody writes. Where it is another name of an object, replacing the object takes it along.
 */
public final class DirectoryObjectStore implements ObjectStore {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*");
    private static final int MAX_NAME_LENGTH = 200;
    private static final String TEMPORARY = ".tmp-";

    private final Path directory;

    /** Directories whose own names are known to be on disk. */
    private final Set<Path> durable = ConcurrentHashMap.newKeySet();

    /** @param directory made if absent */
    public DirectoryObjectStore(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory.toAbsolutePath().normalize());
        Path above = this.directory.getParent();
        if (above != null) {
            syncDirectory(above);
        }
        durable.add(this.directory);
    }

    @Override
    public Optional<byte[]> get(String name) throws IOException {
        try {
            return Optional.of(Files.readAllBytes(pathOf(name)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public Optional<byte[]> get(String name, long offset, int length) throws IOException {
        try (FileChannel file = FileChannel.open(pathOf(name), StandardOpenOption.READ)) {
            if (offset < 0 || length < 0 || offset > file.size() - length) {
                throw new TooShortException("object " + name + " has " + file.size() + " bytes, none at " + offset
                        + " to " + (offset + length));
            }
            ByteBuffer bytes = ByteBuffer.allocate(length);
            while (bytes.hasRemaining()) {
                if (file.read(bytes, offset + bytes.position()) < 0) {
                    throw new TooShortException("object " + name + " ends before " + (offset + length));
                }
            }
            return Optional.of(bytes.array());
        } catch (NoSuchFileException | FileNotFoundException e) {
            return Optional.empty();
        }
    }

    @Override
    public PutResult putIfAbsent(String name, byte[] bytes) throws IOException {
        Path path = pathOf(name);
        Path parent = makeParents(path);
        Optional<byte[]> present = get(name);
        if (present.isPresent()) {
            syncDirectory(parent);
            return compare(present.get(), bytes);
        }
        Path temporary = parent.resolve(TEMPORARY + UUID.randomUUID());
        try {
            write(temporary, bytes);
            Files.createLink(path, temporary);
        } catch (FileAlreadyExistsException e) {
            // Another writer was first; its name may not be on disk yet.
            syncDirectory(parent);
            return compare(Files.readAllBytes(path), bytes);
        } finally {
            Files.deleteIfExists(temporary);
        }
        syncDirectory(parent);
        return new PutResult.Created();
    }

    @Override
    public void replace(String name, byte[] bytes) throws IOException {
        Path path = pathOf(name);
        Path parent = makeParents(path);
        deleteOtherNamesOf(path, parent);
        Path temporary = parent.resolve(TEMPORARY + UUID.randomUUID());
        try {
            write(temporary, bytes);
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary);
        }
        syncDirectory(parent);
    }

    /** What is replaced may be a key that is to be gone: a writer that was killed may have left it under a temporary name too. */
    private static void deleteOtherNamesOf(Path path, Path parent) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (DirectoryStream<Path> temporary = Files.newDirectoryStream(parent, TEMPORARY + "*")) {
            for (Path other : temporary) {
                if (isSameFile(other, path)) {
                    Files.deleteIfExists(other);
                }
            }
        }
    }

    private static boolean isSameFile(Path one, Path other) throws IOException {
        try {
            return Files.isSameFile(one, other);
        } catch (NoSuchFileException e) {
            return false; // its writer is alive
        }
    }

    @Override
    public void delete(String name) throws IOException {
        Path path = pathOf(name);
        if (Files.exists(path)) {
            Path parent = makeParents(path);
            Files.deleteIfExists(path);
            syncDirectory(parent);
        }
    }

    @Override
    public List<String> list(String prefix) throws IOException {
        List<String> names = new ArrayList<>();
        Path from = directory
                .resolve(prefix.substring(0, prefix.lastIndexOf('/') + 1))
                .normalize();
        if (!from.startsWith(directory) || !Files.isDirectory(from)) {
            return names;
        }
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String name = directory.relativize(file).toString();
                if (name.startsWith(prefix) && NAME.matcher(name).matches()) {
                    names.add(name);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    // The temporary file of a writer at work.
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }
        });
        names.sort(null);
        return names;
    }

    private static PutResult compare(byte[] present, byte[] bytes) {
        return Arrays.equals(present, bytes) ? new PutResult.SameBytes() : new PutResult.DifferentBytes();
    }

    private Path pathOf(String name) {
        if (name.length() > MAX_NAME_LENGTH || !NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not an object name: " + name);
        }
        return directory.resolve(name);
    }

    /** Makes missing directories; the names of all of them are on disk when it returns. */
    private Path makeParents(Path path) throws IOException {
        Path parent = path.getParent();
        if (parent == null) {
            throw new IllegalArgumentException("an object needs a directory");
        }
        if (!durable.contains(parent)) {
            Path above = makeParents(parent);
            try {
                Files.createDirectory(parent);
            } catch (FileAlreadyExistsException e) {
                // Made earlier, or by another writer: as good, but perhaps not synced.
            }
            syncDirectory(above);
            durable.add(parent);
        }
        return parent;
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
    }

    private static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
