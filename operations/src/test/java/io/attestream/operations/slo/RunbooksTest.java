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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever is woken by an alert finds a page that helps. */
class RunbooksTest {
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern URL =
            Pattern.compile("https://github.com/attestream/attestream/blob/main/(runbooks/[A-Za-z0-9]+\\.md)");
    private static final Pattern LINK = Pattern.compile("\\]\\(((?!https?:)[^)#]+)\\)");
    /** What somebody plans to do, or has to do that no alert tells of. */
    private static final Set<String> SITUATIONS =
            Set.of("AddingPartitions", "KeyRotation", "RegionLoss", "Restore", "Upgrading");

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

    static List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(HOME.resolve("runbooks"))) {
            return files.filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void everyAlertHasASeverityASummaryAndAPage(JsonNode alert) {
        assertThat(alert.at("/labels/severity").asText()).isIn("page", "ticket");
        assertThat(alert.at("/annotations/summary").asText()).isNotBlank();
        assertThat(page(alert)).as(alert.path("alert").asText()).exists();
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyPageHasAllSections(Path page) throws Exception {
        List<String> headings = Files.readAllLines(page).stream()
                .filter(line -> line.startsWith("## "))
                .map(line -> line.substring(3))
                .toList();
        assertThat(headings).containsExactlyElementsOf(SECTIONS);
    }

    /** Who is woken has something to run, before anything is understood. */
    @ParameterizedTest
    @MethodSource("pages")
    void everyMitigationHasACommand(Path page) throws Exception {
        String text = Files.readString(page);
        String mitigation = text.substring(text.indexOf("## Mitigation"), text.indexOf("## Escalation"));
        assertThat(mitigation).contains("```sh\n").containsPattern("(?m)^./attestream ");
    }

    @Test
    void everyPageIsOfAnAlertThatIsThereOrOfASituation() throws Exception {
        Set<String> known = new TreeSet<>(SITUATIONS);
        alerts().forEach(alert -> known.add(name(page(alert))));
        assertThat(pages()).extracting(RunbooksTest::name).containsExactlyElementsOf(known);
    }

    @ParameterizedTest
    @MethodSource("pages")
    void linksOfPagesLeadSomewhere(Path page) throws Exception {
        Matcher links = LINK.matcher(Files.readString(page));
        assertThat(links.results().map(link -> link.group(1)))
                .allSatisfy(link -> assertThat(page.resolveSibling(link)).exists());
    }

    private static String name(Path page) {
        return page.getFileName().toString().replace(".md", "");
    }
}
