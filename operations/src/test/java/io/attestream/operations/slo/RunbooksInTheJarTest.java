// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RunbooksInTheJarTest {
    private static final Path RUNBOOKS = Path.of("../runbooks").toAbsolutePath().normalize();

    @Test
    void theObjectivesAreThoseOfTheDirectory() throws Exception {
        assertThat(Runbooks.objectives()).isEqualTo(SloReader.readAll(RUNBOOKS.resolve("slo")));
    }

    @Test
    void thePagesAreThoseOfTheDirectory() throws Exception {
        // given
        List<String> pages;
        try (Stream<Path> files = Files.list(RUNBOOKS)) {
            pages = files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(".md"))
                    .map(file -> file.substring(0, file.length() - 3))
                    .sorted()
                    .toList();
        }

        // then
        assertThat(Runbooks.names()).isEqualTo(pages);
        assertThat(Runbooks.page("AttestreamProcessDown"))
                .hasValue(Files.readString(RUNBOOKS.resolve("AttestreamProcessDown.md")));
        assertThat(Runbooks.page("../runbooks/AttestreamProcessDown")).isEmpty();
        assertThat(Runbooks.page("index")).isEmpty();
    }
}
