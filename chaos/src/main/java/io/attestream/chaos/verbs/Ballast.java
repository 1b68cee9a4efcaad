// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** A file that takes all the room there is on a disk. */
final class Ballast {
    static final String NAME = "chaos-ballast";
    /** A larger disk is somebody's own. */
    static final long DISK_SIZE_BYTES_MAX = 1L << 30;

    private static final int BLOCK_SIZE_BYTES = 1 << 20;

    private Ballast() {}

    /** Why the disk of a directory must not be filled; empty if it may. */
    static Optional<String> refusal(Path directory) throws IOException {
        FileStore disk = Files.getFileStore(directory);
        if (disk.equals(Files.getFileStore(directory.toAbsolutePath().getParent()))) {
            return Optional.of(
                    directory + " is no disk of its own: mount one there before the cluster is started, for example"
                            + " mount -t tmpfs -o size=512m tmpfs " + directory);
        }
        if (disk.getTotalSpace() > DISK_SIZE_BYTES_MAX) {
            return Optional.of("the disk of " + directory + " has more than 1 GiB: nothing so large is filled");
        }
        return Optional.empty();
    }

    /** Until nothing more fits. */
    static void fill(Path directory) throws IOException {
        Path ballast = directory.resolve(NAME);
        byte[] block = new byte[BLOCK_SIZE_BYTES];
        try (OutputStream out = Files.newOutputStream(ballast, StandardOpenOption.CREATE_NEW)) {
            for (int size = block.length; size > 0; size /= 2) {
                writeWhileItFits(out, block, size, directory.toFile());
            }
        }
        if (directory.toFile().getUsableSpace() >= BLOCK_SIZE_BYTES) {
            throw new IOException("the disk of " + directory + " does not get full");
        }
    }

    private static void writeWhileItFits(OutputStream out, byte[] block, int size, File disk) {
        try {
            while (disk.getUsableSpace() > 0) {
                out.write(block, 0, size);
            }
        } catch (IOException e) {
            // It is full for blocks of this size.
        }
    }
}
