// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/durability.md names tests that exist. */
class DurabilityTest {
    /** {@code `SomeIT.someMethod`}, {@code `.anotherOfIt`} or a class alone. */
    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*(?:IT|Test))?(?:\\.(\\w+))?`");

    @Test
    void everyTestItNamesExists() throws IOException {
        // given
        Map<String, String> tests = tests();
        Matcher named = NAMED.matcher(Files.readString(Script.HOME.resolve("docs/durability.md")));

        // then
        String type = "";
        int found = 0;
        while (named.find()) {
            if (named.group(1) == null && named.group(2) == null) {
                continue;
            }
            type = named.group(1) == null ? type : named.group(1);
            assertThat(tests).as(named.group()).containsKey(type);
            if (named.group(2) != null) {
                assertThat(tests.get(type)).as(named.group()).contains("void " + named.group(2) + "(");
                found++;
            }
        }
        assertThat(found).isGreaterThan(30);
    }

    /** Source by class. */
    private static Map<String, String> tests() throws IOException {
        List<Path> sources;
        try (Stream<Path> modules = Files.list(Script.HOME)) {
            sources = modules.map(module -> module.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .collect(Collectors.toList());
        }
        Map<String, String> tests = new TreeMap<>();
        for (Path source : sources) {
            List<Path> files;
            try (Stream<Path> all = Files.walk(source)) {
                files = all.filter(file -> file.toString().matches(".*(IT|Test)\\.java"))
                        .toList();
            }
            for (Path file : files) {
                tests.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
            }
        }
        return tests;
    }
}
