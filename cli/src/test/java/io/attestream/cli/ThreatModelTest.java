// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every threat of docs/threat-model.md is covered by tests that exist, or said to be open. */
class ThreatModelTest {
    private static final Pattern TEST = Pattern.compile("`([A-Z]\\w+)\\.(\\w+)`");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| [STRIDE, ]+ \\| .*$");

    @Test
    void everyTestThatIsNamedExists() throws IOException {
        String page = page();
        assertThat(TEST.matcher(page).results()).hasSizeGreaterThan(40);
        assertThat(missing(page)).isEmpty();
    }

    @Test
    void aTestThatIsGoneIsSeen() throws IOException {
        assertThat(missing("`SignerTest.refusesAShardThatShrinks` `SignerTest.refusesNothing` `NoTest.atAll`"))
                .containsExactly("SignerTest.refusesNothing", "NoTest.atAll");
    }

    @Test
    void everyThreatIsCoveredOrOpen() throws IOException {
        List<String> rows =
                ROW.matcher(page()).results().map(MatchResult::group).toList();
        assertThat(rows)
                .hasSizeGreaterThan(25)
                .allSatisfy(row -> assertThat(TEST.matcher(row).find() || row.contains("**open**"))
                        .as(row)
                        .isTrue());
    }

    private static String page() throws IOException {
        return Files.readString(Script.HOME.resolve("docs/threat-model.md"));
    }

    /** Tests a page names that are not there. */
    static List<String> missing(String page) throws IOException {
        List<String> missing = new ArrayList<>();
        for (MatchResult named : TEST.matcher(page).results().toList()) {
            if (!exists(named.group(1), named.group(2))) {
                missing.add(named.group(1) + "." + named.group(2));
            }
        }
        return missing;
    }

    private static boolean exists(String type, String method) throws IOException {
        try (Stream<Path> modules = Files.list(Script.HOME)) {
            for (Path sources : modules.map(module -> module.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> files = Files.walk(sources)) {
                    if (files.filter(file -> file.endsWith(type + ".java")).anyMatch(file -> hasMethod(file, method))) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private static boolean hasMethod(Path file, String method) {
        try {
            return Files.readString(file).contains(" " + method + "(");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
