// SPDX-License-Identifier: Apache-2.0
package io.attestream.checkpointer;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.WithDefault;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The configuration page is made from the code; {@code -Dattestream.docs.write=true} writes it. */
class ConfigTableTest {
    private static final Path PAGE =
            Path.of(System.getProperty("attestream.home", ".."), "docs", "configuration", "checkpointer.md");

    @Test
    void theConfigurationPageIsWhatTheCodeSays() throws IOException {
        // given
        String page = render();
        if (Boolean.getBoolean("attestream.docs.write")) {
            Files.createDirectories(PAGE.getParent());
            Files.writeString(PAGE, page);
        }

        // when
        String committed = Files.readString(PAGE);

        // then
        assertThat(committed)
                .as("stale: mvn verify -pl checkpointer -Dtest=ConfigTableTest -Dattestream.docs.write=true")
                .isEqualTo(page);
    }

    private static String render() {
        List<String> rows = new ArrayList<>();
        collect("attestream", CheckpointerConfig.class, rows);
        Collections.sort(rows);
        return "# Settings of the checkpointer\n\n"
                + "Made from the code by a test; do not edit. Each setting is a system property or an environment variable; "
                + "all are checked at start, and a missing or wrong one ends the process with what is wrong.\n\n"
                + "| setting | environment variable | default | what it does |\n| --- | --- | --- | --- |\n"
                + String.join("", rows);
    }

    private static void collect(String prefix, Class<?> group, List<String> rows) {
        for (Method method : group.getDeclaredMethods()) {
            String name = prefix + "." + kebab(method.getName());
            Doc doc = method.getAnnotation(Doc.class);
            if (doc != null) {
                rows.add("| `" + name + "` | `"
                        + name.replaceAll("[^a-z0-9]", "_").toUpperCase(Locale.ROOT) + "` | " + defaultOf(method)
                        + " | " + doc.value() + " |\n");
            } else if (Arrays.asList(CheckpointerConfig.class.getDeclaredClasses())
                    .contains(method.getReturnType())) {
                collect(name, method.getReturnType(), rows);
            } else if (!method.isSynthetic()) {
                throw new AssertionError("setting " + name + " has no @Doc");
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

    private static String kebab(String camel) {
        return camel.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }
}
