// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Directories of a cluster that are disks of their own, in memory, so that they can be filled. */
final class SmallDisks implements AutoCloseable {
    static final long SIZE_MIB = 768;
    private static final long COMMAND_SECONDS_MAX = 30;

    private final List<Path> mounted = new ArrayList<>();

    /** Whether a process of this user can mount them for itself alone. */
    static boolean canUnshare() {
        return command("unshare", "--map-root-user", "--mount", "true");
    }

    /**
     * Mounts them.
     *
     * @param directories below data
     * @return why it cannot be done here; empty if it was
     */
    Optional<String> mount(Path data, List<String> directories) {
        for (String directory : directories) {
            try {
                Path disk = Files.createDirectories(data.resolve(directory));
                if (!command(
                        "mount", "-t", "tmpfs", "-o", "size=" + SIZE_MIB + "m", "attestream-fault", disk.toString())) {
                    return Optional.of(
                            "no disk could be mounted here: run it as root, or in unshare --map-root-user --mount");
                }
                mounted.add(disk);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return Optional.empty();
    }

    private static boolean command(String... words) {
        try {
            Process process = new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(COMMAND_SECONDS_MAX, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        mounted.forEach(disk -> command("umount", disk.toString()));
        mounted.clear();
    }
}
