// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Spotless holds the header of Java files; here are the scripts, builds and programs beside them. */
class LicenceTest {
    private static final String HEADER = "SPDX-License-Identifier: Apache-2.0";
    private static final Set<String> NOT_OURS = Set.of("target", ".git", ".idea", "attestream-data", "data");

    @Test
    void everySourceFileSaysItsLicence() throws IOException {
        List<Path> sources = sources();

        assertThat(sources)
                .extracting(file -> Script.HOME.relativize(file).toString())
                .contains("attestream", ".ci/run", "pom.xml", ".github/workflows/ci.yml", "proofs/interop/main.go");
        assertThat(sources)
                .allSatisfy(file -> assertThat(Files.readString(file).lines().limit(3))
                        .as(file.toString())
                        .anyMatch(line -> line.contains(HEADER)));
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        Files.walkFileTree(Script.HOME, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                return NOT_OURS.contains(directory.getFileName().toString())
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String name = file.getFileName().toString();
                if (name.matches("attestream|run|.*\\.(sh|java|go|yml|yaml)|pom\\.xml")) {
                    sources.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return sources;
    }
}
