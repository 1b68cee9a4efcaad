// SPDX-License-Identifier: Apache-2.0
package io.attestream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.attestream.proofs.archive.ObjectNames;
import io.attestream.proofs.archive.PackName;
import io.attestream.proofs.archive.SnapshotName;
import io.attestream.proofs.archive.WindowName;
import io.attestream.proofs.envelope.Erasure;
import io.attestream.schemas.Topics;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/privacy.md names every place data is in, and its tests are there. */
class PrivacyPageTest {
    private static String page() throws IOException {
        return Files.readString(Script.HOME.resolve("docs/privacy.md"));
    }

    @Test
    void everyTestItNamesIsThere() throws IOException {
        assertThat(ThreatModelTest.missing(page())).isEmpty();
    }

    @Test
    void itsLinksLeadSomewhere() throws IOException {
        List<String> links = Pattern.compile("\\]\\(([^)#]+)")
                .matcher(page())
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(links)
                .isNotEmpty()
                .allSatisfy(link ->
                        assertThat(Script.HOME.resolve("docs").resolve(link)).exists());
    }

    /** A topic that is added may hold something about somebody. */
    @Test
    void everyTopicIsNamed() throws Exception {
        Topics topics = new Topics("x");
        List<String> names = new ArrayList<>();
        for (Method method : Topics.class.getMethods()) {
            if (method.getDeclaringClass() == Topics.class
                    && method.getReturnType() == String.class
                    && method.getParameterCount() == 0
                    && !method.getName().matches("prefix|toString|.*(Groups?|Id|Prefix)")) {
                names.add(((String) method.invoke(topics)).substring("x.".length()));
            }
        }
        String page = page();
        assertThat(names)
                .hasSizeGreaterThan(4)
                .allSatisfy(topic -> assertThat(page).contains("`" + topic + "`"));
        assertThat(page).contains("`inbox.<tenant>`");
    }

    @Test
    void everyKindOfObjectIsNamed() throws Exception {
        List<String> prefixes = Stream.of(ObjectNames.class, PackName.class, SnapshotName.class, WindowName.class)
                .flatMap(type -> Arrays.stream(type.getFields()))
                .filter(field -> Modifier.isStatic(field.getModifiers()) && field.getType() == String.class)
                .map(PrivacyPageTest::text)
                .filter(value -> value.endsWith("/"))
                .toList();
        assertThat(prefixes).hasSizeGreaterThan(7);
        String page = page();
        assertThat(prefixes).allSatisfy(prefix -> assertThat(page).contains("`" + prefix + "`"));
    }

    private static String text(Field field) {
        try {
            return (String) field.get(null);
        } catch (IllegalAccessException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    @Test
    void theCommandItShowsIsOne() throws IOException {
        assertThat(page())
                .contains("attestream erase --data-dir ./attestream-data --subject customer-4711 --yes", Erasure.TYPE);
        Main.commandLine().parseArgs("erase", "--data-dir", "./attestream-data", "--subject", "customer-4711", "--yes");
    }
}
