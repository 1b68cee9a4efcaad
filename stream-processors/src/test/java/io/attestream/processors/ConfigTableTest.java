// SPDX-License-Identifier: Apache-2.0
package io.attestream.processors;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.WithDefault;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The configuration page is made from the code; {@code -Dattestream.docs.write=true} writes it. */
class ConfigTableTest {
    private static final Path PAGE =
            Path.of(System.getProperty("attestream.home", ".."), "docs", "configuration", "processors.md");

    @Test
    void theConfigurationPageIsWhatTheCodeSays() throws IOException {
        // given
        Map<String, String> rows = new TreeMap<>();
        collect("attestream", ProcessorsConfig.class, rows);
        String page = "# Settings of the processors\n\n"
                + "Made from the code by a test; do not edit. Each setting is a system property or an environment variable; "
                + "all are checked at start, and a missing or wrong one ends the process with what is wrong.\n\n"
                + "| setting | environment variable | default | what it does |\n| --- | --- | --- | --- |\n"
                + String.join("", rows.values());
        if (Boolean.getBoolean("attestream.docs.write")) {
            Files.writeString(PAGE, page);
        }

        // when, then
        assertThat(Files.readString(PAGE))
                .as("stale: mvn verify -pl stream-processors -Dtest=ConfigTableTest -Dattestream.docs.write=true")
                .isEqualTo(page);
    }

    private static void collect(String prefix, Class<?> group, Map<String, String> rows) {
        for (Method method : group.getDeclaredMethods()) {
            String name =
                    prefix + "." + method.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
            Doc doc = method.getAnnotation(Doc.class);
            if (doc != null) {
                String variable = name.replaceAll("[^a-z0-9]", "_").toUpperCase(Locale.ROOT);
                rows.put(
                        name,
                        "| `" + name + "` | `" + variable + "` | " + defaultOf(method) + " | " + doc.value() + " |\n");
            } else if (Arrays.asList(ProcessorsConfig.class.getDeclaredClasses())
                    .contains(method.getReturnType())) {
                collect(name, method.getReturnType(), rows);
            } else {
                assertThat(method.isSynthetic())
                        .as("setting " + name + " has no @Doc")
                        .isTrue();
            }
        }
    }

    private static String defaultOf(Method method) {
        WithDefault value = method.getAnnotation(WithDefault.class);
        if (value != null) {
            return "`" + value.value() + "`";
        }
        return method.getReturnType() == Optional.class ? "none" : "required";
    }
}
