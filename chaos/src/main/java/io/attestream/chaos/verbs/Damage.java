// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Optional;
import java.util.stream.Stream;

/** What a disk can do to a file. */
final class Damage {
    private Damage() {}

    /** The largest table of the state stores below a directory; empty if there is none. */
    static Optional<Path> largestTable(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return Optional.empty();
        }
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.toString().endsWith(".sst"))
                    .max(Comparator.comparingLong(file -> file.toFile().length()));
        }
    }

    /** The lowest bit of the byte in the middle. */
    static byte[] withAFlippedBit(byte[] whole) {
        byte[] damaged = whole.clone();
        damaged[whole.length / 2] ^= 1;
        return damaged;
    }

    /** Its first half. */
    static byte[] cutInHalf(byte[] whole) {
        return Arrays.copyOf(whole, whole.length / 2);
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
