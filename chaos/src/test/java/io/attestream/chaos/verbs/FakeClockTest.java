// SPDX-License-Identifier: Apache-2.0
package io.attestream.chaos.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A JVM whose clock is made wrong while it runs. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class FakeClockTest {
    @TempDir
    private Path data;

    /** Tells its clock after each of many waits, and how long all of them took. */
    static final class Program {
        private static final int WAITS = 3_000;

        private Program() {}

        public static void main(String[] arguments) {
            long begun = System.nanoTime();
            for (int i = 1; i <= WAITS; i++) {
                LockSupport.parkNanos(20_000_000);
                System.out.println(
                        System.currentTimeMillis() + " " + (System.nanoTime() - begun) / 1_000_000 + " " + i);
            }
        }
    }

    @Test
    void theClockIsWrongAtOnceAndWaitsLastAsLongAsEver() throws Exception {
        assumeTrue(FakeClock.library().isPresent(), "libfaketime is not installed");
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                Path.of(Program.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI())
                        .toString(),
                Program.class.getName());
        builder.environment().putAll(FakeClock.environment(data, "some"));
        Process process = builder.start();
        try (BufferedReader out = process.inputReader()) {
            for (Duration skew : List.of(Duration.ZERO, Duration.ofHours(1), Duration.ofHours(-1), Duration.ZERO)) {
                Files.writeString(FakeClock.file(data, "some"), FakeClock.text(skew));
                awaitSkew(out, skew);
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static void awaitSkew(BufferedReader out, Duration skew) throws Exception {
        while (true) {
            String line = out.readLine();
            assertThat(line).as("a clock that is wrong by " + skew).isNotNull();
            String[] words = line.split(" ", -1);
            long waits = Long.parseLong(words[2]);
            // A wait may end early now and then, but not most of them.
            assertThat(Long.parseLong(words[1])).isGreaterThanOrEqualTo(waits * 10);
            long wrongMillis = Long.parseLong(words[0]) - System.currentTimeMillis();
            if (Math.abs(wrongMillis - skew.toMillis()) < Duration.ofMinutes(5).toMillis()) {
                return;
            }
        }
    }
}
