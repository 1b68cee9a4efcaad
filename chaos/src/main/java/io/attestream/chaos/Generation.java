// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Which life of the processors' state a data directory is in: file {@code generation}, absent in the first. */
final class Generation {
    private static final String NAME = "generation";

    private Generation() {}

    /** @param next begins the next one, for good */
    static int of(Path data, boolean next) throws IOException {
        Path file = data.resolve(NAME);
        int generation =
                Files.exists(file) ? Integer.parseInt(Files.readString(file).strip()) : 1;
        if (next) {
            generation++;
            Path temporary = data.resolve(NAME + ".tmp");
            Files.writeString(temporary, generation + "\n");
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
        return generation;
    }
}
