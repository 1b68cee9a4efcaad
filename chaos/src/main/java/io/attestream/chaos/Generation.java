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

    /** The one that was kept last, or the next. */
    static int of(Path data, boolean next) throws IOException {
        Path file = data.resolve(NAME);
        int kept = Files.exists(file) ? Integer.parseInt(Files.readString(file).strip()) : 1;
        return next ? kept + 1 : kept;
    }

    /** Once it has begun: a start that was cut off before begins the same one again. */
    static void keep(Path data, int generation) throws IOException {
        Path temporary = data.resolve(NAME + ".tmp");
        Files.writeString(temporary, generation + "\n");
        Files.move(temporary, data.resolve(NAME), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
