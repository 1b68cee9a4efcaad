// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import io.attestream.chaos.ClusterFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Files named on the command line: what is wrong with them in words, not in exceptions. */
final class LocalFiles {
    private LocalFiles() {}

    static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw failure("read", file, e);
        }
    }

    static String readText(Path file) {
        return new String(read(file), StandardCharsets.UTF_8);
    }

    static void writeText(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw failure("write", file, e);
        }
    }

    /** Who a local cluster's brokers are to be told one is; empty if they ask nobody. */
    static Optional<Path> kafkaConfig(Optional<ClusterFile> cluster) {
        return cluster.map(ClusterFile::kafkaConfig).map(Path::of);
    }

    /** The cluster that runs in a data directory; empty if none was named. */
    static Optional<ClusterFile> cluster(@Nullable Path dataDirectory) {
        if (dataDirectory == null) {
            return Optional.empty();
        }
        try {
            Optional<ClusterFile> cluster = ClusterFile.read(dataDirectory);
            if (cluster.isEmpty()) {
                throw new CliException(
                        ExitCode.USAGE,
                        dataDirectory + " holds no cluster",
                        "Start one with: attestream up --data-dir " + dataDirectory);
            }
            return cluster;
        } catch (IOException e) {
            throw new CliException(ExitCode.ERROR, "cannot read " + dataDirectory + ": " + e.getMessage(), "");
        }
    }

    static CliException failure(String what, Path file, IOException e) {
        return new CliException(ExitCode.ERROR, "cannot " + what + " " + file + ": " + why(e), "Check the path.");
    }

    private static String why(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "there is no such file or directory";
        }
        return e instanceof AccessDeniedException ? "permission denied" : String.valueOf(e.getMessage());
    }
}
