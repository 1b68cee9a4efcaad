// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Clocks that can be made wrong while a process runs, by Debian's libfaketime: it reads a file once a second. */
public final class FakeClock {
    private static final List<Path> LIBRARIES = List.of(
            Path.of("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
            Path.of("/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"));

    private FakeClock() {}

    /** Where it is installed; empty if it is not. */
    public static Optional<Path> library() {
        return LIBRARIES.stream().filter(Files::exists).findFirst();
    }

    /** How wrong the clock of a service is. */
    static Path file(Path dataDirectory, String service) {
        return Journal.directory(dataDirectory).resolve(service + ".clock");
    }

    static String text(Duration skew) {
        return (skew.isNegative() ? "-" : "+") + skew.abs().toSeconds() + "\n";
    }

    /**
     * The environment in which a service has to be started so that its clock can be made wrong later; it is right at first. Empty
     * if the library is not installed. Times between two moments stay right, as on a machine whose clock is set.
     */
    public static Map<String, String> environment(Path dataDirectory, String service) {
        Optional<Path> library = library();
        Path file = file(dataDirectory, service);
        try {
            if (library.isEmpty()) {
                Files.deleteIfExists(file); // of a life in which it was
                return Map.of();
            }
            Files.createDirectories(file.getParent());
            Files.writeString(file, text(Duration.ZERO));
        } catch (IOException e) {
            throw new UncheckedIOException("no clock can be kept in " + file, e);
        }
        return Map.of(
                "LD_PRELOAD", library.get().toString(),
                "FAKETIME_TIMESTAMP_FILE", file.toString(),
                "FAKETIME_CACHE_DURATION", "1",
                "FAKETIME_DONT_FAKE_MONOTONIC", "1",
                // Otherwise every wait with a limit ends at once: threads would spin instead of waiting.
                "FAKETIME_FORCE_MONOTONIC_FIX", "0");
    }
}
