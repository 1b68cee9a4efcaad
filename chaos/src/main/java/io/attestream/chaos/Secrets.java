// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;

/** Files with secrets: readable by their owner only, from the moment they exist. */
public final class Secrets {
    private static final int SIZE_BYTES = 32;

    private Secrets() {}

    /** Writes a new file; fails if there is one. */
    public static void write(Path file, String secret) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, secret, StandardCharsets.UTF_8, StandardOpenOption.WRITE, StandardOpenOption.SYNC);
    }

    /** Writes the file anew; who reads it meanwhile gets the old one or the new one. */
    static void replace(Path file, String secret) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        Files.deleteIfExists(temporary);
        write(temporary, secret);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Writes a new file with 32 random bytes in base64; fails if there is one. */
    public static void writeRandom(Path file) throws IOException {
        byte[] bytes = new byte[SIZE_BYTES];
        new SecureRandom().nextBytes(bytes);
        write(file, Base64.getEncoder().encodeToString(bytes));
    }

    /** Makes the file with 32 random bytes in base64 unless it exists. */
    static Path randomFile(Path file) throws IOException {
        if (!Files.exists(file)) {
            writeRandom(file);
        }
        return file;
    }
}
