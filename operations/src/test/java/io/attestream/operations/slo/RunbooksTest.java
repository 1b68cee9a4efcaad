// SPDX-License-Identifier: Apache-2.0
package io.attestream.operations.slo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever is woken by an alert finds a page that helps. */
class RunbooksTest {
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern URL =
            Pattern.compile("https://github.com/attestream/attestream/blob/main/(runbooks/[A-Za-z0-9]+\\.md)");
    private static final List<String> SECTIONS =
            List.of("Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation", "Verification");

    static List<JsonNode> alerts() throws IOException {
        List<JsonNode> alerts = new ArrayList<>();
        try (Stream<Path> files = Files.list(HOME.resolve("deploy/prometheus/rules"))) {
            for (Path file : files.sorted().toList()) {
                new YAMLMapper()
                        .readTree(file.toFile())
                        .path("groups")
                        .forEach(group -> group.path("rules").forEach(rule -> {
                            if (rule.has("alert")) {
                                alerts.add(rule);
                            }
                        }));
            }
        }
        assertThat(alerts).isNotEmpty();
        return alerts;
    }

    private static Path page(JsonNode alert) {
        Matcher url = URL.matcher(alert.at("/annotations/runbook_url").asText());
        assertThat(url.matches()).as(alert.toString()).isTrue();
        return HOME.resolve(url.group(1));
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void everyAlertHasASeverityASummaryAndAPageWithAllSections(JsonNode alert) throws Exception {
        assertThat(alert.at("/labels/severity").asText()).isIn("page", "ticket");
        assertThat(alert.at("/annotations/summary").asText()).isNotBlank();
        List<String> headings = Files.readAllLines(page(alert)).stream()
                .filter(line -> line.startsWith("## "))
                .map(line -> line.substring(3))
                .toList();
        assertThat(headings).as(alert.path("alert").asText()).containsExactlyElementsOf(SECTIONS);
    }

    /** Who is woken has something to run, before anything is understood. */
    @ParameterizedTest
    @MethodSource("alerts")
    void everyMitigationHasACommand(JsonNode alert) throws Exception {
        String page = Files.readString(page(alert));
        String mitigation = page.substring(page.indexOf("## Mitigation"), page.indexOf("## Escalation"));
        assertThat(mitigation).as(alert.path("alert").asText()).contains("```sh\n./attestream ");
    }

    @Test
    void noPageIsOfAnAlertThatIsGone() throws Exception {
        Set<Path> named = new TreeSet<>();
        alerts().forEach(alert -> named.add(page(alert)));
        try (Stream<Path> files = Files.list(HOME.resolve("runbooks"))) {
            assertThat(files.filter(file -> file.toString().endsWith(".md")).collect(Collectors.toSet()))
                    .isEqualTo(named);
        }
    }
}
